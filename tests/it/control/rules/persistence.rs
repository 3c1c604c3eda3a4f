//! Rules as they are kept: shown, listed, removed, over restarts and resets.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ORDERS, busy, hits, reads, rule, rules};
use crate::support::TestServer;

#[tokio::test]
async fn a_rule_is_shown_as_it_is_stored() {
    let server = TestServer::start().await;
    let full = json!({
        "name": "all", "account": "live",
        "when": {"operation": "bizmori.*", "method": "post", "path": "/api/*"},
        "skip": 3, "times": 7, "probability": 0.25,
        "then": {"delayMs": 5, "respond": {"status": 429, "headers": {"Retry-After": "1"}, "body": {"code": "X"}}},
    });
    let created = server.control(Method::POST, "/_mock/rules", &full).await;
    let mut shown = full;
    shown["when"]["method"] = json!("POST");
    shown["id"] = json!(1);
    shown["hits"] = json!(0);
    let mut first = shown.clone();
    first["accountKnown"] = json!(false);
    assert_eq!(created, first);
    let least = json!({"then": {"outcome": {"probability": 0.5}}});
    let created = server
        .send(Method::POST, "/_mock/rules", &[], least.to_string())
        .await;
    let text = r#"{"id":2,"name":null,"account":null,"when":{},"skip":0,"times":null,"probability":1.0,"then":{"outcome":{"probability":0.5}},"hits":0}"#;
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
    let listed = rules(&server, "").await;
    assert_eq!(listed[0], shown);
    assert_eq!(listed[2..], outcomes);
}

#[tokio::test]
async fn rules_are_listed_and_removed_one_by_one_of_an_account_or_all() {
    let server = TestServer::start().await;
    let accounts = [json!("a"), json!("b"), json!("a"), Value::Null, json!("b")];
    for account in &accounts {
        rule(&server, &json!({"account": account, "then": busy(503)})).await;
    }
    let ids = async |query: &str| {
        let listed = rules(&server, query).await;
        listed
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
    let again = delete("/_mock/rules/2").await;
    let error = json!({"error": {"code": "unknown_rule", "message": "no rule 2", "hint": "GET /_mock/rules lists all rules"}});
    assert_eq!((again.status, again.json()), (404, error));
    assert_eq!(reads(&server, "b", 1).await, [503], "rule 4 is left");
    assert_eq!(delete("/_mock/rules?account=a").await.status, 204);
    assert_eq!(ids("").await, [4, 5]);
    assert_eq!(delete("/_mock/rules?account=nobody").await.status, 204);
    assert_eq!(delete("/_mock/rules").await.status, 204);
    assert_eq!(ids("").await, [0; 0]);
    assert_eq!(reads(&server, "b", 1).await, [200]);
    assert_eq!(
        rule(&server, &json!({"then": busy(503)})).await,
        6,
        "no id is given twice"
    );
}

#[tokio::test]
async fn rules_and_what_they_have_come_across_outlive_a_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let on = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = on().await;
    let body = json!({"account": "live", "skip": 2, "times": 2, "then": {"respond": {"status": 503, "body": {"z": 1, "a": 2}}}});
    rule(&server, &body).await;
    rule(
        &server,
        &json!({"account": "live", "probability": 0.5, "then": busy(500)}),
    )
    .await;
    let first = reads(&server, "live", 3).await;
    assert_eq!(first[2], 503);
    let before = rules(&server, "").await;
    server.stop().await;

    let server = on().await;
    assert_eq!(rules(&server, "").await, before);
    let response = server.get("live", ORDERS).await;
    let body = r#"{"a":2,"z":1}"#.to_owned();
    assert_eq!((response.status, response.text()), (503, body));
    let second = reads(&server, "live", 12).await;

    let server = TestServer::start().await;
    let skipping = json!({"account": "live", "skip": 2, "times": 2, "then": busy(503)});
    rule(&server, &skipping).await;
    rule(
        &server,
        &json!({"account": "live", "probability": 0.5, "then": busy(500)}),
    )
    .await;
    let at_one_go = reads(&server, "live", 16).await;
    assert_eq!([first, vec![503], second].concat(), at_one_go);
}

#[tokio::test]
async fn an_account_that_ends_takes_its_rules_along_and_no_other() {
    let server = TestServer::start().await;
    for key in ["reset", "removed", "left"] {
        rule(&server, &json!({"account": key, "then": busy(503)})).await;
    }
    rule(&server, &json!({"skip": 1_000, "then": busy(503)})).await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "reset"}))
        .await;
    server
        .control(Method::DELETE, "/_mock/accounts/removed", &json!({}))
        .await;
    for (key, status) in [("reset", 200), ("removed", 200), ("left", 503)] {
        assert_eq!(reads(&server, key, 1).await, [status], "{key}");
    }
    assert_eq!(hits(&server).await, [1, 0]);
    assert_eq!(rules(&server, "?account=reset").await, [Value::Null; 0]);
    rule(&server, &json!({"account": "reset", "then": busy(504)})).await;
    assert_eq!(
        reads(&server, "reset", 1).await,
        [504],
        "its new life has its own"
    );
    server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    assert_eq!(rules(&server, "").await, [Value::Null; 0]);
    assert_eq!(reads(&server, "left", 1).await, [200]);
}

#[tokio::test]
async fn what_was_removed_is_not_back_after_a_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let on = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = on().await;
    for key in [json!("one"), json!("two"), json!("three"), Value::Null] {
        rule(&server, &json!({"account": key, "then": busy(503)})).await;
    }
    server
        .control(Method::DELETE, "/_mock/rules/1", &json!({}))
        .await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "two"}))
        .await;
    server.stop().await;
    let server = on().await;
    let ids: Vec<_> = rules(&server, "")
        .await
        .iter()
        .map(|rule| rule["id"].clone())
        .collect();
    assert_eq!(ids, [3, 4]);
    server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    server.stop().await;
    assert_eq!(rules(&on().await, "").await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_rule_makes_the_account_it_names_or_is_refused_where_accounts_are_set_up() {
    let server = TestServer::start().await;
    rule(&server, &json!({"account": "new", "then": busy(503)})).await;
    let listed = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(listed["accounts"][0]["key"], "new");
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let body = json!({"account": "new", "then": busy(503)}).to_string();
    let refused = server.send(Method::POST, "/_mock/rules", &[], body).await;
    let error = json!({"error": {"code": "unknown_account", "message": "no account new", "hint": "set the account up with PUT /_mock/accounts/{key}, since the mode is strict"}});
    assert_eq!((refused.status, refused.json()), (404, error));
    assert_eq!(rules(&server, "").await, [Value::Null; 0]);
}
