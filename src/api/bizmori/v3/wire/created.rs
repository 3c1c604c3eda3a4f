//! The response to a v3 create.

use serde::Serialize;

use super::{awaits_upload, in_listed_order, is_delayed, is_report_supported};
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::v3::wire::report::{ReportItem, report_items};
use crate::api::bizmori::wire::{RenderContext, extraction_outcome};
use crate::model::file::{File, OutputSpec};
use crate::model::order::{Order, OrderState};
use crate::model::picture::FileKind;
use crate::model::work::{Extraction, NoResult, Work};
use crate::platform::clock;

/// The order as it stands now, whether this request made it or an earlier one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedOrderV3 {
    order_id: String,
    status: &'static str,
    processing_delayed: bool,
    expires_at: String,
    files: Vec<NewFileV3>,
    outputs: Vec<NewOutput>,
    /// Null unless the order is a complete extraction.
    result: Option<ExtractionResult>,
    reports: Vec<ReportItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewFileV3 {
    file_id: String,
    /// Null if no upload of the file is awaited.
    upload_url: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewOutput {
    file_id: String,
    input_file_id: String,
    /// Place of the text in the `watermarks` of the file, from 0.
    output_index: usize,
    watermark_text: String,
    status: &'static str,
    media_kind: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtractionResult {
    detection_status: &'static str,
    report_supported: bool,
    /// Null unless detected.
    watermark_text: Option<String>,
}

impl CreatedOrderV3 {
    /// Describes `order` to its client, whose uploads go to `uploads`.
    pub fn of(order: &Order, view: RenderContext<'_>, uploads: &UploadUrls<'_>) -> Self {
        let new_file = |(index, file): (usize, &File)| NewFileV3 {
            file_id: file.id.to_string(),
            upload_url: awaits_upload(order, file).then(|| uploads.url(order, index)),
        };
        let cuts = match order.work {
            Work::WatermarkEmbed => order.output_specs(),
            _ => Vec::new(),
        };
        let outputs = cuts.into_iter().map(|cut| NewOutput::of(order, cut));
        Self {
            order_id: order.id.clone(),
            status: order.state.status(),
            processing_delayed: is_delayed(order, view),
            expires_at: clock::iso(order.expires_at()),
            files: in_listed_order(order).map(new_file).collect(),
            outputs: outputs.collect(),
            result: ExtractionResult::of(order),
            reports: report_items(order),
        }
    }
}

impl NewOutput {
    fn of(order: &Order, cut: OutputSpec<'_>) -> Self {
        let is_pdf = FileKind::of_name(&cut.file.name).is_some_and(FileKind::is_pdf);
        Self {
            file_id: cut.output_id().to_string(),
            input_file_id: cut.file.id.to_string(),
            output_index: cut.index,
            watermark_text: cut.texts.join("\n"),
            status: output_status(order, cut.file),
            media_kind: if is_pdf { "pdf" } else { "image" },
        }
    }
}

/// Status of the outputs of `file`, in words that only outputs have. The word `retry_required` is
/// never used: an output is not made a second time.
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
    /// Returns the result of a complete extraction. `None` of any other order.
    fn of(order: &Order) -> Option<Self> {
        let found = extraction_outcome(order)
            .filter(|_| matches!(order.state, OrderState::Complete { .. }))?;
        Some(Self {
            detection_status: detection_status(found),
            report_supported: is_report_supported(order),
            watermark_text: found.text.clone(),
        })
    }
}

/// The create's word for a result. The detail of an order says `undetected` for `not_detected`.
fn detection_status(found: &Extraction) -> &'static str {
    match found.no_result {
        Some(reason) => NoResult::name(reason),
        None if found.text.is_some() => "detected",
        None => "not_detected",
    }
}
