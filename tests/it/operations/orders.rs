//! BIZ MORI's orders.

use serde_json::{Value, json};

use super::{Call, Ids, call};

pub fn calls(ids: &Ids) -> Vec<Call> {
    let orders = "/api/v2/orders";
    let pending = &ids.pending;
    let confirm = |id: &str| json!({"idempotencyKey": "c", "orderId": id});
    let file = json!({"idempotencyKey": "b", "fileName": "b.jpg"});
    let files = json!({"idempotencyKey": "b", "files": [{"fileName": "b.jpg"}]});
    let none = json!({});
    let url = "http://files.test/b.jpg";
    let urls = json!({"idempotencyKey": "b", "files": [{"fileName": "b.jpg", "imageUrl": url}]});
    let marked = json!({"fileName": "b.jpg", "watermarks": [{"text": "x"}]});
    let embed = json!({"idempotencyKey": "b", "files": [marked]});
    let extract = json!({"idempotencyKey": "b", "file": {"fileName": "b.jpg"}});
    let of = |name, status, path: String, body: &Value| call(name, status, path, body.clone());
    let at = |path: &str| format!("{orders}/{path}");
    vec![
        of("bizmori.createAntiAi", 200, at("anti-ai"), &files),
        of("bizmori.createAntiAi", 400, at("anti-ai"), &none),
        of(
            "bizmori.confirmAntiAi",
            200,
            at("anti-ai/confirm"),
            &confirm(&ids.anti_ai),
        ),
        of(
            "bizmori.confirmAntiAi",
            400,
            at("anti-ai/confirm"),
            &confirm(pending),
        ),
        of(
            "bizmori.createAntiAiWithUrls",
            200,
            at("anti-ai/with-urls"),
            &urls,
        ),
        of(
            "bizmori.createAntiAiWithUrls",
            400,
            at("anti-ai/with-urls"),
            &files,
        ),
        of("bizmori.createWatermarkEmbed", 200, at("wtr-embed"), &embed),
        of("bizmori.createWatermarkEmbed", 400, at("wtr-embed"), &files),
        of(
            "bizmori.createWatermarkExtract",
            200,
            at("wtr-extract"),
            &extract,
        ),
        of(
            "bizmori.createWatermarkExtract",
            400,
            at("wtr-extract"),
            &files,
        ),
        of("bizmori.listOrders", 200, String::from(orders), &none),
        of("bizmori.listOrders", 400, format!("{orders}?page=0"), &none),
        of("bizmori.getRecentStats", 200, at("stats/recent"), &none),
        of(
            "bizmori.getRecentStats",
            400,
            at("stats/recent?date=x"),
            &none,
        ),
        of(
            "bizmori.refreshUploadUrls",
            200,
            at(&format!("{pending}/refresh-urls")),
            &none,
        ),
        of(
            "bizmori.refreshUploadUrls",
            404,
            at("1/refresh-urls"),
            &none,
        ),
        of("bizmori.getTestSample", 200, ids.test_sample.clone(), &none),
        of(
            "bizmori.getTestSample",
            403,
            "/api/v2/test-samples/x".to_owned(),
            &none,
        ),
        of("bizmori.createAiDetection", 200, at("ai-detection"), &file),
        of("bizmori.createAiDetection", 400, at("ai-detection"), &none),
        of(
            "bizmori.confirmAiDetection",
            200,
            at("ai-detection/confirm"),
            &confirm(&ids.detection),
        ),
        of(
            "bizmori.confirmAiDetection",
            404,
            at("ai-detection/confirm"),
            &confirm("1"),
        ),
        of("bizmori.getOrder", 200, at(pending), &none),
        of("bizmori.getOrder", 404, at("1"), &none),
        of(
            "bizmori.downloadOrder",
            400,
            at(&format!("{pending}/download")),
            &none,
        ),
        of("bizmori.putTestUpload", 200, ids.test_upload.clone(), &none),
        of(
            "bizmori.putTestUpload",
            403,
            "/api/v2/test-uploads/x".to_owned(),
            &none,
        ),
    ]
}
