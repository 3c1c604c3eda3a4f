//! Deliveries: listing every attempt, and resending.

mod resend;
mod retention;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, Reply, TestResponse, TestServer, picture};
use crate::webhooks::integer;

async fn deliveries(server: &TestServer, query: &str) -> Vec<Value> {
    let path = format!("/_mock/deliveries{query}");
    let mut listing = server.control(Method::GET, &path, &json!({})).await;
    serde_json::from_value(listing["deliveries"].take()).expect("a list")
}

async fn resend(server: &TestServer, id: &Value) -> TestResponse {
    let id = id.to_string();
    let path = format!("/_mock/deliveries/{}/resend", id.trim_matches('"'));
    server.send(Method::POST, &path, &[], "").await
}

/// Completes an order whose webhook calls `url`. Returns the id and the secret of the webhook.
async fn deliver_to(server: &TestServer, url: &str) -> (String, String) {
    let (webhook, secret) = server.webhook("live", url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT0.3S").await;
    (webhook, secret)
}

#[tokio::test]
async fn list_deliveries_shows_request_and_response_of_an_attempt() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(503)]).await;
    let (webhook, secret) = deliver_to(&server, &receiver.url).await;
    let message = receiver.messages(1).await.remove(0);
    let body = String::from_utf8(message.body.clone()).expect("UTF-8");
    let attempts = deliveries(&server, "?account=live").await;
    let event = message.json()["eventId"].take();
    let signature = stuntdouble::services::webhooks::signature(&secret, body.as_bytes());
    let expected = json!({
        "id": attempts[0]["id"],
        "at": "2026-03-12T10:00:00.300Z",
        "account": "live",
        "webhookId": integer(&webhook),
        "eventId": event,
        "eventType": "order.aiDetection.completed",
        "url": receiver.url,
        "attempt": 1,
        "requestHeaders": {
            "accept": "*/*",
            "content-length": body.len().to_string(),
            "content-type": "application/json",
            "host": receiver.url.replace("http://", "").replace("/hook", ""),
            "user-agent": concat!("stuntdouble/", env!("CARGO_PKG_VERSION")),
            "x-moribiz-signature": signature,
        },
        "requestBody": body,
        "status": 503,
        "responseHeaders": {
            "content-length": "0",
            "date": attempts[0]["responseHeaders"]["date"],
        },
        "responseBody": "",
        "responseClipped": false,
        "error": null,
        "durationMs": attempts[0]["durationMs"],
        "nextAt": "2026-03-12T10:00:01.300Z",
        "deliveryStatus": "RETRYING",
        "orderId": message.json()["data"]["orderId"],
        "ruleId": null,
    });
    assert_eq!(attempts, [expected]);
    let received_headers: Value = message
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").into()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(attempts[0]["requestHeaders"], received_headers);
}

#[tokio::test]
async fn list_deliveries_shows_each_attempt_of_the_retry_schedule() {
    let server = TestServer::start_frozen("live").await;
    let (webhook, _) = deliver_to(&server, "http://8.8.8.8/hook").await;
    server.advance("live", "P1D").await;
    let attempts = deliveries(&server, &format!("?webhookId={webhook}")).await;
    let actual: Vec<_> = attempts
        .iter()
        .map(|it| ["attempt", "at", "nextAt", "deliveryStatus"].map(|field| it[field].clone()))
        .collect();
    let at = |text: &str| json!(format!("2026-03-12T{text}Z"));
    let times = [
        at("10:00:00.300"),
        at("10:00:01.300"),
        at("10:00:03.300"),
        at("10:00:07.300"),
        at("10:30:07.300"),
        at("12:30:07.300"),
        at("16:30:07.300"),
    ];
    let next = times[1..].iter().cloned().chain([Value::Null]);
    let expected: Vec<_> = times
        .iter()
        .cloned()
        .zip(next)
        .enumerate()
        .map(|(n, (at, next))| {
            let status = if next.is_null() { "FAILED" } else { "RETRYING" };
            [json!(n + 1), at, next, json!(status)]
        })
        .collect();
    assert_eq!(actual, expected);
    let error = attempts[0]["error"].as_str().expect("an error");
    assert!(error.contains("allow-public"), "{error}");
    assert_eq!(attempts[0]["status"], Value::Null);
    assert_eq!(deliveries(&server, "?limit=2").await, attempts[5..]);
    assert!(
        deliveries(&server, "?eventType=order.antiAi.completed")
            .await
            .is_empty()
    );
    assert!(deliveries(&server, "?account=other").await.is_empty());
}
