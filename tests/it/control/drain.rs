//! Drain: waits until nothing is due or under way.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Stunt, picture};

async fn drain(stunt: &Stunt, body: &Value) -> (u16, Value) {
    let answer = stunt
        .send(Method::POST, "/_mock/drain", &[], body.to_string())
        .await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn what_is_not_due_yet_is_not_waited_for() {
    let stunt = Stunt::frozen("live").await;
    let idle = (200, json!({"idle": true}));
    assert_eq!(drain(&stunt, &json!({})).await, idle);
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = stunt.confirmed("live", &body, picture()).await;
    let live = json!({"account": "live", "timeoutMs": 20_000});
    assert_eq!(drain(&stunt, &live).await, idle);
    assert_eq!(stunt.order("live", &id).await["status"], "inProgress");
}

#[tokio::test]
async fn what_is_due_is_done_when_it_answers() {
    let stunt = Stunt::with(|config| config.orders.processing_ms = 0).await;
    let receiver = Receiver::start().await;
    stunt.webhook("live", &receiver.url).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        ids.push(stunt.confirmed("live", &body, picture()).await);
    }
    stunt.drain("live").await;
    assert_eq!(receiver.count(), 20);
    for id in ids {
        assert_eq!(stunt.order("live", &id).await["status"], "complete");
    }
}

#[tokio::test]
async fn what_is_still_under_way_is_told_by_name() {
    let stunt = Stunt::with(|config| {
        config.orders.processing_ms = 0;
        config.outbound.webhook_timeout_ms = 600_000;
    })
    .await;
    let receiver = Receiver::answering([Reply::Silence]).await;
    let (webhook, _) = stunt.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    stunt.confirmed("live", &body, picture()).await;
    receiver.messages(1).await;
    let waiting =
        json!({"idle": false, "waiting": [{"kind": "webhook.deliver", "subject": webhook}]});
    for body in [
        json!({"account": "live", "timeoutMs": 1}),
        json!({"account": "live", "timeoutMs": 0}),
        json!({"timeoutMs": 1}),
    ] {
        assert_eq!(drain(&stunt, &body).await, (408, waiting.clone()), "{body}");
    }
    let other = json!({"account": "other", "timeoutMs": 1});
    assert_eq!(
        drain(&stunt, &other).await,
        (200, json!({"idle": true})),
        "another account does not wait for it"
    );
    stunt
        .control(Method::POST, "/_mock/reset", &json!({"account": "live"}))
        .await;
    stunt.drain("live").await;
}
