//! What a client's library makes of it.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::json;

use super::{create, once, orders, rule};
use crate::support::{TestServer, picture};

/// A client without connections of earlier calls.
fn client() -> Client {
    let builder = Client::builder().no_proxy();
    builder.build().expect("a client")
}

async fn get_json(server: &TestServer) -> Result<Response, reqwest::Error> {
    let url = format!("{}/health", server.origin);
    client().get(url).header("apikey", "live").send().await
}

/// An error with its causes.
fn causes(error: &reqwest::Error) -> String {
    let (mut line, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[tokio::test]
async fn each_fault_is_another_error() {
    let server = TestServer::start().await;
    let operation = "undetectable.health";
    for (fault, says) in [
        ("reset", "onnection reset"),
        ("empty", "connection closed before message completed"),
        ("garbage", "invalid HTTP version parsed"),
    ] {
        once(&server, operation, json!({"fault": fault})).await;
        let error = get_json(&server).await.expect_err("no answer");
        let line = causes(&error);
        assert!(error.is_request() && !error.is_connect(), "{line}");
        assert!(line.contains(says), "{fault}: {line}");
    }
    once(&server, operation, json!({"fault": "truncate"})).await;
    let response = get_json(&server).await.expect("a head");
    assert_eq!(response.status(), 200);
    let error = response.bytes().await.expect_err("no whole body");
    assert!(
        causes(&error).contains("end of file before message length"),
        "{error}"
    );
    once(
        &server,
        operation,
        json!({"fault": "drip", "bytesPerSecond": 2_000}),
    )
    .await;
    let dripped = get_json(&server).await.expect("a head");
    let plain = get_json(&server).await.expect("a head");
    let (dripped, plain) = (dripped.text().await, plain.text().await);
    assert_eq!(dripped.expect("a body"), plain.expect("a body"));
}

#[tokio::test]
async fn who_does_not_wait_for_a_drip_times_out() {
    let server = TestServer::start().await;
    let then = json!({"fault": "drip", "bytesPerSecond": 1});
    once(&server, "undetectable.health", then).await;
    let url = format!("{}/health", server.origin);
    let request = client().get(url).header("apikey", "live");
    let waited = request.timeout(Duration::from_millis(50)).send().await;
    assert!(waited.is_err_and(|error| error.is_timeout()));
}

#[tokio::test]
async fn the_third_detection_times_out() {
    let server = TestServer::start_frozen("live").await;
    let when = json!({"operation": "bizmori.createAiDetection"});
    let then = json!({"delayMs": 600_000});
    rule(
        &server,
        &json!({"when": when, "skip": 2, "times": 1, "then": then}),
    )
    .await;
    let url = format!("{}/api/v2/orders/ai-detection", server.origin);
    let mut came = Vec::new();
    for n in 0..4 {
        let request = client().post(&url).bearer_auth("live");
        let request = request.header("content-type", "application/json");
        let request = request.body(create(&n.to_string()));
        let request = request.timeout(Duration::from_secs(if n == 2 { 1 } else { 30 }));
        came.push(match request.send().await {
            Ok(response) => response.status().as_u16(),
            Err(error) if error.is_timeout() => 0,
            Err(error) => panic!("{error}"),
        });
    }
    assert_eq!(came, [200, 200, 0, 200]);
    assert_eq!(orders(&server).await.len(), 3, "it was not looked at yet");
    assert!(server.shuts_down_cleanly().await, "its client has gone");
}

#[tokio::test]
async fn the_third_detection_fails_as_one_that_took_too_long() {
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
    let mut came = Vec::new();
    for id in &ids {
        let order = server.get_order("live", id).await;
        came.push(order["status"].as_str().expect("a status").to_owned());
    }
    assert_eq!(came, ["complete", "complete", "failed", "complete"]);
}
