//! The bodies the vendor answers with, in its field order, each built from an order or an
//! endpoint and nothing else. A field that is an `Option` is null when there is nothing to say,
//! unless it says that it is left out.

mod created;
mod detail;
mod listing;

use axum::http::HeaderValue;
use serde::{Serialize, Serializer};

use crate::http::outcome_line;
use crate::model::order::Order;
use crate::model::report::Likelihood;
use crate::model::work::{Detection, Outcome};

use created::NewFileView;
pub use created::{
    AiDetectionCreated, AntiAiCreated, StartedOrder, WatermarkEmbedCreated, WatermarkExtractCreated,
};
pub use detail::{
    OrderDetail, OrderErrors, RenderContext, detection_status_word, detection_word,
    extraction_outcome,
};
pub use listing::{ListingWriter, OrderListing, RecentStats};

/// `{"data": …}`.
#[derive(Debug, Serialize)]
pub struct DataEnvelope<T> {
    pub data: T,
}

/// A fraction as JavaScript writes it: `0.98`, and `1` where a double of ours would be `1.0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JsNumber(pub f64);

impl Serialize for JsNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number from 0 to 1"
            )]
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

/// The verdict's word and its number on the create page.
pub fn status_code(probability: f64) -> (&'static str, u8) {
    match Likelihood::from_probability(probability) {
        Likelihood::LikelyAi => ("likely_ai", 1),
        Likelihood::UncertainAi => ("uncertain_ai", 2),
        Likelihood::UncertainReal => ("uncertain_real", 3),
        Likelihood::LikelyReal => ("likely_real", 4),
    }
}

/// The answer to a confirm.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    pub order_id: String,
    pub status: &'static str,
}

/// What was found of an order that asked.
pub fn detection(order: &Order) -> Option<&Detection> {
    match order.outcome() {
        Some(Outcome::Detection(found)) => Some(found),
        _ => None,
    }
}

/// What settled the order's outcome, once there is one.
pub fn outcome_of_order(order: &Order) -> Option<HeaderValue> {
    match order.outcome()? {
        Outcome::Detection(found) => {
            let summary = format!("probability {}", found.verdict.probability);
            Some(outcome_line(&summary, &found.verdict.source))
        }
        Outcome::Extraction(found) => {
            let summary = format!("watermark {}", detection_status_word(found));
            Some(outcome_line(&summary, &found.source))
        }
        Outcome::Outputs(_) | Outcome::Bulk(_) => None,
    }
}

/// The answer to `POST …/refresh-urls`.
#[derive(Debug, Serialize)]
pub struct Refreshed {
    files: Vec<NewFileView>,
}

impl Refreshed {
    /// The order's files that are still to come, each with where to put it.
    pub fn of(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        let files = order.files.iter().enumerate();
        let awaited = files.filter(|(_, file)| file.is_upload_pending());
        let files = awaited.map(|(index, file)| NewFileView::of(file, || upload_url(index)));
        Self {
            files: files.collect(),
        }
    }
}

/// The answer to `GET …/download`: one URL under both names the vendor shows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrl {
    pub url: String,
    pub download_url: String,
    /// Seconds.
    pub expires_in: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_written_as_javascript_writes_it() {
        let written = |fraction| serde_json::to_string(&JsNumber(fraction)).expect("JSON");
        assert_eq!(
            [written(0.98), written(0.0), written(1.0)],
            ["0.98", "0", "1"]
        );
    }

    #[test]
    fn a_probability_has_the_vendors_status_code_at_each_bound() {
        let codes = [1.0, 0.75, 0.7499, 0.5, 0.4999, 0.25, 0.2499, 0.0].map(status_code);
        let expected = [
            ("likely_ai", 1),
            ("likely_ai", 1),
            ("uncertain_ai", 2),
            ("uncertain_ai", 2),
            ("uncertain_real", 3),
            ("uncertain_real", 3),
            ("likely_real", 4),
            ("likely_real", 4),
        ];
        assert_eq!(codes, expected);
    }
}
