//! A failed event is sent again by hand, and what comes of it.

use reqwest::Method;
use serde_json::json;

use super::{FailedDelivery, WEBHOOKS, assert_verified, row};
use crate::support::{Receiver, Reply, TestServer, picture};

/// When the hand is at work: a day and an hour after the account began.
const NOW: &str = "2026-03-13T11:00:00.000Z";

async fn failed_one(replies: &[Reply]) -> (TestServer, Receiver, FailedDelivery) {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies(replies.iter().copied()).await;
    let failed = FailedDelivery::events(&server, 1, "PT1H", &receiver).await;
    (server, receiver, failed)
}

#[tokio::test]
async fn a_failed_event_is_sent_while_the_request_waits() {
    let (server, receiver, failed) = failed_one(&[Reply::Status(204)]).await;
    let response = server.post("live", &failed.retry(0), &json!({})).await;
    let event = &failed.rows[0].1;
    assert_eq!(
        (response.status, response.text()),
        (
            200,
            format!(r#"{{"data":{{"event_id":"{event}","success":true,"status_code":204}}}}"#)
        )
    );
    let message = receiver.messages(1).await.remove(0);
    let response_body = assert_verified(&message, &failed.secret);
    assert_eq!(
        (&response_body["eventId"], &response_body["occurredAt"]),
        (&json!(event), &json!("2026-03-12T10:00:00.300Z"))
    );
    assert_eq!(failed.row(&server, 0).await, row("SENT", 7, NOW));
    let webhook = format!("{WEBHOOKS}/{}", failed.id);
    let webhook = server.get("live", &webhook).await.json();
    assert_eq!(webhook["data"]["lastSentAt"], NOW);
    let again = server.post("live", &failed.retry(0), &json!({})).await;
    let why = format!(
        "event row {} is SENT; only FAILED events can be retried",
        failed.rows[0].0
    );
    again.assert_refused(422, "VALIDATION_FAILED", &why);
    assert!(server.advance("live", "P1D").await.is_empty());
    receiver.messages(1).await;
}

#[tokio::test]
async fn where_that_fails_it_is_tried_once_more_after_30_minutes_and_no_ladder_follows() {
    let (server, receiver, failed) = failed_one(&[Reply::Status(500); 2]).await;
    let response = server.post("live", &failed.retry(0), &json!({})).await;
    let event = &failed.rows[0].1;
    let expected = format!(
        r#"{{"data":{{"event_id":"{event}","success":false,"status":"FAILED","error":"answered 500"}}}}"#
    );
    assert_eq!((response.status, response.text()), (200, expected));
    assert_eq!(failed.row(&server, 0).await, row("RETRYING", 7, NOW));
    let again = server.post("live", &failed.retry(0), &json!({})).await;
    let why = format!(
        "event row {} is RETRYING; only FAILED events can be retried",
        failed.rows[0].0
    );
    again.assert_refused(422, "VALIDATION_FAILED", &why);
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

    let third = server.post("live", &failed.retry(0), &json!({})).await;
    assert_eq!(third.json()["data"]["success"], true, "the hand may again");
    let then = "2026-03-14T11:30:00.000Z";
    assert_eq!(failed.row(&server, 0).await, row("SENT", 9, then));
}

#[tokio::test]
async fn the_try_after_30_minutes_is_as_good_as_any() {
    let (server, receiver, failed) = failed_one(&[Reply::Reset]).await;
    let response = server
        .post("live", &failed.retry(0), &json!({}))
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
async fn what_is_not_there_or_has_not_failed_is_not_sent() {
    let (server, receiver, failed) = failed_one(&[]).await;
    let (other, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let (id, event_row) = (&failed.id, &failed.rows[0].0);
    let path = |id: &str, row: &str| format!("{WEBHOOKS}/{id}/events/{row}/retry");
    let no_webhook = |id: &str| format!("this key has no webhook {id}");
    let no_row = |row: &str| format!("the webhook has no event row {row}");
    let event = &failed.rows[0].1;
    for (key, path, code, why) in [
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
        response.assert_refused(404, code, &why);
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT0.3S").await;
    let rows = server
        .get("live", &format!("{WEBHOOKS}/{other}/events"))
        .await
        .json();
    let row = &rows["data"]["events"][0];
    assert_eq!(row["status"], "RETRYING");
    let row = &row["id"].to_string();
    let response = server.post("live", &path(&other, row), &json!({})).await;
    let why = format!("event row {row} is RETRYING; only FAILED events can be retried");
    response.assert_refused(422, "VALIDATION_FAILED", &why);
    receiver.messages(1).await;
    let get = server
        .call(Method::GET, "live", &path(id, event_row), &json!({}))
        .await;
    assert_eq!(get.status, 404, "it is a POST");
}

#[tokio::test]
async fn the_try_after_30_minutes_outlives_a_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let on = async || {
        TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await
    };
    let server = on().await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let failed = FailedDelivery::events(&server, 1, "PT1H", &receiver).await;
    let response = server
        .post("live", &failed.retry(0), &json!({}))
        .await
        .json();
    assert_eq!(response["data"]["success"], false);
    server.stop().await;
    let server = on().await;
    assert_eq!(failed.row(&server, 0).await, row("RETRYING", 7, NOW));
    assert_eq!(server.advance("live", "PT30M").await, ["webhook.deliver"]);
    receiver.messages(2).await;
}
