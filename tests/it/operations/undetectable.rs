//! Undetectable AI.

use serde_json::json;

use super::{KEY, OperationCall, call};

pub fn calls() -> Vec<OperationCall> {
    let empty = json!({});
    let key = json!({"key": KEY});
    let file = "/get-presigned-url?file_name=a.jpg";
    let unknown = json!({"key": KEY, "url": "http://127.0.0.1/uploads/nothing.jpg"});
    vec![
        call("undetectable.getPresignedUrl", 200, file, empty.clone()),
        call(
            "undetectable.getPresignedUrl",
            422,
            "/get-presigned-url",
            empty.clone(),
        ),
        call("undetectable.detect", 500, "/detect", unknown),
        call(
            "undetectable.query",
            200,
            "/query",
            json!({"id": "00000000-0000-4000-8000-000000000000"}),
        ),
        call("undetectable.query", 422, "/query", empty.clone()),
        call(
            "undetectable.bulkUpload",
            400,
            "/bulk-upload",
            json!({"key": KEY, "url": "http://127.0.0.1/uploads/no.jpg"}),
        ),
        call(
            "undetectable.queryBulkUpload",
            200,
            "/bulk-upload/query",
            json!({"id": "00000000-0000-4000-8000-000000000000"}),
        ),
        call(
            "undetectable.queryBulkUpload",
            422,
            "/bulk-upload/query",
            empty.clone(),
        ),
        call(
            "undetectable.checkUserCredits",
            200,
            "/check-user-credits",
            empty.clone(),
        ),
        call(
            "undetectable.getPreview",
            404,
            "/preview/nothing",
            key.clone(),
        ),
        call(
            "undetectable.getHeatmap",
            404,
            "/heatmap/nothing",
            key.clone(),
        ),
        call(
            "undetectable.getAsset",
            404,
            "/_s3/ai-image-detector-prod/results/nothing/preview.jpg",
            key,
        ),
        call("undetectable.health", 200, "/health", empty.clone()),
        call("undetectable.openapi", 200, "/openapi.json", empty.clone()),
        call("undetectable.docs", 200, "/docs", empty.clone()),
        call(
            "undetectable.docsFile",
            200,
            "/docs/swagger-ui.css",
            empty.clone(),
        ),
        call("undetectable.docsFile", 404, "/docs/none", empty),
    ]
}
