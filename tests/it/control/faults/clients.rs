//! Faults as errors of an HTTP client library.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::json;

use super::{add_rule, add_rule_once, create_body, order_ids};
use crate::support::{TestServer, picture};

/// Returns a client without open connections.
fn client() -> Client {
    let builder = Client::builder().no_proxy();
    builder.build().expect("a client")
}

async fn get_json(server: &TestServer) -> Result<Response, reqwest::Error> {
    let url = format!("{}/health", server.origin);
    client().get(url).header("apikey", "live").send().await
}

/// Returns the messages of an error and its causes.
fn causes(error: &reqwest::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[tokio::test]
async fn fault_on_response_raises_a_distinct_client_error() {
    let server = TestServer::start().await;
    let operation = "undetectable.health";
    for (fault, message) in [
        ("reset", "onnection reset"),
        ("empty", "connection closed before message completed"),
        ("garbage", "invalid HTTP version parsed"),
    ] {
        add_rule_once(&server, operation, json!({"fault": fault})).await;
        let error = get_json(&server).await.expect_err("a broken response");
        let line = causes(&error);
        assert!(error.is_request() && !error.is_connect(), "{line}");
        assert!(line.contains(message), "{fault}: {line}");
    }
    add_rule_once(&server, operation, json!({"fault": "truncate"})).await;
    let response = get_json(&server).await.expect("a head");
    assert_eq!(response.status(), 200);
    let error = response.bytes().await.expect_err("an incomplete body");
    assert!(
        causes(&error).contains("end of file before message length"),
        "{error}"
    );
    add_rule_once(
        &server,
        operation,
        json!({"fault": "drip", "bytesPerSecond": 2_000}),
    )
    .await;
    let dripped = get_json(&server).await.expect("a head");
    let plain = get_json(&server).await.expect("a head");
    let dripped_body = dripped.text().await.expect("a body");
    assert_eq!(dripped_body, plain.text().await.expect("a body"));
}

#[tokio::test]
async fn drip_beyond_client_timeout_times_out() {
    let server = TestServer::start().await;
    let then = json!({"fault": "drip", "bytesPerSecond": 1});
    add_rule_once(&server, "undetectable.health", then).await;
    let url = format!("{}/health", server.origin);
    let request = client().get(url).header("apikey", "live");
    let result = request.timeout(Duration::from_millis(50)).send().await;
    assert!(result.is_err_and(|error| error.is_timeout()));
}

#[tokio::test]
async fn delay_third_create_times_out_its_client_only() {
    let server = TestServer::start_frozen("live").await;
    let when = json!({"operation": "bizmori.createAiDetection"});
    let then = json!({"delayMs": 600_000});
    add_rule(
        &server,
        &json!({"when": when, "skip": 2, "times": 1, "then": then}),
    )
    .await;
    let url = format!("{}/api/v2/orders/ai-detection", server.origin);
    let mut statuses = Vec::new();
    for n in 0..4 {
        let request = client()
            .post(&url)
            .bearer_auth("live")
            .header("content-type", "application/json")
            .body(create_body(&n.to_string()))
            .timeout(Duration::from_secs(if n == 2 { 1 } else { 30 }));
        statuses.push(match request.send().await {
            Ok(response) => response.status().as_u16(),
            Err(error) if error.is_timeout() => 0,
            Err(error) => panic!("{error}"),
        });
    }
    assert_eq!(statuses, [200, 200, 0, 200]);
    assert_eq!(
        order_ids(&server).await.len(),
        3,
        "the delayed create was not handled"
    );
    assert!(
        server.shuts_down_cleanly().await,
        "the delayed request ended with its client"
    );
}

#[tokio::test]
async fn fail_third_detection_by_rule_fails_that_order_only() {
    let server = TestServer::start_frozen("live").await;
    let when = json!({"operation": "bizmori.createAiDetection"});
    let outcome = json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"});
    let then = json!({"outcome": outcome});
    let body = json!({"when": when, "skip": 2, "times": 1, "then": then});
    server.control(Method::POST, "/_mock/rules", &body).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        ids.push(server.confirm_detection("live", &body, picture()).await);
    }
    server.advance("live", "PT1S").await;
    let mut statuses = Vec::new();
    for id in &ids {
        let order = server.get_order("live", id).await;
        statuses.push(order["status"].as_str().expect("a status").to_owned());
    }
    assert_eq!(statuses, ["complete", "complete", "failed", "complete"]);
}
