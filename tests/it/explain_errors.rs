//! `--explain-errors`: reasons in the bodies of the vendors' errors.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::support::{TestResponse, TestServer, raw};

const KEY: &str = "live";

async fn start(explain_errors: bool) -> TestServer {
    TestServer::with_config(|config| config.control.explain_errors = explain_errors).await
}

/// Sends one request for each form of the vendors' errors. Returns the names and the responses.
async fn errors(server: &TestServer) -> Vec<(&'static str, TestResponse)> {
    let missing = server.get(KEY, "/api/v2/orders/1").await;
    let body = json!({"idempotencyKey": "a", "fileName": "é/\"x\""});
    let invalid = server.post(KEY, "/api/v2/orders/ai-detection", &body).await;
    let without_key = server.send(Method::GET, "/api/v2/orders", &[], "").await;
    let v3 = server
        .post(KEY, "/api/v3/orders/wtr-embed", &json!({"files": []}))
        .await;
    let unknown_v3 = server.get(KEY, "/api/v3/nothing").await;
    let apikey = [("apikey", KEY)];
    let handler = server
        .send(Method::GET, "/check-user-credits", &[], "")
        .await;
    let detail = server.send(Method::GET, "/nothing", &apikey, "").await;
    let method = server.send(Method::PATCH, "/detect", &apikey, "").await;
    let json_type = [("content-type", "application/json")];
    let list = server.send(Method::POST, "/query", &json_type, "{}").await;
    let asset = server.send(Method::POST, "/_s3/x/y", &apikey, "").await;
    vec![
        ("missing order", missing),
        ("invalid field", invalid),
        ("no key", without_key),
        ("v3", v3),
        ("unknown route of v3", unknown_v3),
        ("error of a handler", handler),
        ("error of the framework", detail),
        ("method", method),
        ("list of errors", list),
        ("object", asset),
    ]
}

#[tokio::test]
async fn error_body_ends_with_the_reason_only_if_the_setting_is_on() {
    let (plain, explained) = (start(false).await, start(true).await);
    for ((name, bare), (_, full)) in errors(&plain).await.iter().zip(&errors(&explained).await) {
        let reason = full.header("x-mock-reason");
        assert_eq!(
            (bare.status, bare.header("x-mock-reason")),
            (full.status, reason),
            "{name}"
        );
        assert!(full.status >= 400 && !reason.is_empty(), "{name}");
        let (bare_text, full_text) = (bare.text(), full.text());
        if full.header("content-type") == "application/xml" {
            assert!(!full_text.contains("_mock"), "{name}: {full_text}");
            continue;
        }
        let fields = bare_text.strip_suffix('}').expect("an object");
        assert_eq!(
            full_text,
            format!(r#"{fields},"_mock":{}}}"#, json!(reason)),
            "{name}"
        );
        assert!(!bare_text.contains("_mock"), "{name}");
        let length = full_text.len().to_string();
        assert_eq!(full.header("content-length"), length, "{name}");
    }
}

#[tokio::test]
async fn error_bodies_of_both_vendors_are_whole_with_the_reason() {
    let server = start(true).await;
    let order = server.get(KEY, "/api/v2/orders/1").await;
    let body = r#"{"code":"ORDER_NOT_FOUND","_mock":"order 1 not found"}"#;
    assert_eq!((order.status, order.text()), (404, body.to_owned()));
    let v3 = server
        .post(KEY, "/api/v3/orders/wtr-embed", &json!({}))
        .await;
    let body = r#"{"code":"VALIDATION_FAILED","_mock":"#;
    assert!(v3.text().starts_with(body), "{}", v3.text());
    let json_type = [("content-type", "application/json")];
    let list = server.send(Method::POST, "/query", &json_type, "{}").await;
    let body = concat!(
        r#"{"detail":[{"loc":["body","id"],"msg":"field required","type":"value_error.missing"}],"#,
        r#""_mock":"body.id: field required"}"#
    );
    assert_eq!((list.status, list.text()), (422, body.to_owned()));
}

#[tokio::test]
async fn responses_other_than_vendor_errors_are_unchanged() {
    let server = start(true).await;
    let head = server
        .send(
            Method::HEAD,
            "/api/v2/orders/1",
            &[(AUTHORIZATION.as_str(), "Bearer live")],
            "",
        )
        .await;
    assert_eq!((head.status, head.text()), (404, String::new()));
    let webhook = json!({"url": "https://93.184.216.34/hook"});
    let registered = server.post(KEY, "/api/v2/orders/webhooks", &webhook).await;
    assert_eq!(registered.status, 200);
    assert_ne!(registered.header("x-mock-reason"), "");
    let control = server
        .send(Method::GET, "/_mock/orders?limit=0", &[], "")
        .await;
    assert_eq!(control.status, 400);
    let rule = json!({"account": KEY, "then": {"respond": {"status": 503, "body": {"a": 1}}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let stub = server.get(KEY, "/api/v2/orders").await;
    assert_eq!((stub.status, stub.text().as_str()), (503, r#"{"a":1}"#));
    for response in [head, registered, control, stub] {
        assert!(!response.text().contains("_mock\":"), "{}", response.text());
    }
}

#[tokio::test]
async fn explained_error_is_recorded_as_it_was_sent() {
    let server = start(true).await;
    let sent = server.get(KEY, "/api/v2/orders/1").await.json();
    let path = "/_mock/requests?account=live";
    let listing = server.control(Method::GET, path, &json!({})).await;
    assert_eq!(listing["requests"][0]["responseBody"], sent);
    assert_eq!(sent["_mock"], "order 1 not found");
}

#[tokio::test]
async fn request_refused_before_routing_has_the_reason_too() {
    let server = start(true).await;
    let request = b"GET /api/v2/orders HTTP/1.1\r\nConnection: close\r\n\r\n";
    let response = raw::send(&server.origin, request).await;
    let body = r#"{"code":"VALIDATION_FAILED","_mock":"Host: missing, which HTTP/1.1 requires"}"#;
    assert_eq!((response.status, response.text().as_str()), (400, body));
}
