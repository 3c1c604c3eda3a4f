//! Webhook events: their types and JSON bodies.

use serde::Serialize;

use super::wire::{JsNumber, detection_word};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::time::Timestamp;
use crate::model::work::{Outcome, Work};
use crate::platform::clock;
use crate::services::presigned_urls::PresignedUrls;
use crate::services::vendors::EventPayload;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventEnvelope<'o> {
    event_id: &'o str,
    event_type: &'o str,
    occurred_at: String,
    data: EventData<'o>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventData<'o> {
    order_id: &'o str,
    order_name: &'o str,
    created_at: String,
    updated_at: String,
    #[serde(flatten)]
    details: EventDetails<'o>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum EventDetails<'o> {
    Outputs {
        completed_at: String,
        status: &'static str,
        file_count: usize,
        /// Null for test orders.
        download_url: Option<String>,
    },
    Extraction {
        completed_at: String,
        status: &'static str,
        status_code: &'static str,
        watermark_found: bool,
        /// Omitted unless a watermark was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        watermark_info: Option<WatermarkInfo<'o>>,
    },
    Detection {
        completed_at: String,
        status: &'static str,
        probability: JsNumber,
        /// Omitted unless requested at creation. Null for test orders.
        #[serde(skip_serializing_if = "Option::is_none")]
        heatmap_url: Option<Option<String>>,
        /// Omitted unless requested at creation. Null for test orders.
        #[serde(skip_serializing_if = "Option::is_none")]
        overlay_url: Option<Option<String>>,
    },
    Failed {
        failed_at: String,
        status: &'static str,
        error_code: &'o str,
        error_message: &'o str,
    },
}

#[derive(Serialize)]
struct WatermarkInfo<'o> {
    text: &'o str,
}

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
