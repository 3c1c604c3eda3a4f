//! Concurrency of manual attempts: one at a time, visible to drain and advance, ended by a reset, and
//! completed although the client disconnects.

use reqwest::Method;
use serde_json::{Value, json};

use super::{FailedDelivery, row};
use crate::support::{Receiver, Reply, TestResponse, TestServer, picture};

const NOW: &str = "2026-03-13T11:00:00.000Z";

async fn create_failures(
    timeout_ms: u32,
    replies: &[Reply],
) -> (TestServer, Receiver, FailedDelivery) {
    let server =
        TestServer::with_config(|config| config.outbound.webhook_timeout_ms = timeout_ms).await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies(replies.iter().copied()).await;
    let failed = FailedDelivery::create(&server, 2, "PT30M", &receiver).await;
    (server, receiver, failed)
}

async fn retry(server: &TestServer, failed: &FailedDelivery, n: usize) -> TestResponse {
    server.post("live", &failed.retry_path(n), &json!({})).await
}

#[tokio::test]
async fn retry_concurrently_sends_event_once() {
    let (server, receiver, failed) = create_failures(5_000, &[]).await;
    let all = futures_util::future::join_all((0..8).map(|_| retry(&server, &failed, 0))).await;
    let mut statuses: Vec<_> = all.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422, 422, 422, 422, 422, 422, 422]);
    receiver.messages(1).await;
    assert_eq!(failed.row(&server, 0).await, row("SENT", 7, NOW));
}

#[tokio::test]
async fn retries_of_two_events_of_one_endpoint_are_sent_in_sequence() {
    let (server, receiver, failed) = create_failures(1_000, &[Reply::Silence]).await;
    let retry_second = async {
        receiver.messages(1).await;
        retry(&server, &failed, 1).await
    };
    let (first, second) = tokio::join!(retry(&server, &failed, 0), retry_second);
    assert_eq!(first.json()["data"]["success"], false);
    assert_eq!(second.json()["data"]["success"], true);
    let bodies: Vec<Value> = receiver
        .messages(2)
        .await
        .iter()
        .map(|message| message.json()["eventId"].clone())
        .collect();
    assert_eq!(bodies, [json!(failed.rows[0].1), json!(failed.rows[1].1)]);
}

#[tokio::test]
async fn advance_during_retry_waits_for_it_before_running_due_work() {
    let (server, receiver, failed) = create_failures(1_000, &[Reply::Silence]).await;
    let body = json!({"idempotencyKey": "new", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let advance = async {
        receiver.messages(1).await;
        server.advance("live", "PT1S").await
    };
    let (response, executed) = tokio::join!(retry(&server, &failed, 0), advance);
    assert_eq!(response.json()["data"]["success"], false);
    assert_eq!(executed, ["order.process", "webhook.deliver"]);
    assert_eq!(
        failed.row(&server, 0).await,
        row("RETRYING", 7, NOW),
        "the clock did not move during the attempt"
    );
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].json()["eventId"], json!(failed.rows[0].1));
    assert_eq!(messages[1].json()["occurredAt"], "2026-03-13T11:00:00.300Z");
}

#[tokio::test]
async fn retry_is_listed_by_drain_and_ended_by_reset() {
    let (server, receiver, failed) = create_failures(600_000, &[Reply::Silence]).await;
    let reset = async {
        receiver.messages(1).await;
        let drain = json!({"account": "live", "timeoutMs": 0}).to_string();
        let drained = server.send(Method::POST, "/_mock/drain", &[], drain).await;
        let waiting = json!([{"kind": "webhook.deliver", "subject": failed.id, "at": null}]);
        assert_eq!(
            (drained.status, drained.json()),
            (408, json!({"idle": false, "waiting": waiting}))
        );
        let account = json!({"account": "live"});
        server.control(Method::POST, "/_mock/reset", &account).await;
    };
    let retries = async { tokio::join!(retry(&server, &failed, 0), retry(&server, &failed, 1)) };
    let ((first, second), ()) = tokio::join!(retries, reset);
    let assert_ended = |response: &TestResponse| {
        response.assert_refused(
            503,
            "SERVICE_UNAVAILABLE",
            "the account was reset during the operation",
        );
    };
    assert_ended(&first);
    // If the second request arrives after the reset, the account does not know the webhook.
    if second.status == 404 {
        let reason = format!("this key has no webhook {}", failed.id);
        second.assert_refused(404, "WEBHOOK_NOT_FOUND", &reason);
    } else {
        assert_ended(&second);
    }
    server.drain("live").await;
    server.freeze("live").await;
    assert!(server.advance("live", "P30D").await.is_empty());
    receiver.messages(1).await;
}

#[tokio::test]
async fn delete_webhook_during_retry_answers_not_found_and_leaves_no_work() {
    let (server, receiver, failed) = create_failures(1_000, &[Reply::Silence]).await;
    let remove = async {
        receiver.messages(1).await;
        let path = format!("{}/{}", super::WEBHOOKS, failed.id);
        let response = server.call(Method::DELETE, "live", &path, &json!({})).await;
        assert_eq!(response.status, 200);
    };
    let (reply, ()) = tokio::join!(retry(&server, &failed, 0), remove);
    let reason = format!("this key has no webhook {}", failed.id);
    reply.assert_refused(404, "WEBHOOK_NOT_FOUND", &reason);
    assert!(server.advance("live", "P1D").await.is_empty());
    receiver.messages(1).await;
}

#[tokio::test]
async fn retry_is_completed_after_client_disconnects() {
    let (server, receiver, failed) = create_failures(1_000, &[Reply::Silence]).await;
    tokio::select! {
        _ = retry(&server, &failed, 0) => panic!("the retry waits for the receiver"),
        _ = receiver.messages(1) => {}
    }
    server.drain("live").await;
    assert_eq!(failed.row(&server, 0).await, row("RETRYING", 7, NOW));
    assert_eq!(server.advance("live", "PT30M").await, ["webhook.deliver"]);
    receiver.messages(2).await;
}
