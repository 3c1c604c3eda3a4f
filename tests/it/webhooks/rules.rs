//! Rules on webhook attempts.

mod deferral;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ReceivedMessage, Receiver, Reply, TestServer, picture};

async fn create_rule(server: &TestServer, rule: &Value) {
    server.control(Method::POST, "/_mock/rules", rule).await;
}

async fn create_order(server: &TestServer, name: &str) -> String {
    let body = json!({"idempotencyKey": name, "fileName": format!("{name}_ai.jpg")});
    server.confirm_detection("live", &body, picture()).await
}

/// Returns the status or error of each attempt, and the status of its delivery after it.
async fn attempts(server: &TestServer) -> Vec<(Value, Value)> {
    let listing = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    let attempts = listing["deliveries"].as_array().expect("a list").iter();
    attempts
        .map(|attempt| {
            let result = if attempt["error"].is_null() {
                &attempt["status"]
            } else {
                &attempt["error"]
            };
            (result.clone(), attempt["deliveryStatus"].clone())
        })
        .collect()
}

fn order_ids(messages: &[ReceivedMessage]) -> Vec<Value> {
    messages
        .iter()
        .map(|message| message.json()["data"]["orderId"].take())
        .collect()
}

#[tokio::test]
async fn rule_with_drop_fails_delivery_without_attempt() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    create_rule(&server, &json!({"account": "live", "name": "lost", "times": 1, "then": {"webhook": {"drop": true}}})).await;
    create_order(&server, "a").await;
    server.advance("live", "P1D").await;
    let second = create_order(&server, "b").await;
    server.advance("live", "PT1S").await;
    let delivered = receiver.messages(1).await;
    assert_eq!(order_ids(&delivered), [json!(second)]);
    let expected = [
        (json!("rule 1 (lost): dropped"), json!("FAILED")),
        (json!(200), json!("SENT")),
    ];
    assert_eq!(attempts(&server).await, expected);
}

#[tokio::test]
async fn rule_with_duplicate_sends_same_bytes_twice() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    server.webhook("live", &receiver.url).await;
    create_rule(
        &server,
        &json!({"account": "live", "then": {"webhook": {"duplicate": 2}}}),
    )
    .await;
    create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    let delivered = receiver.messages(2).await;
    assert_eq!(delivered[0].body, delivered[1].body);
    let expected = [500, 200].map(|status| (json!(status), json!("SENT")));
    assert_eq!(attempts(&server).await, expected, "one copy was accepted");
}

#[tokio::test]
async fn rule_with_wrong_or_missing_signature_applies_to_its_attempts_only() {
    let server = TestServer::start_frozen("live").await;
    let script = [401, 401].map(Reply::Status);
    let receiver = Receiver::with_replies(script).await;
    let (_, secret) = server.webhook("live", &receiver.url).await;
    for signature in ["wrong", "missing"] {
        let then = json!({"webhook": {"signature": signature}});
        let when = json!({"webhookUrl": "*/hook"});
        create_rule(
            &server,
            &json!({"account": "live", "times": 1, "when": when, "then": then}),
        )
        .await;
    }
    create_order(&server, "a").await;
    server.advance("live", "PT5S").await;
    let delivered = receiver.messages(3).await;
    let valid = stuntdouble::services::webhooks::signature(&secret, &delivered[0].body);
    let signatures: Vec<_> = delivered
        .iter()
        .map(|message| {
            let signature = message.headers.get("x-moribiz-signature");
            signature.map(|value| value.to_str().expect("ASCII"))
        })
        .collect();
    assert!(
        signatures[0].is_some_and(|it| it.len() == 64 && it != valid),
        "{signatures:?}"
    );
    assert_eq!(signatures[1..], [None, Some(valid.as_str())]);
}

#[tokio::test]
async fn rule_on_webhook_url_applies_to_that_webhook_only() {
    let server = TestServer::start_frozen("live").await;
    let dropped = Receiver::start().await;
    let other = Receiver::start().await;
    for receiver in [&dropped, &other] {
        server.webhook("live", &receiver.url).await;
    }
    let when = json!({"webhookUrl": dropped.url});
    let then = json!({"webhook": {"drop": true}});
    create_rule(&server, &json!({"when": when, "then": then})).await;
    let id = create_order(&server, "a").await;
    server.advance("live", "P1D").await;
    assert_eq!(order_ids(&other.messages(1).await), [json!(id)]);
    dropped.messages(0).await;
    let listing = server
        .control(Method::GET, "/_mock/rules", &json!({}))
        .await;
    assert_eq!(listing["rules"][0]["hits"], 1);
}

#[tokio::test]
async fn rule_with_respond_records_its_response_without_attempt() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let then = json!({
        "respond": {"status": 503, "headers": {"Retry-After": "5"}, "body": {"busy": true}},
        "webhook": {"duplicate": 2},
    });
    create_rule(
        &server,
        &json!({"account": "live", "times": 1, "then": then}),
    )
    .await;
    create_order(&server, "a").await;
    server.advance("live", "PT0.3S").await;
    receiver.messages(0).await;
    let listing = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    for attempt in listing["deliveries"].as_array().expect("a list") {
        let fields = [
            "attempt",
            "status",
            "responseHeaders",
            "responseBody",
            "ruleId",
        ];
        let headers = json!({"content-type": "application/json", "retry-after": "5"});
        let expected = json!([1, 503, headers, "{\"busy\":true}", 1]);
        let actual = json!(fields.map(|field| attempt[field].clone()));
        assert_eq!(actual, expected);
    }
    server.advance("live", "PT1S").await;
    receiver.messages(1).await;
}
