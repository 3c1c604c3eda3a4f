//! A delivery is sent once more, however it stands, and goes on from there.

use reqwest::Method;
use serde_json::{Value, json};

use super::{deliveries, finish_order, resend};
use crate::support::{Receiver, Reply, TestResponse, TestServer, picture};

/// The attempt's number, what it was answered, how the delivery stood after it and when the next
/// is due.
fn attempt_summary(response_body: &Value) -> Value {
    let fields = ["attempt", "status", "deliveryStatus", "nextAt"];
    fields.map(|field| response_body[field].clone()).into()
}

fn resend_result(response: &TestResponse) -> Value {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// A receiver that answers so, and after that 200, and the first attempt at it.
async fn first(script: &[u16]) -> (TestServer, Receiver, Value) {
    let server = TestServer::start_frozen("live").await;
    let script = script.iter().map(|status| Reply::Status(*status));
    let receiver = Receiver::with_replies(script).await;
    finish_order(&server, &receiver.url).await;
    let first = deliveries(&server, "").await.remove(0);
    (server, receiver, first)
}

#[tokio::test]
async fn what_was_sent_is_sent_once_more_and_stays_sent() {
    let (server, receiver, first) = first(&[200, 500]).await;
    assert_eq!(attempt_summary(&first), json!([1, 200, "SENT", null]));
    let again = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&again), json!([2, 500, "SENT", null]));
    assert_eq!(again["requestBody"], first["requestBody"]);
    let third = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&third), json!([3, 200, "SENT", null]));
    let came = receiver.messages(3).await;
    assert_eq!(came[0].body, came[1].body);
    assert_eq!(deliveries(&server, "").await, [first, again, third]);
    let ran = server.advance("live", "P1D").await;
    assert!(ran.is_empty(), "nothing is due: {ran:?}");
}

#[tokio::test]
async fn what_is_retried_is_retried_no_more_once_it_is_sent() {
    let (server, receiver, first) = first(&[500]).await;
    let due = json!([1, 500, "RETRYING", "2026-03-12T10:00:01.300Z"]);
    assert_eq!(attempt_summary(&first), due);
    let again = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&again), json!([2, 200, "SENT", null]));
    let ran = server.advance("live", "P1D").await;
    assert!(ran.is_empty(), "nothing is due: {ran:?}");
    receiver.messages(2).await;
}

#[tokio::test]
async fn what_is_retried_goes_on_from_there_where_it_fails_again() {
    let (server, receiver, first) = first(&[500, 500]).await;
    server.advance("live", "PT0.5S").await;
    let again = resend_result(&resend(&server, &first["id"]).await);
    let due = json!([2, 500, "RETRYING", "2026-03-12T10:00:02.800Z"]);
    assert_eq!(attempt_summary(&again), due);
    assert_eq!(server.advance("live", "P1D").await, ["webhook.deliver"]);
    receiver.messages(3).await;
}

#[tokio::test]
async fn what_has_failed_is_tried_once_more_after_half_an_hour() {
    let (server, receiver, first) = first(&[500; 9]).await;
    server.advance("live", "P1D").await;
    let again = resend_result(&resend(&server, &first["id"]).await);
    let due = json!([8, 500, "RETRYING", "2026-03-13T10:30:00.300Z"]);
    assert_eq!(attempt_summary(&again), due);
    assert_eq!(server.advance("live", "P1D").await, ["webhook.deliver"]);
    let last = deliveries(&server, "?limit=1").await.remove(0);
    assert_eq!(attempt_summary(&last), json!([9, 500, "FAILED", null]));
    let sent = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&sent), json!([10, 200, "SENT", null]));
    receiver.messages(10).await;
}

#[tokio::test]
async fn what_a_rule_drops_by_hand_has_failed_for_good() {
    let (server, receiver, first) = first(&[500]).await;
    let drop = json!({"account": "live", "name": "lost", "then": {"webhook": {"drop": true}}});
    let rule = server.control(Method::POST, "/_mock/rules", &drop).await;
    let dropped = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&dropped), json!([2, null, "FAILED", null]));
    let value = (&dropped["error"], &dropped["ruleId"]);
    assert_eq!(value, (&json!("rule 1 (lost): dropped"), &rule["id"]));
    assert_eq!(dropped["requestHeaders"], json!({}));
    let ran = server.advance("live", "P1D").await;
    assert!(ran.is_empty(), "nothing is due: {ran:?}");
    receiver.messages(1).await;
}

#[tokio::test]
async fn what_a_rule_has_put_off_is_sent_now_as_it_was_ruled() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let on = json!({"delayMs": 60_000, "signature": "missing"});
    let rule = json!({"account": "live", "skip": 1, "times": 1, "then": {"webhook": on}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    finish_order(&server, &receiver.url).await;
    server.advance("live", "PT1S").await;
    let first = deliveries(&server, "").await.remove(0);
    let again = resend_result(&resend(&server, &first["id"]).await);
    assert_eq!(attempt_summary(&again), json!([2, 200, "SENT", null]));
    let came = receiver.messages(2).await;
    assert!(!came[1].headers.contains_key("x-moribiz-signature"));
    let ran = server.advance("live", "P1D").await;
    assert!(ran.is_empty(), "nothing is due: {ran:?}");
}

#[tokio::test]
async fn it_waits_its_turn_at_the_webhook() {
    let server = TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 1_000).await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies([Reply::Status(200), Reply::Silence]).await;
    finish_order(&server, &receiver.url).await;
    let first = deliveries(&server, "").await.remove(0);
    let body = json!({"idempotencyKey": "b", "fileName": "b_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let ask = async {
        receiver.messages(2).await;
        resend_result(&resend(&server, &first["id"]).await)
    };
    let (ran, again) = tokio::join!(server.advance("live", "PT0.3S"), ask);
    assert_eq!(ran, ["order.process", "webhook.deliver"]);
    let all = deliveries(&server, "").await;
    assert_eq!(
        attempt_summary(&all[1]),
        json!([1, null, "RETRYING", "2026-03-12T10:00:01.600Z"])
    );
    assert_eq!(all[2..], [again], "after the one that was under way");
}

#[tokio::test]
async fn what_is_not_there_is_not_sent() {
    let (server, receiver, first) = first(&[]).await;
    let webhook = &first["webhookId"];
    let path = format!("/api/v2/orders/webhooks/{webhook}");
    server.call(Method::DELETE, "live", &path, &json!({})).await;
    for id in [first["id"].clone(), json!(99), "x".into()] {
        let response = resend(&server, &id).await;
        let message = format!("no delivery {}", id.to_string().trim_matches('"'));
        let error = json!({
            "code": "unknown_delivery",
            "message": message,
            "hint": "GET /_mock/deliveries lists deliveries; those of a deleted webhook cannot be resent",
        });
        assert_eq!(
            (response.status, response.json()),
            (404, json!({"error": error}))
        );
    }
    assert_eq!(
        deliveries(&server, "").await,
        [first],
        "what was sent is told"
    );
    receiver.messages(1).await;
}
