//! Webhook events: their types and JSON bodies.

use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{JsNumber, detection_word};
use crate::http::openapi::Webhook;
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::time::Timestamp;
use crate::model::work::{Outcome, Work};
use crate::platform::clock;
use crate::services::presigned_urls::PresignedUrls;
use crate::services::vendors::EventPayload;

/// Types of events.
pub const EVENT_TYPES: [&str; 8] = [
    "order.antiAi.completed",
    "order.antiAi.failed",
    "order.watermarkEmbed.completed",
    "order.watermarkEmbed.failed",
    "order.watermarkExtract.completed",
    "order.watermarkExtract.failed",
    "order.aiDetection.completed",
    "order.aiDetection.failed",
];

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Event")]
struct EventEnvelope<'o> {
    #[schemars(extend("format" = "uuid"))]
    event_id: &'o str,
    #[schemars(extend("enum" = EVENT_TYPES))]
    event_type: &'o str,
    #[schemars(extend("format" = "date-time"))]
    occurred_at: String,
    data: EventData<'o>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventData<'o> {
    order_id: &'o str,
    order_name: &'o str,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    #[serde(flatten)]
    details: EventDetails<'o>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum EventDetails<'o> {
    Outputs {
        #[schemars(extend("format" = "date-time"))]
        completed_at: String,
        #[schemars(extend("const" = "complete"))]
        status: &'static str,
        file_count: usize,
        /// Null for test orders.
        #[schemars(extend("format" = "uri"))]
        download_url: Option<String>,
    },
    Extraction {
        #[schemars(extend("format" = "date-time"))]
        completed_at: String,
        #[schemars(extend("const" = "complete"))]
        status: &'static str,
        #[schemars(extend("enum" = ["detected", "undetected"]))]
        status_code: &'static str,
        watermark_found: bool,
        /// Omitted unless a watermark was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "WatermarkInfo<'o>")]
        watermark_info: Option<WatermarkInfo<'o>>,
    },
    Detection {
        #[schemars(extend("format" = "date-time"))]
        completed_at: String,
        #[schemars(extend("const" = "complete"))]
        status: &'static str,
        probability: JsNumber,
        /// Omitted unless requested at creation. Null for test orders.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "uri"))]
        heatmap_url: Option<Option<String>>,
        /// Omitted unless requested at creation. Null for test orders.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "uri"))]
        overlay_url: Option<Option<String>>,
    },
    Failed {
        #[schemars(extend("format" = "date-time"))]
        failed_at: String,
        #[schemars(extend("const" = "failed"))]
        status: &'static str,
        error_code: &'o str,
        error_message: &'o str,
    },
}

#[derive(Serialize, JsonSchema)]
struct WatermarkInfo<'o> {
    text: &'o str,
}

/// OpenAPI description of the events.
pub const WEBHOOK: Webhook = Webhook {
    name: "bizmori.orderEvent",
    summary: "Order completed or failed",
    text: "Sent to every webhook of the account: events of test orders to webhooks with `isTest`, all \
           others to the rest. Delivered means 2xx within 5 seconds; else the event is sent again.",
    signature_header: (
        "X-MoriBiz-Signature",
        "Lower-case hex HMAC-SHA256 of the body, keyed with the webhook's `secret`.",
    ),
    body: |schemas| schemas.response_schema::<EventEnvelope<'static>>(),
};

/// Builds the event of an order that has just ended. Its URLs have the origin of the request that created
/// the order. `None` if the order has not ended, or has no events.
#[must_use]
pub fn build_event(
    order: &Order,
    presigned_urls: &PresignedUrls,
    event_id: &str,
    now: Timestamp,
) -> Option<EventPayload> {
    let (suffix, details) = match &order.state {
        OrderState::Complete {
            completed_at,
            outcome,
            ..
        } => {
            let completed_at = clock::iso(*completed_at);
            let details = completed_details(order, outcome, completed_at, presigned_urls, now)?;
            ("completed", details)
        }
        OrderState::Failed {
            failed_at, failure, ..
        } => {
            let details = EventDetails::Failed {
                failed_at: clock::iso(*failed_at),
                status: order.state.status(),
                error_code: &failure.code,
                error_message: &failure.message,
            };
            ("failed", details)
        }
        OrderState::Pending | OrderState::InProgress { .. } | OrderState::Expired { .. } => {
            return None;
        }
    };
    let event_type = format!("order.{}.{suffix}", order.work.name());
    let event = EventEnvelope {
        event_id,
        event_type: &event_type,
        occurred_at: clock::iso(now),
        data: EventData {
            order_id: &order.id,
            order_name: &order.name,
            created_at: clock::iso(order.created_at),
            updated_at: clock::iso(order.updated_at),
            details,
        },
    };
    let body = serde_json::to_string(&event).ok()?;
    Some(EventPayload { event_type, body })
}

fn completed_details<'o>(
    order: &Order,
    outcome: &'o Outcome,
    completed_at: String,
    presigned_urls: &PresignedUrls,
    now: Timestamp,
) -> Option<EventDetails<'o>> {
    let status = order.state.status();
    let blob_url = |key: &Option<String>| {
        let key = key.as_deref()?;
        Some(presigned_urls.get_url(&order.origin, Vendor::Bizmori, key, now))
    };
    Some(match outcome {
        Outcome::Outputs(outputs) => EventDetails::Outputs {
            completed_at,
            status,
            file_count: order.files.len(),
            download_url: blob_url(&outputs.download),
        },
        Outcome::Extraction(extraction) => {
            let text = extraction.text.as_deref();
            EventDetails::Extraction {
                completed_at,
                status,
                status_code: detection_word(extraction),
                watermark_found: text.is_some(),
                watermark_info: text.map(|text| WatermarkInfo { text }),
            }
        }
        Outcome::Bulk(_) => return None,
        Outcome::Detection(detection) => {
            let Work::AiDetection { options } = &order.work else {
                return None;
            };
            let requested = options.unwrap_or_default();
            EventDetails::Detection {
                completed_at,
                status,
                probability: JsNumber(detection.verdict.probability),
                heatmap_url: requested
                    .generate_heatmap
                    .then(|| blob_url(&detection.heatmap)),
                overlay_url: requested
                    .generate_overlay
                    .then(|| blob_url(&detection.overlay)),
            }
        }
    })
}
