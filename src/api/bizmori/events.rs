//! What the vendor's webhooks say of an order that has come to its end.

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
    end: EventDetails<'o>,
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
        /// Left out where none was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        watermark_info: Option<WatermarkInfo<'o>>,
    },
    Detection {
        completed_at: String,
        status: &'static str,
        probability: JsNumber,
        /// Left out where not asked for; null for test orders.
        #[serde(skip_serializing_if = "Option::is_none")]
        heatmap_url: Option<Option<String>>,
        /// Left out where not asked for; null for test orders.
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

/// The event of an order that has just come to its end, its links made for the origin of the
/// request that made the order.
#[must_use]
pub fn build_event(
    order: &Order,
    links: &PresignedUrls,
    event_id: &str,
    now: Timestamp,
) -> Option<EventPayload> {
    let status = order.state.status();
    let link = |key: &Option<String>| {
        key.as_deref()
            .map(|key| links.get_url(&order.origin, Vendor::Bizmori, key, now))
    };
    let (word, end) = match &order.state {
        OrderState::Complete {
            completed_at,
            outcome,
            ..
        } => {
            let completed_at = clock::iso(*completed_at);
            let end = match outcome {
                Outcome::Outputs(outputs) => EventDetails::Outputs {
                    completed_at,
                    status,
                    file_count: order.files.len(),
                    download_url: link(&outputs.download),
                },
                Outcome::Extraction(found) => {
                    let text = found.text.as_deref();
                    EventDetails::Extraction {
                        completed_at,
                        status,
                        status_code: detection_word(found),
                        watermark_found: text.is_some(),
                        watermark_info: text.map(|text| WatermarkInfo { text }),
                    }
                }
                Outcome::Bulk(_) => return None,
                Outcome::Detection(found) => {
                    let Work::AiDetection { options } = &order.work else {
                        return None;
                    };
                    let requested_options = options.unwrap_or_default();
                    EventDetails::Detection {
                        completed_at,
                        status,
                        probability: JsNumber(found.verdict.probability),
                        heatmap_url: requested_options
                            .generate_heatmap
                            .then(|| link(&found.heatmap)),
                        overlay_url: requested_options
                            .generate_overlay
                            .then(|| link(&found.overlay)),
                    }
                }
            };
            ("completed", end)
        }
        OrderState::Failed {
            failed_at, failure, ..
        } => {
            let (error_code, error_message) = (failure.code.as_str(), failure.message.as_str());
            (
                "failed",
                EventDetails::Failed {
                    failed_at: clock::iso(*failed_at),
                    status,
                    error_code,
                    error_message,
                },
            )
        }
        OrderState::Pending | OrderState::InProgress { .. } | OrderState::Expired { .. } => {
            return None;
        }
    };
    let kind = format!("order.{}.{word}", order.work.name());
    let event = EventEnvelope {
        event_id,
        event_type: &kind,
        occurred_at: clock::iso(now),
        data: EventData {
            order_id: &order.id,
            order_name: &order.name,
            created_at: clock::iso(order.created_at),
            updated_at: clock::iso(order.updated_at),
            end,
        },
    };
    let body = serde_json::to_string(&event).ok()?;
    Some(EventPayload {
        event_type: kind,
        body,
    })
}
