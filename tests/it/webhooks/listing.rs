//! Pages and keywords of listings, and partial updates.

use reqwest::Method;
use serde_json::{Value, json};

use super::WEBHOOKS;
use crate::support::{TestServer, picture};

/// Returns the names on a page and its `pagination`.
async fn page(server: &TestServer, query: &str) -> (Vec<String>, Value) {
    let response = server.get("live", &format!("{WEBHOOKS}{query}")).await;
    assert_eq!(response.status, 200, "{query}: {}", response.text());
    let data = response.json()["data"].take();
    let webhooks = data["webhooks"].as_array().expect("a list");
    let name = |webhook: &Value| webhook["name"].as_str().unwrap_or("-").to_owned();
    (
        webhooks.iter().map(name).collect(),
        data["pagination"].clone(),
    )
}

fn pagination(page: u32, limit: u32, total: u32, pages: u32) -> Value {
    json!({"page": page, "limit": limit, "total": total, "totalPages": pages})
}

#[tokio::test]
async fn list_webhooks_answers_pages_newest_first() {
    let server = TestServer::start_frozen("live").await;
    assert_eq!(page(&server, "").await, (vec![], pagination(1, 10, 0, 0)));
    for n in 0..12 {
        let body = json!({"name": n.to_string(), "url": "http://127.0.0.1:1/"});
        server.post("live", WEBHOOKS, &body).await;
    }
    let names = |names: std::ops::RangeInclusive<u32>| -> Vec<String> {
        names.rev().map(|n| n.to_string()).collect()
    };
    for (query, expected, pagination) in [
        ("", names(2..=11), pagination(1, 10, 12, 2)),
        ("?page=2", names(0..=1), pagination(2, 10, 12, 2)),
        ("?page=3", vec![], pagination(3, 10, 12, 2)),
        (
            "?page=4294967295&limit=100",
            vec![],
            pagination(u32::MAX, 100, 12, 1),
        ),
        (
            "?limit=100&other=1",
            names(0..=11),
            pagination(1, 100, 12, 1),
        ),
        ("?limit=5&page=3", names(0..=1), pagination(3, 5, 12, 3)),
    ] {
        assert_eq!(
            page(&server, query).await,
            (expected, pagination),
            "{query}"
        );
    }
}

#[tokio::test]
async fn list_webhooks_with_keyword_searches_names_and_urls() {
    let server = TestServer::start_frozen("live").await;
    for (name, url) in [
        ("Caf\u{c9}", "http://127.0.0.1:1/one"),
        ("결제 웹훅", "http://127.0.0.1:1/two"),
        ("100%_done", "http://127.0.0.1:1/Cafe"),
    ] {
        server
            .post("live", WEBHOOKS, &json!({"name": name, "url": url}))
            .await;
    }
    server
        .post(
            "live",
            WEBHOOKS,
            &json!({"url": "http://127.0.0.1:1/three"}),
        )
        .await;
    for (keyword, expected) in [
        ("", vec!["-", "100%_done", "결제 웹훅", "Caf\u{c9}"]),
        ("CAF", vec!["100%_done", "Caf\u{c9}"]),
        ("caf%C3%89", vec!["Caf\u{c9}"]),
        ("%EC%9B%B9%ED%9B%85", vec!["결제 웹훅"]),
        ("%25_", vec!["100%_done"]),
        ("_", vec!["100%_done"]),
        ("THREE", vec!["-"]),
        ("nothing", vec![]),
    ] {
        let query = format!("?keyword={keyword}");
        assert_eq!(page(&server, &query).await.0, expected, "{keyword}");
    }
}

#[tokio::test]
async fn list_events_answers_pages_of_twenty() {
    let server = TestServer::start_frozen("live").await;
    let (id, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    for n in 0..21 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        server.confirm_detection("live", &body, picture()).await;
        server.advance("live", "PT0.3S").await;
    }
    let path = format!("{WEBHOOKS}/{id}/events");
    let created = |data: &Value| -> Vec<Value> {
        let rows = data["events"].as_array().expect("a list");
        rows.iter().map(|row| row["createdAt"].clone()).collect()
    };
    let first = server.get("live", &path).await.json()["data"].take();
    assert_eq!(first["pagination"], pagination(1, 20, 21, 2));
    let times = created(&first);
    assert_eq!(times.len(), 20);
    assert_eq!(times[0], "2026-03-12T10:00:06.300Z");
    let second = server.get("live", &format!("{path}?page=2")).await.json()["data"].take();
    assert_eq!(second["pagination"], pagination(2, 20, 21, 2));
    assert_eq!(created(&second), [json!("2026-03-12T10:00:00.300Z")]);
    let others = server.get("other", &path).await;
    let reason = format!("this key has no webhook {id}");
    others.assert_refused(404, "WEBHOOK_NOT_FOUND", &reason);
}

#[tokio::test]
async fn update_webhook_changes_only_given_fields_and_test_flag_only_with_live_key() {
    let server = TestServer::start_frozen("live").await;
    server.freeze("sk_test_1").await;
    let url = "http://127.0.0.1:1/";
    let body = json!({"name": "mine", "url": url, "isTest": true});
    for (key, is_test_key) in [("live", false), ("sk_test_1", true)] {
        let created = server.post(key, WEBHOOKS, &body).await.json();
        let id = created["data"]["id"].as_i64().expect("an integer");
        let path = format!("{WEBHOOKS}/{id}");
        let update = async |body: Value| server.call(Method::PUT, key, &path, &body).await;
        let response_body = |name: &str, test: bool| {
            format!(
                r#"{{"data":{{"id":{id},"name":"{name}","url":"{url}","isActive":true,"isTest":{test},"updatedAt":"2026-03-12T10:00:00.000Z"}}}}"#
            )
        };
        for body in [
            json!({"url": url}),
            json!({"url": url, "name": null, "isTest": null}),
        ] {
            assert_eq!(update(body).await.text(), response_body("mine", true));
        }
        let longest = "n".repeat(100);
        let body = json!({"url": url, "name": longest, "isTest": true});
        assert_eq!(update(body).await.text(), response_body(&longest, true));
        let live = update(json!({"url": url, "name": "", "isTest": false})).await;
        if is_test_key {
            let reason = "isTest: test keys can only have test webhooks";
            live.assert_refused(403, "AUTH_FORBIDDEN", reason);
        } else {
            assert_eq!(live.text(), response_body("", false));
        }
        let refused = update(json!({"name": "without"})).await;
        assert_eq!(refused.text(), crate::support::code("VALIDATION_FAILED"));
        let reason = "name: too long: 101 characters, maximum 100";
        let long = update(json!({"url": url, "name": "n".repeat(101)})).await;
        long.assert_refused(400, "VALIDATION_FAILED", reason);
        let secret = server.get(key, &path).await.json()["data"]["secret"].clone();
        assert_eq!(
            secret, created["data"]["secret"],
            "updates do not change the secret"
        );
    }
}
