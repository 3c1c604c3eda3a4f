//! Response to the create routes.

use schemars::JsonSchema;
use serde::Serialize;

use super::reports::{ReportItem, report_items};
use super::{awaits_upload, is_delayed, is_report_supported, listed_files};
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::{RenderContext, extraction_outcome};
use crate::model::file::{File, OutputSpec};
use crate::model::order::{Order, OrderState};
use crate::model::picture::FileKind;
use crate::model::work::{Extraction, NoResult, Work};
use crate::platform::clock;

/// Order as it is now, whether this request created it or an earlier one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedOrderV3 {
    order_id: String,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
    processing_delayed: bool,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    files: Vec<NewFileV3>,
    outputs: Vec<NewOutput>,
    /// Null unless the order is a complete extraction.
    result: Option<ExtractionResult>,
    reports: Vec<ReportItem>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NewFileV3 {
    file_id: String,
    /// Null unless the order waits for the upload.
    #[schemars(extend("format" = "uri"))]
    upload_url: Option<String>,
}

/// Words of the vendor. `retry_required` is never used.
const OUTPUT_STATUSES: [&str; 6] = [
    "pending",
    "queued",
    "processing",
    "completed",
    "failed",
    "retry_required",
];

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NewOutput {
    file_id: String,
    input_file_id: String,
    /// Index of the text in the `watermarks` of the file, from 0.
    output_index: usize,
    watermark_text: String,
    #[schemars(extend("enum" = OUTPUT_STATUSES))]
    status: &'static str,
    #[schemars(extend("enum" = ["image", "pdf"]))]
    media_kind: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExtractionResult {
    #[schemars(extend("enum" = ["detected", "not_detected", "inconclusive", "unsupported", "error"]))]
    detection_status: &'static str,
    report_supported: bool,
    /// Null unless detected.
    watermark_text: Option<String>,
}

impl CreatedOrderV3 {
    pub fn new(order: &Order, context: RenderContext<'_>, uploads: &UploadUrls<'_>) -> Self {
        let new_file = |(index, file): (usize, &File)| NewFileV3 {
            file_id: file.id.to_string(),
            upload_url: awaits_upload(order, file).then(|| uploads.url(order, index)),
        };
        let output_specs = match order.work {
            Work::WatermarkEmbed => order.output_specs(),
            _ => Vec::new(),
        };
        let outputs = output_specs
            .into_iter()
            .map(|output| NewOutput::new(order, output));
        Self {
            order_id: order.id.clone(),
            status: order.state.status(),
            processing_delayed: is_delayed(order, context),
            expires_at: clock::iso(order.expires_at()),
            files: listed_files(order).map(new_file).collect(),
            outputs: outputs.collect(),
            result: ExtractionResult::new(order),
            reports: report_items(order),
        }
    }
}

impl NewOutput {
    fn new(order: &Order, output: OutputSpec<'_>) -> Self {
        let is_pdf = FileKind::of_name(&output.file.name).is_some_and(FileKind::is_pdf);
        Self {
            file_id: output.output_id().to_string(),
            input_file_id: output.file.id.to_string(),
            output_index: output.index,
            watermark_text: output.watermark_texts.join("\n"),
            status: output_status(order, output.file),
            media_kind: if is_pdf { "pdf" } else { "image" },
        }
    }
}

/// Returns the status of the outputs of `file`. The vendor's word `retry_required` is never used: an
/// output is not created a second time.
fn output_status(order: &Order, file: &File) -> &'static str {
    match &order.state {
        OrderState::Pending if file.is_upload_pending() => "pending",
        OrderState::Pending => "queued",
        OrderState::InProgress { .. } => "processing",
        OrderState::Complete { .. } | OrderState::Expired { outcome: Some(_) } => "completed",
        OrderState::Failed { .. } | OrderState::Expired { outcome: None } => "failed",
    }
}

impl ExtractionResult {
    /// `None` unless the order is a complete extraction.
    fn new(order: &Order) -> Option<Self> {
        let extraction = extraction_outcome(order)
            .filter(|_| matches!(order.state, OrderState::Complete { .. }))?;
        Some(Self {
            detection_status: detection_status(extraction),
            report_supported: is_report_supported(order),
            watermark_text: extraction.text.clone(),
        })
    }
}

/// Returns the word of the create routes for a result. The detail of an order has `undetected` in place of
/// `not_detected`.
fn detection_status(extraction: &Extraction) -> &'static str {
    match extraction.no_result {
        Some(reason) => NoResult::name(reason),
        None if extraction.text.is_some() => "detected",
        None => "not_detected",
    }
}
