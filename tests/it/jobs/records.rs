//! An attempt that was sent and could not be recorded is recorded later, and not sent again.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Database, PATIENCE, advance, assert_failed_by_fault, new, on};
use crate::support::{Receiver, TestServer, picture};

async fn attempts(server: &TestServer) -> Vec<Value> {
    let mut listed = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    serde_json::from_value(listed["deliveries"].take()).expect("a list")
}

#[tokio::test]
async fn webhook_that_cannot_be_recorded_is_sent_once() {
    let data = tempfile::tempdir().expect("a directory");
    let (server, receiver) = (on(data.path()).await, Receiver::start().await);
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    server.confirm_detection("live", &new("a"), picture()).await;
    let mut database = Database::open(data.path()).await;
    database.refuse("INSERT ON attempts").await;
    for _ in 0..3 {
        assert_failed_by_fault(&advance(&server).await);
    }
    receiver.messages(1).await;
    assert_eq!(attempts(&server).await, [json!(null); 0]);
    database.mend().await;
    // The worker may have been first: then nothing is left to be run.
    assert_eq!(advance(&server).await.status, 200);
    let bodies = attempts(&server).await;
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let bodies = (&bodies[0]["status"], &bodies[0]["deliveryStatus"]);
    assert_eq!(bodies, (&json!(200), &json!("SENT")));
    server.advance("live", "P1D").await;
    receiver.messages(1).await;
}

#[tokio::test]
async fn resent_webhook_that_cannot_be_recorded_is_recorded_later() {
    let data = tempfile::tempdir().expect("a directory");
    let (server, receiver) = (on(data.path()).await, Receiver::start().await);
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    server.confirm_detection("live", &new("a"), picture()).await;
    server.advance("live", "PT1S").await;
    let id = attempts(&server).await[0]["id"].clone();
    let path = format!("/_mock/deliveries/{id}/resend");
    let mut database = Database::open(data.path()).await;
    database.refuse("INSERT ON attempts").await;
    let refused = server.send(Method::POST, &path, &[], "").await;
    assert_failed_by_fault(&refused);
    receiver.messages(2).await;
    // Nothing is sent while an earlier attempt is not recorded.
    let refused = server.send(Method::POST, &path, &[], "").await;
    assert_failed_by_fault(&refused);
    receiver.messages(2).await;
    database.mend().await;
    let recorded = async { while attempts(&server).await.len() < 2 {} };
    let recorded = tokio::time::timeout(PATIENCE, recorded).await;
    recorded.expect("the attempt is recorded by itself");
    let resent = server.send(Method::POST, &path, &[], "").await;
    assert_eq!(resent.status, 200, "{}", resent.text());
    let numbers: Vec<_> = attempts(&server).await;
    let numbers: Vec<_> = numbers.iter().map(|it| it["attempt"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    receiver.messages(3).await;
}

#[tokio::test]
async fn output_whose_delivery_cannot_be_recorded_is_put_once() {
    let data = tempfile::tempdir().expect("a directory");
    let (server, target) = (on(data.path()).await, Receiver::start().await);
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
    database.refuse(completes).await;
    for _ in 0..2 {
        assert_failed_by_fault(&advance(&server).await);
    }
    target.messages(1).await;
    database.mend().await;
    assert_eq!(advance(&server).await.status, 200);
    assert_eq!(server.get_order("live", id).await["status"], "complete");
    target.messages(1).await;
}
