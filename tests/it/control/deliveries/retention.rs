//! How much is kept of what was sent, and what takes it away.

use reqwest::Method;
use serde_json::{Value, json};

use super::{deliveries, finish_order};
use crate::support::{Receiver, Reply, TestServer, picture};

#[tokio::test]
async fn the_last_thousand_of_an_account_are_kept() {
    let server = TestServer::start().await;
    let ladder = json!({"respond": {"status": 500}, "webhook": {"duplicate": 10}});
    server
        .control(Method::POST, "/_mock/rules", &json!({"then": ladder}))
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
    assert_eq!(stored.len(), 1_000, "of 1050");
    let at = |it: &Value| it["at"].as_str().expect("an instant").to_owned();
    let last = at(&stored[999]);
    assert_eq!(last, "2026-03-12T16:30:07.300Z");
    assert!(stored.is_sorted_by_key(at));
    assert_eq!(stored[0]["attempt"], 1, "the oldest went first");
    let of_all = deliveries(&server, "?limit=1000").await;
    assert_eq!(of_all, stored, "the newest of all");
    assert_eq!(deliveries(&server, "?account=other").await.len(), 70);
    assert_eq!(deliveries(&server, "").await, stored[900..], "100 are told");
}

#[tokio::test]
async fn they_go_with_their_account_and_outlive_the_process() {
    let data = tempfile::tempdir().expect("a directory");
    let on = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = on().await;
    server.freeze("live").await;
    let receiver = Receiver::with_replies([Reply::Reset]).await;
    finish_order(&server, &receiver.url).await;
    let bodies = deliveries(&server, "").await;
    assert_eq!(bodies[0]["status"], Value::Null);
    assert!(bodies[0]["error"].is_string(), "{bodies:?}");
    server.stop().await;
    let server = on().await;
    assert_eq!(deliveries(&server, "?account=live").await, bodies);
    let reset = json!({"account": "live"});
    server.control(Method::POST, "/_mock/reset", &reset).await;
    assert!(deliveries(&server, "").await.is_empty());
}

#[tokio::test]
async fn a_webhook_that_is_removed_while_it_is_called_is_told_of() {
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
    let (ran, ()) = tokio::join!(server.advance("live", "P1D"), remove);
    assert_eq!(ran, ["order.process", "webhook.deliver"]);
    let bodies = deliveries(&server, &format!("?webhookId={webhook}")).await;
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(bodies[0]["error"].is_string(), "{bodies:?}");
}
