//! Pages, keywords, and what a change leaves as it was.

use reqwest::Method;
use serde_json::{Value, json};

use super::WEBHOOKS;
use crate::support::{TestServer, picture};

/// The names on a page, and its `pagination`.
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
async fn webhooks_are_listed_by_pages_the_newest_first() {
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
async fn a_page_that_is_none_is_an_invalid_parameter() {
    let server = TestServer::start_frozen("live").await;
    let (id, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    for path in [WEBHOOKS.to_owned(), format!("{WEBHOOKS}/{id}/events")] {
        for (query, name, value, most) in [
            ("page=0", "page", "0", "4294967295"),
            ("page=-1", "page", "-1", "4294967295"),
            ("page=one", "page", "one", "4294967295"),
            ("page=4294967296", "page", "4294967296", "4294967295"),
            ("limit=0", "limit", "0", "100"),
            ("limit=-1", "limit", "-1", "100"),
            ("limit=101", "limit", "101", "100"),
            ("limit=1.5", "limit", "1.5", "100"),
            ("limit=", "limit", "", "100"),
        ] {
            let response = server.get("live", &format!("{path}?{query}")).await;
            let why = format!("{name}: {value} is not a number from 1 to {most}");
            response.assert_refused(400, "INVALID_PARAMETER", &why);
        }
    }
}

#[tokio::test]
async fn a_keyword_is_looked_for_in_names_and_urls() {
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
    for (keyword, found) in [
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
        assert_eq!(page(&server, &query).await.0, found, "{keyword}");
    }
}

#[tokio::test]
async fn events_are_listed_by_pages_of_twenty() {
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
    let why = format!("this key has no webhook {id}");
    others.assert_refused(404, "WEBHOOK_NOT_FOUND", &why);
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_say_and_a_test_keys_webhook_stays_one() {
    let server = TestServer::start_frozen("live").await;
    server.freeze("sk_test_1").await;
    let url = "http://127.0.0.1:1/";
    let created = json!({"name": "mine", "url": url, "isTest": true});
    for (key, test_only) in [("live", false), ("sk_test_1", true)] {
        let created = server.post(key, WEBHOOKS, &created).await.json();
        let id = created["data"]["id"].as_i64().expect("an integer");
        let path = format!("{WEBHOOKS}/{id}");
        let changed = async |body: Value| server.call(Method::PUT, key, &path, &body).await;
        let shown = |name: &str, test: bool| {
            format!(
                r#"{{"data":{{"id":{id},"name":"{name}","url":"{url}","isActive":true,"isTest":{test},"updatedAt":"2026-03-12T10:00:00.000Z"}}}}"#
            )
        };
        for body in [
            json!({"url": url}),
            json!({"url": url, "name": null, "isTest": null}),
        ] {
            assert_eq!(changed(body).await.text(), shown("mine", true));
        }
        let body = json!({"url": url, "name": "n".repeat(100), "isTest": true});
        assert_eq!(changed(body).await.text(), shown(&"n".repeat(100), true));
        let live = changed(json!({"url": url, "name": "", "isTest": false})).await;
        if test_only {
            let why = "isTest: test keys can only have test webhooks";
            live.assert_refused(403, "AUTH_FORBIDDEN", why);
        } else {
            assert_eq!(live.text(), shown("", false));
        }
        let refused = changed(json!({"name": "without"})).await;
        assert_eq!(refused.text(), crate::support::code("VALIDATION_FAILED"));
        let why = "name: too long: 101 characters, maximum 100";
        let long = changed(json!({"url": url, "name": "n".repeat(101)})).await;
        long.assert_refused(400, "VALIDATION_FAILED", why);
        let secret = server.get(key, &path).await.json()["data"]["secret"].clone();
        assert_eq!(secret, created["data"]["secret"], "a secret stays");
    }
}
