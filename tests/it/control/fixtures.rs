//! Fixtures: accounts, webhooks, rules and finished orders from one document.

mod export;
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

/// Returns an account whose clock is frozen at [`T0`].
fn frozen_account(key: &str) -> Value {
    json!({"key": key, "clock": {"mode": "frozen", "now": T0}})
}

/// Returns the file `source` of `fixtures/` under another name.
fn file(name: &str, source: &str) -> Value {
    json!({"fileName": name, "base64": BASE64_STANDARD.encode(fixture(source))})
}

/// Returns an order of `live`.
fn order_of_live(operation: &str, files: impl Into<Value>) -> Value {
    let files: Value = files.into();
    json!({"account": "live", "operation": operation, "files": files})
}

/// Puts a document. Returns the counts and orders.
async fn put_fixtures(server: &TestServer, document: &Value) -> Value {
    server.control(Method::PUT, PATH, document).await
}

async fn send_document(server: &TestServer, document: &str) -> TestResponse {
    let document = document.to_owned();
    server.send(Method::PUT, PATH, &[], document).await
}

/// Returns the ids of the created orders, in the order of the document.
fn order_ids(result: &Value) -> Vec<String> {
    let orders = result["orders"].as_array().expect("orders").iter();
    orders
        .map(|it| it["id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn get_json(server: &TestServer, path: &str) -> Value {
    server.control(Method::GET, path, &json!({})).await
}

/// Returns message and hint of the error for a refused document.
fn message_and_hint(response: &TestResponse) -> (String, String) {
    let error = response.json()["error"].take();
    assert_eq!(
        (response.status, &error["code"]),
        (400, &json!("bad_fixtures"))
    );
    let text = |field: &str| error[field].as_str().expect("a text").to_owned();
    let message = text("message");
    assert_eq!(response.header("x-mock-reason"), message);
    (message, text("hint"))
}
