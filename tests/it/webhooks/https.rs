//! Delivery over HTTPS, for which certificates are not verified.

use serde_json::json;

use super::{WEBHOOKS, assert_verified};
use crate::support::{Receiver, TestServer, picture};

#[tokio::test]
async fn webhook_with_self_signed_https_is_delivered_and_signed() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start_https().await;
    assert!(receiver.url.starts_with("https://127.0.0.1:"));
    let (endpoint, secret) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let executed = server.advance("live", "PT24H").await;
    assert_eq!(
        executed,
        ["order.process", "webhook.deliver"],
        "one attempt"
    );
    let messages = receiver.messages(1).await;
    let event = assert_verified(&messages[0], &secret);
    assert_eq!(event["eventType"], "order.aiDetection.completed");
    assert_eq!(event["data"]["orderId"], json!(id));
    let events = server
        .get("live", &format!("{WEBHOOKS}/{endpoint}/events"))
        .await;
    assert_eq!(events.json()["data"]["events"][0]["status"], "SENT");
}
