//! API v3 of BIZ MORI.

mod create;
mod download;
mod extract;
mod read;
mod report_pages;
mod reports;
mod samples;

use serde_json::{Value, json};

use super::{create_order, text};
use crate::support::{TestServer, picture};

const EMBED: &str = "/api/v3/orders/wtr-embed";
const EXTRACT: &str = "/api/v3/orders/wtr-extract";

/// Completes a v3 embedding of one JPEG with these texts. Returns the order's id.
async fn complete_embed(server: &TestServer, key: &str, texts: &[&str]) -> String {
    let watermarks: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
    let files = json!([{"fileName": "a.jpg", "watermarks": watermarks}]);
    let body = json!({"idempotencyKey": "embedded", "files": files});
    let order = create_order(server, key, EMBED, &body).await;
    server
        .put(&text(&order, "/files/0/uploadUrl"), picture())
        .await;
    server.advance(key, "PT5S").await;
    text(&order, "/orderId")
}

/// Completes a v3 extraction from a JPEG with the file name `name`. Returns the order's id.
async fn complete_extract(server: &TestServer, key: &str, name: &str) -> String {
    let file = json!({"fileName": name, "originalFile": {"fileName": "o.jpg"}});
    let body = json!({"idempotencyKey": name, "file": file});
    let order = create_order(server, key, EXTRACT, &body).await;
    for pointer in ["/files/0/uploadUrl", "/files/1/uploadUrl"] {
        server.put(&text(&order, pointer), picture()).await;
    }
    server.advance(key, "PT5S").await;
    text(&order, "/orderId")
}
