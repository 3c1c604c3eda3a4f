//! Faults on attempts at delivering a webhook: its receiver sees them on the wire.

use std::io::ErrorKind;

use serde_json::{Value, json};

use super::listener::{RawListener, parts, told_bytes};
use super::{hits, once, rule};
use crate::support::{Receiver, TestServer, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const DELIVER: &str = "webhook.deliver";

/// An order of `live`'s comes to its end, its clock being frozen.
async fn end_one(server: &TestServer, idempotency_key: &str) {
    let body = json!({"idempotencyKey": idempotency_key, "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let ran = server.advance("live", "PT0.3S").await;
    assert_eq!(ran, ["order.process", "webhook.deliver"]);
}

/// The rows of the webhook's events.
async fn events(server: &TestServer, id: &str) -> Vec<Value> {
    let path = format!("{WEBHOOKS}/{id}/events");
    let mut listed = server.get("live", &path).await.json();
    serde_json::from_value(listed["data"]["events"].take()).expect("a list")
}

#[tokio::test]
async fn each_fault_is_seen_by_the_receiver_and_the_next_attempt_is_whole() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    server.webhook("live", &listener.origin).await;
    for fault in ["reset", "empty", "truncate", "garbage"] {
        once(&server, DELIVER, json!({"fault": fault})).await;
        end_one(&server, fault).await;
        let broken = listener.next().await;
        listener.assert_quiet();
        assert_eq!(server.advance("live", "PT1S").await, [DELIVER], "{fault}");
        let whole = listener.next().await;
        let (head, body) = parts(&whole).expect("a whole head");
        assert_eq!(body.len(), told_bytes(&head));
        let expected = (fault == "reset").then_some(ErrorKind::ConnectionReset);
        assert_eq!(broken.error, expected, "{fault}");
        match fault {
            "empty" => assert_eq!(broken.text(), ""),
            "garbage" => {
                assert!(!broken.bytes.is_empty() && !broken.text().contains("HTTP/"));
            }
            "truncate" => {
                let (cut_head, cut) = parts(&broken).expect("a whole head");
                assert_eq!(told_bytes(&cut_head), body.len());
                assert_eq!(cut, &body[..body.len() / 2]);
                let mut lines: Vec<_> = cut_head.lines().collect();
                let mut expected: Vec<_> = head.lines().collect();
                lines.sort_unstable();
                expected.sort_unstable();
                assert_eq!(lines, expected, "signed like the whole one");
            }
            _ => {
                let about = whole.bytes.len() / 2;
                assert!(broken.bytes.len().abs_diff(about) < 2, "{}", broken.text());
                assert!(broken.text().starts_with("POST / HTTP/1.1\r\n"));
            }
        }
    }
    assert_eq!(hits(&server).await, [1; 4]);
}

#[tokio::test]
async fn a_drip_brings_all_of_it_piece_by_piece() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let (id, _) = server.webhook("live", &listener.origin).await;
    let then = json!({"fault": "drip", "bytesPerSecond": 1_000});
    once(&server, DELIVER, then).await;
    end_one(&server, "a").await;
    let came = listener.next().await;
    assert!(came.pieces > 2, "{}", came.pieces);
    let (head, body) = parts(&came).expect("a head");
    assert_eq!(body.len(), told_bytes(&head));
    let response_body: Value = serde_json::from_slice(body).expect("JSON");
    assert_eq!(response_body["eventType"], "order.aiDetection.completed");
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
}

#[tokio::test]
async fn a_drip_has_no_more_time_than_any_attempt() {
    let server = TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 300).await;
    server.freeze("live").await;
    let mut listener = RawListener::start().await;
    let (id, _) = server.webhook("live", &listener.origin).await;
    let then = json!({"fault": "drip", "bytesPerSecond": 1});
    once(&server, DELIVER, then).await;
    end_one(&server, "a").await;
    let came = listener.next().await;
    let (head, body) = parts(&came).expect("a head");
    assert!(body.len() < told_bytes(&head));
    assert_eq!(events(&server, &id).await[0]["status"], "RETRYING");
    assert_eq!(server.advance("live", "PT1S").await, [DELIVER]);
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
}

#[tokio::test]
async fn a_rule_answers_in_the_receivers_place() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let (id, _) = server.webhook("live", &receiver.url).await;
    let busy = json!({"respond": {"status": 503}});
    rule(
        &server,
        &json!({"when": {"webhookUrl": "*/hook"}, "skip": 1, "times": 1, "then": busy}),
    )
    .await;
    once(
        &server,
        DELIVER,
        json!({"respond": {"status": 500}, "delayMs": 1}),
    )
    .await;
    end_one(&server, "a").await;
    assert_eq!(server.advance("live", "PT1S").await, [DELIVER]);
    assert_eq!(events(&server, &id).await[0]["status"], "RETRYING");
    assert_eq!(receiver.count(), 0);
    assert_eq!(server.advance("live", "PT2S").await, [DELIVER]);
    receiver.messages(1).await;
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
    assert_eq!(hits(&server).await, [1, 1]);

    once(&server, DELIVER, json!({"respond": {"status": 204}})).await;
    end_one(&server, "b").await;
    assert_eq!(events(&server, &id).await[0]["status"], "SENT");
    receiver.messages(1).await;
}

#[tokio::test]
async fn the_ladder_of_what_breaks_is_climbed_by_the_accounts_clock() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let when = json!({"operation": DELIVER});
    rule(
        &server,
        &json!({"account": "live", "when": when, "then": {"fault": "reset"}}),
    )
    .await;
    end_one(&server, "a").await;
    let ran = server.advance("live", "P1D").await;
    assert_eq!(ran, [DELIVER; 6]);
    assert_eq!(hits(&server).await, [7]);
    assert_eq!(receiver.count(), 0);
}

#[tokio::test]
async fn an_attempt_by_hand_tells_what_came_of_it() {
    for (fault, says) in [
        ("reset", "the connection was reset"),
        ("empty", "the connection was closed before the request"),
        ("truncate", "the request was truncated"),
        ("garbage", "the request was not HTTP"),
    ] {
        let server = TestServer::start_frozen("live").await;
        let receiver = Receiver::start().await;
        let (id, _) = server.webhook("live", &receiver.url).await;
        let (when, then) = (json!({"operation": DELIVER}), json!({"fault": fault}));
        rule(
            &server,
            &json!({"name": "flaky", "when": when, "then": then}),
        )
        .await;
        end_one(&server, "a").await;
        server.advance("live", "P1D").await;
        let row = events(&server, &id).await[0]["id"].take();
        let path = format!("{WEBHOOKS}/{id}/events/{row}/retry");
        let response_body = server.post("live", &path, &json!({})).await.json();
        assert_eq!(
            response_body["data"]["error"],
            format!("rule 1 (flaky): {says}")
        );
    }
}

#[tokio::test]
async fn an_answer_that_nobody_gave_may_break_too() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let (id, _) = server.webhook("live", &listener.origin).await;
    let then = json!({"respond": {"status": 200}, "fault": "truncate"});
    once(&server, DELIVER, then).await;
    end_one(&server, "a").await;
    listener.assert_quiet();
    assert_eq!(events(&server, &id).await[0]["status"], "RETRYING");
}

#[tokio::test]
async fn over_https_the_connection_breaks_before_tls() {
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
        once(&server, DELIVER, json!({"fault": fault})).await;
        end_one(&server, fault).await;
        let came = listener.next().await;
        assert_eq!(came.error, end, "{fault}");
        assert_eq!(came.bytes.is_empty(), fault != "garbage", "{fault}");
        // TLS is not spoken there: what is left is not of interest.
        server
            .control(reqwest::Method::DELETE, "/_mock/rules", &json!({}))
            .await;
        once(&server, DELIVER, json!({"respond": {"status": 200}})).await;
        assert_eq!(server.advance("live", "PT1S").await, [DELIVER]);
    }
}
