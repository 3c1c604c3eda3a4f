//! The bodies of v3, in its field order. A field that is an `Option` is null when there is
//! nothing to say, unless it says that it is left out.

mod created;
mod report;

use serde::Serialize;

use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::{
    JsNumber, OrderErrors, RenderContext, detection, detection_status_word, extraction_outcome,
    status_code,
};
use crate::model::file::{File, OutputSpec, Role};
use crate::model::order::{Order, OrderState};
use crate::model::work::{DetectionOptions, Outcome, Work};
use crate::platform::clock;
use crate::services::orders::report_kind;

pub use created::CreatedOrderV3;
pub use report::ReportView;
use report::{ReportItem, report_items};

/// An order that takes longer is told to be delayed.
const DELAYED_MS: i64 = 60_000;

fn is_delayed(order: &Order, view: RenderContext<'_>) -> bool {
    match order.state {
        OrderState::InProgress { started_at, .. } => view.now.since_ms(started_at) > DELAYED_MS,
        _ => false,
    }
}

/// Whether the order waits for that file.
fn awaits_upload(order: &Order, file: &File) -> bool {
    order.state == OrderState::Pending && file.is_upload_pending()
}

/// Returns the files of an order with their indexes, an original before the file that is inspected.
fn in_listed_order(order: &Order) -> impl Iterator<Item = (usize, &File)> {
    let mut files: Vec<_> = order.files.iter().enumerate().collect();
    files.sort_by_key(|(_, file)| file.role == Some(Role::Watermarked));
    files.into_iter()
}

fn is_report_supported(order: &Order) -> bool {
    report_kind(order).is_some()
}

/// The answer to `GET /api/v3/orders/{orderId}`: always these keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderDetailV3 {
    r#type: &'static str,
    order_id: String,
    order_name: String,
    channel: &'static str,
    status: &'static str,
    created_at: String,
    updated_at: String,
    expires_at: String,
    retention_days: u32,
    thumbnail_image_url: Option<String>,
    processing_delayed: bool,
    errors: Option<OrderErrors>,
    input_files: Vec<InputFile>,
    result: Option<OrderResult>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InputFile {
    file_id: String,
    file_name: String,
    /// Of an extraction only; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Left out where nothing is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_url: Option<String>,
}

impl OrderDetailV3 {
    /// The order as it stands.
    pub fn of(order: &Order, view: RenderContext<'_>, uploads: &UploadUrls<'_>) -> Self {
        let input_file = |(index, file): (usize, &File)| InputFile {
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
            thumbnail_image_url: view.thumbnail(order),
            processing_delayed: is_delayed(order, view),
            errors: OrderErrors::for_v3(order),
            input_files: in_listed_order(order).map(input_file).collect(),
            result: OrderResult::of(order, view),
        }
    }
}

/// What came of a complete order.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum OrderResult {
    Outputs {
        output_files: Vec<OutputFile>,
    },
    Extraction {
        detection_status: &'static str,
        watermark_text: Option<String>,
        report_supported: bool,
        reports: Vec<ReportItem>,
    },
    Detection {
        verdict: &'static str,
        probability: JsNumber,
        options: Option<DetectionOptions>,
        original_image_url: Option<String>,
        heatmap_url: Option<String>,
        overlay_url: Option<String>,
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputFile {
    file_id: String,
    file_name: String,
    input_file_id: String,
    /// Of an embedding only; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark_text: Option<String>,
}

impl OrderResult {
    fn of(order: &Order, view: RenderContext<'_>) -> Option<Self> {
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
                let found = extraction_outcome(order)?;
                Self::Extraction {
                    detection_status: detection_status_word(found),
                    watermark_text: found.text.clone(),
                    report_supported: is_report_supported(order),
                    reports: report_items(order),
                }
            }
            Outcome::Bulk(_) => return None,
            Outcome::Detection(_) => {
                let found = detection(order)?;
                let options = match order.work {
                    Work::AiDetection { options } => options,
                    _ => None,
                };
                Self::Detection {
                    verdict: status_code(found.verdict.probability).0,
                    probability: JsNumber(found.verdict.probability),
                    options,
                    original_image_url: view.original(order),
                    heatmap_url: view.link(order, found.heatmap.as_deref()),
                    overlay_url: view.link(order, found.overlay.as_deref()),
                }
            }
        })
    }
}

impl From<OutputSpec<'_>> for OutputFile {
    fn from(cut: OutputSpec<'_>) -> Self {
        Self {
            file_id: cut.output_id().to_string(),
            file_name: cut.file.name.clone(),
            input_file_id: cut.file.id.to_string(),
            watermark_text: (!cut.texts.is_empty()).then(|| cut.texts.join("\n")),
        }
    }
}

/// The answer to `GET …/download`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrlsV3 {
    /// A ZIP of several outputs, or the only output itself.
    pub archive_url: String,
    pub files: Vec<DownloadFile>,
    pub expires_in_seconds: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadFile {
    pub file_id: String,
    pub download_url: String,
}
