//! Attempts that rules defer: by a delay, or until after a later event.

use reqwest::Method;
use serde_json::json;

use super::{attempts, create_order, create_rule, order_ids};
use crate::support::{Receiver, Reply, TestServer};

#[tokio::test]
async fn rule_with_delay_defers_attempt_by_account_clock_and_counts_once() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    create_rule(
        &server,
        &json!({"account": "live", "then": {"webhook": {"delayMs": 5_000, "duplicate": 2}}}),
    )
    .await;
    let late = create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    receiver.messages(0).await;
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    let early = create_order(&server, "b").await;
    server.advance("live", "PT1S").await;
    assert_eq!(
        order_ids(&receiver.messages(1).await),
        [json!(early)],
        "later events are sent first"
    );
    server.advance("live", "PT3.2S").await;
    receiver.messages(1).await;
    server.advance("live", "PT0.1S").await;
    let delivered = order_ids(&receiver.messages(3).await);
    assert_eq!(
        delivered[1..],
        [json!(late), json!(late)],
        "the deleted rule still applies to the deferred attempt"
    );
}

#[tokio::test]
async fn rule_with_out_of_order_defers_attempt_until_next_event_or_ten_seconds() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    create_rule(
        &server,
        &json!({"account": "live", "times": 2, "then": {"webhook": {"outOfOrder": true}}}),
    )
    .await;
    let first = create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    receiver.messages(0).await;
    server.advance("live", "PT10S").await;
    assert_eq!(order_ids(&receiver.messages(1).await), [json!(first)]);
    let second = create_order(&server, "b").await;
    server.advance("live", "PT1S").await;
    let third = create_order(&server, "c").await;
    server.advance("live", "PT1S").await;
    let delivered = order_ids(&receiver.messages(3).await);
    assert_eq!(delivered[1..], [json!(third), json!(second)]);
}

#[tokio::test]
async fn rule_with_out_of_order_waits_for_first_attempt_of_later_event() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    server.webhook("live", &receiver.url).await;
    let then = json!({"webhook": {"outOfOrder": true}});
    let rule = json!({"account": "live", "skip": 1, "times": 1, "then": then});
    create_rule(&server, &rule).await;
    let first = create_order(&server, "a").await;
    let second = create_order(&server, "b").await;
    server.advance("live", "PT2S").await;
    let delivered = order_ids(&receiver.messages(2).await);
    assert_eq!(
        delivered,
        [json!(first), json!(first)],
        "a retry is not a later event"
    );
    let third = create_order(&server, "c").await;
    server.advance("live", "PT0.3S").await;
    let delivered = order_ids(&receiver.messages(4).await);
    assert_eq!(delivered[2..], [json!(third), json!(second)]);
}

#[tokio::test]
async fn manual_resend_releases_attempts_deferred_until_after_it() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let (webhook_id, _) = server.webhook("live", &receiver.url).await;
    for webhook in [json!({"outOfOrder": true}), json!({"delayMs": 60_000})] {
        let then = json!({"webhook": webhook});
        create_rule(
            &server,
            &json!({"account": "live", "times": 1, "then": then}),
        )
        .await;
    }
    let first = create_order(&server, "a").await;
    server.advance("live", "PT0.3S").await;
    let second = create_order(&server, "b").await;
    server.advance("live", "PT0.3S").await;
    receiver.messages(0).await;
    let path = format!("/api/v2/orders/webhooks/{webhook_id}/events");
    let events = server.get("live", &path).await.json();
    let newest = events["data"]["events"][0]["id"]
        .as_i64()
        .expect("an integer");
    let path = format!("/_mock/deliveries/{newest}/resend");
    server.control(Method::POST, &path, &json!({})).await;
    let delivered = order_ids(&receiver.messages(2).await);
    assert_eq!(delivered, [json!(second), json!(first)]);
    server.drain("live").await;
    assert!(server.advance("live", "P1D").await.is_empty());
}

#[tokio::test]
async fn deferred_attempt_applies_its_rule_after_restart_and_deletion_of_rule() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    server.freeze("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let then = json!({
        "respond": {"status": 418},
        "webhook": {"delayMs": 5_000, "duplicate": 2},
    });
    create_rule(
        &server,
        &json!({"account": "live", "name": "late", "times": 1, "then": then}),
    )
    .await;
    let id = create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    server.stop().await;
    let restarted = start().await;
    assert!(restarted.advance("live", "PT4.299S").await.is_empty());
    assert!(attempts(&restarted).await.is_empty());
    assert_eq!(
        restarted.advance("live", "PT0.001S").await,
        ["webhook.deliver"]
    );
    let expected = [418, 418].map(|status| (json!(status), json!("RETRYING")));
    assert_eq!(attempts(&restarted).await, expected, "by the deleted rule");
    receiver.messages(0).await;
    restarted.advance("live", "PT1S").await;
    assert_eq!(order_ids(&receiver.messages(1).await), [json!(id)]);
}

#[tokio::test]
async fn reset_of_account_deletes_deferred_attempts() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    for webhook in [json!({"delayMs": 5_000}), json!({"outOfOrder": true})] {
        server.webhook("live", &receiver.url).await;
        let then = json!({"webhook": webhook});
        create_rule(&server, &json!({"account": "live", "then": then})).await;
        create_order(&server, "a").await;
        let executed = server.advance("live", "PT1S").await;
        assert_eq!(executed, ["order.process", "webhook.deliver"]);
        let reset = json!({"account": "live"});
        server.control(Method::POST, "/_mock/reset", &reset).await;
        server.freeze("live").await;
        assert!(server.advance("live", "P1D").await.is_empty());
    }
    receiver.messages(0).await;
}

#[tokio::test]
async fn rule_with_delay_defers_each_attempt_once() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    server.webhook("live", &receiver.url).await;
    let then = json!({"webhook": {"delayMs": 1_000}});
    create_rule(&server, &json!({"account": "live", "then": then})).await;
    create_order(&server, "a").await;
    server.advance("live", "PT1.3S").await;
    receiver.messages(1).await;
    server.advance("live", "PT1.999S").await;
    receiver.messages(1).await;
    server.advance("live", "PT0.001S").await;
    receiver.messages(2).await;
    let listing = server
        .control(Method::GET, "/_mock/rules", &json!({}))
        .await;
    assert_eq!(listing["rules"][0]["hits"], 2);
}
