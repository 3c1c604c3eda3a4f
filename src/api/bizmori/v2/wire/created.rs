//! Responses to the create routes.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::file::{File, Role};
use crate::model::order::{Order, OrderState};
use crate::model::picture::{FileKind, RasterFormat};

/// File of a new anti-AI order or AI detection: to be uploaded, or fetched from a URL.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum NewFileView {
    Upload {
        file_id: u64,
        file_name: String,
        #[schemars(extend("format" = "uri"))]
        upload_url: String,
        file_key: String,
    },
    Url {
        file_id: u64,
        file_name: String,
        #[schemars(extend("format" = "uri"))]
        original_file_url: String,
    },
}

impl NewFileView {
    /// Calls `upload_url` only if the file is to be uploaded.
    pub fn new(file: &File, upload_url: impl FnOnce() -> String) -> Self {
        let (file_id, file_name) = (file.id, file.name.clone());
        match &file.url {
            Some(url) => Self::Url {
                file_id,
                file_name,
                original_file_url: url.clone(),
            },
            None => Self::Upload {
                file_id,
                file_name,
                upload_url: upload_url(),
                file_key: file.key.clone(),
            },
        }
    }

    /// Describes all files of `order`. `upload_url` returns the URL of the file with that index.
    fn list(order: &Order, upload_url: impl Fn(usize) -> String) -> Vec<Self> {
        let files = order.files.iter().enumerate();
        files
            .map(|(index, file)| Self::new(file, || upload_url(index)))
            .collect()
    }
}

/// Response to `POST …/anti-ai`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AntiAiCreated {
    order_name: String,
    order_id: String,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
    files: Vec<NewFileView>,
}

impl AntiAiCreated {
    /// `upload_url` returns the URL of the file with that index.
    pub fn new(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        Self {
            order_name: order.name.clone(),
            order_id: order.id.clone(),
            status: order.state.status(),
            files: NewFileView::list(order, upload_url),
        }
    }
}

/// Response to `POST …/anti-ai/with-urls`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartedOrder {
    order_name: String,
    order_id: String,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
}

impl From<&Order> for StartedOrder {
    fn from(order: &Order) -> Self {
        Self {
            order_name: order.name.clone(),
            order_id: order.id.clone(),
            status: order.state.status(),
        }
    }
}

/// Response to `POST …/ai-detection`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AiDetectionCreated {
    order_id: String,
    order_name: String,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
    file: Option<NewFileView>,
}

impl AiDetectionCreated {
    /// `upload_url` returns the URL of the file with that index.
    pub fn new(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        Self {
            order_id: order.id.clone(),
            order_name: order.name.clone(),
            status: order.state.status(),
            file: NewFileView::list(order, upload_url).into_iter().next(),
        }
    }
}

/// File of a new watermark order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkFile {
    file_id: u64,
    file_name: String,
    /// Omitted if the file is fetched from a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "uri"))]
    upload_url: Option<String>,
    /// Omitted if the file is uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "uri"))]
    original_file_url: Option<String>,
    file_key: String,
    #[schemars(extend("enum" = ["JPG", "PNG", "WEBP", "BMP", "TIFF", "PDF"]))]
    file_format: &'static str,
    #[schemars(extend("enum" = ["IMG", "DOCUMENT"]))]
    file_type: &'static str,
}

impl WatermarkFile {
    fn new(file: &File, upload_url: impl FnOnce() -> String) -> Self {
        let (file_format, file_type) = format_and_type(&file.name);
        Self {
            file_id: file.id,
            file_name: file.name.clone(),
            upload_url: file.url.is_none().then(upload_url),
            original_file_url: file.url.clone(),
            file_key: file.key.clone(),
            file_format,
            file_type,
        }
    }
}

/// Returns the vendor's words for the format and the type of a file.
fn format_and_type(name: &str) -> (&'static str, &'static str) {
    match FileKind::of_name(name) {
        Some(FileKind::Picture(format)) => match format {
            RasterFormat::Jpeg => ("JPG", "IMG"),
            RasterFormat::Png => ("PNG", "IMG"),
            RasterFormat::WebP => ("WEBP", "IMG"),
            RasterFormat::Bmp => ("BMP", "IMG"),
            RasterFormat::Tiff => ("TIFF", "IMG"),
            RasterFormat::Gif => ("GIF", "IMG"),
        },
        // Names with other extensions were refused.
        Some(_) | None => ("PDF", "DOCUMENT"),
    }
}

/// Response to `POST …/wtr-embed`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkEmbedCreated {
    order_name: String,
    order_id: String,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
    files: Vec<WatermarkFile>,
}

impl WatermarkEmbedCreated {
    /// `upload_url` returns the URL of the file with that index. A new order is always `pending`, although
    /// one without uploads has started already.
    pub fn new(order: &Order, is_new: bool, upload_url: impl Fn(usize) -> String) -> Self {
        let status = if is_new {
            OrderState::Pending.status()
        } else {
            order.state.status()
        };
        let files = order.files.iter().enumerate();
        Self {
            order_name: order.name.clone(),
            order_id: order.id.clone(),
            status,
            files: files
                .map(|(index, file)| WatermarkFile::new(file, || upload_url(index)))
                .collect(),
        }
    }
}

/// Response to `POST …/wtr-extract`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkExtractCreated {
    order_name: String,
    order_id: String,
    file: Option<ExtractFileView>,
}

/// Inspected file, or its original.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExtractFileView {
    #[serde(flatten)]
    file: WatermarkFile,
    #[schemars(extend("enum" = ["watermarked", "original"]))]
    role: &'static str,
    #[schemars(extend("const" = 1))]
    sequence: u8,
    /// Omitted if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Box<ExtractFileView>")]
    original_file: Option<Box<ExtractFileView>>,
}

impl WatermarkExtractCreated {
    /// `upload_url` returns the URL of the file with that index.
    pub fn new(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        let file_with_role = |role: Role, role_word: &'static str, original_file| {
            let mut files = order.files.iter().enumerate();
            let (index, file) = files.find(|(_, file)| file.role == Some(role))?;
            Some(ExtractFileView {
                file: WatermarkFile::new(file, || upload_url(index)),
                role: role_word,
                sequence: 1,
                original_file,
            })
        };
        let original = file_with_role(Role::Original, "original", None).map(Box::new);
        Self {
            order_name: order.name.clone(),
            order_id: order.id.clone(),
            file: file_with_role(Role::Watermarked, "watermarked", original),
        }
    }
}
