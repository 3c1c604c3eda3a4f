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
