//! Fault injection into responses and into calls of the server, checked byte by byte.

mod clients;
mod connections;
mod deliveries;
mod listener;
mod outbound;
mod responses;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::rules::{WEBHOOKS, add_rule, hits};
use crate::support::raw::{self, RawResponse};
use crate::support::{TestServer, picture};

/// Adds a rule that applies `then` to the next call of `operation`. Returns its id.
async fn add_rule_once(server: &TestServer, operation: &str, then: Value) -> i64 {
    let when = json!({"operation": operation});
    add_rule(server, &json!({"when": when, "times": 1, "then": then})).await
}

/// Returns the bytes of a request with key `live`. `path` may be a storage URL.
fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let path = path.find("/_s3/").map_or(path, |begin| &path[begin..]);
    let key = if path.starts_with("/_s3/") {
        ""
    } else {
        "Authorization: Bearer live\r\nApikey: live\r\n"
    };
    let length = match (body.len(), method) {
        (0, "GET" | "HEAD" | "OPTIONS") => String::new(),
        (bytes, _) => format!("Content-Length: {bytes}\r\n"),
    };
    let head = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{key}{headers}{length}\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends bytes on a new connection and reads until it ends.
async fn exchange(server: &TestServer, bytes: &[u8]) -> RawResponse {
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(bytes)
        .await
        .expect("the server reads the request");
    raw::read_to_end(&mut stream).await
}

/// Returns the body of a create request.
fn create_body(idempotency_key: &str) -> Vec<u8> {
    let body = json!({"idempotencyKey": idempotency_key, "fileName": "a_ai.jpg"});
    body.to_string().into_bytes()
}

/// Returns the bytes of a create request.
fn create_request(idempotency_key: &str) -> Vec<u8> {
    let headers = "Content-Type: application/json\r\n";
    let path = "/api/v2/orders/ai-detection";
    request("POST", path, headers, &create_body(idempotency_key))
}

/// Returns the ids of the orders of `live`.
async fn order_ids(server: &TestServer) -> Vec<String> {
    let listing = server.get("live", "/api/v2/orders").await.json();
    let rows = listing["data"]["orders"].as_array().expect("a list");
    let ids = rows.iter().map(|row| row["orderId"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

/// Completes an order of `live`, whose clock is frozen. Returns the URL of its picture.
async fn picture_url(server: &TestServer) -> String {
    let body = json!({"idempotencyKey": "file", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let order = server.get_order("live", &id).await;
    let url = order["originalImageUrl"].as_str();
    url.unwrap_or_else(|| panic!("{order}")).to_owned()
}
