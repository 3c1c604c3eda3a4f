//! Callers of the control plane, and browsers kept from what users and rules supply.

mod account_keys;
mod bad_hosts;
mod hosts;
mod origins;
mod responses;

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::http::Operation;

use crate::support::{TestResponse, TestServer, raw};

/// A page that attacks, as a browser names it.
const EVIL: &str = "Origin: http://evil.test\r\n";

/// Sends a request without a body. `headers` are whole lines; `Host: localhost` is added unless they
/// have a host.
async fn ask(server: &TestServer, method: &str, target: &str, headers: &str) -> TestResponse {
    let host = if headers.starts_with("Host:") || headers.contains("\r\nHost:") {
        ""
    } else {
        "Host: localhost\r\n"
    };
    let request = format!(
        "{method} {target} HTTP/1.1\r\n{host}{headers}Connection: close\r\nContent-Length: 0\r\n\r\n"
    );
    raw::send(&server.origin, request.as_bytes()).await
}

/// Operations of the control plane.
fn control_operations() -> Vec<Operation> {
    let mut operations = stuntdouble::app::operations();
    operations.retain(|it| it.name.starts_with("control."));
    assert!(operations.len() > 30, "{operations:?}");
    operations
}

/// The path of an operation, with `a` for every parameter.
fn path_of(operation: &Operation) -> String {
    let segment = |it: &'static str| if it.starts_with('{') { "a" } else { it };
    let segments: Vec<_> = operation.path.split('/').map(segment).collect();
    segments.join("/")
}

/// Asserts a refusal of the control plane, whole.
fn assert_refused(response: &TestResponse, status: u16, code: &str, message: &str, hint: &str) {
    let error = json!({"error": {"code": code, "message": message, "hint": hint}});
    assert_eq!((response.status, response.json()), (status, error));
    assert_eq!(response.header("x-mock-reason"), message);
    assert!(response.header("x-mock-request").parse::<u64>().is_ok());
}

/// Asserts that the request was refused with that code.
fn assert_code(response: &TestResponse, status: u16, code: &str, what: &str) {
    let value = (response.status, response.json()["error"]["code"].take());
    assert_eq!(value, (status, json!(code)), "{what}");
}

/// Sets the account `kept` up, which nothing that is refused may remove.
async fn keep_account(server: &TestServer) {
    let settings = json!({"plan": "pro"});
    let path = "/_mock/accounts/kept";
    server.control(Method::PUT, path, &settings).await;
}

/// Asserts that the state is as [`keep_account`] left it.
async fn assert_kept(server: &TestServer) {
    let all = server.send(Method::GET, "/_mock/accounts", &[], "").await;
    let accounts = all.json()["accounts"].take();
    let accounts = accounts.as_array().expect("accounts");
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    assert_eq!(
        (&accounts[0]["key"], &accounts[0]["plan"]),
        (&json!("kept"), &json!("pro"))
    );
    let rules = server.send(Method::GET, "/_mock/rules", &[], "").await;
    assert_eq!(rules.json()["rules"], Value::Array(Vec::new()));
}
