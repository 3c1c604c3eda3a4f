//! Rules: which requests and orders they match, how often, and their effects.

mod edits;
mod matching;
mod outcomes;
mod persistence;
mod refusals;
mod responses;
mod values;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

pub(super) const WEBHOOKS: &str = "/api/v2/orders/webhooks";

/// Adds a rule. Returns its id.
pub(super) async fn add_rule(server: &TestServer, body: &Value) -> i64 {
    let created = server.control(Method::POST, "/_mock/rules", body).await;
    created["id"].as_i64().expect("an id")
}

/// Returns the rules that match a query.
async fn list_rules(server: &TestServer, query: &str) -> Vec<Value> {
    let path = format!("/_mock/rules{query}");
    let mut listing = server.control(Method::GET, &path, &json!({})).await;
    serde_json::from_value(listing["rules"].take()).expect("a list")
}

/// Returns the number of hits of each rule.
pub(super) async fn hits(server: &TestServer) -> Vec<i64> {
    let rules = list_rules(server, "").await;
    let hits = rules.iter().map(|rule| rule["hits"].as_i64());
    hits.map(|hits| hits.expect("a count")).collect()
}

/// Lists webhooks `count` times with `key`. Returns the statuses.
async fn read_statuses(server: &TestServer, key: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(server.get(key, WEBHOOKS).await.status);
    }
    statuses
}

/// Returns status, body, media type and reason of a rule's response. Asserts that it has a number.
fn rule_response(response: &TestResponse) -> (u16, String, String, String) {
    assert!(!response.header("x-mock-request").is_empty());
    (
        response.status,
        response.text(),
        response.header("content-type").to_owned(),
        response.header("x-mock-reason").to_owned(),
    )
}

/// Returns the effect of responding with `status`.
fn respond_with(status: u16) -> Value {
    json!({"respond": {"status": status}})
}
