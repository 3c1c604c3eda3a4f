//! API of BIZ MORI: orders from creation to completion.

mod anti_ai;
mod bodies;
mod concurrency;
mod confirm;
mod cors;
mod create;
mod detection;
mod listing;
mod openapi;
mod revisions;
mod test_keys;
mod urls;
mod usage;
mod v3;
mod watermark_files;
mod watermarks;
mod zero_copy;

use reqwest::Method;
use serde_json::Value;

use crate::support::TestServer;

const DETECTION: &str = "/api/v2/orders/ai-detection";
const CONFIRM_DETECTION: &str = "/api/v2/orders/ai-detection/confirm";
const ANTI_AI: &str = "/api/v2/orders/anti-ai";
const CONFIRM_ANTI_AI: &str = "/api/v2/orders/anti-ai/confirm";

const EMBED: &str = "/api/v2/orders/wtr-embed";
const EXTRACT: &str = "/api/v2/orders/wtr-extract";

/// Creates an order, which must succeed. Returns the `data` of the response.
async fn create_order(server: &TestServer, key: &str, path: &str, body: &Value) -> Value {
    let response = server.post(key, path, body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["data"].take()
}

/// Returns the string at a JSON pointer.
fn text(value: &Value, pointer: &str) -> String {
    let string = value.pointer(pointer).and_then(Value::as_str);
    string
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
        .to_owned()
}

/// Returns the number of files in a directory and its subdirectories.
fn count_files(directory: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .map(|path| if path.is_dir() { count_files(&path) } else { 1 })
        .sum()
}

/// Reads a URL, which must exist.
async fn fetch(server: &TestServer, url: &str) -> Vec<u8> {
    let response = server.send(Method::GET, url, &[], "").await;
    assert_eq!(response.status, 200, "GET {url}: {}", response.text());
    response.bytes
}

/// Returns the outputs of an order by the v2 download.
async fn download_outputs(server: &TestServer, key: &str, id: &str) -> Vec<u8> {
    let path = format!("/api/v2/orders/{id}/download");
    let response = server.get(key, &path).await;
    assert_eq!(response.status, 200, "{}", response.text());
    fetch(server, &text(&response.json(), "/data/downloadUrl")).await
}

/// Query of a URL presigned at [`T0`](crate::support::T0), after `TestServer::redact`.
fn signed_query(expires_s: u32) -> String {
    format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F20260312%2Fus-east-1%2Fs3%2F\
         aws4_request&X-Amz-Date=20260312T100000Z&X-Amz-Expires={expires_s}&X-Amz-SignedHeaders=host&X-Amz-Signature=*"
    )
}
