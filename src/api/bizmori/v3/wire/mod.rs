//! Response bodies of v3, in the vendor's field order. A field that is an `Option` is null if it has no
//! value, unless its comment says that it is omitted.

mod created;
mod reports;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::bizmori::request::ORDER_TYPES;
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::{
    CodedErrors, JsNumber, RenderContext, detection_outcome, detection_status_word,
    extraction_outcome, status_code,
};
use crate::model::file::{File, OutputSpec, Role};
use crate::model::order::{Order, OrderState};
use crate::model::work::{DetectionOptions, Outcome, Work};
use crate::platform::clock;
use crate::services::orders::report_kind;

pub use created::CreatedOrderV3;
pub use reports::ReportView;
use reports::{ReportItem, report_items};

/// Processing time after which `processingDelayed` is true.
const DELAYED_AFTER_MS: i64 = 60_000;

fn is_delayed(order: &Order, context: RenderContext<'_>) -> bool {
    match order.state {
        OrderState::InProgress { started_at, .. } => {
            context.now.since_ms(started_at) > DELAYED_AFTER_MS
        }
        _ => false,
    }
}

/// `true` if the order waits for the upload of `file`.
fn awaits_upload(order: &Order, file: &File) -> bool {
    order.state == OrderState::Pending && file.is_upload_pending()
}

/// Returns the files of an order with their indexes. An original comes before the inspected file.
fn listed_files(order: &Order) -> impl Iterator<Item = (usize, &File)> {
    let mut files: Vec<_> = order.files.iter().enumerate().collect();
    files.sort_by_key(|(_, file)| file.role == Some(Role::Watermarked));
    files.into_iter()
}

fn is_report_supported(order: &Order) -> bool {
    report_kind(order).is_some()
}

/// Response to `GET /api/v3/orders/{orderId}`. Always has all keys.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderDetailV3 {
    #[schemars(extend("enum" = ORDER_TYPES))]
    r#type: &'static str,
    order_id: String,
    order_name: String,
    #[schemars(extend("const" = "api"))]
    channel: &'static str,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    retention_days: u32,
    #[schemars(extend("format" = "uri"))]
    thumbnail_image_url: Option<String>,
    processing_delayed: bool,
    /// Null unless failed.
    errors: Option<CodedErrors>,
    input_files: Vec<InputFileView>,
    /// Null until complete.
    result: Option<OrderResult>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InputFileView {
    file_id: String,
    file_name: String,
    /// Omitted unless the order is an extraction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = ["original", "query"]))]
    role: Option<&'static str>,
    /// Omitted unless the order waits for the upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "uri"))]
    upload_url: Option<String>,
}

impl OrderDetailV3 {
    pub fn new(order: &Order, context: RenderContext<'_>, uploads: &UploadUrls<'_>) -> Self {
        let input_file = |(index, file): (usize, &File)| InputFileView {
            file_id: file.id.to_string(),
            file_name: file.name.clone(),
            role: file.role.map(|role| match role {
                Role::Original => "original",
                Role::Watermarked => "query",
            }),
            upload_url: awaits_upload(order, file).then(|| uploads.url(order, index)),
        };
        Self {
            r#type: order.work.name(),
            order_id: order.id.clone(),
            order_name: order.name.clone(),
            channel: "api",
            status: order.state.status(),
            created_at: clock::iso(order.created_at),
            updated_at: clock::iso(order.updated_at),
            expires_at: clock::iso(order.expires_at()),
            retention_days: order.retention_days,
            thumbnail_image_url: context.thumbnail_url(order),
            processing_delayed: is_delayed(order, context),
            errors: CodedErrors::for_order(order),
            input_files: listed_files(order).map(input_file).collect(),
            result: OrderResult::new(order, context),
        }
    }
}

/// Result of a complete order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum OrderResult {
    Outputs {
        output_files: Vec<OutputFile>,
    },
    Extraction {
        #[schemars(extend("enum" = ["detected", "undetected", "inconclusive", "unsupported", "error"]))]
        detection_status: &'static str,
        /// Null unless detected.
        watermark_text: Option<String>,
        report_supported: bool,
        reports: Vec<ReportItem>,
    },
    Detection {
        #[schemars(extend("enum" = ["likely_ai", "uncertain_ai", "uncertain_real", "likely_real"]))]
        verdict: &'static str,
        probability: JsNumber,
        options: Option<DetectionOptions>,
        #[schemars(extend("format" = "uri"))]
        original_image_url: Option<String>,
        #[schemars(extend("format" = "uri"))]
        heatmap_url: Option<String>,
        #[schemars(extend("format" = "uri"))]
        overlay_url: Option<String>,
    },
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OutputFile {
    file_id: String,
    file_name: String,
    input_file_id: String,
    /// Omitted unless the order embeds watermarks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    watermark_text: Option<String>,
}

impl OrderResult {
    /// `None` unless the order is complete.
    fn new(order: &Order, context: RenderContext<'_>) -> Option<Self> {
        let OrderState::Complete { outcome, .. } = &order.state else {
            return None;
        };
        Some(match outcome {
            Outcome::Outputs(_) => Self::Outputs {
                output_files: order
                    .output_specs()
                    .into_iter()
                    .map(OutputFile::from)
                    .collect(),
            },
            Outcome::Extraction(_) => {
                let extraction = extraction_outcome(order)?;
                Self::Extraction {
                    detection_status: detection_status_word(extraction),
                    watermark_text: extraction.text.clone(),
                    report_supported: is_report_supported(order),
                    reports: report_items(order),
                }
            }
            Outcome::Bulk(_) => return None,
            Outcome::Detection(_) => {
                let detection = detection_outcome(order)?;
                let options = match order.work {
                    Work::AiDetection { options } => options,
                    _ => None,
                };
                Self::Detection {
                    verdict: status_code(detection.verdict.probability).0,
                    probability: JsNumber(detection.verdict.probability),
                    options,
                    original_image_url: context.original_url(order),
                    heatmap_url: context.blob_url(order, detection.heatmap.as_deref()),
                    overlay_url: context.blob_url(order, detection.overlay.as_deref()),
                }
            }
        })
    }
}

impl From<OutputSpec<'_>> for OutputFile {
    fn from(output: OutputSpec<'_>) -> Self {
        Self {
            file_id: output.output_id().to_string(),
            file_name: output.file.name.clone(),
            input_file_id: output.file.id.to_string(),
            watermark_text: (!output.watermark_texts.is_empty())
                .then(|| output.watermark_texts.join("\n")),
        }
    }
}

/// Response to `GET …/download`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrlsV3 {
    /// ZIP of several outputs, or the only output itself.
    #[schemars(extend("format" = "uri"))]
    pub archive_url: String,
    pub files: Vec<DownloadFile>,
    pub expires_in_seconds: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadFile {
    pub file_id: String,
    #[schemars(extend("format" = "uri"))]
    pub download_url: String,
}
