//! Faults: what becomes of answers, and of calls that the server makes, on the wire.

mod clients;
mod connections;
mod deliveries;
mod listener;
mod outbound;
mod responses;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::rules::{ORDERS, hits, rule};
use crate::support::raw::{self, RawResponse};
use crate::support::{TestServer, picture};

/// Makes a rule that such calls come to that, once.
async fn once(server: &TestServer, operation: &str, then: Value) -> i64 {
    let when = json!({"operation": operation});
    rule(server, &json!({"when": when, "times": 1, "then": then})).await
}

/// The bytes of a request with key `live`; the path may be a URL.
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

/// What comes when that is sent on a connection of its own.
async fn exchanged(server: &TestServer, bytes: &[u8]) -> RawResponse {
    let mut stream = raw::connect(&server.origin).await;
    stream.write_all(bytes).await.expect("it is read");
    raw::read_to_end(&mut stream).await
}

/// The body of a create that makes an order of that name.
fn create(idempotency_key: &str) -> Vec<u8> {
    let body = json!({"idempotencyKey": idempotency_key, "fileName": "a_ai.jpg"});
    body.to_string().into_bytes()
}

/// The request that makes an order.
fn creating(idempotency_key: &str) -> Vec<u8> {
    let headers = "Content-Type: application/json\r\n";
    let path = "/api/v2/orders/ai-detection";
    request("POST", path, headers, &create(idempotency_key))
}

/// The ids of the orders that `live` has.
async fn orders(server: &TestServer) -> Vec<String> {
    let listed = server.get("live", "/api/v2/orders").await.json();
    let rows = listed["data"]["orders"].as_array().expect("a list");
    let ids = rows.iter().map(|row| row["orderId"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

/// An order of `live`'s that is done, its clock being frozen: where its file is.
async fn picture_url(server: &TestServer) -> String {
    let body = json!({"idempotencyKey": "file", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let order = server.get_order("live", &id).await;
    let url = order["originalImageUrl"].as_str();
    url.unwrap_or_else(|| panic!("{order}")).to_owned()
}
