//! S3 API.

use serde_json::json;

use super::{KnownIds, OperationCall, call};

pub fn calls(ids: &KnownIds) -> Vec<OperationCall> {
    let none = json!({});
    vec![
        call("storage.put", 200, &ids.upload, none.clone()),
        call("storage.put", 403, &ids.original, none.clone()),
        call("storage.get", 200, &ids.original, none.clone()),
        call("storage.get", 403, "/_s3/bizmori/k", none.clone()),
        call("storage.options", 200, "/_s3/bizmori/k", none.clone()),
        call("storage.head", 403, &ids.original, none.clone()),
        call("storage.head", 403, "/_s3/bizmori/k", none),
    ]
}
