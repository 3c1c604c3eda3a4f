//! Manual retry of a failed event, and the automatic retry that follows.

use reqwest::Method;
use serde_json::json;

use super::{FailedDelivery, WEBHOOKS, assert_verified, row};
use crate::support::{Receiver, Reply, TestServer, picture};

/// Time of the manual retry: 25 hours after the account's clock was frozen.
const NOW: &str = "2026-03-13T11:00:00.000Z";

async fn create_failure(replies: &[Reply]) -> (TestServer, Receiver, FailedDelivery) {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies(replies.iter().copied()).await;
    let failed = FailedDelivery::create(&server, 1, "PT1H", &receiver).await;
    (server, receiver, failed)
}

#[tokio::test]
async fn retry_failed_event_answers_after_delivery() {
    let (server, receiver, failed) = create_failure(&[Reply::Status(204)]).await;
    let response = server.post("live", &failed.retry_path(0), &json!({})).await;
    let event = &failed.rows[0].1;
    assert_eq!(
        (response.status, response.text()),
        (
            200,
            format!(r#"{{"data":{{"event_id":"{event}","success":true,"status_code":204}}}}"#)
        )
    );
    let message = receiver.messages(1).await.remove(0);
    let sent = assert_verified(&message, &failed.secret);
    assert_eq!(sent["eventId"], json!(event));
    assert_eq!(sent["occurredAt"], "2026-03-12T10:00:00.300Z");
    assert_eq!(failed.row(&server, 0).await, row("SENT", 7, NOW));
    let path = format!("{WEBHOOKS}/{}", failed.id);
    let webhook = server.get("live", &path).await.json();
    assert_eq!(webhook["data"]["lastSentAt"], NOW);
    let repeated = server.post("live", &failed.retry_path(0), &json!({})).await;
    let reason = format!(
        "event row {} is SENT, and only FAILED ones are sent again by hand",
        failed.rows[0].0
    );
    repeated.assert_refused(422, "VALIDATION_FAILED", &reason);
    assert!(server.advance("live", "P1D").await.is_empty());
    receiver.messages(1).await;
}

#[tokio::test]
async fn failed_manual_retry_is_repeated_once_after_30_minutes() {
    let (server, receiver, failed) = create_failure(&[Reply::Status(500); 2]).await;
    let response = server.post("live", &failed.retry_path(0), &json!({})).await;
    let event = &failed.rows[0].1;
    let expected = format!(
        r#"{{"data":{{"event_id":"{event}","success":false,"status":"FAILED","error":"answered 500"}}}}"#
    );
    assert_eq!((response.status, response.text()), (200, expected));
    assert_eq!(failed.row(&server, 0).await, row("RETRYING", 7, NOW));
    let repeated = server.post("live", &failed.retry_path(0), &json!({})).await;
    let reason = format!(
        "event row {} is RETRYING, and only FAILED ones are sent again by hand",
        failed.rows[0].0
    );
    repeated.assert_refused(422, "VALIDATION_FAILED", &reason);
    assert!(server.advance("live", "PT29M59.999S").await.is_empty());
    assert_eq!(
        server.advance("live", "PT0.001S").await,
        ["webhook.deliver"]
    );
    let then = "2026-03-13T11:30:00.000Z";
    assert_eq!(failed.row(&server, 0).await, row("FAILED", 8, then));
    assert!(server.advance("live", "P1D").await.is_empty());
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body);

    let third = server.post("live", &failed.retry_path(0), &json!({})).await;
    assert_eq!(
        third.json()["data"]["success"],
        true,
        "a second manual retry"
    );
    let then = "2026-03-14T11:30:00.000Z";
    assert_eq!(failed.row(&server, 0).await, row("SENT", 9, then));
}

#[tokio::test]
async fn successful_retry_after_30_minutes_marks_event_sent() {
    let (server, receiver, failed) = create_failure(&[Reply::Reset]).await;
    let response = server
        .post("live", &failed.retry_path(0), &json!({}))
        .await
        .json();
    assert_eq!(response["data"]["status"], "FAILED");
    let error = response["data"]["error"].as_str().expect("a line");
    assert!(!error.is_empty() && !error.contains('\n'), "{error}");
    assert_eq!(server.advance("live", "PT30M").await, ["webhook.deliver"]);
    let then = "2026-03-13T11:30:00.000Z";
    assert_eq!(failed.row(&server, 0).await, row("SENT", 8, then));
    receiver.messages(2).await;
}

#[tokio::test]
async fn retry_of_unknown_or_not_failed_event_is_refused() {
    let (server, receiver, failed) = create_failure(&[]).await;
    let (other, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let id = &failed.id;
    let event_row = &failed.rows[0].0;
    let path = |id: &str, row: &str| format!("{WEBHOOKS}/{id}/events/{row}/retry");
    let no_webhook = |id: &str| format!("this key has no webhook {id}");
    let no_row = |row: &str| format!("the webhook has no event row {row}");
    let event = &failed.rows[0].1;
    for (key, path, code, reason) in [
        (
            "other",
            path(id, event_row),
            "WEBHOOK_NOT_FOUND",
            no_webhook(id),
        ),
        (
            "live",
            path("99", event_row),
            "WEBHOOK_NOT_FOUND",
            no_webhook("99"),
        ),
        ("live", path("x", "y"), "WEBHOOK_NOT_FOUND", no_webhook("x")),
        (
            "live",
            path(&other, event_row),
            "WEBHOOK_EVENT_NOT_FOUND",
            no_row(event_row),
        ),
        (
            "live",
            path(id, event),
            "WEBHOOK_EVENT_NOT_FOUND",
            no_row(event),
        ),
        (
            "live",
            path(id, "%FF"),
            "WEBHOOK_NOT_FOUND",
            no_webhook("\\u{fffd}"),
        ),
    ] {
        let response = server.post(key, &path, &json!({})).await;
        response.assert_refused(404, code, &reason);
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT0.3S").await;
    let rows = server
        .get("live", &format!("{WEBHOOKS}/{other}/events"))
        .await
        .json();
    let retrying = &rows["data"]["events"][0];
    assert_eq!(retrying["status"], "RETRYING");
    let row = &retrying["id"].to_string();
    let response = server.post("live", &path(&other, row), &json!({})).await;
    let reason =
        format!("event row {row} is RETRYING, and only FAILED ones are sent again by hand");
    response.assert_refused(422, "VALIDATION_FAILED", &reason);
    receiver.messages(1).await;
    let get = server
        .call(Method::GET, "live", &path(id, event_row), &json!({}))
        .await;
    assert_eq!(get.status, 404, "the route accepts POST only");
}

#[tokio::test]
async fn retry_after_30_minutes_is_sent_after_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let start = async || {
        TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await
    };
    let server = start().await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let failed = FailedDelivery::create(&server, 1, "PT1H", &receiver).await;
    let response = server
        .post("live", &failed.retry_path(0), &json!({}))
        .await
        .json();
    assert_eq!(response["data"]["success"], false);
    server.stop().await;
    let restarted = start().await;
    assert_eq!(failed.row(&restarted, 0).await, row("RETRYING", 7, NOW));
    let executed = restarted.advance("live", "PT30M").await;
    assert_eq!(executed, ["webhook.deliver"]);
    receiver.messages(2).await;
}
