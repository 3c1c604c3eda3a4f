//! Inboxes: webhook receivers inside the server.

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

/// Posts a message to the inbox. Returns the status.
async fn post_message(server: &TestServer, body: &str) -> u16 {
    let response = server
        .send(Method::POST, "/_mock/inbox/mine", &[], body.to_owned())
        .await;
    response.status
}

/// Delivers a webhook of a completed order of `live` to the inbox. Returns the webhook's secret.
async fn deliver_to_inbox(server: &TestServer) -> String {
    let url = format!("{}/_mock/inbox/mine", server.origin);
    let (_, secret) = server.webhook("live", &url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    secret
}

#[tokio::test]
async fn deliver_webhook_to_inbox_stores_it_with_valid_signature() {
    let server = TestServer::start_frozen("live").await;
    let settings = json!({"account": "live"});
    let inbox = server
        .control(Method::PUT, "/_mock/inbox/mine", &settings)
        .await;
    let expected = json!({"name": "mine", "account": "live", "statuses": [], "delayMs": 0,
        "secret": null, "messages": 0, "evicted": 0});
    assert_eq!(inbox, expected);
    deliver_to_inbox(&server).await;
    let (status, listing) = messages(&server, "?min=1&timeoutMs=20000").await;
    assert_eq!((status, &listing["evicted"]), (200, &json!(0)));
    let message = &listing["messages"][0];
    assert_eq!(message["signatureValid"], true);
    assert_eq!(
        message["at"], "2026-03-12T10:00:00.300Z",
        "the time of the account's clock"
    );
    assert_eq!(message["body"]["eventType"], "order.aiDetection.completed");
    let raw_body = message["rawBody"].as_str().expect("a text");
    let parsed: Value = serde_json::from_str(raw_body).expect("JSON");
    assert_eq!(parsed, message["body"], "both fields have the same content");
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
async fn deliver_webhook_to_inbox_with_another_secret_marks_signature_invalid() {
    let server = TestServer::start_frozen("live").await;
    let settings = json!({"secret": "whsec_other"});
    server
        .control(Method::PUT, "/_mock/inbox/mine", &settings)
        .await;
    deliver_to_inbox(&server).await;
    let (_, listing) = messages(&server, "?min=1&timeoutMs=20000").await;
    assert_eq!(listing["messages"][0]["signatureValid"], false);
}

#[tokio::test]
async fn post_to_inbox_with_statuses_answers_them_and_then_200() {
    let server = TestServer::start().await;
    let settings = json!({"statuses": [500, 204], "delayMs": 1});
    server
        .control(Method::PUT, "/_mock/inbox/mine", &settings)
        .await;
    let mut statuses = Vec::new();
    for body in ["a", "b", "c"] {
        statuses.push(post_message(&server, body).await);
    }
    assert_eq!(statuses, [500, 204, 200]);
    let (_, listing) = messages(&server, "").await;
    let received = listing["messages"].as_array().expect("messages").iter();
    let bodies: Vec<_> = received.map(|it| &it["body"]).collect();
    assert_eq!(bodies, ["a", "b", "c"]);
    assert_eq!(listing["messages"][0]["signatureValid"], Value::Null);
    server
        .control(Method::PUT, "/_mock/inbox/mine", &json!({}))
        .await;
    let none = json!({"messages": [], "evicted": 0});
    assert_eq!(
        messages(&server, "").await,
        (200, none),
        "PUT replaces the inbox"
    );
}

#[tokio::test]
async fn list_messages_with_min_waits_for_them() {
    let server = TestServer::start().await;
    let waiting = messages(&server, "?min=2&timeoutMs=20000");
    let posting = async {
        post_message(&server, "a").await;
        post_message(&server, "b").await
    };
    let ((status, listing), _) = tokio::join!(waiting, posting);
    assert_eq!(
        (status, &listing["messages"][1]["body"]),
        (200, &json!("b"))
    );
    let (status, listing) = messages(&server, "?min=3&timeoutMs=1").await;
    let count = listing["messages"].as_array().map(Vec::len);
    assert_eq!(
        (status, count),
        (408, Some(2)),
        "the available messages are answered"
    );
}

#[tokio::test]
async fn reset_one_or_all_accounts_empties_their_inboxes() {
    let server = TestServer::start_frozen("live").await;
    let settings = json!({"account": "live"});
    server
        .control(Method::PUT, "/_mock/inbox/mine", &settings)
        .await;
    post_message(&server, "a").await;
    let (_, listing) = messages(&server, "").await;
    assert_eq!(listing["messages"][0]["at"], T0);
    let none = json!({"messages": [], "evicted": 0});
    for reset in [json!({"account": "other"}), json!({"account": "live"})] {
        assert_ne!(messages(&server, "").await.1, none);
        server.control(Method::POST, "/_mock/reset", &reset).await;
    }
    assert_eq!(messages(&server, "").await.1, none);
    post_message(&server, "b").await;
    server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    assert_eq!(messages(&server, "").await.1, none);
}

#[tokio::test]
async fn delete_inbox_removes_its_messages_and_statuses() {
    let server = TestServer::start().await;
    let settings = json!({"statuses": [500, 500]});
    server
        .control(Method::PUT, "/_mock/inbox/mine", &settings)
        .await;
    assert_eq!(post_message(&server, "a").await, 500);
    let remove = async || {
        let none = json!({});
        let path = "/_mock/inbox/mine";
        assert!(server.control(Method::DELETE, path, &none).await.is_null());
    };
    remove().await;
    let none = json!({"messages": [], "evicted": 0});
    assert_eq!(messages(&server, "").await, (200, none));
    assert_eq!(
        post_message(&server, "b").await,
        200,
        "the message creates a new inbox"
    );
    remove().await;
    remove().await;
}

#[tokio::test]
async fn advance_default_clock_delivers_the_retry_schedule_to_an_inbox() {
    let server = TestServer::start().await;
    let frozen = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &frozen).await;
    let settings = json!({"statuses": [500, 500, 500, 500, 500, 204]});
    server
        .control(Method::PUT, "/_mock/inbox/mine", &settings)
        .await;
    let url = format!("{}/_mock/inbox/mine", server.origin);
    server.webhook("live", &url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let by = json!({"by": "PT3H"});
    server
        .control(Method::POST, "/_mock/clock/advance", &by)
        .await;
    let (_, listing) = messages(&server, "?min=6").await;
    let received = listing["messages"].as_array().expect("messages").iter();
    let at = |text: &str| json!(format!("2026-03-12T{text}Z"));
    let (times, valid): (Vec<_>, Vec<_>) = received
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
    let listing = server
        .control(Method::GET, "/_mock/deliveries?account=live", &json!({}))
        .await;
    let attempts = listing["deliveries"].as_array().expect("a list").iter();
    let statuses: Vec<_> = attempts.map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, [500, 500, 500, 500, 500, 204]);
    let path = "/_mock/requests?account=live&operation=control.*";
    let requests = server.control(Method::GET, path, &json!({})).await;
    assert_eq!(
        requests["requests"],
        json!([]),
        "inbox deliveries are not in the journal"
    );
}
