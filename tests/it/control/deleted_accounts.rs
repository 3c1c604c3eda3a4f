//! Uploads for deleted accounts, and calls about several accounts at once.

use reqwest::Method;
use serde_json::json;

use crate::support::{Receiver, Reply, TestServer, picture};

const DETECTION: &str = "/api/v2/orders/ai-detection";

#[tokio::test]
async fn upload_for_order_of_deleted_account_answers_no_such_bucket() {
    let server = TestServer::start().await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let created = server.post("live", DETECTION, &body).await.json();
    let url = created["data"]["file"]["uploadUrl"]
        .as_str()
        .expect("a URL");
    server
        .control(Method::DELETE, "/_mock/accounts/live", &json!({}))
        .await;
    let put = server.send(Method::PUT, url, &[], picture()).await;
    assert_eq!(put.status, 404, "{}", put.text());
    assert!(
        put.text().contains("<Code>NoSuchBucket</Code>"),
        "{}",
        put.text()
    );
}

#[tokio::test]
async fn drain_all_waits_for_accounts_with_own_clocks() {
    let server =
        TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 60_000).await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    server.freeze("live").await;
    let webhook = json!({"url": receiver.url});
    server
        .post("live", "/api/v2/orders/webhooks", &webhook)
        .await;
    server
        .control(
            Method::PUT,
            "/_mock/accounts/live",
            &json!({"processing": {"delayMs": 0}}),
        )
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    let drain = json!({"timeoutMs": 0}).to_string();
    let drained = server.send(Method::POST, "/_mock/drain", &[], drain).await;
    let waiting = &drained.json()["waiting"][0]["kind"];
    assert_eq!((drained.status, waiting), (408, &json!("webhook.deliver")));
}

#[tokio::test]
async fn set_clock_while_another_account_advances_does_not_wait() {
    let server =
        TestServer::with_config(|config| config.outbound.webhook_timeout_ms = 60_000).await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    server.freeze("slow").await;
    let webhook = json!({"url": receiver.url});
    server
        .post("slow", "/api/v2/orders/webhooks", &webhook)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("slow", &body, picture()).await;
    let by = json!({"account": "slow", "by": "PT1S"}).to_string();
    let advance = server.send(Method::POST, "/_mock/clock/advance", &[], by);
    tokio::pin!(advance);
    let other = async {
        receiver.messages(1).await;
        server.freeze("other").await;
        server.advance("other", "P1D").await
    };
    let kinds = tokio::select! {
        _ = &mut advance => panic!("the advance waits for a response that never comes"),
        kinds = other => kinds,
    };
    assert!(kinds.is_empty());
}
