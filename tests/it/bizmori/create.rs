//! Creation of orders.

use serde_json::json;

use super::{ANTI_AI, DETECTION, signed_query};
use crate::support::TestServer;

#[tokio::test]
async fn create_detection_answers_order_and_upload_url() {
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
        signed_query(600)
    );
    assert_eq!(server.redact(&response.text()), expected);
}

#[tokio::test]
async fn create_with_same_seed_and_calls_answers_same_ids() {
    let one = TestServer::start_frozen("live").await;
    let other = TestServer::start_frozen("live").await;
    other.freeze("another key").await;
    for key in ["a", "b"] {
        let body = json!({"idempotencyKey": key, "fileName": "a.jpg"});
        other.post("another key", DETECTION, &body).await;
        let response = one.post("live", DETECTION, &body).await;
        let other_response = other.post("live", DETECTION, &body).await;
        let other_text = other.redact(&other_response.text());
        assert_eq!(one.redact(&response.text()), other_text);
    }
}

#[tokio::test]
async fn create_again_with_same_idempotency_key_answers_first_order_of_that_route_and_key() {
    let server = TestServer::start_frozen("live").await;
    let first = server
        .post(
            "live",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
        )
        .await;
    let repeated = server
        .post(
            "live",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "b.png"}),
        )
        .await;
    assert_eq!(repeated.text(), first.text());
    let anti_ai = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let other_route = server.post("live", ANTI_AI, &anti_ai).await.json();
    let first_id = first.json()["data"]["orderId"].take();
    assert_ne!(other_route["data"]["orderId"], first_id);
    let other_account = server
        .post(
            "other",
            DETECTION,
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
        )
        .await;
    assert_ne!(other_account.json()["data"]["orderId"], first_id);
}
