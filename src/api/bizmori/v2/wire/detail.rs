//! The answer to `GET /api/v2/orders/{orderId}`.

use serde::Serialize;

use super::{JsNumber, detection, status_code};
use crate::http::Services;
use crate::model::account::Revision;
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::time::Timestamp;
use crate::model::work::{DetectionOptions, Extraction, NoResult, Outcome, Work};
use crate::platform::clock;
use crate::services::accounts::Account;
use crate::services::presigned_urls::PresignedUrls;

/// Who reads an order, and when.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'v> {
    pub links: &'v PresignedUrls,
    /// Of the request.
    pub origin: &'v str,
    pub now: Timestamp,
    /// The vendor's API as the account has it.
    pub revision: Revision,
    /// Secret that signs the URLs of samples.
    pub sample_secret: &'v str,
}

impl<'v> RenderContext<'v> {
    /// The account's, whose request came to `origin`.
    pub fn of(state: &'v Services, account: &Account, origin: &'v str) -> Self {
        Self {
            links: &state.links,
            origin,
            now: account.now(),
            revision: state.orders.revision(account),
            sample_secret: &state.config.storage.s3_secret,
        }
    }

    /// Where that blob of the order is read; nowhere once the order has expired.
    pub fn link(&self, order: &Order, key: Option<&str>) -> Option<String> {
        let key = key.filter(|_| !matches!(order.state, OrderState::Expired { .. }))?;
        let read = self
            .links
            .get_url(self.origin, Vendor::Bizmori, key, self.now);
        Some(read)
    }

    /// The order's thumbnail, once there is one.
    pub fn thumbnail(&self, order: &Order) -> Option<String> {
        let key = match order.outcome()? {
            Outcome::Outputs(outputs) => &outputs.thumbnail,
            Outcome::Detection(found) => &found.thumbnail,
            Outcome::Extraction(found) => &found.thumbnail,
            Outcome::Bulk(_) => return None,
        };
        self.link(order, key.as_deref())
    }

    /// The picture that was uploaded to be judged, once it is in; a test order keeps none.
    pub fn original(&self, order: &Order) -> Option<String> {
        let file = order.files.first();
        let file = file.filter(|file| file.received_bytes.is_some() && !order.test);
        self.link(order, file.map(|file| file.key.as_str()))
    }
}

/// The order.
#[derive(Debug, Serialize)]
pub struct OrderDetail {
    #[serde(flatten)]
    common: CommonFields,
    #[serde(flatten)]
    own: TypeFields,
}

/// What every order has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommonFields {
    r#type: &'static str,
    order_id: String,
    channel: &'static str,
    thumbnail_image_url: Option<String>,
    status: &'static str,
    order_name: String,
    file_count: usize,
    created_at: String,
    updated_at: String,
    errors: Option<OrderErrors>,
}

/// Why an order failed.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum OrderErrors {
    /// v2 in the revision 2026-03.
    Message(String),
    /// v2 in the revision 2026-10, and v3.
    Coded {
        error_code: String,
        error_message: String,
    },
}

impl OrderErrors {
    /// Returns the errors of an order as v2 shows them. `None` unless the order failed.
    pub fn for_v2(order: &Order, revision: Revision) -> Option<Self> {
        let coded = Self::for_v3(order)?;
        Some(match (revision, coded) {
            (Revision::V2026_03, Self::Coded { error_message, .. }) => Self::Message(error_message),
            (_, errors) => errors,
        })
    }

    /// Returns the errors of an order as v3 shows them, in every revision. `None` unless the order
    /// failed.
    pub fn for_v3(order: &Order) -> Option<Self> {
        let OrderState::Failed { failure, .. } = &order.state else {
            return None;
        };
        Some(Self::Coded {
            error_code: failure.code.clone(),
            error_message: failure.message.clone(),
        })
    }
}

/// What orders of one type have.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TypeFields {
    AiDetection(AiDetection),
    #[serde(rename_all = "camelCase")]
    WatermarkEmbed {
        watermarks: Vec<String>,
    },
    #[serde(rename_all = "camelCase")]
    WatermarkExtract {
        /// Null until complete.
        status_code: Option<&'static str>,
        /// Null unless detected.
        watermark_text: Option<String>,
    },
    /// Anti-AI orders, and watermark orders of v3.
    Nothing {},
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AiDetection {
    probability: Option<JsNumber>,
    status_code: Option<&'static str>,
    options: Option<DetectionOptions>,
    original_image_url: Option<String>,
    /// Left out where not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmap_url: Option<Option<String>>,
    /// Left out where not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay_url: Option<Option<String>>,
    ai_detection: NestedDetection,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NestedDetection {
    probability: Option<JsNumber>,
    status_code: Option<u8>,
}

impl OrderDetail {
    /// The order as it stands.
    pub fn of(order: &Order, view: RenderContext<'_>) -> Self {
        Self {
            common: CommonFields::of(order, view),
            own: TypeFields::of(order, view),
        }
    }
}

impl CommonFields {
    /// The order as it stands.
    pub fn of(order: &Order, view: RenderContext<'_>) -> Self {
        let file_count = match order.work {
            Work::WatermarkExtract => 1,
            _ => order.files.len(),
        };
        Self {
            r#type: order.work.name(),
            order_id: order.id.clone(),
            channel: "api",
            thumbnail_image_url: view.thumbnail(order),
            status: order.state.status(),
            order_name: order.name.clone(),
            file_count,
            created_at: clock::iso(order.created_at),
            updated_at: clock::iso(order.updated_at),
            errors: OrderErrors::for_v2(order, view.revision),
        }
    }
}

impl TypeFields {
    fn of(order: &Order, view: RenderContext<'_>) -> Self {
        match &order.work {
            _ if order.is_v3_watermark() => Self::Nothing {},
            Work::AiDetection { options } => {
                Self::AiDetection(AiDetection::of(order, *options, view))
            }
            Work::WatermarkEmbed => {
                let texts = order.files.iter().flat_map(|file| file.texts.clone());
                Self::WatermarkEmbed {
                    watermarks: texts.collect(),
                }
            }
            Work::WatermarkExtract => {
                let found = extraction_outcome(order);
                Self::WatermarkExtract {
                    status_code: found.map(detection_word),
                    watermark_text: found.and_then(|found| found.text.clone()),
                }
            }
            Work::AntiAi { .. } | Work::Document(_) | Work::Bulk(_) => Self::Nothing {},
        }
    }
}

impl AiDetection {
    fn of(order: &Order, options: Option<DetectionOptions>, view: RenderContext<'_>) -> Self {
        let found = detection(order);
        let requested_options = options.unwrap_or_default();
        let drawn = |key: Option<&String>| view.link(order, key.map(String::as_str));
        let probability = found.map(|found| found.verdict.probability);
        let code = probability.map(status_code);
        Self {
            probability: probability.map(JsNumber),
            status_code: code.map(|(word, _)| word),
            options,
            original_image_url: view.original(order),
            heatmap_url: requested_options
                .generate_heatmap
                .then(|| drawn(found.and_then(|found| found.heatmap.as_ref()))),
            overlay_url: requested_options
                .generate_overlay
                .then(|| drawn(found.and_then(|found| found.overlay.as_ref()))),
            ai_detection: NestedDetection {
                probability: probability.map(JsNumber),
                status_code: code.map(|(_, number)| number),
            },
        }
    }
}

/// What was found of an order that looked for a watermark.
pub fn extraction_outcome(order: &Order) -> Option<&Extraction> {
    match order.outcome() {
        Some(Outcome::Extraction(found)) => Some(found),
        _ => None,
    }
}

/// The word of v3 for the result of an extraction.
pub fn detection_status_word(found: &Extraction) -> &'static str {
    found
        .no_result
        .map_or_else(|| detection_word(found), NoResult::name)
}

/// The word of v2, and of webhooks, for the result of an extraction: there are only two.
pub fn detection_word(found: &Extraction) -> &'static str {
    if found.text.is_some() {
        "detected"
    } else {
        "undetected"
    }
}
