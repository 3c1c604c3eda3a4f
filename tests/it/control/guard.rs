//! Protection of the control plane against web pages, and of browsers against uploaded content.

mod account_keys;
mod bad_hosts;
mod hosts;
mod origins;
mod responses;

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::http::Operation;

use crate::support::{TestResponse, TestServer, raw};

/// Header that a browser sends for a page of another origin.
const EVIL: &str = "Origin: http://evil.test\r\n";

/// Sends a request without a body. `headers` are complete lines. Adds `Host: localhost` unless they
/// contain a host, and an invalid `Last-Event-ID`, because a stream ends only if it is refused.
pub async fn send_raw(
    server: &TestServer,
    method: &str,
    target: &str,
    headers: &str,
) -> TestResponse {
    let host = if headers.starts_with("Host:") || headers.contains("\r\nHost:") {
        ""
    } else {
        "Host: localhost\r\n"
    };
    let request = format!(
        "{method} {target} HTTP/1.1\r\n{host}{headers}Last-Event-ID: none\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    raw::send(&server.origin, request.as_bytes()).await
}

/// Returns the operations of the control plane.
fn control_operations() -> Vec<Operation> {
    let mut operations = stuntdouble::app::operations();
    operations.retain(|it| it.name.starts_with("control."));
    assert!(operations.len() > 30, "{operations:?}");
    operations
}

/// Returns the path of an operation with `a` for every parameter.
fn path_of(operation: &Operation) -> String {
    let segment = |it: &'static str| if it.starts_with('{') { "a" } else { it };
    let segments: Vec<_> = operation.path.split('/').map(segment).collect();
    segments.join("/")
}

/// Asserts a complete error of the control plane.
fn assert_refused(response: &TestResponse, status: u16, code: &str, message: &str, hint: &str) {
    let error = json!({"error": {"code": code, "message": message, "hint": hint}});
    assert_eq!((response.status, response.json()), (status, error));
    assert_eq!(response.header("x-mock-reason"), message);
    assert!(response.header("x-mock-request").parse::<u64>().is_ok());
}

/// Asserts status and error code.
fn assert_code(response: &TestResponse, status: u16, code: &str, case: &str) {
    let actual = (response.status, response.json()["error"]["code"].take());
    assert_eq!(actual, (status, json!(code)), "{case}");
}

/// Creates the account `protected`. Refused calls must not change it.
async fn create_protected_account(server: &TestServer) {
    let settings = json!({"plan": "pro"});
    let path = "/_mock/accounts/protected";
    server.control(Method::PUT, path, &settings).await;
}

/// Asserts that the state is as after [`create_protected_account`].
async fn assert_unchanged(server: &TestServer) {
    let response = server.send(Method::GET, "/_mock/accounts", &[], "").await;
    let listing = response.json();
    let accounts = listing["accounts"].as_array().expect("accounts");
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    assert_eq!(
        (&accounts[0]["key"], &accounts[0]["plan"]),
        (&json!("protected"), &json!("pro"))
    );
    let rules = server.send(Method::GET, "/_mock/rules", &[], "").await;
    assert_eq!(rules.json()["rules"], Value::Array(Vec::new()));
}
