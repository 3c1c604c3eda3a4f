//! Jobs that fail by a fault of the server: they back off, give up, and never repeat visible
//! effects.
//!
//! The fault is real: a trigger in the server's database, created over a second connection, makes
//! SQLite refuse a write.

mod errors;
mod records;
mod slots;
mod starts;

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Database, TestResponse, TestServer};

/// Time limit for a condition. The test fails when it passes; no test depends on its length.
const PATIENCE: Duration = Duration::from_mins(5);

/// Starts a server on a data directory.
async fn start_on(data_dir: &Path) -> TestServer {
    TestServer::with_config(|config| config.data_dir = Some(data_dir.to_owned())).await
}

fn order_body(key: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": format!("{key}_ai.jpg")})
}

/// Advances the clock of `live` by a second. Returns the response, success or error.
async fn advance(server: &TestServer) -> TestResponse {
    let body = json!({"account": "live", "by": "PT1S"}).to_string();
    let path = "/_mock/clock/advance";
    server.send(Method::POST, path, &[], body).await
}

fn assert_forged_fault(response: &TestResponse) {
    let text = response.text();
    assert_eq!(response.status, 500, "{text}");
    assert!(text.contains("forged fault"), "{text}");
}
