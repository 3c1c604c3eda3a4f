//! S3 API.

use serde_json::json;

use super::{KnownIds, OperationCall, call};

pub fn calls(ids: &KnownIds) -> Vec<OperationCall> {
    let empty = json!({});
    vec![
        call("storage.put", 200, &ids.upload, empty.clone()),
        call("storage.put", 403, &ids.original, empty.clone()),
        call("storage.get", 200, &ids.original, empty.clone()),
        call("storage.get", 403, "/_s3/bizmori/k", empty.clone()),
        call("storage.options", 200, "/_s3/bizmori/k", empty.clone()),
        call("storage.head", 403, &ids.original, empty.clone()),
        call("storage.head", 403, "/_s3/bizmori/k", empty),
    ]
}
