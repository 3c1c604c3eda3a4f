//! Response to `GET /api/v2/orders/{orderId}`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::bizmori::request::ORDER_TYPES;
use crate::api::bizmori::wire::{
    JsNumber, OrderErrors, RenderContext, detection_outcome, detection_word, extraction_outcome,
    status_code,
};
use crate::model::order::{Order, OrderState};
use crate::model::work::{DetectionOptions, Work};
use crate::platform::clock;

/// Order with the fields of its type.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrderDetail {
    #[serde(flatten)]
    common: CommonFields,
    #[serde(flatten)]
    type_fields: TypeFields,
}

/// Fields that every order has.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommonFields {
    #[schemars(extend("enum" = ORDER_TYPES))]
    r#type: &'static str,
    order_id: String,
    #[schemars(extend("const" = "api"))]
    channel: &'static str,
    /// Null until the order is complete, without a thumbnail, and once expired.
    #[schemars(extend("format" = "uri"))]
    thumbnail_image_url: Option<String>,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
    order_name: String,
    file_count: usize,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// Null unless failed.
    errors: Option<OrderErrors>,
}

/// Fields that orders of one type have.
#[derive(Debug, Serialize, JsonSchema)]
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
        #[schemars(extend("enum" = ["detected", "undetected", null]))]
        status_code: Option<&'static str>,
        /// Null unless detected.
        watermark_text: Option<String>,
    },
    /// Anti-AI orders, and watermark orders created by v3.
    #[schemars(extend("properties" = {"type": {"enum": ["antiAi", "watermarkEmbed", "watermarkExtract"]}}))]
    Nothing {},
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
struct AiDetection {
    /// Null until complete.
    probability: Option<JsNumber>,
    /// Null until complete.
    #[schemars(extend("enum" = ["likely_ai", "uncertain_ai", "uncertain_real", "likely_real", null]))]
    status_code: Option<&'static str>,
    /// Null if the order was created without.
    options: Option<DetectionOptions>,
    /// Null until uploaded, for test keys, and once expired.
    #[schemars(extend("format" = "uri"))]
    original_image_url: Option<String>,
    /// Omitted unless requested at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    heatmap_url: Option<Option<String>>,
    /// Omitted unless requested at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "uri"))]
    overlay_url: Option<Option<String>>,
    ai_detection: NestedDetection,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NestedDetection {
    probability: Option<JsNumber>,
    #[schemars(extend("enum" = [1, 2, 3, 4, null]))]
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
