//! Parts of response bodies that v2, v3 and webhooks share.

use axum::http::HeaderValue;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::http::openapi::OperationDoc;
use crate::http::{Services, outcome_line};
use crate::model::account::Revision;
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::report::Likelihood;
use crate::model::time::Timestamp;
use crate::model::work::{Detection, Extraction, NoResult, Outcome};
use crate::services::accounts::Account;
use crate::services::presigned_urls::PresignedUrls;

/// `{"data": …}`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct DataEnvelope<T> {
    pub data: T,
}

/// Number as JavaScript writes it: `0.98`, and `1` where Rust writes `1.0`.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(inline, description = "Probability, from 0 to 1.")]
pub struct JsNumber(#[schemars(range(min = 0.0, max = 1.0))] pub f64);

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

/// Returns the `statusCode` of a detection: the word, and the number of the nested object.
pub fn status_code(probability: f64) -> (&'static str, u8) {
    match Likelihood::from_probability(probability) {
        Likelihood::LikelyAi => ("likely_ai", 1),
        Likelihood::UncertainAi => ("uncertain_ai", 2),
        Likelihood::UncertainReal => ("uncertain_real", 3),
        Likelihood::LikelyReal => ("likely_real", 4),
    }
}

/// Returns the result of an AI detection. `None` until there is one, and for orders of other types.
pub fn detection_outcome(order: &Order) -> Option<&Detection> {
    match order.outcome() {
        Some(Outcome::Detection(detection)) => Some(detection),
        _ => None,
    }
}

/// Returns the result of a watermark extraction. `None` until there is one, and for orders of other
/// types.
pub fn extraction_outcome(order: &Order) -> Option<&Extraction> {
    match order.outcome() {
        Some(Outcome::Extraction(extraction)) => Some(extraction),
        _ => None,
    }
}

/// Returns the word of v2 and of webhooks for the result of an extraction. Both have only two words.
pub fn detection_word(extraction: &Extraction) -> &'static str {
    if extraction.text.is_some() {
        "detected"
    } else {
        "undetected"
    }
}

/// Returns the word of v3 for the result of an extraction.
pub fn detection_status_word(extraction: &Extraction) -> &'static str {
    extraction
        .no_result
        .map_or_else(|| detection_word(extraction), NoResult::name)
}

/// Returns the value of `X-Mock-Outcome`: the result of an order and its source. `None` until there
/// is a result, and for orders that produce outputs.
pub fn outcome_header(order: &Order) -> Option<HeaderValue> {
    match order.outcome()? {
        Outcome::Detection(detection) => {
            let summary = format!("probability {}", detection.verdict.probability);
            Some(outcome_line(&summary, &detection.verdict.source))
        }
        Outcome::Extraction(extraction) => {
            let summary = format!("watermark {}", detection_status_word(extraction));
            Some(outcome_line(&summary, &extraction.source))
        }
        Outcome::Outputs(_) | Outcome::Bulk(_) => None,
    }
}

/// Describes the header of [`outcome_header`].
pub fn describe_outcome_header(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let text = "Result of a complete order, and its source.";
    doc.with_header(
        200,
        "X-Mock-Outcome",
        false,
        text,
        &json!({"type": "string"}),
    )
}

/// Facts about a request that the description of an order depends on.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'v> {
    pub presigned_urls: &'v PresignedUrls,
    /// Origin that the client called. URLs in the response start with it.
    pub origin: &'v str,
    /// Current time by the account's clock.
    pub now: Timestamp,
    /// Revision of the vendor's API for the account.
    pub revision: Revision,
    /// Key of the HMAC in the URLs of samples.
    pub sample_secret: &'v str,
}

impl<'v> RenderContext<'v> {
    pub fn new(state: &'v Services, account: &Account, origin: &'v str) -> Self {
        Self {
            presigned_urls: &state.presigned_urls,
            origin,
            now: account.now(),
            revision: state.orders.revision(account),
            sample_secret: &state.config.storage.s3_secret,
        }
    }

    /// Returns a signed GET URL of the blob `key`. `None` without a key, or once the order has expired.
    pub fn blob_url(&self, order: &Order, key: Option<&str>) -> Option<String> {
        if matches!(order.state, OrderState::Expired { .. }) {
            return None;
        }
        let url = self
            .presigned_urls
            .get_url(self.origin, Vendor::Bizmori, key?, self.now);
        Some(url)
    }

    /// Returns the URL of the thumbnail. `None` if the order has none, or none yet.
    pub fn thumbnail_url(&self, order: &Order) -> Option<String> {
        let key = match order.outcome()? {
            Outcome::Outputs(outputs) => &outputs.thumbnail,
            Outcome::Detection(detection) => &detection.thumbnail,
            Outcome::Extraction(extraction) => &extraction.thumbnail,
            Outcome::Bulk(_) => return None,
        };
        self.blob_url(order, key.as_deref())
    }

    /// Returns the URL of the uploaded picture of an AI detection. `None` until it is uploaded, and for
    /// test orders, whose uploads are not stored.
    pub fn original_url(&self, order: &Order) -> Option<String> {
        let file = order.files.first()?;
        if order.test || file.received_bytes.is_none() {
            return None;
        }
        self.blob_url(order, Some(&file.key))
    }
}

/// Reason why an order failed, in v2.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum OrderErrors {
    /// Revision 2026-03.
    Message(String),
    /// Revision 2026-10.
    Coded(CodedErrors),
}

/// Reason why an order failed, with the vendor's code.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodedErrors {
    error_code: String,
    error_message: String,
}

impl OrderErrors {
    /// Returns `errors` of a v2 body. `None` unless the order failed.
    pub fn for_v2(order: &Order, revision: Revision) -> Option<Self> {
        let coded = CodedErrors::for_order(order)?;
        Some(match revision {
            Revision::V2026_03 => Self::Message(coded.error_message),
            Revision::V2026_10 => Self::Coded(coded),
        })
    }
}

impl CodedErrors {
    /// Returns `errors` of a v3 body. `None` unless the order failed.
    pub fn for_order(order: &Order) -> Option<Self> {
        let OrderState::Failed { failure, .. } = &order.state else {
            return None;
        };
        Some(Self {
            error_code: failure.code.clone(),
            error_message: failure.message.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialize_js_number_omits_empty_fraction() {
        let json = |number| serde_json::to_string(&JsNumber(number)).expect("JSON");
        assert_eq!([json(0.98), json(0.0), json(1.0)], ["0.98", "0", "1"]);
    }

    #[test]
    fn status_code_at_each_bound_is_the_vendors() {
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
