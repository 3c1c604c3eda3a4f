//! The inbox: a receiver for those who have none.

mod accounts;
mod bounds;
mod signed;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{T0, TestServer, picture};

async fn messages(server: &TestServer, query: &str) -> (u16, Value) {
    let path = format!("/_mock/inbox/mine/messages{query}");
    let response = server.send(Method::GET, &path, &[], "").await;
    (response.status, response.json())
}

async fn posted(server: &TestServer, body: &str) -> u16 {
    let response = server
        .send(Method::POST, "/_mock/inbox/mine", &[], body.to_owned())
        .await;
    response.status
}

/// A webhook of the account's that goes to the box, and an order that comes to its end.
async fn delivered(server: &TestServer) -> String {
    let url = format!("{}/_mock/inbox/mine", server.origin);
    let (_, secret) = server.webhook("live", &url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    secret
}

#[tokio::test]
async fn a_webhook_is_received_and_its_signature_checked_with_its_own_secret() {
    let server = TestServer::start_frozen("live").await;
    let set = json!({"account": "live"});
    let shown = server.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    let expected = json!({"name": "mine", "account": "live", "statuses": [], "delayMs": 0,
        "secret": null, "messages": 0, "evicted": 0});
    assert_eq!(shown, expected);
    delivered(&server).await;
    let (status, found) = messages(&server, "?min=1&timeoutMs=20000").await;
    assert_eq!((status, &found["evicted"]), (200, &json!(0)));
    let message = &found["messages"][0];
    assert_eq!(message["signatureValid"], true);
    assert_eq!(
        message["at"], "2026-03-12T10:00:00.300Z",
        "by the account's clock"
    );
    assert_eq!(message["body"]["eventType"], "order.aiDetection.completed");
    let raw = message["rawBody"].as_str().expect("a text");
    let raw: Value = serde_json::from_str(raw).expect("JSON");
    assert_eq!(raw, message["body"], "as it was signed");
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
    let server = TestServer::start_frozen("live").await;
    let set = json!({"secret": "whsec_other"});
    server.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    delivered(&server).await;
    let (_, found) = messages(&server, "?min=1&timeoutMs=20000").await;
    assert_eq!(found["messages"][0]["signatureValid"], false);
}

#[tokio::test]
async fn post_answers_with_the_statuses_and_then_200() {
    let server = TestServer::start().await;
    let set = json!({"statuses": [500, 204], "delayMs": 1});
    server.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    let mut statuses = Vec::new();
    for body in ["a", "b", "c"] {
        statuses.push(posted(&server, body).await);
    }
    assert_eq!(statuses, [500, 204, 200]);
    let (_, found) = messages(&server, "").await;
    let bodies: Vec<_> = found["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .collect();
    let bodies: Vec<_> = bodies.iter().map(|it| &it["body"]).collect();
    assert_eq!(bodies, ["a", "b", "c"]);
    assert_eq!(found["messages"][0]["signatureValid"], Value::Null);
    server
        .control(Method::PUT, "/_mock/inbox/mine", &json!({}))
        .await;
    let none = json!({"messages": [], "evicted": 0});
    assert_eq!(messages(&server, "").await, (200, none), "it is made anew");
}

#[tokio::test]
async fn a_message_that_is_still_to_come_is_waited_for() {
    let server = TestServer::start().await;
    let waiting = messages(&server, "?min=2&timeoutMs=20000");
    let posting = async {
        posted(&server, "a").await;
        posted(&server, "b").await
    };
    let ((status, found), _) = tokio::join!(waiting, posting);
    assert_eq!((status, &found["messages"][1]["body"]), (200, &json!("b")));
    let (status, found) = messages(&server, "?min=3&timeoutMs=1").await;
    let count = found["messages"].as_array().map(Vec::len);
    assert_eq!((status, count), (408, Some(2)), "what there is is told");
}

#[tokio::test]
async fn a_reset_empties_it_of_one_account_or_of_all() {
    let server = TestServer::start_frozen("live").await;
    let set = json!({"account": "live"});
    server.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    posted(&server, "a").await;
    let (_, found) = messages(&server, "").await;
    assert_eq!(found["messages"][0]["at"], T0);
    let none = json!({"messages": [], "evicted": 0});
    for reset in [json!({"account": "other"}), json!({"account": "live"})] {
        assert_ne!(messages(&server, "").await.1, none);
        server.control(Method::POST, "/_mock/reset", &reset).await;
    }
    assert_eq!(messages(&server, "").await.1, none);
    posted(&server, "b").await;
    server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    assert_eq!(messages(&server, "").await.1, none);
}

#[tokio::test]
async fn what_is_removed_is_as_though_it_had_never_been() {
    let server = TestServer::start().await;
    let set = json!({"statuses": [500, 500]});
    server.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    assert_eq!(posted(&server, "a").await, 500);
    let remove = async || {
        let none = json!({});
        let path = "/_mock/inbox/mine";
        assert!(server.control(Method::DELETE, path, &none).await.is_null());
    };
    remove().await;
    let none = json!({"messages": [], "evicted": 0});
    assert_eq!(messages(&server, "").await, (200, none));
    assert_eq!(posted(&server, "b").await, 200, "made by what comes");
    remove().await;
    remove().await;
}

#[tokio::test]
async fn a_whole_ladder_comes_to_it_while_the_default_clock_is_moved() {
    let server = TestServer::start().await;
    let frozen = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &frozen).await;
    let set = json!({"statuses": [500, 500, 500, 500, 500, 204]});
    server.control(Method::PUT, "/_mock/inbox/mine", &set).await;
    let url = format!("{}/_mock/inbox/mine", server.origin);
    server.webhook("live", &url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let by = json!({"by": "PT3H"});
    server
        .control(Method::POST, "/_mock/clock/advance", &by)
        .await;
    let (_, found) = messages(&server, "?min=6").await;
    let came = found["messages"].as_array().expect("messages").iter();
    let at = |text: &str| json!(format!("2026-03-12T{text}Z"));
    let (times, valid): (Vec<_>, Vec<_>) = came
        .map(|it| (it["at"].clone(), it["signatureValid"].clone()))
        .unzip();
    let expected = [
        at("10:00:00.300"),
        at("10:00:01.300"),
        at("10:00:03.300"),
        at("10:00:07.300"),
        at("10:30:07.300"),
        at("12:30:07.300"),
    ];
    assert_eq!(times, expected);
    assert_eq!(valid, [true; 6]);
    let listed = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    let attempts = listed["deliveries"].as_array().expect("a list").iter();
    let statuses: Vec<_> = attempts.map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, [500, 500, 500, 500, 500, 204]);
    let requests = "/_mock/requests?account=live&operation=control.*";
    let requests = server.control(Method::GET, requests, &json!({})).await;
    assert_eq!(requests["requests"], json!([]), "the journal is of others");
}
