//! Rules: what is done to requests and orders, to which and how often.

mod answers;
mod kept;
mod outcomes;
mod refusals;
mod values;
mod which;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

pub(super) const ORDERS: &str = "/api/v2/orders/webhooks";

/// Makes a rule: its id.
pub(super) async fn rule(stunt: &TestServer, body: &Value) -> i64 {
    let created = stunt.control(Method::POST, "/_mock/rules", body).await;
    created["id"].as_i64().expect("an id")
}

/// The rules there are.
async fn rules(stunt: &TestServer, query: &str) -> Vec<Value> {
    let path = format!("/_mock/rules{query}");
    let mut listed = stunt.control(Method::GET, &path, &json!({})).await;
    serde_json::from_value(listed["rules"].take()).expect("a list")
}

/// How often each was applied.
pub(super) async fn hits(stunt: &TestServer) -> Vec<i64> {
    let rules = rules(stunt, "").await;
    let hits = rules.iter().map(|rule| rule["hits"].as_i64());
    hits.map(|hits| hits.expect("a count")).collect()
}

/// The statuses of so many reads with that key.
async fn reads(stunt: &TestServer, key: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(stunt.get(key, ORDERS).await.status);
    }
    statuses
}

/// A rule that has answered: status, body, media type, reason; and it is numbered.
fn response_of(answer: &TestResponse) -> (u16, String, String, String) {
    assert!(!answer.header("x-mock-request").is_empty());
    (
        answer.status,
        answer.text(),
        answer.header("content-type").to_owned(),
        answer.header("x-mock-reason").to_owned(),
    )
}

fn busy(status: u16) -> Value {
    json!({"respond": {"status": status}})
}
