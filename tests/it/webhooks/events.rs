//! Events: content, signature, order, and the endpoints that receive them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{WEBHOOKS, assert_verified};
use crate::support::{Receiver, TestServer, picture};

#[tokio::test]
async fn completed_detection_sends_signed_event_with_all_fields() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let (_, secret) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateHeatmap": true}});
    let id = server.confirm_detection("live", &body, picture()).await;
    assert_eq!(
        server.advance("live", "PT1S").await,
        ["order.process", "webhook.deliver"]
    );
    let messages = receiver.messages(1).await;
    let event = assert_verified(&messages[0], &secret);
    let event_id = event["eventId"].as_str().expect("an id");
    let heatmap = event["data"]["heatmapUrl"].as_str().expect("a URL");
    let expected = format!(
        r#"{{"eventId":"{event_id}","eventType":"order.aiDetection.completed","occurredAt":"2026-03-12T10:00:00.300Z","data":{{"orderId":"{id}","orderName":"ai_detection_2026-03-12","createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00.300Z","completedAt":"2026-03-12T10:00:00.300Z","status":"complete","probability":0.98,"heatmapUrl":"{heatmap}"}}}}"#
    );
    assert_eq!(
        String::from_utf8(messages[0].body.clone()).expect("UTF-8"),
        expected
    );
    assert_eq!(event_id.len(), 36);
    assert_eq!(server.send(Method::GET, heatmap, &[], "").await.status, 200);
}

#[tokio::test]
async fn completed_anti_ai_order_sends_event_with_download_url() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let created = server
        .post("live", "/api/v2/orders/anti-ai", &body)
        .await
        .json();
    let id = created["data"]["orderId"].as_str().expect("an id");
    server
        .put(
            created["data"]["files"][0]["uploadUrl"]
                .as_str()
                .expect("a URL"),
            picture(),
        )
        .await;
    server
        .post(
            "live",
            "/api/v2/orders/anti-ai/confirm",
            &json!({"idempotencyKey": "c", "orderId": id}),
        )
        .await;
    server.advance("live", "PT1S").await;
    let event = receiver.messages(1).await[0].json();
    let url = event["data"]["downloadUrl"].as_str().expect("a URL");
    assert!(url.starts_with(&server.origin), "{url}");
    assert_eq!(server.send(Method::GET, url, &[], "").await.status, 200);
    assert_eq!(
        (&event["eventType"], &event["data"]["fileCount"]),
        (&json!("order.antiAi.completed"), &json!(1))
    );
}

#[tokio::test]
async fn failed_order_sends_event_with_error_code() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let id = server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
            b"no".to_vec(),
        )
        .await;
    server.advance("live", "PT1S").await;
    let message = receiver.messages(1).await.remove(0);
    let event = message.json();
    let text = String::from_utf8(message.body).expect("UTF-8");
    let event_id = &event["eventId"];
    let error = &event["data"]["errorMessage"];
    let expected = format!(
        r#"{{"eventId":{event_id},"eventType":"order.aiDetection.failed","occurredAt":"2026-03-12T10:00:00.300Z","data":{{"orderId":"{id}","orderName":"ai_detection_2026-03-12","createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00.300Z","failedAt":"2026-03-12T10:00:00.300Z","status":"failed","errorCode":"AI_DETECTION_INVALID_IMAGE","errorMessage":{error}}}}}"#
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn events_of_one_endpoint_arrive_in_order() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        ids.push(json!(
            server.confirm_detection("live", &body, picture()).await
        ));
        server.advance("live", "PT0.01S").await;
    }
    server.advance("live", "PT1S").await;
    let bodies: Vec<Value> = receiver
        .messages(5)
        .await
        .iter()
        .map(|message| message.json()["data"]["orderId"].clone())
        .collect();
    assert_eq!(bodies, ids);
}

#[tokio::test]
async fn test_orders_send_events_to_test_webhooks_and_live_orders_to_others() {
    let server = TestServer::start().await;
    let test_receiver = Receiver::start().await;
    let live_receiver = Receiver::start().await;
    for key in ["sk_test_1", "live"] {
        server.freeze(key).await;
    }
    let created = server
        .post("sk_test_1", WEBHOOKS, &json!({"url": test_receiver.url}))
        .await
        .json();
    assert_eq!(
        created["data"]["isTest"], true,
        "webhooks of test keys are test webhooks"
    );
    let refused = server
        .post(
            "sk_test_1",
            WEBHOOKS,
            &json!({"url": test_receiver.url, "isTest": false}),
        )
        .await;
    assert_eq!(
        (refused.status, refused.text()),
        (403, r#"{"code":"AUTH_FORBIDDEN"}"#.to_owned())
    );
    let test_webhook = json!({"url": test_receiver.url, "isTest": true});
    server.post("live", WEBHOOKS, &test_webhook).await;
    let live_webhook = json!({"url": live_receiver.url});
    server.post("live", WEBHOOKS, &live_webhook).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateOverlay": true}});
    for key in ["sk_test_1", "live"] {
        server.confirm_detection(key, &body, picture()).await;
        server.advance(key, "PT10S").await;
    }
    let test_event = test_receiver.messages(1).await[0].json();
    assert_eq!(test_event["data"]["probability"], 0.98);
    assert_eq!(test_event["data"]["overlayUrl"], Value::Null);
    let live_event = live_receiver.messages(1).await[0].json();
    assert!(live_event["data"]["overlayUrl"].is_string());
}
