//! Response to `GET /api/v2/orders/{orderId}`.

use serde::Serialize;

use crate::api::bizmori::wire::{
    JsNumber, OrderErrors, RenderContext, detection_outcome, detection_word, extraction_outcome,
    status_code,
};
use crate::model::order::Order;
use crate::model::work::{DetectionOptions, Work};
use crate::platform::clock;

#[derive(Debug, Serialize)]
pub struct OrderDetail {
    #[serde(flatten)]
    common: CommonFields,
    #[serde(flatten)]
    type_fields: TypeFields,
}

/// Fields that every order has.
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

/// Fields that orders of one type have.
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
    /// Anti-AI orders, and watermark orders created by v3.
    Nothing {},
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AiDetection {
    probability: Option<JsNumber>,
    status_code: Option<&'static str>,
    options: Option<DetectionOptions>,
    original_image_url: Option<String>,
    /// Omitted unless requested at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmap_url: Option<Option<String>>,
    /// Omitted unless requested at creation.
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
    pub fn new(order: &Order, context: RenderContext<'_>) -> Self {
        Self {
            common: CommonFields::new(order, context),
            type_fields: TypeFields::new(order, context),
        }
    }
}

impl CommonFields {
    pub fn new(order: &Order, context: RenderContext<'_>) -> Self {
        let file_count = match order.work {
            // The original does not count.
            Work::WatermarkExtract => 1,
            _ => order.files.len(),
        };
        Self {
            r#type: order.work.name(),
            order_id: order.id.clone(),
            channel: "api",
            thumbnail_image_url: context.thumbnail_url(order),
            status: order.state.status(),
            order_name: order.name.clone(),
            file_count,
            created_at: clock::iso(order.created_at),
            updated_at: clock::iso(order.updated_at),
            errors: OrderErrors::for_v2(order, context.revision),
        }
    }
}

impl TypeFields {
    fn new(order: &Order, context: RenderContext<'_>) -> Self {
        match &order.work {
            _ if order.is_v3_watermark() => Self::Nothing {},
            Work::AiDetection { options } => {
                Self::AiDetection(AiDetection::new(order, *options, context))
            }
            Work::WatermarkEmbed => {
                let texts = order
                    .files
                    .iter()
                    .flat_map(|file| file.watermark_texts.clone());
                Self::WatermarkEmbed {
                    watermarks: texts.collect(),
                }
            }
            Work::WatermarkExtract => {
                let extraction = extraction_outcome(order);
                Self::WatermarkExtract {
                    status_code: extraction.map(detection_word),
                    watermark_text: extraction.and_then(|extraction| extraction.text.clone()),
                }
            }
            Work::AntiAi { .. } | Work::Document(_) | Work::Bulk(_) => Self::Nothing {},
        }
    }
}

impl AiDetection {
    fn new(order: &Order, options: Option<DetectionOptions>, context: RenderContext<'_>) -> Self {
        let detection = detection_outcome(order);
        let requested = options.unwrap_or_default();
        let heatmap_key = detection.and_then(|detection| detection.heatmap.as_deref());
        let overlay_key = detection.and_then(|detection| detection.overlay.as_deref());
        let probability = detection.map(|detection| detection.verdict.probability);
        let code = probability.map(status_code);
        Self {
            probability: probability.map(JsNumber),
            status_code: code.map(|(word, _)| word),
            options,
            original_image_url: context.original_url(order),
            heatmap_url: requested
                .generate_heatmap
                .then(|| context.blob_url(order, heatmap_key)),
            overlay_url: requested
                .generate_overlay
                .then(|| context.blob_url(order, overlay_key)),
            ai_detection: NestedDetection {
                probability: probability.map(JsNumber),
                status_code: code.map(|(_, number)| number),
            },
        }
    }
}
