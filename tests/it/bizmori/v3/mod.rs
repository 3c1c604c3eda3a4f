//! BIZ MORI's API v3.

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

/// A v3 embedding of one JPEG with these texts, complete.
async fn embedded(server: &TestServer, key: &str, texts: &[&str]) -> String {
    let marks: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
    let files = json!([{"fileName": "a.jpg", "watermarks": marks}]);
    let body = json!({"idempotencyKey": "embedded", "files": files});
    let order = create_order(server, key, EMBED, &body).await;
    server
        .put(&text(&order, "/files/0/uploadUrl"), picture())
        .await;
    server.advance(key, "PT5S").await;
    text(&order, "/orderId")
}

/// A v3 extraction from a JPEG of that name, complete.
async fn extracted(server: &TestServer, key: &str, name: &str) -> String {
    let file = json!({"fileName": name, "originalFile": {"fileName": "o.jpg"}});
    let body = json!({"idempotencyKey": name, "file": file});
    let order = create_order(server, key, EXTRACT, &body).await;
    for place in ["/files/0/uploadUrl", "/files/1/uploadUrl"] {
        server.put(&text(&order, place), picture()).await;
    }
    server.advance(key, "PT5S").await;
    text(&order, "/orderId")
}
