//! Retry of all failed events of a time window by one request.

use serde_json::{Value, json};

use super::{FailedDelivery, WEBHOOKS, row};
use crate::support::{Receiver, Reply, TestServer, code};

/// Creates `count` failed events of `live`, at 10:00:00.300 of 12 March and the following days.
async fn create_daily_failures(
    count: usize,
    replies: &[Reply],
) -> (TestServer, Receiver, FailedDelivery) {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies(replies.iter().copied()).await;
    let failed = FailedDelivery::create(&server, count, "P1D", &receiver).await;
    (server, receiver, failed)
}

fn window(from: &str, to: &str) -> Value {
    json!({"fromDate": from, "toDate": to})
}

fn path(failed: &FailedDelivery) -> String {
    format!("{WEBHOOKS}/{}/events/retry-failed", failed.id)
}

#[tokio::test]
async fn retry_failed_sends_failed_events_of_window_oldest_first() {
    let replies = [Reply::Status(200), Reply::Status(500), Reply::Status(200)];
    let (server, receiver, failed) = create_daily_failures(3, &replies).await;
    let days = window("2026-03-12", "2026-03-14");
    let response = server.post("live", &path(&failed), &days).await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (200, r#"{"data":{"total":3,"succeeded":2,"failed":1}}"#)
    );
    let bodies: Vec<Value> = receiver
        .messages(3)
        .await
        .iter()
        .map(|message| message.json()["eventId"].clone())
        .collect();
    let events: Vec<Value> = failed.rows.iter().map(|(_, event)| json!(event)).collect();
    assert_eq!(bodies, events);
    let now = "2026-03-16T10:00:00.000Z";
    assert_eq!(failed.row(&server, 0).await, row("SENT", 7, now));
    assert_eq!(failed.row(&server, 1).await, row("RETRYING", 7, now));
    assert_eq!(failed.row(&server, 2).await, row("SENT", 7, now));
    let empty = r#"{"data":{"total":0,"succeeded":0,"failed":0}}"#;
    let repeated = server.post("live", &path(&failed), &days).await;
    assert_eq!(
        repeated.text(),
        empty,
        "events with a retry due have not failed"
    );
    assert_eq!(server.advance("live", "PT30M").await, ["webhook.deliver"]);
    let now = "2026-03-16T10:30:00.000Z";
    assert_eq!(failed.row(&server, 1).await, row("SENT", 8, now));
}

#[tokio::test]
async fn retry_failed_with_dates_or_times_includes_both_ends_of_window() {
    let (server, receiver, failed) = create_daily_failures(3, &[Reply::Status(500); 14]).await;
    let mut sent = 0;
    for (from, to, total) in [
        ("2026-03-13", "2026-03-13", 1),
        ("2026-03-12T10:00:00.301Z", "2026-03-13T10:00:00.299Z", 0),
        (
            "2026-03-12T19:00:00.300+09:00",
            "2026-03-13T10:00:00.300",
            2,
        ),
        ("2026-03-07", "2026-03-14", 3),
        ("2026-03-15", "2026-03-22", 0),
        ("2026-03-14T10:00:00Z", "2026-03-14", 1),
    ] {
        let response = server.post("live", &path(&failed), &window(from, to)).await;
        let expected = format!(r#"{{"data":{{"total":{total},"succeeded":0,"failed":{total}}}}}"#);
        assert_eq!(response.text(), expected, "{from} to {to}");
        sent += total;
        // Each event fails again after 30 minutes and can be retried again.
        server.advance("live", "PT30M").await;
        sent += total;
    }
    assert_eq!(receiver.messages(sent).await.len(), 14);
}

#[tokio::test]
async fn retry_failed_sends_at_most_fifty_events() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let failed = FailedDelivery::create(&server, 51, "PT1S", &receiver).await;
    let days = window("2026-03-12", "2026-03-12");
    for (total, total_received) in [(50, 50), (1, 51), (0, 51)] {
        let response = server.post("live", &path(&failed), &days).await;
        let expected = format!(r#"{{"data":{{"total":{total},"succeeded":{total},"failed":0}}}}"#);
        assert_eq!(response.text(), expected);
        receiver.messages(total_received).await;
    }
    let last = receiver.messages(51).await[50].json();
    assert_eq!(last["eventId"], json!(failed.rows[50].1));
}

#[tokio::test]
async fn retry_failed_with_invalid_window_answers_validation_failed() {
    let server = TestServer::start_frozen("live").await;
    let (id, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let path = format!("{WEBHOOKS}/{id}/events/retry-failed");
    let day = "2026-03-12";
    for (body, status, reason) in [
        (
            json!({}),
            400,
            "body: missing field `fromDate` at line 1 column 2",
        ),
        (window("", day), 400, "fromDate:  is no ISO 8601 date"),
        (
            window("soon", day),
            400,
            "fromDate: soon is no ISO 8601 date",
        ),
        (
            window(day, "2026-02-30"),
            400,
            "toDate: 2026-02-30 is no ISO 8601 date",
        ),
        (
            window(day, "2026-03-11"),
            400,
            "fromDate: 2026-03-12 is after toDate 2026-03-11",
        ),
        (
            window("2026-03-12T00:00:00.001Z", "2026-03-12T00:00:00Z"),
            400,
            "fromDate: 2026-03-12T00:00:00.001Z is after toDate 2026-03-12T00:00:00Z",
        ),
        (
            window("2026-03-12", "2026-03-20"),
            422,
            "toDate: 2026-03-20 is more than 7 days after fromDate 2026-03-12",
        ),
        (
            window("2026-03-12T00:00:00Z", "2026-03-19T00:00:00.001Z"),
            422,
            "toDate: 2026-03-19T00:00:00.001Z is more than 7 days after fromDate 2026-03-12T00:00:00Z",
        ),
    ] {
        let response = server.post("live", &path, &body).await;
        response.assert_refused(status, "VALIDATION_FAILED", reason);
    }
    for body in [
        json!({"fromDate": 1, "toDate": day}),
        json!({"fromDate": day, "toDate": null}),
        json!([day, day]),
    ] {
        let response = server.post("live", &path, &body).await;
        assert_eq!(
            (response.status, response.text()),
            (400, code("VALIDATION_FAILED"))
        );
    }
    for (key, id) in [("other", id.as_str()), ("live", "99")] {
        let path = format!("{WEBHOOKS}/{id}/events/retry-failed");
        let response = server.post(key, &path, &window(day, day)).await;
        let reason = format!("this key has no webhook {id}");
        response.assert_refused(404, "WEBHOOK_NOT_FOUND", &reason);
    }
    let longest = window("2026-03-12T00:00:00Z", "2026-03-19T00:00:00Z");
    assert_eq!(server.post("live", &path, &longest).await.status, 200);
}
