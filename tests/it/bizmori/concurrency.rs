//! The same call from many clients at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{CONFIRM_DETECTION, DETECTION};
use crate::support::{Receiver, TestResponse, TestServer, code, picture};

const CLIENTS: usize = 20;

#[tokio::test]
async fn create_concurrently_with_one_idempotency_key_creates_one_order() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let creates = (0..CLIENTS).map(|_| server.post("live", DETECTION, &body));
    let responses = join_all(creates).await;
    let bodies: BTreeSet<String> = responses.iter().map(TestResponse::text).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(
        responses.iter().all(|response| response.status == 200),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn confirm_concurrently_with_one_key_starts_order_once() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 0).await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.upload_detection("live", &body, picture()).await;
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let confirms = (0..CLIENTS).map(|_| server.post("live", CONFIRM_DETECTION, &confirm));
    let responses = join_all(confirms).await;
    for response in responses {
        let status = response.json()["data"]["status"].clone();
        let allowed = [json!("inProgress"), json!("complete")];
        assert!(
            response.status == 200 && allowed.contains(&status),
            "{}",
            response.text()
        );
    }
    server.drain("live").await;
    receiver.messages(1).await;
}

#[tokio::test]
async fn confirm_concurrently_with_many_keys_succeeds_once() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.upload_detection("live", &body, picture()).await;
    let confirms: Vec<_> = (0..CLIENTS)
        .map(|n| json!({"idempotencyKey": n.to_string(), "orderId": id}))
        .collect();
    let posts = confirms
        .iter()
        .map(|confirm| server.post("live", CONFIRM_DETECTION, confirm));
    let messages: Vec<_> = join_all(posts)
        .await
        .iter()
        .map(TestResponse::text)
        .collect();
    let already_confirmed = code("ORDER_ALREADY_CONFIRMED");
    let failed = messages.iter().filter(|text| **text == already_confirmed);
    assert_eq!(failed.count(), CLIENTS - 1, "{messages:?}");
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
}

#[tokio::test]
async fn create_concurrently_with_new_api_key_creates_one_account() {
    let server = TestServer::start().await;
    let created = join_all((0..CLIENTS).map(|n| {
        let server = &server;
        async move {
            let body = json!({"idempotencyKey": n.to_string(), "fileName": "a.jpg"});
            server.create_detection("fresh", &body).await.0
        }
    }))
    .await;
    let ids: BTreeSet<&String> = created.iter().collect();
    assert_eq!(ids.len(), CLIENTS, "{created:?}");
    for id in &created {
        assert_eq!(server.get_order("fresh", id).await["status"], "pending");
    }
}
