//! The inbox: a receiver for those who have none.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Stunt, T0, picture};

async fn messages(stunt: &Stunt, query: &str) -> (u16, Value) {
    let path = format!("/_mock/inbox/mine/messages{query}");
    let answer = stunt.send(Method::GET, &path, &[], "").await;
    (answer.status, answer.json())
}

async fn posted(stunt: &Stunt, body: &str) -> u16 {
    let answer = stunt
        .send(Method::POST, "/_mock/inbox/mine", &[], body.to_owned())
        .await;
    answer.status
}

/// A webhook of the account's that goes to the box, and an order that comes to its end.
async fn delivered(stunt: &Stunt) -> String {
    let url = format!("{}/_mock/inbox/mine", stunt.origin);
    let (_, secret) = stunt.webhook("live", &url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    stunt.confirmed("live", &body, picture()).await;
    stunt.advance("live", "PT1S").await;
    secret
}

#[tokio::test]
async fn a_webhook_is_received_and_its_signature_checked_with_its_own_secret() {
    let stunt = Stunt::frozen("live").await;
    let set = json!({"account": "live"});
    let shown = stunt.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    let expected = json!({"respond": [], "delayMs": 0, "secret": null, "account": "live"});
    assert_eq!(shown, expected);
    delivered(&stunt).await;
    let (status, found) = messages(&stunt, "?min=1&waitMs=20000").await;
    assert_eq!((status, &found["evicted"]), (200, &json!(0)));
    let message = &found["messages"][0];
    assert_eq!(message["signatureValid"], true);
    assert_eq!(
        message["at"], "2026-03-12T10:00:00.300Z",
        "by the account's clock"
    );
    let body: Value =
        serde_json::from_str(message["body"].as_str().expect("a text")).expect("JSON");
    assert_eq!(body["eventType"], "order.aiDetection.completed");
    let names: Vec<_> = message["headers"]
        .as_object()
        .expect("headers")
        .keys()
        .collect();
    let expected = [
        "accept",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-moribiz-signature",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_signature_of_another_secret_is_told() {
    let stunt = Stunt::frozen("live").await;
    let set = json!({"secret": "whsec_other"});
    stunt.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    delivered(&stunt).await;
    let (_, found) = messages(&stunt, "?min=1&waitMs=20000").await;
    assert_eq!(found["messages"][0]["signatureValid"], false);
}

#[tokio::test]
async fn it_answers_as_it_was_told_and_then_200() {
    let stunt = Stunt::start().await;
    let set = json!({"respond": [500, 204], "delayMs": 1});
    stunt.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    let mut statuses = Vec::new();
    for body in ["a", "b", "c"] {
        statuses.push(posted(&stunt, body).await);
    }
    assert_eq!(statuses, [500, 204, 200]);
    let (_, found) = messages(&stunt, "").await;
    let bodies: Vec<_> = found["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .collect();
    let bodies: Vec<_> = bodies.iter().map(|it| &it["body"]).collect();
    assert_eq!(bodies, ["a", "b", "c"]);
    assert_eq!(found["messages"][0]["signatureValid"], Value::Null);
    stunt
        .control(Method::PUT, "/_mock/inbox/mine", &json!({}))
        .await;
    let none = json!({"messages": [], "evicted": 0});
    assert_eq!(messages(&stunt, "").await, (200, none), "it is made anew");
}

#[tokio::test]
async fn a_message_that_is_still_to_come_is_waited_for() {
    let stunt = Stunt::start().await;
    let waiting = messages(&stunt, "?min=2&waitMs=20000");
    let posting = async {
        posted(&stunt, "a").await;
        posted(&stunt, "b").await
    };
    let ((status, found), _) = tokio::join!(waiting, posting);
    assert_eq!((status, &found["messages"][1]["body"]), (200, &json!("b")));
    let (status, found) = messages(&stunt, "?min=3&waitMs=1").await;
    let count = found["messages"].as_array().map(Vec::len);
    assert_eq!((status, count), (408, Some(2)), "what there is is told");
}

#[tokio::test]
async fn a_reset_empties_it_of_one_account_or_of_all() {
    let stunt = Stunt::frozen("live").await;
    let set = json!({"account": "live"});
    stunt.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    posted(&stunt, "a").await;
    let (_, found) = messages(&stunt, "").await;
    assert_eq!(found["messages"][0]["at"], T0);
    let none = json!({"messages": [], "evicted": 0});
    for reset in [json!({"account": "other"}), json!({"account": "live"})] {
        assert_ne!(messages(&stunt, "").await.1, none);
        stunt.control(Method::POST, "/_mock/reset", &reset).await;
    }
    assert_eq!(messages(&stunt, "").await.1, none);
    posted(&stunt, "b").await;
    stunt
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    assert_eq!(messages(&stunt, "").await.1, none);
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused() {
    let stunt = Stunt::start().await;
    for (set, message) in [
        (json!({"respond": [100]}), "respond: 100 ends no request"),
        (json!({"delayMs": 600_001}), "respond or delayMs: too much"),
    ] {
        let answer = stunt
            .send(Method::PUT, "/_mock/inbox/mine", &[], set.to_string())
            .await;
        let told = answer.json();
        assert_eq!(
            (answer.status, &told["error"]["message"]),
            (400, &json!(message))
        );
    }
    let (status, told) = messages(&stunt, "?wait=1").await;
    let message = &told["error"]["message"];
    assert_eq!((status, message), (400, &json!("no parameter wait")));
}
