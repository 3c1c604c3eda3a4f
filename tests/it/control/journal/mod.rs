//! The journal: what was asked and answered, and whether it is what a test wants.

mod follow;
mod retention;
mod verify;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

/// What is kept of that query.
async fn requests(server: &TestServer, query: &str) -> Value {
    let path = format!("/_mock/requests{query}");
    server.control(Method::GET, &path, &json!({})).await
}

/// One field of each request.
fn each(listed: &Value, field: &str) -> Vec<Value> {
    let requests = listed["requests"].as_array().expect("a list");
    requests.iter().map(|it| it[field].clone()).collect()
}

async fn verify(server: &TestServer, body: &Value) -> TestResponse {
    let path = "/_mock/requests/verify";
    server.send(Method::POST, path, &[], body.to_string()).await
}
