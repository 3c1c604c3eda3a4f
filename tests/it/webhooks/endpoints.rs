//! Webhooks are made, listed, read, changed and removed.

use reqwest::Method;
use serde_json::json;

use super::WEBHOOKS;
use crate::support::TestServer;

#[tokio::test]
async fn a_webhook_is_made_listed_read_changed_and_removed() {
    let server = TestServer::start_frozen("live").await;
    let response = server
        .post(
            "live",
            WEBHOOKS,
            &json!({"name": "one", "url": "http://127.0.0.1:1/a"}),
        )
        .await;
    let (id, secret) = (
        response.json()["data"]["id"].clone(),
        response.json()["data"]["secret"].clone(),
    );
    assert!(secret.as_str().expect("a secret").starts_with("whsec_"));
    assert_eq!(
        response.text(),
        format!(r#"{{"data":{{"id":{id},"name":"one","secret":{secret},"isTest":false}}}}"#)
    );
    let second = server
        .post("live", WEBHOOKS, &json!({"url": "https://example.test/b"}))
        .await
        .json();
    let second = &second["data"]["id"];
    let path = format!("{WEBHOOKS}/{id}");
    let item = format!(
        r#""id":{id},"name":"one","url":"http://127.0.0.1:1/a","isActive":true,"isTest":false,"lastSentAt":null,"createdAt":"2026-03-12T10:00:00.000Z""#
    );
    let listing = server
        .get("live", &format!("{WEBHOOKS}?limit=1&page=2"))
        .await;
    let page = r#""pagination":{"page":2,"limit":1,"total":2,"totalPages":2}"#;
    assert_eq!(
        listing.text(),
        format!(r#"{{"data":{{"webhooks":[{{{item}}}],{page}}}}}"#)
    );
    let found = server
        .get("live", &format!("{WEBHOOKS}?keyword=EXAMPLE"))
        .await
        .json();
    assert_eq!(found["data"]["webhooks"][0]["id"], *second);
    assert_eq!(found["data"]["pagination"]["total"], 1);
    let detail = server.get("live", &path).await;
    let at = r#""updatedAt":"2026-03-12T10:00:00.000Z""#;
    assert_eq!(
        detail.text(),
        format!(r#"{{"data":{{{item},"secret":{secret},{at}}}}}"#)
    );
    server.advance("live", "PT1S").await;
    let changed = server
        .call(
            Method::PUT,
            "live",
            &path,
            &json!({"url": "http://127.0.0.1:2/", "isTest": true}),
        )
        .await;
    let expected = format!(
        r#"{{"data":{{"id":{id},"name":"one","url":"http://127.0.0.1:2/","isActive":true,"isTest":true,"updatedAt":"2026-03-12T10:00:01.000Z"}}}}"#
    );
    assert_eq!(changed.text(), expected);
}

#[tokio::test]
async fn a_webhook_is_its_keys_own_until_it_is_removed() {
    let server = TestServer::start_frozen("live").await;
    let (id, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let path = format!("{WEBHOOKS}/{id}");
    let removed = (404, r#"{"code":"WEBHOOK_NOT_FOUND"}"#.to_owned());
    let others = server.get("other", &path).await;
    assert_eq!((others.status, others.text()), removed);
    assert_eq!(
        server
            .call(Method::DELETE, "live", &path, &json!({}))
            .await
            .text(),
        r#"{"data":null}"#
    );
    for response in [
        server.get("live", &path).await,
        server.call(Method::DELETE, "live", &path, &json!({})).await,
    ] {
        assert_eq!((response.status, response.text()), removed);
    }
}

#[tokio::test]
async fn create_webhooks_gives_integer_ids_that_grow_from_1_and_are_never_given_again() {
    let server = TestServer::start_frozen("live").await;
    let create = async |key: &str| server.webhook(key, "http://127.0.0.1:1/").await.0;
    assert_eq!([create("live").await, create("other").await], ["1", "2"]);
    let path = format!("{WEBHOOKS}/2");
    server
        .call(Method::DELETE, "other", &path, &json!({}))
        .await;
    assert_eq!(create("live").await, "3");
    let reset = json!({"account": "live"});
    server.control(Method::POST, "/_mock/reset", &reset).await;
    assert_eq!(create("live").await, "4");
}

#[tokio::test]
async fn restore_of_a_snapshot_keeps_the_ids_of_webhooks_and_event_rows() {
    let server = TestServer::start_frozen("live").await;
    let (id, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server
        .confirm_detection("live", &body, crate::support::picture())
        .await;
    server.advance("live", "PT1S").await;
    let events = format!("{WEBHOOKS}/{id}/events");
    let before = server.get("live", &events).await.text();
    let snapshot = "/_mock/snapshots/s";
    let of = json!({"account": "live"});
    server.control(Method::PUT, snapshot, &of).await;
    server.webhook("live", "http://127.0.0.1:1/").await;
    let restore = format!("{snapshot}/restore");
    server
        .control(Method::POST, &restore, &json!({"account": "live"}))
        .await;
    assert_eq!(server.get("live", &events).await.text(), before);
    assert_eq!(server.webhook("live", "http://127.0.0.1:1/").await.0, "3");
}

#[tokio::test]
async fn call_with_an_id_that_is_not_digits_answers_webhook_not_found() {
    let server = TestServer::start_frozen("live").await;
    server.webhook("live", "http://127.0.0.1:1/").await;
    let url = json!({"url": "http://127.0.0.1:2/"});
    let window = json!({"fromDate": "2026-03-12", "toDate": "2026-03-12"});
    for id in ["x", "1.0", "-1", "+1", "1x", "0x1", "9223372036854775808"] {
        let path = format!("{WEBHOOKS}/{id}");
        let why = format!("this key has no webhook {id}");
        for response in [
            server.get("live", &path).await,
            server.call(Method::PUT, "live", &path, &url).await,
            server.call(Method::DELETE, "live", &path, &json!({})).await,
            server.get("live", &format!("{path}/events")).await,
            server
                .post("live", &format!("{path}/events/1/retry"), &json!({}))
                .await,
            server
                .post("live", &format!("{path}/events/retry-failed"), &window)
                .await,
        ] {
            response.assert_refused(404, "WEBHOOK_NOT_FOUND", &why);
        }
    }
}

const PUBLIC: &str = "http://8.8.8.8/hook";
const PUBLIC_REASON: &str = "url: 8.8.8.8 is a public address; only loopback and private addresses \
                             are called without --outbound-allow-public";

#[tokio::test]
async fn register_at_a_public_address_answers_200_with_the_setting_as_the_reason() {
    let stunt = TestServer::start_frozen("live").await;
    let made = stunt.post("live", WEBHOOKS, &json!({"url": PUBLIC})).await;
    assert_eq!(
        (made.status, made.header("x-mock-reason")),
        (200, PUBLIC_REASON)
    );
    let id = &made.json()["data"]["id"];
    let path = format!("{WEBHOOKS}/{id}");
    let local = json!({"url": "http://127.0.0.1:1/a"});
    let public = json!({"url": PUBLIC});
    for (body, reason) in [(&local, ""), (&public, PUBLIC_REASON)] {
        let changed = stunt.call(Method::PUT, "live", &path, body).await;
        assert_eq!(
            (changed.status, changed.header("x-mock-reason")),
            (200, reason)
        );
    }
    let legacy = "/api/v2/orders/webhook";
    for (body, reason) in [(&local, ""), (&public, PUBLIC_REASON)] {
        let set = stunt.post("live", legacy, body).await;
        assert_eq!((set.status, set.header("x-mock-reason")), (200, reason));
    }
}

#[tokio::test]
async fn register_with_allow_public_gives_a_reason_for_metadata_addresses_alone() {
    let stunt = TestServer::with_config(|config| config.outbound.allow_public = true).await;
    let metadata = "url: 169.254.169.254 is a metadata address, at which clouds hand a machine its \
                    credentials; it is never called, not even with --outbound-allow-public";
    for (url, reason) in [(PUBLIC, ""), ("http://169.254.169.254/", metadata)] {
        let made = stunt.post("live", WEBHOOKS, &json!({"url": url})).await;
        assert_eq!((made.status, made.header("x-mock-reason")), (200, reason));
    }
}
