//! Legacy route, for one webhook of the account without its id.

use reqwest::Method;
use serde_json::{Value, json};

use super::{WEBHOOKS, assert_verified, integer};
use crate::support::{Receiver, TestResponse, TestServer, picture};

const LEGACY: &str = "/api/v2/orders/webhook";
const NONE: &str = r#"{"data":{"url":null,"createdAt":null}}"#;

async fn remove(server: &TestServer) -> TestResponse {
    server
        .call(Method::DELETE, "live", LEGACY, &json!({}))
        .await
}

async fn list_webhooks(server: &TestServer) -> Value {
    let list = server.get("live", WEBHOOKS).await.json();
    list["data"]["webhooks"].clone()
}

#[tokio::test]
async fn set_read_replace_and_delete_legacy_webhook_answer_its_state() {
    let server = TestServer::start_frozen("live").await;
    let (other, _) = server.webhook("live", "http://127.0.0.1:1/other").await;
    assert_eq!(server.get("live", LEGACY).await.text(), NONE);
    let one = "http://127.0.0.1:1/one";
    let set = server
        .post("live", LEGACY, &json!({"url": one, "isTest": true}))
        .await;
    let created = set.json()["data"].take();
    let id = &created["id"];
    let secret = &created["secret"];
    let at = r#""createdAt":"2026-03-12T10:00:00.000Z""#;
    let set_response = |url: &str, test: bool| {
        format!(
            r#"{{"data":{{"id":{id},"name":null,"secret":{secret},"isTest":{test},"url":"{url}",{at}}}}}"#
        )
    };
    assert_eq!((set.status, set.text()), (200, set_response(one, true)));
    let get_response = |url: &str| format!(r#"{{"data":{{"url":"{url}",{at}}}}}"#);
    assert_eq!(server.get("live", LEGACY).await.text(), get_response(one));
    assert_eq!(server.get("other", LEGACY).await.text(), NONE);

    server.advance("live", "PT1S").await;
    let two = "http://127.0.0.1:1/two";
    let replaced = server.post("live", LEGACY, &json!({"url": two})).await;
    let actual = (replaced.status, replaced.text());
    assert_eq!(actual, (200, set_response(two, false)));
    assert_eq!(server.get("live", LEGACY).await.text(), get_response(two));
    let path = format!("{WEBHOOKS}/{id}");
    let detail = server.get("live", &path).await;
    let expected = format!(
        r#"{{"data":{{"id":{id},"name":null,"url":"{two}","isActive":true,"isTest":false,"lastSentAt":null,{at},"secret":{secret},"updatedAt":"2026-03-12T10:00:01.000Z"}}}}"#
    );
    assert_eq!(detail.text(), expected);
    let webhooks = list_webhooks(&server).await;
    assert_eq!(webhooks[0]["id"], *id);
    assert_eq!(webhooks[1]["id"], integer(&other));

    assert_eq!(remove(&server).await.text(), r#"{"data":null}"#);
    assert_eq!(server.get("live", LEGACY).await.text(), NONE);
    let reason = "this key has no legacy webhook";
    remove(&server)
        .await
        .assert_refused(404, "WEBHOOK_NOT_FOUND", reason);
    let remaining = list_webhooks(&server).await;
    assert_eq!(remaining.as_array().map(Vec::len), Some(1));
    assert_eq!(remaining[0]["id"], integer(&other));
}

#[tokio::test]
async fn replace_legacy_webhook_sends_pending_events_to_new_url() {
    let server = TestServer::start_frozen("live").await;
    let set = server
        .post("live", LEGACY, &json!({"url": "http://127.0.0.1:1/"}))
        .await;
    let secret = set.json()["data"]["secret"]
        .as_str()
        .expect("a text")
        .to_owned();
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT0.3S").await;
    let receiver = Receiver::start().await;
    server
        .post("live", LEGACY, &json!({"url": receiver.url}))
        .await;
    assert_eq!(server.advance("live", "PT1S").await, ["webhook.deliver"]);
    assert_verified(&receiver.messages(1).await[0], &secret);
}

#[tokio::test]
async fn update_or_delete_legacy_webhook_by_id_changes_legacy_route() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"url": "http://127.0.0.1:1/"});
    let first = server.post("live", LEGACY, &body).await.json();
    let path = format!("{WEBHOOKS}/{}", first["data"]["id"]);
    let update = json!({"url": "http://127.0.0.1:1/changed", "name": "mine"});
    server.call(Method::PUT, "live", &path, &update).await;
    let shown = server.get("live", LEGACY).await.json();
    assert_eq!(shown["data"]["url"], "http://127.0.0.1:1/changed");
    server.call(Method::DELETE, "live", &path, &json!({})).await;
    assert_eq!(server.get("live", LEGACY).await.text(), NONE);
    let second = server.post("live", LEGACY, &body).await.json();
    assert_ne!(path, format!("{WEBHOOKS}/{}", second["data"]["id"]));
}

#[tokio::test]
async fn set_legacy_webhook_concurrently_creates_one() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"url": "http://127.0.0.1:1/"});
    let requests = (0..8).map(|_| server.post("live", LEGACY, &body));
    let all = futures_util::future::join_all(requests).await;
    assert!(all.iter().all(|response| response.text() == all[0].text()));
    assert_eq!(
        list_webhooks(&server).await.as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn set_legacy_webhook_with_invalid_body_is_refused() {
    let server = TestServer::start_frozen("live").await;
    for body in [
        json!({}),
        json!({"url": "ftp://127.0.0.1/"}),
        json!({"url": 1}),
    ] {
        let response = server.post("live", LEGACY, &body).await;
        assert_eq!(
            (response.status, response.text()),
            (400, crate::support::code("VALIDATION_FAILED"))
        );
    }
    let body = json!({"url": "http://127.0.0.1:1/", "isTest": false});
    let response = server.post("sk_test_1", LEGACY, &body).await;
    let reason = "isTest: test keys can only have test webhooks";
    response.assert_refused(403, "AUTH_FORBIDDEN", reason);
    let body = json!({"url": "http://127.0.0.1:1/", "name": 1});
    let response = server.post("sk_test_1", LEGACY, &body).await;
    assert_eq!(response.json()["data"]["isTest"], true);
}
