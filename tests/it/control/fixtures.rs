//! Fixtures: accounts, webhooks, rules and finished orders from one document.

mod invalid;
mod orders;
mod refusals;
mod startup;
mod state;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{T0, TestResponse, TestServer, fixture};

const PATH: &str = "/_mock/fixtures";

/// An account whose clock has stopped.
fn start_frozen(key: &str) -> Value {
    json!({"key": key, "clock": {"mode": "frozen", "now": T0}})
}

/// A file of `fixtures/`, by another name.
fn file(name: &str, of: &str) -> Value {
    json!({"fileName": name, "base64": BASE64_STANDARD.encode(fixture(of))})
}

/// An order of `live`'s.
fn create_order(operation: &str, files: impl Into<Value>) -> Value {
    let files: Value = files.into();
    json!({"account": "live", "operation": operation, "files": files})
}

/// What was set up.
async fn put_fixtures(server: &TestServer, document: &Value) -> Value {
    server.control(Method::PUT, PATH, document).await
}

async fn send(server: &TestServer, document: &str) -> TestResponse {
    let document = document.to_owned();
    server.send(Method::PUT, PATH, &[], document).await
}

/// The ids of the orders that were set up, as they stand in the document.
fn ids(done: &Value) -> Vec<String> {
    let orders = done["orders"].as_array().expect("orders").iter();
    orders
        .map(|it| it["id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn get_json(server: &TestServer, path: &str) -> Value {
    server.control(Method::GET, path, &json!({})).await
}

/// The message and the hint of a document that is refused.
fn message_and_hint(response: &TestResponse) -> (String, String) {
    let error = response.json()["error"].take();
    assert_eq!(
        (response.status, &error["code"]),
        (400, &json!("bad_fixtures"))
    );
    let text = |field: &str| error[field].as_str().expect("a text").to_owned();
    let (message, hint) = (text("message"), text("hint"));
    assert_eq!(response.header("x-mock-reason"), message);
    (message, hint)
}
