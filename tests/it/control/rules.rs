//! Rules: what is done to requests and orders, to which and how often.

mod matching;
mod outcomes;
mod persistence;
mod refusals;
mod responses;
mod values;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

pub(super) const ORDERS: &str = "/api/v2/orders/webhooks";

/// Makes a rule: its id.
pub(super) async fn rule(server: &TestServer, body: &Value) -> i64 {
    let created = server.control(Method::POST, "/_mock/rules", body).await;
    created["id"].as_i64().expect("an id")
}

/// The rules there are.
async fn rules(server: &TestServer, query: &str) -> Vec<Value> {
    let path = format!("/_mock/rules{query}");
    let mut listed = server.control(Method::GET, &path, &json!({})).await;
    serde_json::from_value(listed["rules"].take()).expect("a list")
}

/// How often each was applied.
pub(super) async fn hits(server: &TestServer) -> Vec<i64> {
    let rules = rules(server, "").await;
    let hits = rules.iter().map(|rule| rule["hits"].as_i64());
    hits.map(|hits| hits.expect("a count")).collect()
}

/// The statuses of so many reads with that key.
async fn reads(server: &TestServer, key: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(server.get(key, ORDERS).await.status);
    }
    statuses
}

/// A rule that has answered: status, body, media type, reason; and it is numbered.
fn response_of(response: &TestResponse) -> (u16, String, String, String) {
    assert!(!response.header("x-mock-request").is_empty());
    (
        response.status,
        response.text(),
        response.header("content-type").to_owned(),
        response.header("x-mock-reason").to_owned(),
    )
}

fn busy(status: u16) -> Value {
    json!({"respond": {"status": status}})
}
