//! Stored rules: views, listings, deletion, restarts and resets.

use reqwest::Method;
use serde_json::{Value, json};

use super::{WEBHOOKS, add_rule, hits, list_rules, read_statuses, respond_with};
use crate::support::TestServer;

#[tokio::test]
async fn create_rule_answers_its_stored_form() {
    let server = TestServer::start().await;
    let full = json!({
        "name": "all", "account": "live",
        "when": {"operation": "bizmori.*", "method": "post", "path": "/api/*"},
        "skip": 3, "times": 7, "probability": 0.25,
        "then": {"delayMs": 5, "respond": {"status": 429, "headers": {"Retry-After": "1"}, "body": {"code": "X"}}},
    });
    let created = server.control(Method::POST, "/_mock/rules", &full).await;
    let mut expected = full;
    expected["when"]["method"] = json!("POST");
    expected["id"] = json!(1);
    expected["enabled"] = json!(true);
    expected["hits"] = json!(0);
    expected["lastMatches"] = json!([]);
    let mut first = expected.clone();
    first["accountKnown"] = json!(false);
    assert_eq!(created, first);
    let minimal = json!({"then": {"outcome": {"probability": 0.5}}});
    let created = server
        .send(Method::POST, "/_mock/rules", &[], minimal.to_string())
        .await;
    let text = r#"{"id":2,"name":null,"account":null,"enabled":true,"when":{},"skip":0,"times":null,"probability":1.0,"then":{"outcome":{"probability":0.5}},"hits":0,"lastMatches":[]}"#;
    assert_eq!((created.status, created.text()), (201, text.to_owned()));
    let mut outcomes = Vec::new();
    for outcome in [
        json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"}),
        json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT", "errorMessage": "b"}),
        json!({"finalResult": "AI Edited"}),
        json!({"finalResult": "Grok", "probability": 0.9}),
    ] {
        let body = json!({"when": {"fileName": "*_x.jpg"}, "then": {"outcome": outcome}});
        let created = server.control(Method::POST, "/_mock/rules", &body).await;
        assert_eq!(
            (&created["when"], &created["then"]),
            (&body["when"], &body["then"])
        );
        outcomes.push(created);
    }
    let rules = list_rules(&server, "").await;
    assert_eq!(rules[0], expected);
    assert_eq!(rules[2..], outcomes);
}

#[tokio::test]
async fn delete_one_rule_or_all_of_an_account_removes_them_from_listings() {
    let server = TestServer::start().await;
    let accounts = [json!("a"), json!("b"), json!("a"), Value::Null, json!("b")];
    for account in &accounts {
        add_rule(
            &server,
            &json!({"account": account, "then": respond_with(503)}),
        )
        .await;
    }
    let ids = async |query: &str| {
        let rules = list_rules(&server, query).await;
        rules
            .iter()
            .map(|rule| rule["id"].as_i64().expect("an id"))
            .collect::<Vec<_>>()
    };
    let delete = async |path: &str| server.send(Method::DELETE, path, &[], "").await;
    assert_eq!(ids("").await, [1, 2, 3, 4, 5]);
    assert_eq!(ids("?account=a").await, [1, 3]);
    assert_eq!(ids("?account=nobody").await, [0; 0]);
    let response = delete("/_mock/rules/2").await;
    assert_eq!((response.status, response.text()), (204, String::new()));
    let repeated = delete("/_mock/rules/2").await;
    let error = json!({"error": {"code": "unknown_rule", "message": "no rule 2", "hint": "GET /_mock/rules lists all rules"}});
    assert_eq!((repeated.status, repeated.json()), (404, error));
    assert_eq!(
        read_statuses(&server, "b", 1).await,
        [503],
        "rule 4 remains"
    );
    assert_eq!(delete("/_mock/rules?account=a").await.status, 204);
    assert_eq!(ids("").await, [4, 5]);
    assert_eq!(delete("/_mock/rules?account=nobody").await.status, 204);
    assert_eq!(delete("/_mock/rules").await.status, 204);
    assert_eq!(ids("").await, [0; 0]);
    assert_eq!(read_statuses(&server, "b", 1).await, [200]);
    assert_eq!(
        add_rule(&server, &json!({"then": respond_with(503)})).await,
        6,
        "ids are never reused"
    );
}

#[tokio::test]
async fn restart_preserves_rules_and_their_counts() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    let body = json!({"account": "live", "skip": 2, "times": 2, "then": {"respond": {"status": 503, "body": {"z": 1, "a": 2}}}});
    add_rule(&server, &body).await;
    add_rule(
        &server,
        &json!({"account": "live", "probability": 0.5, "then": respond_with(500)}),
    )
    .await;
    let first = read_statuses(&server, "live", 3).await;
    assert_eq!(first[2], 503);
    let mut before = list_rules(&server, "").await;
    server.stop().await;
    // Counts are stored, matches are not.
    for rule in &mut before {
        rule["lastMatches"] = json!([]);
    }

    let server = start().await;
    assert_eq!(list_rules(&server, "").await, before);
    let response = server.get("live", WEBHOOKS).await;
    let body = r#"{"a":2,"z":1}"#.to_owned();
    assert_eq!((response.status, response.text()), (503, body));
    let second = read_statuses(&server, "live", 12).await;

    let server = TestServer::start().await;
    let skipping = json!({"account": "live", "skip": 2, "times": 2, "then": respond_with(503)});
    add_rule(&server, &skipping).await;
    add_rule(
        &server,
        &json!({"account": "live", "probability": 0.5, "then": respond_with(500)}),
    )
    .await;
    let without_restart = read_statuses(&server, "live", 16).await;
    assert_eq!([first, vec![503], second].concat(), without_restart);
}

#[tokio::test]
async fn reset_or_delete_account_removes_its_rules_only() {
    let server = TestServer::start().await;
    for key in ["reset", "deleted", "other"] {
        add_rule(&server, &json!({"account": key, "then": respond_with(503)})).await;
    }
    add_rule(&server, &json!({"skip": 1_000, "then": respond_with(503)})).await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "reset"}))
        .await;
    server
        .control(Method::DELETE, "/_mock/accounts/deleted", &json!({}))
        .await;
    for (key, status) in [("reset", 200), ("deleted", 200), ("other", 503)] {
        assert_eq!(read_statuses(&server, key, 1).await, [status], "{key}");
    }
    assert_eq!(hits(&server).await, [1, 0]);
    assert_eq!(
        list_rules(&server, "?account=reset").await,
        [Value::Null; 0]
    );
    add_rule(
        &server,
        &json!({"account": "reset", "then": respond_with(504)}),
    )
    .await;
    assert_eq!(
        read_statuses(&server, "reset", 1).await,
        [504],
        "the new account has its own rules"
    );
    server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    assert_eq!(list_rules(&server, "").await, [Value::Null; 0]);
    assert_eq!(read_statuses(&server, "other", 1).await, [200]);
}

#[tokio::test]
async fn restart_after_deleting_rules_does_not_restore_them() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    for key in [json!("one"), json!("two"), json!("three"), Value::Null] {
        add_rule(&server, &json!({"account": key, "then": respond_with(503)})).await;
    }
    server
        .control(Method::DELETE, "/_mock/rules/1", &json!({}))
        .await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "two"}))
        .await;
    server.stop().await;
    let server = start().await;
    let ids: Vec<_> = list_rules(&server, "")
        .await
        .iter()
        .map(|rule| rule["id"].clone())
        .collect();
    assert_eq!(ids, [3, 4]);
    server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    server.stop().await;
    assert_eq!(list_rules(&start().await, "").await, [Value::Null; 0]);
}

#[tokio::test]
async fn create_rule_for_unknown_account_creates_it_or_is_refused_in_strict_mode() {
    let server = TestServer::start().await;
    add_rule(
        &server,
        &json!({"account": "new", "then": respond_with(503)}),
    )
    .await;
    let listing = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(listing["accounts"][0]["key"], "new");
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let body = json!({"account": "new", "then": respond_with(503)}).to_string();
    let refused = server.send(Method::POST, "/_mock/rules", &[], body).await;
    let error = json!({"error": {"code": "unknown_account", "message": "no account new", "hint": "set the account up with PUT /_mock/accounts/{key}, since the mode is strict"}});
    assert_eq!((refused.status, refused.json()), (404, error));
    assert_eq!(list_rules(&server, "").await, [Value::Null; 0]);
}
