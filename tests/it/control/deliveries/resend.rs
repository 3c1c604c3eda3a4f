//! Resending a delivery in any status, and the status and retries that follow.

use reqwest::Method;
use serde_json::{Value, json};

use super::{deliver_to, deliveries, resend};
use crate::support::{Receiver, Reply, TestResponse, TestServer, picture};

/// Returns the number of an attempt, its response status, the delivery's status and the next
/// attempt.
fn attempt_summary(attempt: &Value) -> Value {
    let fields = ["attempt", "status", "deliveryStatus", "nextAt"];
    fields.map(|field| attempt[field].clone()).into()
}

/// Returns the attempt that a successful resend answers.
fn resend_result(response: &TestResponse) -> Value {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Starts a server and a receiver that responds with the statuses of `script`, then 200. Also
/// returns the first attempt.
async fn start_with_first_attempt(script: &[u16]) -> (TestServer, Receiver, Value) {
    let server = TestServer::start_frozen("live").await;
    let script = script.iter().map(|status| Reply::Status(*status));
    let receiver = Receiver::with_replies(script).await;
    deliver_to(&server, &receiver.url).await;
    let first = deliveries(&server, "").await.remove(0);
    (server, receiver, first)
}

#[tokio::test]
async fn resend_sent_webhook_sends_it_again_and_keeps_status_sent() {
    let (server, receiver, first) = start_with_first_attempt(&[200, 500]).await;
    assert_eq!(attempt_summary(&first), json!([1, 200, "SENT", null]));
    let resent = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&resent), json!([2, 500, "SENT", null]));
    assert_eq!(resent["requestBody"], first["requestBody"]);
    let third = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&third), json!([3, 200, "SENT", null]));
    let received = receiver.messages(3).await;
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(deliveries(&server, "").await, [first, resent, third]);
    let kinds = server.advance("live", "P1D").await;
    assert!(kinds.is_empty(), "nothing is due: {kinds:?}");
}

#[tokio::test]
async fn resend_retrying_webhook_with_success_ends_its_retries() {
    let (server, receiver, first) = start_with_first_attempt(&[500]).await;
    let due = json!([1, 500, "RETRYING", "2026-03-12T10:00:01.300Z"]);
    assert_eq!(attempt_summary(&first), due);
    let resent = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&resent), json!([2, 200, "SENT", null]));
    let kinds = server.advance("live", "P1D").await;
    assert!(kinds.is_empty(), "nothing is due: {kinds:?}");
    receiver.messages(2).await;
}

#[tokio::test]
async fn resend_retrying_webhook_with_failure_continues_the_schedule() {
    let (server, receiver, first) = start_with_first_attempt(&[500, 500]).await;
    server.advance("live", "PT0.5S").await;
    let resent = resend_result(&resend(&server, &first["id"]).await);
    let due = json!([2, 500, "RETRYING", "2026-03-12T10:00:02.800Z"]);
    assert_eq!(attempt_summary(&resent), due);
    assert_eq!(server.advance("live", "P1D").await, ["webhook.deliver"]);
    receiver.messages(3).await;
}

#[tokio::test]
async fn resend_failed_webhook_with_failure_retries_once_after_half_an_hour() {
    let (server, receiver, first) = start_with_first_attempt(&[500; 9]).await;
    server.advance("live", "P1D").await;
    let resent = resend_result(&resend(&server, &first["id"]).await);
    let due = json!([8, 500, "RETRYING", "2026-03-13T10:30:00.300Z"]);
    assert_eq!(attempt_summary(&resent), due);
    assert_eq!(server.advance("live", "P1D").await, ["webhook.deliver"]);
    let last = deliveries(&server, "?limit=1").await.remove(0);
    assert_eq!(attempt_summary(&last), json!([9, 500, "FAILED", null]));
    let sent = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&sent), json!([10, 200, "SENT", null]));
    receiver.messages(10).await;
}

#[tokio::test]
async fn resend_webhook_that_a_rule_drops_fails_it() {
    let (server, receiver, first) = start_with_first_attempt(&[500]).await;
    let drop = json!({"account": "live", "name": "lost", "then": {"webhook": {"drop": true}}});
    let rule = server.control(Method::POST, "/_mock/rules", &drop).await;
    let dropped = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&dropped), json!([2, null, "FAILED", null]));
    let actual = (&dropped["error"], &dropped["ruleId"]);
    assert_eq!(actual, (&json!("rule 1 (lost): dropped"), &rule["id"]));
    assert_eq!(dropped["requestHeaders"], json!({}));
    let kinds = server.advance("live", "P1D").await;
    assert!(kinds.is_empty(), "nothing is due: {kinds:?}");
    receiver.messages(1).await;
}

#[tokio::test]
async fn resend_deferred_webhook_sends_it_now_with_effects_of_its_rule() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let effects = json!({"delayMs": 60_000, "signature": "missing"});
    let rule = json!({"account": "live", "skip": 1, "times": 1, "then": {"webhook": effects}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    deliver_to(&server, &receiver.url).await;
    server.advance("live", "PT1S").await;
    let first = deliveries(&server, "").await.remove(0);
    let resent = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&resent), json!([2, 200, "SENT", null]));
    let received = receiver.messages(2).await;
    assert!(!received[1].headers.contains_key("x-moribiz-signature"));
    let kinds = server.advance("live", "P1D").await;
    assert!(kinds.is_empty(), "nothing is due: {kinds:?}");
}

#[tokio::test]
async fn resend_during_a_delivery_waits_for_its_end() {
    let server = TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 1_000).await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies([Reply::Status(200), Reply::Silence]).await;
    deliver_to(&server, &receiver.url).await;
    let first = deliveries(&server, "").await.remove(0);
    let body = json!({"idempotencyKey": "b", "fileName": "b_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let resend_meanwhile = async {
        receiver.messages(2).await;
        resend_result(&resend(&server, &first["id"]).await)
    };
    let (kinds, resent) = tokio::join!(server.advance("live", "PT0.3S"), resend_meanwhile);
    assert_eq!(kinds, ["order.process", "webhook.deliver"]);
    let all = deliveries(&server, "").await;
    assert_eq!(
        attempt_summary(&all[1]),
        json!([1, null, "RETRYING", "2026-03-12T10:00:01.600Z"])
    );
    assert_eq!(
        all[2..],
        [resent],
        "the resend follows the attempt in flight"
    );
}

#[tokio::test]
async fn resend_unknown_delivery_answers_404() {
    let (server, receiver, first) = start_with_first_attempt(&[]).await;
    let webhook = &first["webhookId"];
    let path = format!("/api/v2/orders/webhooks/{webhook}");
    server.call(Method::DELETE, "live", &path, &json!({})).await;
    for id in [first["id"].clone(), json!(99), "x".into()] {
        let response = resend(&server, &id).await;
        let message = format!("no delivery {}", id.to_string().trim_matches('"'));
        let error = json!({
            "code": "unknown_delivery",
            "message": message,
            "hint": "GET /_mock/deliveries lists those that were attempted; a webhook's go with it",
        });
        assert_eq!(
            (response.status, response.json()),
            (404, json!({"error": error}))
        );
    }
    assert_eq!(
        deliveries(&server, "").await,
        [first],
        "the attempt is still listed"
    );
    receiver.messages(1).await;
}
