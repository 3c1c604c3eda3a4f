//! Errors of the control plane: code, message and hint.

use reqwest::Method;
use serde_json::json;

use crate::support::{TestResponse, TestServer};

const SHAPES: &str = "GET /_mock/openapi/control.json describes the fields and their types";
const STEP: &str = "send milliseconds such as 1500, or a duration such as 10s, PT5M or P7D, without months and years and of at most 100 years";

fn assert_error(response: &TestResponse, status: u16, code: &str, message: &str, hint: &str) {
    let expected = json!({"error": {"code": code, "message": message, "hint": hint}});
    assert_eq!((response.status, response.json()), (status, expected));
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("x-mock-reason"), message);
    assert!(!response.header("x-mock-request").is_empty());
}

#[tokio::test]
async fn set_clock_with_invalid_body_is_refused_and_changes_nothing() {
    let server = TestServer::start_frozen("live").await;
    let before = server
        .control(Method::GET, "/_mock/clock?account=live", &json!({}))
        .await["now"]
        .take();
    for (body, code, message, hint) in [
        (
            r#"{"account":"live","mode":"frozen","now":"soon"}"#,
            "bad_now",
            "now: invalid instant soon",
            "send an instant such as 2026-03-12T10:00:00.000Z",
        ),
        (
            r#"{"account":"live","mode":"stopped"}"#,
            "bad_body",
            "mode: unknown variant `stopped`, expected one of `running`, `frozen`, `jump` at line 1 column 34",
            SHAPES,
        ),
        (
            r#"{"account":"live"}"#,
            "bad_body",
            "missing field `mode` at line 1 column 18",
            SHAPES,
        ),
        (
            r#"{"account":1,"mode":"frozen"}"#,
            "bad_body",
            "account: invalid type: integer `1`, expected a string at line 1 column 12",
            SHAPES,
        ),
        (
            r#"{"account":"live","mode":"frozen","at":"x"}"#,
            "bad_body",
            "at: unknown field `at`, expected one of `account`, `mode`, `now` at line 1 column 38",
            SHAPES,
        ),
        (
            "{",
            "bad_body",
            "the body is not valid JSON: EOF while parsing an object at line 1 column 1",
            SHAPES,
        ),
        (
            r#"{"account":"live","mode":"frozen","now"#,
            "bad_body",
            "the body is not valid JSON: EOF while parsing a string at line 1 column 38",
            SHAPES,
        ),
        (
            "nonsense",
            "bad_body",
            "the body is not valid JSON: expected ident at line 1 column 2",
            SHAPES,
        ),
        (
            r#"["live","running",null]"#,
            "bad_body",
            "invalid type: sequence, expected an object at line 1 column 0",
            SHAPES,
        ),
    ] {
        let response = server.send(Method::PUT, "/_mock/clock", &[], body).await;
        assert_error(&response, 400, code, message, hint);
    }
    let after = server
        .control(Method::GET, "/_mock/clock?account=live", &json!({}))
        .await["now"]
        .take();
    assert_eq!(after, before);
}

#[tokio::test]
async fn advance_by_invalid_duration_answers_bad_duration() {
    let server = TestServer::start_frozen("live").await;
    for by in [
        "null",
        "true",
        "-1",
        "1.5",
        "\"-PT1S\"",
        "\"P1M\"",
        "\"P1Y\"",
        "\"soon\"",
        "\"\"",
        "[]",
        "3162240000001",
        "\"P36601D\"",
        "1e300",
    ] {
        let body = format!(r#"{{"account":"live","by":{by}}}"#);
        let response = server
            .send(Method::POST, "/_mock/clock/advance", &[], body)
            .await;
        let by: serde_json::Value = serde_json::from_str(by).expect("JSON");
        let message = format!("by: invalid duration {by}");
        assert_error(&response, 400, "bad_duration", &message, STEP);
    }
    let missing = server
        .send(Method::POST, "/_mock/clock/advance", &[], "{}")
        .await;
    let message = "by or to is missing";
    let hint = r#"send one of them, such as {"by": "10s"}"#;
    assert_error(&missing, 400, "bad_body", message, hint);
}

#[tokio::test]
async fn drain_reset_and_put_account_with_invalid_fields_are_refused() {
    let server = TestServer::start().await;
    for (method, path, body, message) in [
        (
            Method::POST,
            "/_mock/drain",
            r#"{"timeoutMs":-1}"#,
            "timeoutMs: invalid value: integer `-1`, expected u64 at line 1 column 15",
        ),
        (
            Method::POST,
            "/_mock/drain",
            r#"{"timeout":1}"#,
            "timeout: unknown field `timeout`, expected `account` or `timeoutMs` at line 1 column 10",
        ),
        (
            Method::POST,
            "/_mock/reset",
            r#"{"acount":"a"}"#,
            "acount: unknown field `acount`, expected `account` at line 1 column 9",
        ),
        (
            Method::PUT,
            "/_mock/accounts/live",
            r#"{"state":"gone"}"#,
            "state: unknown variant `gone`, expected one of `active`, `expired`, `forbidden`, `unknown` at line 1 column 15",
        ),
        (
            Method::PUT,
            "/_mock/accounts/live",
            r#"{"processing":{}}"#,
            "processing: missing field `delayMs` at line 1 column 16",
        ),
        (
            Method::PUT,
            "/_mock/accounts/live",
            "[]",
            "invalid type: sequence, expected an object at line 1 column 0",
        ),
    ] {
        let response = server.send(method, path, &[], body).await;
        assert_error(&response, 400, "bad_body", message, SHAPES);
    }
    let listing = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(
        listing,
        json!({"accounts": [], "next": null}),
        "no account is created"
    );
}

#[tokio::test]
async fn call_with_unknown_account_or_route_answers_404_with_a_hint() {
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let response = server
        .send(Method::GET, "/_mock/accounts/nobody", &[], "")
        .await;
    let hint = "an account is created by its first use, or by PUT /_mock/accounts/{key}";
    assert_error(&response, 404, "unknown_account", "no account nobody", hint);
    let hint = "set the account up with PUT /_mock/accounts/{key}, since the mode is strict";
    for (method, path, body) in [
        (Method::GET, "/_mock/clock?account=nobody", ""),
        (Method::POST, "/_mock/drain", r#"{"account":"nobody"}"#),
        (
            Method::POST,
            "/_mock/clock/advance",
            r#"{"account":"nobody","by":1}"#,
        ),
        (
            Method::PUT,
            "/_mock/clock",
            r#"{"account":"nobody","mode":"frozen"}"#,
        ),
    ] {
        let response = server.send(method, path, &[], body).await;
        assert_error(&response, 404, "unknown_account", "no account nobody", hint);
    }
    let routes: Vec<String> = stuntdouble::app::operations()
        .iter()
        .filter(|operation| operation.name.starts_with("control."))
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let hint = format!("valid routes: {}", routes.join(", "));
    for (method, path) in [
        (Method::GET, "/_mock/nothing"),
        (Method::DELETE, "/_mock/clock"),
    ] {
        let response = server.send(method.clone(), path, &[], "").await;
        let message = format!("no route {method} {path}");
        assert_error(&response, 404, "unknown_route", &message, &hint);
    }
}

#[tokio::test]
async fn call_with_key_that_is_not_utf8_answers_bad_key() {
    let server = TestServer::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let response = server.send(method, "/_mock/accounts/%ff", &[], "").await;
        let hint = "percent-encode the key as UTF-8";
        assert_error(&response, 400, "bad_key", "invalid key %ff", hint);
    }
    let listing = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(listing, json!({"accounts": [], "next": null}));
}
