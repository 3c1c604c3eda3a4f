//! BIZ MORI: v3 orders.

use serde_json::json;

use super::{KnownIds, OperationCall, call};

pub fn calls(ids: &KnownIds) -> Vec<OperationCall> {
    let at = |path: &str| format!("/api/v3/orders/{path}");
    let order_path = |path: &str| format!("/api/v3/orders/{}{path}", ids.complete);
    let empty = json!({});
    let file = json!({"fileName": "a.jpg", "watermarks": [{"text": "x"}]});
    let embed = json!({"idempotencyKey": "b", "files": [file]});
    let file = json!({"fileName": "a.jpg", "originalFile": {"fileName": "o.jpg"}});
    let extract = json!({"idempotencyKey": "b", "file": file});
    let english = json!({"locale": "en-US"});
    vec![
        call(
            "bizmori.createWatermarkEmbedV3",
            200,
            at("wtr-embed"),
            embed,
        ),
        call(
            "bizmori.createWatermarkEmbedV3",
            400,
            at("wtr-embed"),
            empty.clone(),
        ),
        call(
            "bizmori.createWatermarkExtractV3",
            200,
            at("wtr-extract"),
            extract,
        ),
        call(
            "bizmori.createWatermarkExtractV3",
            400,
            at("wtr-extract"),
            empty.clone(),
        ),
        call("bizmori.getOrderV3", 200, order_path(""), empty.clone()),
        call("bizmori.getOrderV3", 400, at("x"), empty.clone()),
        call(
            "bizmori.downloadOrderV3",
            400,
            order_path("/download"),
            empty.clone(),
        ),
        call("bizmori.createReport", 202, order_path("/reports"), english),
        call("bizmori.createReport", 404, at("1/reports"), empty.clone()),
        call(
            "bizmori.getReport",
            200,
            order_path("/reports/en-US"),
            empty.clone(),
        ),
        call(
            "bizmori.getReport",
            404,
            order_path("/reports/ja-JP"),
            empty,
        ),
    ]
}
