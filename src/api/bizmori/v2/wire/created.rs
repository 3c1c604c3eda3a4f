//! The answers to the v2 create routes.

use serde::Serialize;

use crate::model::file::{File, Role};
use crate::model::order::{Order, OrderState};
use crate::model::picture::{FileKind, RasterFormat};

/// A file of a new anti-AI order or AI detection: to be uploaded, or taken from a URL.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum NewFileView {
    Upload {
        file_id: u64,
        file_name: String,
        upload_url: String,
        file_key: String,
    },
    Url {
        file_id: u64,
        file_name: String,
        original_file_url: String,
    },
}

impl NewFileView {
    /// The file, to be put where `upload_url` says.
    pub fn of(file: &File, upload_url: impl FnOnce() -> String) -> Self {
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

    /// The order's files, each with where to put it.
    fn all(order: &Order, upload_url: impl Fn(usize) -> String) -> Vec<Self> {
        let files = order.files.iter().enumerate();
        files
            .map(|(index, file)| Self::of(file, || upload_url(index)))
            .collect()
    }
}

/// The answer to `POST …/anti-ai`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AntiAiCreated {
    order_name: String,
    order_id: String,
    status: &'static str,
    files: Vec<NewFileView>,
}

impl AntiAiCreated {
    /// Of the order, whose file of an index is put where `upload_url` says.
    pub fn of(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        Self {
            order_name: order.name.clone(),
            order_id: order.id.clone(),
            status: order.state.status(),
            files: NewFileView::all(order, upload_url),
        }
    }
}

/// The answer to `POST …/anti-ai/with-urls`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartedOrder {
    order_name: String,
    order_id: String,
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

/// The answer to `POST …/ai-detection`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AiDetectionCreated {
    order_id: String,
    order_name: String,
    status: &'static str,
    file: Option<NewFileView>,
}

impl AiDetectionCreated {
    /// Of the order, whose file of an index is put where `upload_url` says.
    pub fn of(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        Self {
            order_id: order.id.clone(),
            order_name: order.name.clone(),
            status: order.state.status(),
            file: NewFileView::all(order, upload_url).into_iter().next(),
        }
    }
}

/// A file of a new watermark order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkFile {
    file_id: u64,
    file_name: String,
    /// Left out where the file is taken from a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_url: Option<String>,
    /// Left out where the file is uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_file_url: Option<String>,
    file_key: String,
    file_format: &'static str,
    file_type: &'static str,
}

impl WatermarkFile {
    fn of(file: &File, upload_url: impl FnOnce() -> String) -> Self {
        let (file_format, file_type) = format(&file.name);
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

/// The vendor's words for a file's format and its kind.
fn format(name: &str) -> (&'static str, &'static str) {
    match FileKind::of_name(name) {
        Some(FileKind::Picture(format)) => match format {
            RasterFormat::Jpeg => ("JPG", "IMG"),
            RasterFormat::Png => ("PNG", "IMG"),
            RasterFormat::WebP => ("WEBP", "IMG"),
            RasterFormat::Bmp => ("BMP", "IMG"),
            RasterFormat::Tiff => ("TIFF", "IMG"),
            RasterFormat::Gif => ("GIF", "IMG"),
        },
        // files of other kinds are refused by their names
        Some(_) | None => ("PDF", "DOCUMENT"),
    }
}

/// The answer to `POST …/wtr-embed`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkEmbedCreated {
    order_name: String,
    order_id: String,
    status: &'static str,
    files: Vec<WatermarkFile>,
}

impl WatermarkEmbedCreated {
    /// Of the order, whose file of an index is put where `upload_url` says. A `fresh` one is
    /// told to be pending even where it has started, for want of anything to wait for.
    pub fn of(order: &Order, fresh: bool, upload_url: impl Fn(usize) -> String) -> Self {
        let status = if fresh {
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
                .map(|(index, file)| WatermarkFile::of(file, || upload_url(index)))
                .collect(),
        }
    }
}

/// The answer to `POST …/wtr-extract`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkExtractCreated {
    order_name: String,
    order_id: String,
    file: Option<ExtractFileView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtractFileView {
    #[serde(flatten)]
    file: WatermarkFile,
    role: &'static str,
    sequence: u8,
    /// Left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_file: Option<Box<ExtractFileView>>,
}

impl WatermarkExtractCreated {
    /// Of the order, whose file of an index is put where `upload_url` says.
    pub fn of(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        let of_role = |wanted: Role, role: &'static str, original_file| {
            let mut files = order.files.iter().enumerate();
            let (index, file) = files.find(|(_, file)| file.role == Some(wanted))?;
            Some(ExtractFileView {
                file: WatermarkFile::of(file, || upload_url(index)),
                role,
                sequence: 1,
                original_file,
            })
        };
        let original = of_role(Role::Original, "original", None).map(Box::new);
        Self {
            order_name: order.name.clone(),
            order_id: order.id.clone(),
            file: of_role(Role::Watermarked, "watermarked", original),
        }
    }
}
