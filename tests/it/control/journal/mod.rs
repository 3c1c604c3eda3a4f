//! The journal: listing and verifying requests and their responses.

mod follow;
mod retention;
mod verify;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

/// Returns the journal listing of a query.
async fn list_requests(server: &TestServer, query: &str) -> Value {
    let path = format!("/_mock/requests{query}");
    server.control(Method::GET, &path, &json!({})).await
}

/// Returns one field of each request.
fn field_of_each(listing: &Value, field: &str) -> Vec<Value> {
    let requests = listing["requests"].as_array().expect("a list");
    requests.iter().map(|it| it[field].clone()).collect()
}

async fn verify(server: &TestServer, body: &Value) -> TestResponse {
    let path = "/_mock/requests/verify";
    server.send(Method::POST, path, &[], body.to_string()).await
}
