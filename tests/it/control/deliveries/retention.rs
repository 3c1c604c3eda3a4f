//! Limits on stored deliveries, and their removal.

use reqwest::Method;
use serde_json::{Value, json};

use super::{deliver_to, deliveries};
use crate::support::{Receiver, Reply, TestServer, picture};

#[tokio::test]
async fn exceed_delivery_limit_keeps_the_last_1000_of_an_account() {
    let server = TestServer::start().await;
    let failing = json!({"respond": {"status": 500}, "webhook": {"duplicate": 10}});
    server
        .control(Method::POST, "/_mock/rules", &json!({"then": failing}))
        .await;
    for (key, orders) in [("other", 1), ("live", 15)] {
        server.freeze(key).await;
        server.webhook(key, "http://127.0.0.1:1/").await;
        for n in 0..orders {
            let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
            server.confirm_detection(key, &body, picture()).await;
        }
        server.advance(key, "P1D").await;
    }
    let stored = deliveries(&server, "?account=live&limit=1000").await;
    assert_eq!(stored.len(), 1_000, "of 1050 attempts");
    let at = |it: &Value| it["at"].as_str().expect("an instant").to_owned();
    let last = at(&stored[999]);
    assert_eq!(last, "2026-03-12T16:30:07.300Z");
    assert!(stored.is_sorted_by_key(at));
    assert_eq!(
        stored[0]["attempt"], 1,
        "the oldest attempts are removed first"
    );
    let of_all_accounts = deliveries(&server, "?limit=1000").await;
    assert_eq!(of_all_accounts, stored, "the newest of all accounts");
    assert_eq!(deliveries(&server, "?account=other").await.len(), 70);
    assert_eq!(
        deliveries(&server, "").await,
        stored[900..],
        "the default limit is 100"
    );
}

#[tokio::test]
async fn restart_preserves_deliveries_and_reset_removes_them() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies([Reply::Reset]).await;
    deliver_to(&server, &receiver.url).await;
    let attempts = deliveries(&server, "").await;
    assert_eq!(attempts[0]["status"], Value::Null);
    assert!(attempts[0]["error"].is_string(), "{attempts:?}");
    server.stop().await;
    let server = start().await;
    assert_eq!(deliveries(&server, "?account=live").await, attempts);
    let reset = json!({"account": "live"});
    server.control(Method::POST, "/_mock/reset", &reset).await;
    assert!(deliveries(&server, "").await.is_empty());
}

#[tokio::test]
async fn delete_webhook_during_delivery_still_lists_the_attempt() {
    let server = TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 1_000).await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let remove = async {
        receiver.messages(1).await;
        let path = format!("/api/v2/orders/webhooks/{webhook}");
        server.call(Method::DELETE, "live", &path, &json!({})).await;
    };
    let (kinds, ()) = tokio::join!(server.advance("live", "P1D"), remove);
    assert_eq!(kinds, ["order.process", "webhook.deliver"]);
    let attempts = deliveries(&server, &format!("?webhookId={webhook}")).await;
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    assert!(attempts[0]["error"].is_string(), "{attempts:?}");
}
