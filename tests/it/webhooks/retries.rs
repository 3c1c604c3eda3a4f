//! Retry schedule of failed deliveries.

use reqwest::Method;
use serde_json::json;

use super::{WEBHOOKS, assert_verified};
use crate::support::{Receiver, Reply, TestServer, picture};

#[tokio::test]
async fn failed_delivery_follows_retry_schedule_in_one_event_row() {
    let replies = [
        Reply::Status(500),
        Reply::Redirect,
        Reply::Reset,
        Reply::Status(404),
        Reply::Status(301),
        Reply::Status(400),
        Reply::Status(503),
    ];
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies(replies).await;
    let (endpoint, secret) = server.webhook("live", &receiver.url).await;
    let id = server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    assert_eq!(
        server.advance("live", "PT0.3S").await,
        ["order.process", "webhook.deliver"]
    );
    let path = format!("{WEBHOOKS}/{endpoint}/events");
    let assert_row = async |status: &str, retries: u32, at: &str| {
        let events = server.get("live", &path).await;
        let row = &events.json()["data"]["events"][0];
        let expected = format!(
            r#"{{"data":{{"events":[{{"id":{},"eventId":{},"eventType":"order.aiDetection.completed","status":"{status}","retries":{retries},"lastSentAt":"2026-03-12T{at}Z","createdAt":"2026-03-12T10:00:00.300Z"}}],"pagination":{{"page":1,"limit":20,"total":1,"totalPages":1}}}}}}"#,
            row["id"], row["eventId"]
        );
        assert_eq!(events.text(), expected);
    };
    assert_row("RETRYING", 0, "10:00:00.300").await;
    for (step, by, at) in [
        (1, "PT1S", "10:00:01.300"),
        (2, "PT2S", "10:00:03.300"),
        (3, "PT4S", "10:00:07.300"),
        (4, "PT30M", "10:30:07.300"),
        (5, "PT2H", "12:30:07.300"),
    ] {
        assert_eq!(
            server.advance("live", by).await,
            ["webhook.deliver"],
            "step {step}"
        );
        assert_row("RETRYING", step, at).await;
    }
    assert_eq!(server.advance("live", "PT4H").await, ["webhook.deliver"]);
    assert_row("FAILED", 6, "16:30:07.300").await;
    assert!(
        server.advance("live", "P6D").await.is_empty(),
        "no attempt after the last step"
    );
    let messages = receiver.messages(7).await;
    assert!(
        messages
            .iter()
            .all(|message| message.body == messages[0].body),
        "the same bytes in each attempt"
    );
    assert_eq!(
        assert_verified(&messages[6], &secret)["data"]["orderId"],
        json!(id)
    );
}

#[tokio::test]
async fn successful_second_attempt_ends_retries() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let (endpoint, _) = server.webhook("live", &receiver.url).await;
    server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    let executed = server.advance("live", "PT24H").await;
    assert_eq!(
        executed,
        ["order.process", "webhook.deliver", "webhook.deliver"]
    );
    let events = server
        .get("live", &format!("{WEBHOOKS}/{endpoint}/events"))
        .await
        .json();
    let row = &events["data"]["events"][0];
    assert_eq!(
        (&row["status"], &row["retries"]),
        (&json!("SENT"), &json!(1))
    );
    receiver.messages(2).await;
}

#[tokio::test]
async fn receiver_that_never_answers_fails_attempt_after_timeout() {
    let server = TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 50).await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    server.freeze("live").await;
    let (endpoint, _) = server.webhook("live", &receiver.url).await;
    server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    server.advance("live", "PT0.3S").await;
    let events = server
        .get("live", &format!("{WEBHOOKS}/{endpoint}/events"))
        .await
        .json();
    assert_eq!(events["data"]["events"][0]["status"], "RETRYING");
    server.advance("live", "PT1S").await;
    receiver.messages(2).await;
}

#[tokio::test]
async fn deleted_webhook_receives_no_further_attempts() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let (endpoint, _) = server.webhook("live", &receiver.url).await;
    server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    server.advance("live", "PT0.3S").await;
    server
        .call(
            Method::DELETE,
            "live",
            &format!("{WEBHOOKS}/{endpoint}"),
            &json!({}),
        )
        .await;
    assert!(server.advance("live", "PT24H").await.is_empty());
    receiver.messages(1).await;
}
