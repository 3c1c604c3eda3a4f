//! Rules that respond to requests or delay them.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{WEBHOOKS, add_rule, hits, list_rules, respond_with, rule_response};
use crate::support::{TestServer, picture, raw};

#[tokio::test]
async fn respond_by_rule_to_an_operation_of_each_api_answers_only_that_one() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection("live", &body).await;
    for (operation, method, path) in [
        ("bizmori.listWebhooks", Method::GET, WEBHOOKS),
        ("undetectable.detect", Method::POST, "/detect"),
        ("undetectable.health", Method::GET, "/health"),
        ("storage.put", Method::PUT, upload.as_str()),
    ] {
        let then = json!({"respond": {"status": 503, "headers": {"Retry-After": "7"}, "body": {"of": operation}}});
        let body = json!({"name": "busy", "when": {"operation": operation}, "then": then});
        let id = add_rule(&server, &body).await;
        let headers: &[_] = if operation == "storage.put" {
            &[]
        } else {
            &[("authorization", "Bearer live"), ("apikey", "live")]
        };
        let response = server.send(method.clone(), path, headers, picture()).await;
        let expected = (
            503,
            format!(r#"{{"of":"{operation}"}}"#),
            "application/json".to_owned(),
            format!("rule {id} (busy)"),
        );
        assert_eq!(rule_response(&response), expected);
        assert_eq!(response.header("retry-after"), "7");
        let other = server.get("live", "/api/v2/orders/1").await;
        other.assert_refused(404, "ORDER_NOT_FOUND", "order 1 not found");
        let rule_path = format!("/_mock/rules/{id}");
        server.control(Method::DELETE, &rule_path, &json!({})).await;
        let after = server.send(method, path, headers, picture()).await;
        assert_ne!(after.status, 503, "{operation}");
    }
}

#[tokio::test]
async fn respond_with_body_sends_it_as_written() {
    let server = TestServer::start().await;
    for (body, expected_body, media_type) in [
        (
            r#"{"b": 1.0, "a": [ ]}"#,
            r#"{"b": 1.0, "a": [ ]}"#,
            "application/json",
        ),
        ("null", "null", "application/json"),
        (
            "12345678901234567890123",
            "12345678901234567890123",
            "application/json",
        ),
        (r#""plain \u00e9""#, "plain é", "text/plain; charset=utf-8"),
        (r#""""#, "", "text/plain; charset=utf-8"),
    ] {
        let text = format!(r#"{{"then": {{"respond": {{"status": 200, "body": {body}}}}}}}"#);
        let response = server.send(Method::POST, "/_mock/rules", &[], text).await;
        assert_eq!(response.status, 201, "{}", response.text());
        let id = response.json()["id"].as_i64().expect("an id");
        let response = server.get("live", WEBHOOKS).await;
        let reason = format!("rule {id}");
        let expected = (200, expected_body.to_owned(), media_type.to_owned(), reason);
        assert_eq!(rule_response(&response), expected);
        server
            .control(Method::DELETE, "/_mock/rules", &json!({}))
            .await;
    }
    let then = json!({"respond": {"status": 418, "headers": {"content-type": "text/html", "x-y": "z"}, "body": "<p>"}});
    add_rule(&server, &json!({"then": then})).await;
    let response = server.get("live", WEBHOOKS).await;
    assert_eq!(
        (response.header("content-type"), response.header("x-y")),
        ("text/html", "z")
    );
    assert_eq!((response.status, response.text()), (418, "<p>".to_owned()));
}

#[tokio::test]
async fn respond_without_body_sends_none() {
    let server = TestServer::start().await;
    add_rule(&server, &json!({"then": respond_with(204)})).await;
    let response = server.get("live", WEBHOOKS).await;
    assert_eq!(
        rule_response(&response),
        (204, String::new(), String::new(), "rule 1".to_owned())
    );
}

#[tokio::test]
async fn respond_to_unknown_paths_applies_except_to_the_control_plane() {
    let server = TestServer::start().await;
    add_rule(&server, &json!({"then": respond_with(503)})).await;
    for path in ["/api/v9/new", "/nothing", "/_s3/", "/health"] {
        assert_eq!(server.get("live", path).await.status, 503, "{path}");
    }
    assert_eq!(server.post("live", "/health", &json!({})).await.status, 503);
    for (path, status) in [
        ("/_mock/health", 200),
        ("/_mock/clock?account=live", 200),
        ("/_mock/nothing", 404),
        ("/_mock/", 200),
        ("/_mock", 404),
    ] {
        assert_eq!(server.get("live", path).await.status, status, "{path}");
    }
    assert_eq!(hits(&server).await, [5]);
}

#[tokio::test]
async fn respond_to_upload_stores_nothing_and_allows_a_retry() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, upload) = server.create_detection("live", &body).await;
    let once = json!({"when": {"operation": "storage.put"}, "times": 1, "then": respond_with(500)});
    add_rule(&server, &once).await;
    let refused = server
        .send(Method::PUT, &upload, &[], vec![0; 8 * 1024 * 1024])
        .await;
    assert_eq!(refused.status, 500);
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let early = server
        .post("live", "/api/v2/orders/ai-detection/confirm", &confirm)
        .await;
    let reason = format!("order {id} is pending: 0 of 1 files uploaded");
    early.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &reason);
    server.put(&upload, picture()).await;
    server.confirm("live", &id).await;
}

#[tokio::test]
async fn delay_request_answers_after_that_time() {
    let server = TestServer::start_frozen("live").await;
    let slow = json!({"when": {"operation": "bizmori.listWebhooks"}, "then": {"delayMs": 150}});
    add_rule(&server, &slow).await;
    let started_at = std::time::Instant::now();
    let response = server.get("live", WEBHOOKS).await;
    assert!(started_at.elapsed().as_millis() >= 150);
    assert_eq!(
        (response.status, response.header("x-mock-reason")),
        (200, "")
    );
    let both = json!({"when": {"operation": "bizmori.getWebhook"}, "then": {"delayMs": 150, "respond": {"status": 503}}});
    add_rule(&server, &both).await;
    let started_at = std::time::Instant::now();
    let response = server.get("live", &format!("{WEBHOOKS}/1")).await;
    assert!(started_at.elapsed().as_millis() >= 150);
    assert_eq!(response.status, 503);
    assert_eq!(hits(&server).await, [1, 1]);
}

#[tokio::test]
async fn hang_up_during_delay_ends_the_request() {
    let server = TestServer::start().await;
    add_rule(&server, &json!({"then": {"delayMs": 600_000}})).await;
    let mut client = raw::connect(&server.origin).await;
    let head = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    client
        .write_all(head)
        .await
        .expect("the server reads the request");
    while hits(&server).await != [1] {
        tokio::task::yield_now().await;
    }
    drop(client);
    assert!(server.shuts_down_cleanly().await);
}

#[tokio::test]
async fn respond_by_rule_numbers_requests_per_account() {
    let server = TestServer::start().await;
    add_rule(&server, &json!({"then": respond_with(503)})).await;
    let detect = json!({"key": "b", "url": "u"});
    let query = json!({"id": "none"});
    let json = [("content-type", "application/json")];
    let number_of = async |method: Method, path: &str, headers: &[(&str, &str)], body: &Value| {
        let response = server.send(method, path, headers, body.to_string()).await;
        response.header("x-mock-request").to_owned()
    };
    let a = [("authorization", "Bearer a")];
    assert_eq!(
        number_of(Method::GET, WEBHOOKS, &a, &Value::Null).await,
        "1"
    );
    assert_eq!(
        number_of(Method::GET, WEBHOOKS, &a, &Value::Null).await,
        "2"
    );
    assert_eq!(
        number_of(Method::POST, "/detect", &json, &detect).await,
        "1"
    );
    let b = [("apikey", "b")];
    assert_eq!(
        number_of(Method::GET, "/health", &b, &Value::Null).await,
        "2"
    );
    let without_account = number_of(Method::POST, "/query", &json, &query).await;
    assert_ne!(without_account, "3");
    let keys: Vec<_> = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await["accounts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|account| account["key"].clone())
        .collect();
    assert_eq!(
        keys,
        [json!("a"), json!("b")],
        "the rule does not keep accounts from being created"
    );
    assert_eq!(list_rules(&server, "").await.len(), 1);
}
