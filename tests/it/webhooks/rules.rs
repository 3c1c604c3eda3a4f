//! What rules do to attempts at webhooks.

mod deferral;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ReceivedMessage, Receiver, Reply, TestServer, picture};

async fn rule(server: &TestServer, rule: &Value) {
    server.control(Method::POST, "/_mock/rules", rule).await;
}

async fn create_order(server: &TestServer, name: &str) -> String {
    let body = json!({"idempotencyKey": name, "fileName": format!("{name}_ai.jpg")});
    server.confirm_detection("live", &body, picture()).await
}

/// What each attempt came to, and how the delivery stood after it.
async fn attempts(server: &TestServer) -> Vec<(Value, Value)> {
    let listed = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    let value = listed["deliveries"].as_array().expect("a list").iter();
    value
        .map(|it| {
            let came = if it["error"].is_null() {
                &it["status"]
            } else {
                &it["error"]
            };
            (came.clone(), it["deliveryStatus"].clone())
        })
        .collect()
}

fn orders(messages: &[ReceivedMessage]) -> Vec<Value> {
    let mut orders = messages.iter().map(ReceivedMessage::json);
    orders
        .by_ref()
        .map(|mut body| body["data"]["orderId"].take())
        .collect()
}

#[tokio::test]
async fn what_is_dropped_never_comes() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    rule(&server, &json!({"account": "live", "name": "lost", "times": 1, "then": {"webhook": {"drop": true}}})).await;
    create_order(&server, "a").await;
    server.advance("live", "P1D").await;
    let second = create_order(&server, "b").await;
    server.advance("live", "PT1S").await;
    let came = receiver.messages(1).await;
    assert_eq!(orders(&came), [json!(second)]);
    let expected = [
        (json!("rule 1 (lost): dropped"), json!("FAILED")),
        (json!(200), json!("SENT")),
    ];
    assert_eq!(attempts(&server).await, expected);
}

#[tokio::test]
async fn a_duplicate_is_the_same_bytes() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    server.webhook("live", &receiver.url).await;
    rule(
        &server,
        &json!({"account": "live", "then": {"webhook": {"duplicate": 2}}}),
    )
    .await;
    create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    let came = receiver.messages(2).await;
    assert_eq!(came[0].body, came[1].body);
    let expected = [500, 200].map(|status| (json!(status), json!("SENT")));
    assert_eq!(attempts(&server).await, expected, "one of them got there");
}

#[tokio::test]
async fn a_wrong_signature_and_none_are_sent_and_the_retry_is_right() {
    let server = TestServer::start_frozen("live").await;
    let script = [401, 401].map(Reply::Status);
    let receiver = Receiver::with_replies(script).await;
    let (_, secret) = server.webhook("live", &receiver.url).await;
    for signature in ["wrong", "missing"] {
        let then = json!({"webhook": {"signature": signature}});
        let when = json!({"webhookUrl": "*/hook"});
        rule(
            &server,
            &json!({"account": "live", "times": 1, "when": when, "then": then}),
        )
        .await;
    }
    create_order(&server, "a").await;
    server.advance("live", "PT5S").await;
    let came = receiver.messages(3).await;
    let right = stuntdouble::services::webhooks::signature(&secret, &came[0].body);
    let sent: Vec<_> = came
        .iter()
        .map(|it| {
            it.headers
                .get("x-moribiz-signature")
                .map(|it| it.to_str().expect("ASCII"))
        })
        .collect();
    assert!(
        sent[0].is_some_and(|it| it.len() == 64 && it != right),
        "{sent:?}"
    );
    assert_eq!(sent[1..], [None, Some(right.as_str())]);
}

#[tokio::test]
async fn another_webhook_has_its_own() {
    let server = TestServer::start_frozen("live").await;
    let (lost, other) = (Receiver::start().await, Receiver::start().await);
    for receiver in [&lost, &other] {
        server.webhook("live", &receiver.url).await;
    }
    let when = json!({"webhookUrl": lost.url});
    let then = json!({"webhook": {"drop": true}});
    rule(&server, &json!({"when": when, "then": then})).await;
    let id = create_order(&server, "a").await;
    server.advance("live", "P1D").await;
    assert_eq!(orders(&other.messages(1).await), [json!(id)]);
    lost.messages(0).await;
    let listed = server
        .control(Method::GET, "/_mock/rules", &json!({}))
        .await;
    assert_eq!(listed["rules"][0]["hits"], 1);
}

#[tokio::test]
async fn what_another_answers_in_its_place_is_told() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let then = json!({
        "respond": {"status": 503, "headers": {"Retry-After": "5"}, "body": {"busy": true}},
        "webhook": {"duplicate": 2},
    });
    rule(
        &server,
        &json!({"account": "live", "times": 1, "then": then}),
    )
    .await;
    create_order(&server, "a").await;
    server.advance("live", "PT0.3S").await;
    receiver.messages(0).await;
    let listed = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    for response_body in listed["deliveries"].as_array().expect("a list") {
        let observed = [
            "attempt",
            "status",
            "responseHeaders",
            "responseBody",
            "ruleId",
        ];
        let headers = json!({"content-type": "application/json", "retry-after": "5"});
        let expected = json!([1, 503, headers, "{\"busy\":true}", 1]);
        assert_eq!(
            json!(observed.map(|field| response_body[field].clone())),
            expected
        );
    }
    server.advance("live", "PT1S").await;
    receiver.messages(1).await;
}
