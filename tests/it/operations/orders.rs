//! BIZ MORI: reading, listing and download of v2 orders, and files of test keys.

use serde_json::json;

use super::{KnownIds, OperationCall, call};

pub fn calls(ids: &KnownIds) -> Vec<OperationCall> {
    let empty = json!({});
    let at = |path: &str| format!("/api/v2/orders{path}");
    let order_path = |path: &str| format!("/api/v2/orders/{}{path}", ids.pending);
    [
        ("bizmori.listOrders", 200, at("")),
        ("bizmori.listOrders", 400, at("?page=0")),
        ("bizmori.getRecentStats", 200, at("/stats/recent")),
        ("bizmori.getRecentStats", 400, at("/stats/recent?date=x")),
        ("bizmori.getOrder", 200, order_path("")),
        ("bizmori.getOrder", 404, at("/1")),
        (
            "bizmori.refreshUploadUrls",
            200,
            order_path("/refresh-urls"),
        ),
        ("bizmori.refreshUploadUrls", 404, at("/1/refresh-urls")),
        ("bizmori.downloadOrder", 400, order_path("/download")),
        ("bizmori.putTestUpload", 200, ids.test_upload.clone()),
        (
            "bizmori.putTestUpload",
            403,
            "/api/v2/test-uploads/x".to_owned(),
        ),
        ("bizmori.getTestSample", 200, ids.test_sample.clone()),
        (
            "bizmori.getTestSample",
            403,
            "/api/v2/test-samples/x".to_owned(),
        ),
    ]
    .into_iter()
    .map(|(name, status, path)| call(name, status, path, empty.clone()))
    .collect()
}
