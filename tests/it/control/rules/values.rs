//! Values in rules: numeric headers, file names in any case, error codes of the vendors.

use reqwest::Method;
use serde_json::{Value, json};

use super::{list_rules, respond_with};
use crate::support::{TestServer, picture};

/// Sends a body. Returns the status and the error.
async fn post_invalid(server: &TestServer, path: &str, body: &Value) -> (u16, Value) {
    let response = server.send(Method::POST, path, &[], body.to_string()).await;
    (response.status, response.json()["error"].take())
}

fn rule_with_code(operation: &Value, code: &str) -> Value {
    json!({"when": {"operation": operation},
        "then": {"outcome": {"status": "failed", "errorCode": code}}})
}

#[tokio::test]
async fn create_rule_with_numeric_header_values_sends_them_as_written() {
    let server = TestServer::start().await;
    let headers =
        json!({"Retry-After": 3, "X-Ratio": 0.5, "X-Text": "a", "X-Big": 12_345_678_901_u64});
    let respond = json!({"status": 503, "headers": headers});
    let rule = json!({"account": "live", "then": {"respond": respond}});
    let created = server.control(Method::POST, "/_mock/rules", &rule).await;
    assert_eq!(created["then"]["respond"]["headers"]["Retry-After"], "3");
    let response = server.get("live", "/api/v2/orders").await;
    let headers = ["retry-after", "x-ratio", "x-text", "x-big"].map(|name| response.header(name));
    assert_eq!(
        (response.status, headers),
        (503, ["3", "0.5", "a", "12345678901"])
    );
}

#[tokio::test]
async fn create_rule_with_other_header_values_is_refused() {
    let server = TestServer::start().await;
    for (value, message) in [
        (
            json!(true),
            "then.respond.headers.X-Flag: a header's value is a text or a number, and no boolean: write \"true\"",
        ),
        (
            json!(null),
            "then.respond.headers.X-Flag: a header's value is a text or a number",
        ),
        (
            json!([1]),
            "then.respond.headers.X-Flag: a header's value is a text or a number",
        ),
    ] {
        let respond = json!({"status": 503, "headers": {"X-Flag": value}});
        let body = json!({"then": {"respond": respond}});
        let (status, error) = post_invalid(&server, "/_mock/rules", &body).await;
        assert_eq!((status, &error["code"]), (400, &json!("bad_body")));
        let line = error["message"].as_str().expect("a line");
        assert!(line.starts_with(message), "{line}");
    }
}

#[tokio::test]
async fn match_by_file_name_ignores_case() {
    let server = TestServer::start_frozen("live").await;
    let rule = json!({"account": "live", "when": {"fileName": "CAT*.jpg"},
        "then": {"outcome": {"probability": 0.62}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let body = json!({"idempotencyKey": "a", "fileName": "cat 1.JPG"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    assert_eq!(server.get_order("live", &id).await["probability"], 0.62);
}

#[tokio::test]
async fn create_rule_with_unknown_error_code_is_refused_with_valid_codes() {
    let server = TestServer::start().await;
    let known = "there is: AI_DETECTION_FAILED, AI_DETECTION_INVALID_IMAGE, ";
    for (operation, code, message, hint) in [
        (
            json!("bizmori.createAiDetection"),
            "AI_DETECTION_TIMEUOT",
            "then.outcome.errorCode: bizmori has no code AI_DETECTION_TIMEUOT; did you mean AI_DETECTION_TIMEOUT?",
            known,
        ),
        (
            json!("bizmori.*"),
            "X",
            "then.outcome.errorCode: bizmori has no code X",
            known,
        ),
        (
            Value::Null,
            "X",
            "then.outcome.errorCode: bizmori and undetectable have no code X",
            known,
        ),
        (
            json!("undetectable.detect"),
            "AI_DETECTION_TIMEOUT",
            "then.outcome.errorCode: AI_DETECTION_TIMEOUT is a code of bizmori, and not of undetectable",
            "leave it out: orders of undetectable fail with an errorMessage alone",
        ),
        (
            json!("undetectable.*"),
            "X",
            "then.outcome.errorCode: undetectable has no code X",
            "leave it out: orders of undetectable fail with an errorMessage alone",
        ),
    ] {
        let (status, error) =
            post_invalid(&server, "/_mock/rules", &rule_with_code(&operation, code)).await;
        assert_eq!(
            (status, &error["code"]),
            (400, &json!("bad_rule")),
            "{operation}"
        );
        assert_eq!(error["message"], message);
        let text = error["hint"].as_str().expect("a hint");
        assert!(text.starts_with(hint), "{text}");
    }
    assert_eq!(list_rules(&server, "").await, [Value::Null; 0]);
    for operation in [json!("bizmori.*"), json!("*"), Value::Null] {
        let rule = rule_with_code(&operation, "AI_DETECTION_TIMEOUT");
        server.control(Method::POST, "/_mock/rules", &rule).await;
    }
}

#[tokio::test]
async fn fail_order_or_fixture_with_unknown_error_code_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let path = |action: &str| format!("/_mock/orders/{id}/{action}");
    let message =
        "errorCode: bizmori has no code AI_DETECTON_TIMEOUT; did you mean AI_DETECTION_TIMEOUT?";
    for (action, body) in [
        ("fail", json!({"errorCode": "AI_DETECTON_TIMEOUT"})),
        (
            "complete",
            json!({"status": "failed", "errorCode": "AI_DETECTON_TIMEOUT"}),
        ),
    ] {
        let (status, error) = post_invalid(&server, &path(action), &body).await;
        assert_eq!(
            (status, &error["code"]),
            (400, &json!("bad_rule")),
            "{action}"
        );
        assert_eq!(error["message"], message);
    }
    let empty = json!({"errorMessage": ""});
    let (status, error) = post_invalid(&server, &path("fail"), &empty).await;
    assert_eq!(
        (status, &error["message"]),
        (400, &json!("errorMessage: is empty, or too long"))
    );
    let two = json!({"probability": 0.5, "watermarkText": "X"});
    let (_, error) = post_invalid(&server, &path("complete"), &two).await;
    assert_eq!(error["message"], "the outcome does not say one thing");
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    let document = json!({"orders": [{"account": "live", "operation": "undetectable.detect",
        "files": [{"fileName": "a.jpg", "base64": ""}],
        "outcome": {"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"}}]});
    let response = server
        .send(Method::PUT, "/_mock/fixtures", &[], document.to_string())
        .await;
    assert_eq!(
        response.json()["error"]["message"],
        "line 1, orders[0].outcome.errorCode: AI_DETECTION_TIMEOUT is a code of bizmori, and not of undetectable"
    );
}

#[tokio::test]
async fn create_rule_with_drop_and_another_effect_is_refused() {
    let server = TestServer::start().await;
    for other in [
        json!({"delayMs": 1}),
        json!({"fault": "reset"}),
        json!({"respond": {"status": 503}}),
    ] {
        let mut then = other;
        then["webhook"] = json!({"drop": true});
        let (status, error) = post_invalid(&server, "/_mock/rules", &json!({"then": then})).await;
        assert_eq!(status, 400, "{then}");
        let message = "then: a webhook that is dropped has no delay, response or fault";
        assert_eq!(error["message"], message);
    }
    let both = json!({"respond": respond_with(503)["respond"], "webhook": {"duplicate": 2}});
    server
        .control(Method::POST, "/_mock/rules", &json!({"then": both}))
        .await;
}
