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

async fn get_json(stunt: &TestServer) -> Result<Response, reqwest::Error> {
    let url = format!("{}/health", stunt.origin);
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
    let stunt = TestServer::start().await;
    let operation = "undetectable.health";
    for (fault, says) in [
        ("reset", "onnection reset"),
        ("empty", "connection closed before message completed"),
        ("garbage", "invalid HTTP version parsed"),
    ] {
        once(&stunt, operation, json!({"fault": fault})).await;
        let error = get_json(&stunt).await.expect_err("no answer");
        let line = causes(&error);
        assert!(error.is_request() && !error.is_connect(), "{line}");
        assert!(line.contains(says), "{fault}: {line}");
    }
    once(&stunt, operation, json!({"fault": "truncate"})).await;
    let answer = get_json(&stunt).await.expect("a head");
    assert_eq!(answer.status(), 200);
    let error = answer.bytes().await.expect_err("no whole body");
    assert!(
        causes(&error).contains("end of file before message length"),
        "{error}"
    );
    once(
        &stunt,
        operation,
        json!({"fault": "drip", "bytesPerSecond": 2_000}),
    )
    .await;
    let dripped = get_json(&stunt).await.expect("a head");
    let plain = get_json(&stunt).await.expect("a head");
    let (dripped, plain) = (dripped.text().await, plain.text().await);
    assert_eq!(dripped.expect("a body"), plain.expect("a body"));
}

#[tokio::test]
async fn who_does_not_wait_for_a_drip_times_out() {
    let stunt = TestServer::start().await;
    let then = json!({"fault": "drip", "bytesPerSecond": 1});
    once(&stunt, "undetectable.health", then).await;
    let url = format!("{}/health", stunt.origin);
    let request = client().get(url).header("apikey", "live");
    let waited = request.timeout(Duration::from_millis(50)).send().await;
    assert!(waited.is_err_and(|error| error.is_timeout()));
}

#[tokio::test]
async fn the_third_detection_times_out() {
    let stunt = TestServer::start_frozen("live").await;
    let when = json!({"operation": "bizmori.createAiDetection"});
    let then = json!({"delayMs": 600_000});
    rule(
        &stunt,
        &json!({"when": when, "skip": 2, "times": 1, "then": then}),
    )
    .await;
    let url = format!("{}/api/v2/orders/ai-detection", stunt.origin);
    let mut came = Vec::new();
    for n in 0..4 {
        let request = client().post(&url).bearer_auth("live");
        let request = request.header("content-type", "application/json");
        let request = request.body(create(&n.to_string()));
        let request = request.timeout(Duration::from_secs(if n == 2 { 1 } else { 30 }));
        came.push(match request.send().await {
            Ok(answer) => answer.status().as_u16(),
            Err(error) if error.is_timeout() => 0,
            Err(error) => panic!("{error}"),
        });
    }
    assert_eq!(came, [200, 200, 0, 200]);
    assert_eq!(orders(&stunt).await.len(), 3, "it was not looked at yet");
    assert!(stunt.shuts_down_cleanly().await, "its client has gone");
}

#[tokio::test]
async fn the_third_detection_fails_as_one_that_took_too_long() {
    let stunt = TestServer::start_frozen("live").await;
    let when = json!({"operation": "bizmori.createAiDetection"});
    let outcome = json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"});
    let then = json!({"outcome": outcome});
    let body = json!({"when": when, "skip": 2, "times": 1, "then": then});
    stunt.control(Method::POST, "/_mock/rules", &body).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        ids.push(stunt.confirm_detection("live", &body, picture()).await);
    }
    stunt.advance("live", "PT1S").await;
    let mut came = Vec::new();
    for id in &ids {
        let order = stunt.get_order("live", id).await;
        came.push(order["status"].as_str().expect("a status").to_owned());
    }
    assert_eq!(came, ["complete", "complete", "failed", "complete"]);
}
