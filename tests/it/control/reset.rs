//! Reset of one account or of all, to the initial state.

use reqwest::Method;
use serde_json::json;

use crate::support::{Receiver, Reply, T0, TestServer, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";

/// Completes an order with a webhook. Returns its id, the URL of its picture, and the webhook's id
/// and secret.
async fn create_complete_order(
    server: &TestServer,
    key: &str,
    url: &str,
) -> (String, String, (String, String)) {
    server.freeze(key).await;
    let webhook = server.webhook(key, url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection(key, &body, picture()).await;
    assert_eq!(
        server.advance(key, "PT1S").await,
        ["order.process", "webhook.deliver"]
    );
    let original = server.get_order(key, &id).await["originalImageUrl"].take();
    (id, original.as_str().expect("a URL").to_owned(), webhook)
}

#[tokio::test]
async fn reset_one_account_removes_its_state_and_no_other() {
    let server = TestServer::start().await;
    let receiver = Receiver::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let (mine, picture_url, _) = create_complete_order(&server, "mine", &receiver.url).await;
    let (other, other_picture_url, _) =
        create_complete_order(&server, "other", &receiver.url).await;
    let reset = server
        .send(Method::POST, "/_mock/reset", &[], r#"{"account":"mine"}"#)
        .await;
    let counts = reset.json();
    assert_eq!(
        (reset.status, &counts["accounts"], &counts["orders"]),
        (200, &json!(1), &json!(1))
    );
    let response = server.get("mine", &format!("/api/v2/orders/{mine}")).await;
    response.assert_refused(404, "ORDER_NOT_FOUND", &format!("there is no order {mine}"));
    let webhooks = server.get("mine", WEBHOOKS).await.json();
    assert_eq!(webhooks["data"]["webhooks"], json!([]));
    let status_of = async |url: &str| server.send(Method::GET, url, &[], "").await.status;
    assert_eq!(status_of(&picture_url).await, 404);
    assert_eq!(status_of(&other_picture_url).await, 200);
    assert_eq!(
        server.get_order("other", &other).await["status"],
        "complete"
    );
    let webhooks = server.get("other", WEBHOOKS).await.json();
    assert_eq!(webhooks["data"]["pagination"]["total"], 1);
    let clock = server
        .control(Method::GET, "/_mock/clock?account=mine", &json!({}))
        .await;
    assert_eq!(
        clock["now"], T0,
        "the account follows the default clock again"
    );
}

#[tokio::test]
async fn reset_account_and_repeat_calls_answers_the_same_ids_and_secrets() {
    let server = TestServer::start().await;
    let receiver = Receiver::start().await;
    let (order, url, (webhook, secret)) =
        create_complete_order(&server, "live", &receiver.url).await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "live"}))
        .await;
    let after = create_complete_order(&server, "live", &receiver.url).await;
    assert_eq!((after.0, after.1, after.2.1), (order, url, secret));
    assert_eq!((webhook, after.2.0), ("1".to_owned(), "2".to_owned()));
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body);
    assert_eq!(
        messages[0].headers["x-moribiz-signature"],
        messages[1].headers["x-moribiz-signature"]
    );
}

#[tokio::test]
async fn reset_all_removes_everything_and_restores_the_real_time() {
    let server = TestServer::start().await;
    let receiver = Receiver::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    for key in ["one", "two"] {
        create_complete_order(&server, key, &receiver.url).await;
    }
    let reset = server.send(Method::POST, "/_mock/reset", &[], "").await;
    let counts = reset.json();
    assert_eq!(
        (reset.status, &counts["accounts"], &counts["orders"]),
        (200, &json!(2), &json!(2))
    );
    let accounts = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(accounts, json!({"accounts": [], "next": null}));
    let clock = server
        .control(Method::GET, "/_mock/clock", &json!({}))
        .await;
    assert_eq!(
        clock,
        json!({"now": clock["now"], "mode": "running", "offsetMs": 0, "isDefault": true, "next": null})
    );
    server.freeze("one").await;
    server.assert_healthy("one").await;
    receiver.messages(2).await;
}

#[tokio::test]
async fn reset_during_delivery_stops_writes_and_deliveries() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 0).await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    server.webhook("live", &receiver.url).await;
    for key in ["a", "b", "c"] {
        let body = json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
        server.confirm_detection("live", &body, picture()).await;
    }
    receiver.messages(1).await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "live"}))
        .await;
    server.drain("live").await;
    server.freeze("live").await;
    assert!(server.advance("live", "P30D").await.is_empty());
    receiver.messages(1).await;
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn reset_2000_accounts_removes_them_and_their_objects() {
    let data = tempfile::tempdir().expect("a directory");
    let path = data.path().to_owned();
    let server = TestServer::with_config(|config| config.data_dir = Some(path)).await;
    let keys: Vec<String> = (0..2_000).map(|n| format!("key{n}")).collect();
    let create = async |keys: &[String]| {
        for key in keys {
            let path = format!("/_mock/accounts/{key}");
            server.control(Method::PUT, &path, &json!({})).await;
        }
    };
    let (some, others) = keys.split_at(1_000);
    tokio::join!(create(some), create(others));
    let entries =
        |folder: &str| std::fs::read_dir(data.path().join(folder)).map_or(0, Iterator::count);
    assert_eq!(entries("blobs"), 0, "the first object creates a directory");
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("key7", &body).await;
    server.put(&url, picture()).await;
    assert_eq!(entries("blobs"), 1);
    let reset = server.send(Method::POST, "/_mock/reset", &[], "").await;
    let counts = reset.json();
    assert_eq!(
        (reset.status, &counts["accounts"], &counts["orders"]),
        (200, &json!(2_000), &json!(1))
    );
    assert_eq!(entries("blobs"), 0);
    let accounts = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(accounts, json!({"accounts": [], "next": null}));
    let late = server.send(Method::PUT, &url, &[], picture()).await;
    assert_eq!(late.status, 404, "{}", late.text());
    let response = server.get("key7", &format!("/api/v2/orders/{id}")).await;
    response.assert_refused(404, "ORDER_NOT_FOUND", &format!("there is no order {id}"));
    server.freeze("key7").await;
    server.assert_healthy("key7").await;
    server.stop().await;
    let path = data.path().to_owned();
    let restarted = TestServer::with_config(|config| config.data_dir = Some(path)).await;
    restarted.freeze("key8").await;
    restarted.assert_healthy("key8").await;
}
