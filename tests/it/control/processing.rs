//! How long a rule has orders in progress: so many milliseconds, so many reads, or until told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestServer, picture};

async fn rule(server: &TestServer, operation: &str, processing: Value) {
    let rule = json!({"account": "live", "when": {"operation": operation},
        "then": {"processing": processing}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
}

async fn create_detection(server: &TestServer) -> String {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await
}

async fn status(server: &TestServer, id: &str) -> String {
    let order = server.get_order("live", id).await;
    order["status"].as_str().expect("a word").to_owned()
}

/// A document of the account's, uploaded: its id.
async fn document(server: &TestServer) -> String {
    let headers = [("apikey", "live")];
    let path = "/get-presigned-url?file_name=a_ai.jpg";
    let slot = server.send(Method::GET, path, &headers, "").await.json();
    server
        .put(slot["presigned_url"].as_str().expect("a URL"), picture())
        .await;
    let url = format!(
        "{}/{}",
        server.origin,
        slot["file_path"].as_str().expect("a path")
    );
    let body = json!({"key": "live", "url": url}).to_string();
    let json = [("content-type", "application/json")];
    let response = server.send(Method::POST, "/detect", &json, body).await;
    response.json()["id"].as_str().expect("an id").to_owned()
}

async fn query(server: &TestServer, id: &str) -> String {
    let json = [("content-type", "application/json")];
    let body = json!({"id": id}).to_string();
    let response_body = server
        .send(Method::POST, "/query", &json, body)
        .await
        .json();
    response_body["status"].as_str().expect("a word").to_owned()
}

#[tokio::test]
async fn process_order_with_duration_of_a_rule_completes_after_it() {
    let server = TestServer::start_frozen("live").await;
    rule(&server, "bizmori.createAiDetection", json!({"ms": 60_000})).await;
    let id = create_detection(&server).await;
    server.advance("live", "PT59.999S").await;
    assert_eq!(status(&server, &id).await, "inProgress");
    server.advance("live", "PT0.001S").await;
    assert_eq!(status(&server, &id).await, "complete");
}

#[tokio::test]
async fn process_document_with_duration_of_a_rule_completes_after_it() {
    let server = TestServer::start_frozen("live").await;
    rule(&server, "undetectable.detect", json!({"ms": 50})).await;
    let id = document(&server).await;
    assert_eq!(query(&server, &id).await, "pending");
    server.advance("live", "PT0.05S").await;
    assert_eq!(query(&server, &id).await, "done");
}

#[tokio::test]
async fn process_order_with_polls_completes_and_delivers_after_those_reads() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    rule(&server, "bizmori.createAiDetection", json!({"polls": 3})).await;
    let id = create_detection(&server).await;
    server.advance("live", "PT1H").await;
    server.get("live", "/api/v2/orders").await;
    let other = server.get("other", &format!("/api/v2/orders/{id}")).await;
    assert_eq!(other.status, 403, "and does not count");
    for _ in 0..3 {
        assert_eq!(status(&server, &id).await, "inProgress");
    }
    assert_eq!(status(&server, &id).await, "complete");
    receiver.messages(1).await;
}

#[tokio::test]
async fn process_document_with_polls_completes_after_those_queries() {
    let server = TestServer::start_frozen("live").await;
    rule(&server, "undetectable.*", json!({"polls": 2})).await;
    let id = document(&server).await;
    assert_eq!(query(&server, &id).await, "pending");
    server.advance("live", "PT1H").await;
    assert_eq!(query(&server, &id).await, "analyzing");
    assert_eq!(query(&server, &id).await, "done");
}

#[tokio::test]
async fn read_concurrently_counts_one_poll_each() {
    let server = TestServer::start_frozen("live").await;
    rule(&server, "bizmori.createAiDetection", json!({"polls": 4})).await;
    let id = create_detection(&server).await;
    let read = || status(&server, &id);
    let all = tokio::join!(read(), read(), read(), read(), read());
    let all = [all.0, all.1, all.2, all.3, all.4];
    let early = all.iter().filter(|it| *it == "inProgress").count();
    assert_eq!(early, 4, "{all:?}");
    assert_eq!(status(&server, &id).await, "complete");
}

#[tokio::test]
async fn process_held_order_stays_in_progress_until_it_expires() {
    let server = TestServer::start_frozen("live").await;
    rule(&server, "bizmori.*", json!("hold")).await;
    let id = create_detection(&server).await;
    assert_eq!(server.advance("live", "P6D").await, [""; 0]);
    assert_eq!(status(&server, &id).await, "inProgress");
    assert_eq!(server.advance("live", "P1D").await, ["order.expire"]);
    assert_eq!(status(&server, &id).await, "expired");
}

#[tokio::test]
async fn restart_preserves_remaining_polls_without_the_rule() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    server.freeze("live").await;
    rule(&server, "bizmori.createAiDetection", json!({"polls": 2})).await;
    let id = create_detection(&server).await;
    assert_eq!(status(&server, &id).await, "inProgress");
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    server.stop().await;
    let server = start().await;
    assert_eq!(status(&server, &id).await, "inProgress");
    assert_eq!(status(&server, &id).await, "complete");
}

#[tokio::test]
async fn create_report_ignores_the_duration_of_its_order() {
    let server = TestServer::start_frozen("live").await;
    rule(&server, "bizmori.createAiDetection", json!({"ms": 60_000})).await;
    let id = create_detection(&server).await;
    server.advance("live", "PT1M").await;
    let path = format!("/api/v3/orders/{id}/reports");
    server
        .post("live", &path, &json!({"locale": "en-US"}))
        .await;
    assert_eq!(server.advance("live", "PT0.3S").await, ["order.report"]);
}

#[tokio::test]
async fn read_order_with_unreachable_target_does_not_wait() {
    let server = TestServer::start_frozen("live").await;
    rule(&server, "bizmori.createAntiAi", json!({"polls": 1})).await;
    let file = json!({"fileName": "a.jpg", "originalFileUrl": "http://files.test/a.jpg"});
    let target = json!({"fileKey": "a", "url": "http://127.0.0.1:1/a",
        "presignedUrlExpiresAt": "2026-03-12T11:00:00Z"});
    let body = json!({"idempotencyKey": "a", "files": [file],
        "mode": {"zeroCopy": true}, "outputTargets": [target]});
    let response = server.post("live", "/api/v2/orders/anti-ai", &body).await;
    let id = response.json()["data"]["orderId"].take();
    let id = id.as_str().expect("an id");
    assert_eq!(status(&server, id).await, "inProgress");
    let tried = status(&server, id).await;
    assert_eq!(
        tried, "inProgress",
        "the clock stands, and so does the next try"
    );
    server.advance("live", "PT1M").await;
    assert_eq!(status(&server, id).await, "failed");
}
