//! Accounts: made by their first use or by hand, changed, removed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestServer, picture};

fn account(key: &str) -> Value {
    json!({
        "key": key, "plan": "unlimited", "requestsPerMinute": null, "credits": null,
        "retentionDays": null, "state": "active", "revision": null, "processing": null,
    })
}

#[tokio::test]
async fn an_account_is_made_by_its_first_use_or_by_hand_and_removed_with_all_it_owns() {
    let server = TestServer::start().await;
    let list = async || {
        server
            .control(Method::GET, "/_mock/accounts", &json!({}))
            .await
    };
    assert_eq!(list().await, json!({"accounts": [], "next": null}));
    server.get("b", "/api/v2/orders/webhooks").await;
    let set = json!({
        "plan": "pro", "requestsPerMinute": 5, "credits": 3, "retentionDays": 30,
        "state": "forbidden", "revision": "2026-10", "processing": {"delayMs": 7},
    });
    let created = server
        .control(Method::PUT, "/_mock/accounts/a%2Fb", &set)
        .await;
    let mut shown = account("a/b");
    for (name, value) in set.as_object().expect("an object") {
        shown[name] = value.clone();
    }
    shown["processing"]["jitterMs"] = json!(0);
    assert_eq!(created, shown);
    let read = server
        .control(Method::GET, "/_mock/accounts/a%2Fb", &json!({}))
        .await;
    assert_eq!(read, shown);
    assert_eq!(
        list().await,
        json!({"accounts": [shown, account("b")], "next": null})
    );
    let reset = server
        .control(Method::PUT, "/_mock/accounts/a%2Fb", &json!({}))
        .await;
    assert_eq!(reset, account("a/b"), "what is not said is as it was");
    for _ in 0..2 {
        let response = server
            .send(Method::DELETE, "/_mock/accounts/a%2Fb", &[], "")
            .await;
        assert_eq!((response.status, response.text()), (204, String::new()));
    }
    assert_eq!(
        list().await,
        json!({"accounts": [account("b")], "next": null})
    );
}

#[tokio::test]
async fn an_account_shows_its_fields_in_the_contracts_order() {
    let server = TestServer::start().await;
    let response = server
        .send(Method::PUT, "/_mock/accounts/live", &[], "{}")
        .await;
    let text = r#"{"key":"live","plan":"unlimited","requestsPerMinute":null,"credits":null,"retentionDays":null,"state":"active","revision":null,"processing":null}"#;
    assert_eq!((response.status, response.text()), (200, text.to_owned()));
}

#[tokio::test]
async fn plans_and_revisions_that_there_are_not_are_refused() {
    let server = TestServer::start().await;
    for (set, what) in [
        (
            json!({"plan": "gold"}),
            "unknown variant `gold`, expected one of `unlimited`, `free`, `pro`, `enterprise`",
        ),
        (
            json!({"revision": "2026-04"}),
            "unknown variant `2026-04`, expected `2026-03` or `2026-10`",
        ),
        (
            json!({"requestsPerMinute": -1}),
            "invalid value: integer `-1`, expected u32",
        ),
    ] {
        let response = server
            .send(Method::PUT, "/_mock/accounts/live", &[], set.to_string())
            .await;
        assert_eq!(response.status, 400);
        assert!(response.text().contains(what), "{}", response.text());
    }
}

#[tokio::test]
async fn a_retention_of_no_days_is_refused_and_nothing_is_set() {
    let server = TestServer::start().await;
    let response = server
        .send(
            Method::PUT,
            "/_mock/accounts/live",
            &[],
            r#"{"plan":"pro","retentionDays":0}"#,
        )
        .await;
    let why = "retentionDays: must be at least 1";
    let hint = "set 1 or more days, or null for the server's --retention-days";
    let error = json!({"error": {"code": "bad_body", "message": why, "hint": hint}});
    assert_eq!((response.status, response.json()), (400, error));
    let listed = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(listed, json!({"accounts": [], "next": null}));
}

#[tokio::test]
async fn processing_and_retention_are_as_set_on_the_account() {
    let server = TestServer::start_frozen("live").await;
    let set = json!({"retentionDays": 1, "processing": {"delayMs": 60_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &set)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    assert!(server.advance("live", "PT59.999S").await.is_empty());
    assert_eq!(server.advance("live", "PT0.001S").await, ["order.process"]);
    assert!(server.advance("live", "PT23H58M").await.is_empty());
    assert_eq!(server.advance("live", "PT1M").await, ["order.expire"]);
    assert_eq!(server.get_order("live", &id).await["status"], "expired");
}
