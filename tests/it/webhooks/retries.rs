//! What is not delivered is sent again, and for how long.

use reqwest::Method;
use serde_json::json;

use super::{WEBHOOKS, assert_verified};
use crate::support::{Receiver, Reply, TestServer, picture};

#[tokio::test]
async fn a_delivery_climbs_the_ladder_and_is_one_row_all_the_way() {
    let replies = [
        Reply::Status(500),
        Reply::Redirect,
        Reply::Reset,
        Reply::Status(404),
        Reply::Status(301),
        Reply::Status(400),
        Reply::Status(503),
    ];
    let (server, receiver) = (
        TestServer::start_frozen("live").await,
        Receiver::with_replies(replies).await,
    );
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
    let row = async |status: &str, retries: u32, at: &str| {
        let events = server.get("live", &path).await;
        let (row, event) = (&events.json()["data"]["events"][0], String::new());
        let expected = format!(
            r#"{{"data":{{"events":[{{"id":{},"eventId":{},"eventType":"order.aiDetection.completed","status":"{status}","retries":{retries},"lastSentAt":"2026-03-12T{at}Z","createdAt":"2026-03-12T10:00:00.300Z"}}],"pagination":{{"page":1,"limit":20,"total":1,"totalPages":1}}}}}}{event}"#,
            row["id"], row["eventId"]
        );
        assert_eq!(events.text(), expected);
    };
    row("RETRYING", 0, "10:00:00.300").await;
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
        row("RETRYING", step, at).await;
    }
    assert_eq!(server.advance("live", "PT4H").await, ["webhook.deliver"]);
    row("FAILED", 6, "16:30:07.300").await;
    assert!(
        server.advance("live", "P6D").await.is_empty(),
        "the ladder is at its end"
    );
    let messages = receiver.messages(7).await;
    assert!(
        messages
            .iter()
            .all(|message| message.body == messages[0].body),
        "the same bytes each time"
    );
    assert_eq!(
        assert_verified(&messages[6], &secret)["data"]["orderId"],
        json!(id)
    );
}

#[tokio::test]
async fn a_second_attempt_that_is_answered_ends_the_ladder() {
    let (server, receiver) = (
        TestServer::start_frozen("live").await,
        Receiver::with_replies([Reply::Status(500)]).await,
    );
    let (endpoint, _) = server.webhook("live", &receiver.url).await;
    server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    let ran = server.advance("live", "PT24H").await;
    assert_eq!(ran, ["order.process", "webhook.deliver", "webhook.deliver"]);
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
async fn a_receiver_that_never_answers_fails_the_attempt_after_the_timeout() {
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
async fn a_webhook_that_is_removed_gets_nothing_more() {
    let (server, receiver) = (
        TestServer::start_frozen("live").await,
        Receiver::with_replies([Reply::Status(500)]).await,
    );
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
