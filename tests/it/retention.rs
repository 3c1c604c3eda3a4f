//! Limits on stored expired orders and uploads. The oldest are removed with their events.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Database, Receiver, TestServer, picture};

/// Starts a server that stores two expired orders and uploads per account. Also returns its data
/// dir.
async fn start_server() -> (TestServer, tempfile::TempDir) {
    let data = tempfile::tempdir().expect("a directory");
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(data.path().to_owned());
        config.orders.expired_max = 2;
    });
    let server = server.await;
    server.freeze("live").await;
    (server, data)
}

async fn order_ids(server: &TestServer) -> Vec<String> {
    let listing = server.get("live", "/api/v2/orders?limit=-1").await.json();
    let orders = listing["data"]["orders"]
        .as_array()
        .expect("a list")
        .clone();
    let ids: Vec<String> = orders
        .iter()
        .map(|order| order["orderId"].as_str().expect("an id").to_owned())
        .collect();
    let total = &listing["data"]["pageInfo"]["totalItems"];
    assert_eq!(total, &json!(ids.len()), "the total matches the list");
    ids
}

#[tokio::test]
async fn expire_order_beyond_limit_removes_the_oldest_with_its_events() {
    let (server, _data) = start_server().await;
    let receiver = Receiver::start().await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let mut created = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let body = json!({"idempotencyKey": name, "fileName": format!("{name}.jpg")});
        created.push(server.confirm_detection("live", &body, picture()).await);
        server.advance("live", "PT1S").await;
    }
    let (removed, stored) = created.split_at(2);
    server.advance("live", "P7D").await;
    let newest_first: Vec<String> = stored.iter().rev().cloned().collect();
    assert_eq!(order_ids(&server).await, newest_first);
    for id in removed {
        let response = server.get("live", &format!("/api/v2/orders/{id}")).await;
        assert_eq!(response.text(), r#"{"code":"ORDER_NOT_FOUND"}"#);
    }
    for id in stored {
        assert_eq!(server.get_order("live", id).await["status"], "expired");
    }
    let path = format!("/api/v2/orders/webhooks/{webhook}/events");
    let events = server.get("live", &path).await.json();
    assert_eq!(events["data"]["pagination"]["total"], json!(2));
    let response = server
        .send(Method::GET, "/_mock/deliveries?account=live", &[], "")
        .await;
    let listing = response.json();
    let delivered_ids: Vec<Value> = listing["deliveries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|attempt| {
            let body = attempt["requestBody"].as_str().expect("a text");
            let event: Value = serde_json::from_str(body).expect("JSON");
            event["data"]["orderId"].clone()
        })
        .collect();
    assert_eq!(delivered_ids, stored);
    // The idempotency key of a removed order is free again. Its id is never reused.
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (new_id, _) = server.create_detection("live", &body).await;
    assert!(!created.contains(&new_id));
}

#[tokio::test]
async fn expire_while_later_orders_live_keeps_them_and_other_accounts() {
    let (server, _data) = start_server().await;
    server.freeze("other").await;
    let body = |name: &str| json!({"idempotencyKey": name, "fileName": "a.jpg"});
    let (other, _) = server.create_detection("other", &body("o")).await;
    for name in ["a", "b", "c"] {
        server.create_detection("live", &body(name)).await;
    }
    server.advance("live", "P6D").await;
    let (newest, _) = server.create_detection("live", &body("d")).await;
    server.advance("live", "P1D").await;
    server.advance("other", "P7D").await;
    let remaining = order_ids(&server).await;
    assert_eq!(remaining.len(), 2, "{remaining:?}");
    assert_eq!(remaining[0], newest);
    assert_eq!(
        server.get_order("live", &remaining[1]).await["status"],
        "expired"
    );
    assert_eq!(server.get_order("other", &other).await["status"], "expired");
}

#[tokio::test]
async fn expire_upload_beyond_limit_removes_the_oldest() {
    let (server, data) = start_server().await;
    let path = "/get-presigned-url?file_name=a.jpg";
    for _ in 0..4 {
        let response = server
            .send(Method::GET, path, &[("apikey", "live")], "")
            .await;
        assert_eq!(response.status, 200, "{}", response.text());
    }
    server.advance("live", "P7D").await;
    let mut database = Database::open(data.path()).await;
    let numbers = "SELECT MIN(account_seq) * 10 + COUNT(*) FROM uploads";
    assert_eq!(database.number(numbers).await, 32, "the last two of four");
}
