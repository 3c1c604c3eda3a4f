//! The bodies of `/bulk-upload` and `/bulk-upload/query`, in the vendor's field order. A field
//! that is an `Option` is null when there is nothing to say.

use axum::http::HeaderValue;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::error::ErrorCode;
use super::super::python_float::PyFloat;
use super::super::wire::{detection_step, final_result, metadata, ml_model, ocr, percent, result};
use crate::http::{header_line, outcome_line};
use crate::model::bulk::{Bulk, ItemResult, SkipReason};
use crate::model::order::Order;
use crate::model::picture::{FileDefect, Verdict};
use crate::model::work::BulkResult;

/// Number of items whose source stands in `X-Mock-Outcome`.
const PLAN_ITEMS_MAX: usize = 4;

/// The answer to `POST /bulk-upload`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "QueuedBulk")]
pub struct BulkQueued<'o> {
    id: &'o str,
    #[schemars(extend("const" = "pending"))]
    status: &'static str,
    /// Of pictures that are judged.
    #[schemars(range(min = 1, max = 50))]
    expected_count: u32,
}

/// What a bulk's fields are together: there are results once it is done, and not before.
fn states() -> Value {
    json!([
        {"properties": {"status": {"const": "done"}, "items": {"minItems": 1}}},
        {"properties": {
            "status": {"enum": ["pending", "analyzing", "failed"]},
            "result": {"type": "null"},
            "items": {"maxItems": 0},
        }},
    ])
}

impl<'o> BulkQueued<'o> {
    /// Of a bulk just made, of so many pictures.
    pub fn of(order: &'o Order, expected_count: u32) -> Self {
        Self {
            id: &order.id,
            status: "pending",
            expected_count,
        }
    }
}

/// The answer to `POST /bulk-upload/query`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Bulk", extend("anyOf" = states()))]
pub struct BulkDocument<'o> {
    id: &'o str,
    #[schemars(extend("enum" = ["pending", "analyzing", "done", "failed"]))]
    status: &'static str,
    /// The mean of the items' that have one; null until it is done.
    #[schemars(range(min = 0, max = 100))]
    result: Option<PyFloat>,
    /// In the ZIP's order; none until it is done.
    items: Vec<BulkItem<'o>>,
    skipped: Vec<SkippedView<'o>>,
}

/// A picture that was judged, or could not be: then all but its name and error is null.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "BulkItem")]
struct BulkItem<'o> {
    filename: &'o str,
    #[schemars(range(min = 0, max = 100))]
    result: Option<PyFloat>,
    /// `AI Generated`, `Real`, `Digitally Edited` or `AI Edited`; at step 2 the generator's name.
    final_result: Option<&'o str>,
    /// The chance that it was made by AI, in percent.
    #[schemars(range(min = 0, max = 100))]
    confidence: Option<PyFloat>,
    /// Decided by: 1 metadata, 2 a watermark, 3 the model.
    #[schemars(range(min = 1, max = 3))]
    detection_step: Option<u8>,
    /// Verdict and reason.
    metadata: Option<(&'static str, String)>,
    /// Label and percent.
    ocr: Option<(String, PyFloat)>,
    /// Label and percent; null before step 3.
    ml_model: Option<(String, PyFloat)>,
    error: Option<&'o str>,
}

/// An entry of the ZIP that is not judged.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BulkSkipped")]
struct SkippedView<'o> {
    filename: &'o str,
    reason: &'static str,
}

impl<'o> BulkDocument<'o> {
    /// Nothing has come of it, or will.
    pub fn unsettled(order: &'o Order, bulk: &'o Bulk, status: &'static str) -> Self {
        let skipped = bulk.skipped.iter().map(|skipped| SkippedView {
            filename: &skipped.name,
            reason: reason(skipped.reason),
        });
        Self {
            id: &order.id,
            status,
            result: None,
            items: Vec::new(),
            skipped: skipped.collect(),
        }
    }

    /// That was found.
    pub fn done(order: &'o Order, bulk: &'o Bulk, found: &'o BulkResult) -> Self {
        let items = bulk.queued.iter().zip(&found.items);
        let items = items.map(|(queued, judged)| BulkItem::of(&queued.name, judged));
        Self {
            result: mean_result(found),
            items: items.collect(),
            ..Self::unsettled(order, bulk, "done")
        }
    }
}

impl<'o> BulkItem<'o> {
    fn of(filename: &'o str, judged: &'o ItemResult) -> Self {
        let verdict = match judged {
            ItemResult::Verdict(verdict) => verdict,
            ItemResult::Defect(FileDefect::NotAnImage(_) | FileDefect::FormatMismatch(_)) => {
                return Self::failed(filename, ErrorCode::InvalidFileType.message());
            }
            ItemResult::Defect(defect) => return Self::failed(filename, defect.message()),
            ItemResult::Error(line) => return Self::failed(filename, line),
        };
        let step = detection_step(verdict);
        Self {
            filename,
            result: Some(result(verdict)),
            final_result: Some(final_result(&verdict.label)),
            confidence: Some(percent(verdict.probability)),
            detection_step: Some(step),
            metadata: Some(metadata(verdict, step)),
            ocr: ocr(verdict, step),
            ml_model: ml_model(verdict, step),
            error: None,
        }
    }

    fn failed(filename: &'o str, error: &'o str) -> Self {
        Self {
            filename,
            error: Some(error),
            ..Self::default()
        }
    }
}

/// The mean result of those pictures that could be judged, if any could.
pub fn mean_result(found: &BulkResult) -> Option<PyFloat> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for verdict in found.items.iter().filter_map(item_verdict) {
        sum += result(verdict).0;
        count += 1;
    }
    (count > 0).then(|| PyFloat(sum / f64::from(count)))
}

fn item_verdict(judged: &ItemResult) -> Option<&Verdict> {
    match judged {
        ItemResult::Verdict(verdict) => Some(verdict),
        ItemResult::Defect(_) | ItemResult::Error(_) => None,
    }
}

/// What settled the first of the pictures; none: nothing has settled any.
pub fn outcome_of_bulk(bulk: &Bulk, found: &BulkResult) -> Option<HeaderValue> {
    let judged = bulk.queued.iter().zip(&found.items);
    let judged = judged.filter_map(|(queued, judged)| Some((&queued.name, item_verdict(judged)?)));
    let messages: Vec<String> = judged
        .take(PLAN_ITEMS_MAX)
        .map(|(name, verdict)| {
            let summary = format!("{name}: result {}", result(verdict).0);
            let line = outcome_line(&summary, &verdict.source);
            line.to_str().unwrap_or_default().to_owned()
        })
        .collect();
    (!messages.is_empty()).then(|| header_line(&messages.join("; ")))
}

/// A skipped entry in a line for people: `a.txt: Unsupported image type`.
pub fn skip_message(skipped: &crate::model::bulk::SkippedEntry) -> String {
    format!("{}: {}", skipped.name, reason(skipped.reason))
}

/// The vendor's words, as far as they are known.
fn reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::InvalidPath => "Invalid path",
        SkipReason::Directory => "Directory entry",
        SkipReason::Hidden => "Hidden file",
        SkipReason::NestedZip => "Nested ZIP not supported",
        SkipReason::Pdf => "PDF not supported in bulk",
        SkipReason::UnsupportedType => ErrorCode::UnsupportedImageType.message(),
        SkipReason::Encrypted => "Encrypted file not supported",
        SkipReason::TooSmall => ErrorCode::FileTooSmall.message(),
        SkipReason::TooLarge => ErrorCode::FileTooLarge.message(),
        SkipReason::Compression => "Compression method not supported",
    }
}
