//! Webhook endpoints: create, list, read, update, delete.

use reqwest::Method;
use serde_json::json;

use super::WEBHOOKS;
use crate::support::TestServer;

#[tokio::test]
async fn create_list_read_and_update_webhook_answer_its_fields() {
    let server = TestServer::start_frozen("live").await;
    let response = server
        .post(
            "live",
            WEBHOOKS,
            &json!({"name": "one", "url": "http://127.0.0.1:1/a"}),
        )
        .await;
    let created = response.json()["data"].take();
    let id = &created["id"];
    let secret = &created["secret"];
    assert!(secret.as_str().expect("a secret").starts_with("whsec_"));
    assert_eq!(
        response.text(),
        format!(r#"{{"data":{{"id":{id},"name":"one","secret":{secret},"isTest":false}}}}"#)
    );
    let second_body = json!({"url": "https://example.test/b"});
    let second = server.post("live", WEBHOOKS, &second_body).await.json();
    let second_id = &second["data"]["id"];
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
    assert_eq!(found["data"]["webhooks"][0]["id"], *second_id);
    assert_eq!(found["data"]["pagination"]["total"], 1);
    let detail = server.get("live", &path).await;
    let updated_at = r#""updatedAt":"2026-03-12T10:00:00.000Z""#;
    assert_eq!(
        detail.text(),
        format!(r#"{{"data":{{{item},"secret":{secret},{updated_at}}}}}"#)
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
async fn webhook_of_other_key_or_deleted_webhook_answers_not_found() {
    let server = TestServer::start_frozen("live").await;
    let (id, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let path = format!("{WEBHOOKS}/{id}");
    let not_found = (404, r#"{"code":"WEBHOOK_NOT_FOUND"}"#.to_owned());
    let other_key = server.get("other", &path).await;
    assert_eq!((other_key.status, other_key.text()), not_found);
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
        assert_eq!((response.status, response.text()), not_found);
    }
}

#[tokio::test]
async fn create_webhook_answers_increasing_ids_that_are_never_reused() {
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
async fn restore_snapshot_answers_same_ids_of_webhooks_and_event_rows() {
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
    let account = json!({"account": "live"});
    server.control(Method::PUT, snapshot, &account).await;
    server.webhook("live", "http://127.0.0.1:1/").await;
    let restore = format!("{snapshot}/restore");
    server.control(Method::POST, &restore, &account).await;
    assert_eq!(server.get("live", &events).await.text(), before);
    assert_eq!(server.webhook("live", "http://127.0.0.1:1/").await.0, "3");
}

#[tokio::test]
async fn webhook_path_with_id_that_is_not_digits_answers_not_found() {
    let server = TestServer::start_frozen("live").await;
    server.webhook("live", "http://127.0.0.1:1/").await;
    let url = json!({"url": "http://127.0.0.1:2/"});
    let window = json!({"fromDate": "2026-03-12", "toDate": "2026-03-12"});
    for id in ["x", "1.0", "-1", "+1", "1x", "0x1", "9223372036854775808"] {
        let path = format!("{WEBHOOKS}/{id}");
        let reason = format!("this key has no webhook {id}");
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
            response.assert_refused(404, "WEBHOOK_NOT_FOUND", &reason);
        }
    }
}

const PUBLIC: &str = "http://8.8.8.8/hook";
const PUBLIC_REASON: &str = "url: 8.8.8.8 is a public address; only loopback and private addresses \
                             are called without --outbound-allow-public";

#[tokio::test]
async fn register_public_url_answers_200_with_setting_in_reason() {
    let server = TestServer::start_frozen("live").await;
    let created = server.post("live", WEBHOOKS, &json!({"url": PUBLIC})).await;
    assert_eq!(
        (created.status, created.header("x-mock-reason")),
        (200, PUBLIC_REASON)
    );
    let id = &created.json()["data"]["id"];
    let path = format!("{WEBHOOKS}/{id}");
    let local = json!({"url": "http://127.0.0.1:1/a"});
    let public = json!({"url": PUBLIC});
    for (body, reason) in [(&local, ""), (&public, PUBLIC_REASON)] {
        let changed = server.call(Method::PUT, "live", &path, body).await;
        assert_eq!(
            (changed.status, changed.header("x-mock-reason")),
            (200, reason)
        );
    }
    let legacy = "/api/v2/orders/webhook";
    for (body, reason) in [(&local, ""), (&public, PUBLIC_REASON)] {
        let set = server.post("live", legacy, body).await;
        assert_eq!((set.status, set.header("x-mock-reason")), (200, reason));
    }
}

#[tokio::test]
async fn register_with_allow_public_has_reason_only_for_metadata_address() {
    let server = TestServer::with_config(|config| config.outbound.allow_public = true).await;
    let metadata = "url: 169.254.169.254 is a cloud metadata address, which serves \
                    credentials; it is never called, not even with --outbound-allow-public";
    for (url, reason) in [(PUBLIC, ""), ("http://169.254.169.254/", metadata)] {
        let body = json!({"url": url});
        let created = server.post("live", WEBHOOKS, &body).await;
        let actual = (created.status, created.header("x-mock-reason"));
        assert_eq!(actual, (200, reason));
    }
}
