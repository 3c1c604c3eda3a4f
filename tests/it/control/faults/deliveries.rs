//! Faults on webhook deliveries, as the receiver sees them on the wire.

use std::io::ErrorKind;

use serde_json::{Value, json};

use super::listener::{RawListener, content_length, split_head};
use super::{add_rule, add_rule_once, hits};
use crate::support::{Receiver, TestServer, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const DELIVER: &str = "webhook.deliver";

/// Completes an order of `live`, whose clock is frozen.
async fn complete_order(server: &TestServer, idempotency_key: &str) {
    let body = json!({"idempotencyKey": idempotency_key, "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let kinds = server.advance("live", "PT0.3S").await;
    assert_eq!(kinds, ["order.process", "webhook.deliver"]);
}

/// Returns the events of a webhook.
async fn events(server: &TestServer, id: &str) -> Vec<Value> {
    let path = format!("{WEBHOOKS}/{id}/events");
    let mut listing = server.get("live", &path).await.json();
    serde_json::from_value(listing["data"]["events"].take()).expect("a list")
}

#[tokio::test]
async fn fault_on_delivery_reaches_the_receiver_and_the_retry_is_complete() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    server.webhook("live", &listener.origin).await;
    for fault in ["reset", "empty", "truncate", "garbage"] {
        add_rule_once(&server, DELIVER, json!({"fault": fault})).await;
        complete_order(&server, fault).await;
        let broken = listener.next().await;
        listener.assert_quiet();
        assert_eq!(server.advance("live", "PT1S").await, [DELIVER], "{fault}");
        let whole = listener.next().await;
        let (head, body) = split_head(&whole).expect("a complete head");
        assert_eq!(body.len(), content_length(&head));
        let expected = (fault == "reset").then_some(ErrorKind::ConnectionReset);
        assert_eq!(broken.error, expected, "{fault}");
        match fault {
            "empty" => assert_eq!(broken.text(), ""),
            "garbage" => {
                assert!(!broken.bytes.is_empty() && !broken.text().contains("HTTP/"));
            }
            "truncate" => {
                let (truncated_head, truncated) = split_head(&broken).expect("a complete head");
                assert_eq!(content_length(&truncated_head), body.len());
                assert_eq!(truncated, &body[..body.len() / 2]);
                let mut lines: Vec<_> = truncated_head.lines().collect();
                let mut expected: Vec<_> = head.lines().collect();
                lines.sort_unstable();
                expected.sort_unstable();
                assert_eq!(
                    lines, expected,
                    "the headers are those of the complete request"
                );
            }
            _ => {
                let half = whole.bytes.len() / 2;
                assert!(broken.bytes.len().abs_diff(half) < 2, "{}", broken.text());
                assert!(broken.text().starts_with("POST / HTTP/1.1\r\n"));
            }
        }
    }
    assert_eq!(hits(&server).await, [1; 4]);
}

#[tokio::test]
async fn drip_on_delivery_sends_it_completely_in_pieces() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let (id, _) = server.webhook("live", &listener.origin).await;
    let then = json!({"fault": "drip", "bytesPerSecond": 1_000});
    add_rule_once(&server, DELIVER, then).await;
    complete_order(&server, "a").await;
    let received = listener.next().await;
    assert!(received.pieces > 2, "{}", received.pieces);
    let (head, body) = split_head(&received).expect("a head");
    assert_eq!(body.len(), content_length(&head));
    let event: Value = serde_json::from_slice(body).expect("JSON");
    assert_eq!(event["eventType"], "order.aiDetection.completed");
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
}

#[tokio::test]
async fn drip_slower_than_webhook_timeout_fails_the_attempt() {
    let server = TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 300).await;
    server.freeze("live").await;
    let mut listener = RawListener::start().await;
    let (id, _) = server.webhook("live", &listener.origin).await;
    let then = json!({"fault": "drip", "bytesPerSecond": 1});
    add_rule_once(&server, DELIVER, then).await;
    complete_order(&server, "a").await;
    let received = listener.next().await;
    let (head, body) = split_head(&received).expect("a head");
    assert!(body.len() < content_length(&head));
    assert_eq!(events(&server, &id).await[0]["status"], "RETRYING");
    assert_eq!(server.advance("live", "PT1S").await, [DELIVER]);
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
}

#[tokio::test]
async fn respond_by_rule_replaces_the_receiver() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let (id, _) = server.webhook("live", &receiver.url).await;
    let busy = json!({"respond": {"status": 503}});
    add_rule(
        &server,
        &json!({"when": {"webhookUrl": "*/hook"}, "skip": 1, "times": 1, "then": busy}),
    )
    .await;
    add_rule_once(
        &server,
        DELIVER,
        json!({"respond": {"status": 500}, "delayMs": 1}),
    )
    .await;
    complete_order(&server, "a").await;
    assert_eq!(server.advance("live", "PT1S").await, [DELIVER]);
    assert_eq!(events(&server, &id).await[0]["status"], "RETRYING");
    assert_eq!(receiver.count(), 0);
    assert_eq!(server.advance("live", "PT2S").await, [DELIVER]);
    receiver.messages(1).await;
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
    assert_eq!(hits(&server).await, [1, 1]);

    add_rule_once(&server, DELIVER, json!({"respond": {"status": 204}})).await;
    complete_order(&server, "b").await;
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
    receiver.messages(1).await;
}

#[tokio::test]
async fn fault_on_every_attempt_follows_the_retry_schedule() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let when = json!({"operation": DELIVER});
    add_rule(
        &server,
        &json!({"account": "live", "when": when, "then": {"fault": "reset"}}),
    )
    .await;
    complete_order(&server, "a").await;
    let kinds = server.advance("live", "P1D").await;
    assert_eq!(kinds, [DELIVER; 6]);
    assert_eq!(hits(&server).await, [7]);
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn fault_on_manual_retry_answers_its_error() {
    for (fault, message) in [
        ("reset", "the connection was reset"),
        ("empty", "the connection was closed before the request"),
        ("truncate", "the request was cut half way"),
        ("garbage", "what was sent is no HTTP"),
    ] {
        let server = TestServer::start_frozen("live").await;
        let receiver = Receiver::start().await;
        let (id, _) = server.webhook("live", &receiver.url).await;
        let when = json!({"operation": DELIVER});
        let then = json!({"fault": fault});
        add_rule(
            &server,
            &json!({"name": "flaky", "when": when, "then": then}),
        )
        .await;
        complete_order(&server, "a").await;
        server.advance("live", "P1D").await;
        let row = events(&server, &id).await[0]["id"].take();
        let path = format!("{WEBHOOKS}/{id}/events/{row}/retry");
        let retried = server.post("live", &path, &json!({})).await.json();
        assert_eq!(
            retried["data"]["error"],
            format!("rule 1 (flaky): {message}")
        );
    }
}

#[tokio::test]
async fn fault_with_respond_on_delivery_fails_the_attempt() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let (id, _) = server.webhook("live", &listener.origin).await;
    let then = json!({"respond": {"status": 200}, "fault": "truncate"});
    add_rule_once(&server, DELIVER, then).await;
    complete_order(&server, "a").await;
    listener.assert_quiet();
    assert_eq!(events(&server, &id).await[0]["status"], "RETRYING");
}

#[tokio::test]
async fn fault_over_https_breaks_the_connection_before_tls() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let url = listener
        .origin
        .replace("http://127.0.0.1", "https://localhost");
    server.webhook("live", &url).await;
    for (fault, end) in [
        ("reset", Some(ErrorKind::ConnectionReset)),
        ("empty", None),
        ("truncate", None),
        ("garbage", None),
    ] {
        add_rule_once(&server, DELIVER, json!({"fault": fault})).await;
        complete_order(&server, fault).await;
        let received = listener.next().await;
        assert_eq!(received.error, end, "{fault}");
        assert_eq!(received.bytes.is_empty(), fault != "garbage", "{fault}");
        // The listener speaks no TLS, so a rule completes the delivery.
        server
            .control(reqwest::Method::DELETE, "/_mock/rules", &json!({}))
            .await;
        add_rule_once(&server, DELIVER, json!({"respond": {"status": 200}})).await;
        assert_eq!(server.advance("live", "PT1S").await, [DELIVER]);
    }
}
