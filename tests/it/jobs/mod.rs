//! Jobs that meet a fault of the server: they back off, give up, and never do twice what others saw.
//!
//! The fault is real: a trigger in the server's own database, made over a second connection, that has
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

/// A test fails if what it waits for has not come by then.
const PATIENCE: Duration = Duration::from_mins(5);

/// A server on that data directory.
async fn on(data_dir: &Path) -> TestServer {
    TestServer::with_config(|config| config.data_dir = Some(data_dir.to_owned())).await
}

fn new(key: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": format!("{key}_ai.jpg")})
}

/// Advances `live`'s clock by a second: the answer, whatever it is.
async fn advance(server: &TestServer) -> TestResponse {
    let body = json!({"account": "live", "by": "PT1S"}).to_string();
    let path = "/_mock/clock/advance";
    server.send(Method::POST, path, &[], body).await
}

fn assert_failed_by_fault(response: &TestResponse) {
    let text = response.text();
    assert_eq!(response.status, 500, "{text}");
    assert!(text.contains("forged fault"), "{text}");
}
