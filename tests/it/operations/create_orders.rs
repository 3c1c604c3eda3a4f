//! BIZ MORI: creation and confirmation of v2 orders.

use serde_json::json;

use super::{KnownIds, OperationCall, call};

pub fn calls(ids: &KnownIds) -> Vec<OperationCall> {
    let at = |path: &str| format!("/api/v2/orders/{path}");
    let empty = json!({});
    let file = json!({"idempotencyKey": "b", "fileName": "b.jpg"});
    let files = json!({"idempotencyKey": "b", "files": [{"fileName": "b.jpg"}]});
    let url = "http://files.test/b.jpg";
    let urls = json!({"idempotencyKey": "b", "files": [{"fileName": "b.jpg", "imageUrl": url}]});
    let watermarked = json!({"fileName": "b.jpg", "watermarks": [{"text": "x"}]});
    let embed = json!({"idempotencyKey": "b", "files": [watermarked]});
    let extract = json!({"idempotencyKey": "b", "file": {"fileName": "b.jpg"}});
    let confirm = |id: &str| json!({"idempotencyKey": "c", "orderId": id});
    let confirm_detection = at("ai-detection/confirm");
    let confirm_anti_ai = at("anti-ai/confirm");
    let pending = confirm(&ids.pending);
    [
        ("bizmori.createAntiAi", 200, at("anti-ai"), files.clone()),
        ("bizmori.createAntiAi", 400, at("anti-ai"), empty.clone()),
        (
            "bizmori.createAntiAiWithUrls",
            200,
            at("anti-ai/with-urls"),
            urls,
        ),
        (
            "bizmori.createAntiAiWithUrls",
            400,
            at("anti-ai/with-urls"),
            files,
        ),
        ("bizmori.createWatermarkEmbed", 200, at("wtr-embed"), embed),
        (
            "bizmori.createWatermarkEmbed",
            400,
            at("wtr-embed"),
            empty.clone(),
        ),
        (
            "bizmori.createWatermarkExtract",
            200,
            at("wtr-extract"),
            extract,
        ),
        (
            "bizmori.createWatermarkExtract",
            400,
            at("wtr-extract"),
            empty.clone(),
        ),
        ("bizmori.createAiDetection", 200, at("ai-detection"), file),
        ("bizmori.createAiDetection", 400, at("ai-detection"), empty),
        (
            "bizmori.confirmAntiAi",
            200,
            confirm_anti_ai.clone(),
            confirm(&ids.anti_ai),
        ),
        ("bizmori.confirmAntiAi", 400, confirm_anti_ai, pending),
        (
            "bizmori.confirmAiDetection",
            200,
            confirm_detection.clone(),
            confirm(&ids.detection),
        ),
        (
            "bizmori.confirmAiDetection",
            404,
            confirm_detection,
            confirm("1"),
        ),
    ]
    .into_iter()
    .map(|(name, status, path, body)| call(name, status, path, body))
    .collect()
}
