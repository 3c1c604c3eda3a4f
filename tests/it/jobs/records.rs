//! Attempts that were sent but could not be recorded: recorded later, never sent again.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Database, PATIENCE, advance, assert_forged_fault, order_body, start_on};
use crate::support::{Receiver, TestServer, picture};

async fn attempts(server: &TestServer) -> Vec<Value> {
    let mut listing = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    serde_json::from_value(listing["deliveries"].take()).expect("a list")
}

#[tokio::test]
async fn deliver_webhook_that_cannot_be_recorded_sends_it_once() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let receiver = Receiver::start().await;
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    let mut database = Database::open(data.path()).await;
    database.refuse_writes("INSERT ON attempts").await;
    for _ in 0..3 {
        assert_forged_fault(&advance(&server).await);
    }
    receiver.messages(1).await;
    assert_eq!(attempts(&server).await, [json!(null); 0]);
    database.allow_writes().await;
    // The worker may have recorded the attempt already. Then this advance runs nothing.
    assert_eq!(advance(&server).await.status, 200);
    let recorded = attempts(&server).await;
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    let actual = (&recorded[0]["status"], &recorded[0]["deliveryStatus"]);
    assert_eq!(actual, (&json!(200), &json!("SENT")));
    server.advance("live", "P1D").await;
    receiver.messages(1).await;
}

#[tokio::test]
async fn resend_webhook_that_cannot_be_recorded_records_it_later() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let receiver = Receiver::start().await;
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    server.advance("live", "PT1S").await;
    let id = attempts(&server).await[0]["id"].clone();
    let path = format!("/_mock/deliveries/{id}/resend");
    let mut database = Database::open(data.path()).await;
    database.refuse_writes("INSERT ON attempts").await;
    let refused = server.send(Method::POST, &path, &[], "").await;
    assert_forged_fault(&refused);
    receiver.messages(2).await;
    // Nothing is sent until the earlier attempt is recorded.
    let refused = server.send(Method::POST, &path, &[], "").await;
    assert_forged_fault(&refused);
    receiver.messages(2).await;
    database.allow_writes().await;
    let recorded = async { while attempts(&server).await.len() < 2 {} };
    tokio::time::timeout(PATIENCE, recorded)
        .await
        .expect("the worker records the attempt");
    let resent = server.send(Method::POST, &path, &[], "").await;
    assert_eq!(resent.status, 200, "{}", resent.text());
    let recorded = attempts(&server).await;
    let numbers: Vec<_> = recorded.iter().map(|it| it["attempt"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    receiver.messages(3).await;
}

#[tokio::test]
async fn deliver_output_that_cannot_be_recorded_puts_it_once() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let target = Receiver::start().await;
    server.freeze("live").await;
    let body = json!({
        "idempotencyKey": "a",
        "files": [{"fileName": "a.jpg", "originalFileUrl": "http://files.test/a.jpg"}],
        "mode": {"zeroCopy": true},
        "outputTargets": [{"fileKey": "a.jpg", "url": target.url, "presignedUrlExpiresAt": "2026-03-12T11:00:00Z"}],
    });
    let response = server.post("live", "/api/v2/orders/anti-ai", &body).await;
    let response = response.json();
    let id = response["data"]["orderId"].as_str().expect("an id");
    let mut database = Database::open(data.path()).await;
    let completes = "UPDATE ON orders WHEN new.status = 'complete'";
    database.refuse_writes(completes).await;
    for _ in 0..2 {
        assert_forged_fault(&advance(&server).await);
    }
    target.messages(1).await;
    database.allow_writes().await;
    assert_eq!(advance(&server).await.status, 200);
    assert_eq!(server.get_order("live", id).await["status"], "complete");
    target.messages(1).await;
}
