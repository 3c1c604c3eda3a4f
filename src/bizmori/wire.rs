//! The bodies the vendor answers with, in its field order, each built from an order or an
//! endpoint and nothing else. A field that is an `Option` is null when there is nothing to say,
//! unless it says that it is left out.

use serde::{Serialize, Serializer};

use crate::clock;
use crate::links::Links;
use crate::model::order::{Order, State, Vendor};
use crate::model::report::Likelihood;
use crate::model::time::Timestamp;
use crate::model::work::{Detection, DetectionOptions, Outcome, Work};

/// `{"data": …}`.
#[derive(Debug, Serialize)]
pub struct Data<T> {
    pub data: T,
}

/// A fraction as JavaScript writes it: `0.98`, and `1` where a double of ours would be `1.0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fraction(pub f64);

impl Serialize for Fraction {
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

/// The vendor's word for what an order asks for.
pub fn order_type(work: &Work) -> &'static str {
    match work {
        Work::AntiAi { .. } => "antiAi",
        Work::AiDetection { .. } | Work::Document(_) => "aiDetection",
    }
}

/// The verdict's word and its number on the create page.
pub fn status_code(probability: f64) -> (&'static str, u8) {
    match Likelihood::of(probability) {
        Likelihood::LikelyAi => ("likely_ai", 1),
        Likelihood::UncertainAi => ("uncertain_ai", 2),
        Likelihood::UncertainReal => ("uncertain_real", 3),
        Likelihood::LikelyReal => ("likely_real", 4),
    }
}

/// A file of a new order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewFile {
    file_id: u64,
    file_name: String,
    upload_url: String,
    file_key: String,
}

impl NewFile {
    /// The order's files, each with where to put it.
    pub fn of(order: &Order, upload_url: impl Fn(usize) -> String) -> Vec<Self> {
        let files = order.files.iter().enumerate();
        files
            .map(|(index, file)| Self {
                file_id: file.id,
                file_name: file.name.clone(),
                upload_url: upload_url(index),
                file_key: file.key.clone(),
            })
            .collect()
    }
}

/// The answer to `POST …/anti-ai`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AntiAiCreated {
    pub order_name: String,
    pub order_id: String,
    pub status: &'static str,
    pub files: Vec<NewFile>,
}

/// The answer to `POST …/ai-detection`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AiDetectionCreated {
    pub order_id: String,
    pub order_name: String,
    pub status: &'static str,
    pub file: Option<NewFile>,
}

/// The answer to a confirm.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    pub order_id: String,
    pub status: &'static str,
}

/// The answer to `GET …/orders/{orderId}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    r#type: &'static str,
    order_id: String,
    channel: &'static str,
    thumbnail_image_url: Option<String>,
    status: &'static str,
    order_name: String,
    file_count: usize,
    created_at: String,
    updated_at: String,
    errors: Option<String>,
    /// Of an AI detection only; else left out.
    #[serde(flatten)]
    ai_detection: Option<AiDetectionDetail>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AiDetectionDetail {
    probability: Option<Fraction>,
    status_code: Option<&'static str>,
    options: Option<DetectionOptions>,
    original_image_url: Option<String>,
    /// Left out where not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmap_url: Option<Option<String>>,
    /// Left out where not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay_url: Option<Option<String>>,
    ai_detection: Nested,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Nested {
    probability: Option<Fraction>,
    status_code: Option<u8>,
}

impl Detail {
    /// The order as it stands at `now`, its links made for `origin`.
    pub fn of(order: &Order, links: &Links, origin: &str, now: Timestamp) -> Self {
        let expired = matches!(order.state, State::Expired { .. });
        let link = |key: &Option<String>| {
            let key = key.as_deref().filter(|_| !expired)?;
            Some(links.read(origin, Vendor::Bizmori, key, now))
        };
        let thumbnail = match order.outcome() {
            Some(Outcome::Outputs(outputs)) => link(&outputs.thumbnail),
            Some(Outcome::Detection(found)) => link(&found.thumbnail),
            None => None,
        };
        let ai_detection = match &order.work {
            Work::AiDetection { options } => Some(AiDetectionDetail::of(order, *options, link)),
            Work::AntiAi { .. } | Work::Document(_) => None,
        };
        Self {
            r#type: order_type(&order.work),
            order_id: order.id.clone(),
            channel: "api",
            thumbnail_image_url: thumbnail,
            status: order.state.status(),
            order_name: order.name.clone(),
            file_count: order.files.len(),
            created_at: clock::iso(order.created_at),
            updated_at: clock::iso(order.updated_at),
            errors: match &order.state {
                State::Failed { failure, .. } => Some(failure.message.clone()),
                _ => None,
            },
            ai_detection,
        }
    }
}

impl AiDetectionDetail {
    fn of(
        order: &Order,
        options: Option<DetectionOptions>,
        link: impl Fn(&Option<String>) -> Option<String>,
    ) -> Self {
        let found = detection(order);
        let asked = options.unwrap_or_default();
        let probability = found.map(|found| found.verdict.probability);
        let code = probability.map(status_code);
        let original = order
            .files
            .first()
            .filter(|file| file.received_bytes.is_some() && !order.test);
        Self {
            probability: probability.map(Fraction),
            status_code: code.map(|(word, _)| word),
            options,
            original_image_url: link(&original.map(|file| file.key.clone())),
            heatmap_url: asked
                .generate_heatmap
                .then(|| link(&found.and_then(|found| found.heatmap.clone()))),
            overlay_url: asked
                .generate_overlay
                .then(|| link(&found.and_then(|found| found.overlay.clone()))),
            ai_detection: Nested {
                probability: probability.map(Fraction),
                status_code: code.map(|(_, number)| number),
            },
        }
    }
}

/// What was found of an order that asked.
pub fn detection(order: &Order) -> Option<&Detection> {
    match order.outcome() {
        Some(Outcome::Detection(found)) => Some(found),
        Some(Outcome::Outputs(_)) | None => None,
    }
}

/// The answer to `GET …/download`: one URL under both names the vendor shows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Download {
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
        let written = |fraction| serde_json::to_string(&Fraction(fraction)).expect("JSON");
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
