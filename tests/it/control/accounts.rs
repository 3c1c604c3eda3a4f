//! Accounts: created by first use or by PUT, changed, deleted.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{T0, TestServer, picture};

fn account_view(key: &str) -> Value {
    let hash = match key {
        "a/b" => "c14cddc0",
        _ => "3e23e816",
    };
    json!({
        "key": key, "hash": hash, "createdAt": T0, "plan": "unlimited", "requestsPerMinute": null, "credits": null,
        "retentionDays": null, "state": "active", "revision": null, "processing": null,
    })
}

async fn freeze_default_clock(server: &TestServer) {
    let frozen = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &frozen).await;
}

#[tokio::test]
async fn create_account_by_first_use_or_put_lists_it_until_deleted() {
    let server = TestServer::start().await;
    freeze_default_clock(&server).await;
    let list = async || {
        server
            .control(Method::GET, "/_mock/accounts", &json!({}))
            .await
    };
    assert_eq!(list().await, json!({"accounts": [], "next": null}));
    server.get("b", "/api/v2/orders/webhooks").await;
    let settings = json!({
        "plan": "pro", "requestsPerMinute": 5, "credits": 3, "retentionDays": 30,
        "state": "forbidden", "revision": "2026-10", "processing": {"delayMs": 7},
    });
    let created = server
        .control(Method::PUT, "/_mock/accounts/a%2Fb", &settings)
        .await;
    let mut expected = account_view("a/b");
    for (name, value) in settings.as_object().expect("an object") {
        expected[name] = value.clone();
    }
    expected["processing"]["jitterMs"] = json!(0);
    assert_eq!(created, expected);
    let read = server
        .control(Method::GET, "/_mock/accounts/a%2Fb", &json!({}))
        .await;
    assert_eq!(read, expected);
    assert_eq!(
        list().await,
        json!({"accounts": [expected, account_view("b")], "next": null})
    );
    let reset = server
        .control(Method::PUT, "/_mock/accounts/a%2Fb", &json!({}))
        .await;
    assert_eq!(
        reset,
        account_view("a/b"),
        "missing fields are reset to their defaults"
    );
    for _ in 0..2 {
        let response = server
            .send(Method::DELETE, "/_mock/accounts/a%2Fb", &[], "")
            .await;
        assert_eq!((response.status, response.text()), (204, String::new()));
    }
    assert_eq!(
        list().await,
        json!({"accounts": [account_view("b")], "next": null})
    );
}

#[tokio::test]
async fn put_account_answers_fields_in_the_order_of_the_contract() {
    let server = TestServer::start().await;
    freeze_default_clock(&server).await;
    let response = server
        .send(Method::PUT, "/_mock/accounts/live", &[], "{}")
        .await;
    let text = r#"{"key":"live","hash":"247610f4","createdAt":"2026-03-12T10:00:00.000Z","plan":"unlimited","requestsPerMinute":null,"credits":null,"retentionDays":null,"state":"active","revision":null,"processing":null}"#;
    assert_eq!((response.status, response.text()), (200, text.to_owned()));
}

#[tokio::test]
async fn put_account_with_unknown_plan_or_revision_is_refused() {
    let server = TestServer::start().await;
    for (settings, message) in [
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
            .send(
                Method::PUT,
                "/_mock/accounts/live",
                &[],
                settings.to_string(),
            )
            .await;
        assert_eq!(response.status, 400);
        assert!(response.text().contains(message), "{}", response.text());
    }
}

#[tokio::test]
async fn put_account_with_retention_of_zero_days_is_refused_and_changes_nothing() {
    let server = TestServer::start().await;
    let response = server
        .send(
            Method::PUT,
            "/_mock/accounts/live",
            &[],
            r#"{"plan":"pro","retentionDays":0}"#,
        )
        .await;
    let message = "retentionDays: must be at least 1";
    let hint = "set 1 or more days, or null for the server's --retention-days";
    let error = json!({"error": {"code": "bad_body", "message": message, "hint": hint}});
    assert_eq!((response.status, response.json()), (400, error));
    let listing = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(listing, json!({"accounts": [], "next": null}));
}

#[tokio::test]
async fn set_processing_and_retention_applies_to_orders_of_the_account() {
    let server = TestServer::start_frozen("live").await;
    let settings = json!({"retentionDays": 1, "processing": {"delayMs": 60_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    assert!(server.advance("live", "PT59.999S").await.is_empty());
    assert_eq!(server.advance("live", "PT0.001S").await, ["order.process"]);
    assert!(server.advance("live", "PT23H58M").await.is_empty());
    assert_eq!(server.advance("live", "PT1M").await, ["order.expire"]);
    assert_eq!(server.get_order("live", &id).await["status"], "expired");
}
