//! Orders are made.

use serde_json::json;

use super::{ANTI_AI, DETECTION, signed};
use crate::support::TestServer;

#[tokio::test]
async fn creating_an_ai_detection_answers_the_order_and_where_to_put_its_file() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "été 1.jpg"});
    let response = server.post("live", DETECTION, &body).await;
    let id = response.json()["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert!(
        id.len() == 18 && id.bytes().all(|byte| byte.is_ascii_digit()),
        "{id}"
    );
    assert_eq!(response.status, 200);
    let expected = format!(
        r#"{{"data":{{"orderId":"{id}","orderName":"ai_detection_2026-03-12","status":"pending","file":{{"fileId":1001,"fileName":"été 1.jpg","uploadUrl":"{{origin}}/_s3/bizmori/ai-detection/{id}/1/%C3%A9t%C3%A9%201.jpg?{}","fileKey":"ai-detection/{id}/1/été 1.jpg"}}}}}}"#,
        signed(600)
    );
    assert_eq!(server.redact(&response.text()), expected);
}

#[tokio::test]
async fn the_same_seed_and_the_same_calls_give_the_same_ids() {
    let (one, other) = (
        TestServer::start_frozen("live").await,
        TestServer::start_frozen("live").await,
    );
    other.freeze("another key").await;
    for key in ["a", "b"] {
        let body = json!({"idempotencyKey": key, "fileName": "a.jpg"});
        other.post("another key", DETECTION, &body).await;
        let response = one.post("live", DETECTION, &body).await;
        let again = other.post("live", DETECTION, &body).await;
        assert_eq!(one.redact(&response.text()), other.redact(&again.text()));
    }
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_original_order_whatever_the_body() {
    let server = TestServer::start_frozen("live").await;
    let first = server
        .post(
            "live",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
        )
        .await;
    let again = server
        .post(
            "live",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "b.png"}),
        )
        .await;
    assert_eq!(again.text(), first.text());
    let elsewhere = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let other = server.post("live", ANTI_AI, &elsewhere).await.json();
    assert_ne!(other["data"]["orderId"], first.json()["data"]["orderId"]);
    let others = server
        .post(
            "other",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
        )
        .await;
    assert_ne!(
        others.json()["data"]["orderId"],
        first.json()["data"]["orderId"]
    );
}
