//! Edits of rules in place, disabled rules, and last matches.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::{WEBHOOKS, add_rule, hits, list_rules, read_statuses, respond_with};
use crate::support::{T0, TestServer, picture};

async fn put_rule(server: &TestServer, id: i64, body: &Value) -> Value {
    let path = format!("/_mock/rules/{id}");
    server.control(Method::PUT, &path, body).await
}

#[tokio::test]
async fn put_rule_replaces_all_but_id_account_and_hits() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({
        "name": "first", "account": "live", "when": {"operation": "bizmori.*"}, "skip": 1,
        "times": 9, "probability": 0.9999, "then": respond_with(503),
    });
    let id = add_rule(&server, &body).await;
    let later = json!({"account": "live", "then": respond_with(500)});
    add_rule(&server, &later).await;
    assert_eq!(read_statuses(&server, "live", 3).await, [500, 503, 503]);

    let edited = put_rule(&server, id, &json!({"then": respond_with(504)})).await;
    let matched = |seq: u64, applied: bool| {
        json!({"at": T0, "account": "live", "operation": "bizmori.listWebhooks", "seq": seq,
               "orderId": null, "applied": applied})
    };
    let expected = json!({
        "id": id, "name": null, "account": "live", "enabled": true, "when": {}, "skip": 0,
        "times": null, "probability": 1.0, "then": respond_with(504), "hits": 2,
        "lastMatches": [matched(3, true), matched(2, true), matched(1, false)],
    });
    assert_eq!(edited, expected);
    assert_eq!(
        list_rules(&server, "").await[0],
        expected,
        "keeps its place"
    );
    assert_eq!(read_statuses(&server, "live", 1).await, [504]);
    assert_eq!(hits(&server).await, [3, 1]);
}

#[tokio::test]
async fn put_rule_counts_times_and_skip_from_its_creation() {
    let server = TestServer::start().await;
    let id = add_rule(&server, &json!({"times": 1, "then": respond_with(503)})).await;
    assert_eq!(read_statuses(&server, "live", 2).await, [503, 200]);
    put_rule(&server, id, &json!({"times": 2, "then": respond_with(504)})).await;
    assert_eq!(read_statuses(&server, "live", 2).await, [504, 200]);
    put_rule(&server, id, &json!({"skip": 3, "then": respond_with(500)})).await;
    assert_eq!(read_statuses(&server, "live", 2).await, [200, 500]);
}

#[tokio::test]
async fn disabled_rule_matches_nothing_until_it_is_enabled() {
    let server = TestServer::start().await;
    let rule = |enabled: bool| json!({"enabled": enabled, "then": respond_with(503)});
    let id = add_rule(&server, &rule(false)).await;
    assert_eq!(read_statuses(&server, "live", 2).await, [200, 200]);
    let listed = &list_rules(&server, "").await[0];
    let expected = (&json!(false), &json!(0), &json!([]));
    assert_eq!(
        (&listed["enabled"], &listed["hits"], &listed["lastMatches"]),
        expected
    );
    assert_eq!(put_rule(&server, id, &rule(true)).await["enabled"], true);
    assert_eq!(read_statuses(&server, "live", 1).await, [503]);
    put_rule(&server, id, &rule(false)).await;
    assert_eq!(read_statuses(&server, "live", 1).await, [200]);
    assert_eq!(hits(&server).await, [1]);
}

#[tokio::test]
async fn restart_preserves_edited_and_disabled_rules() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    let id = add_rule(&server, &json!({"then": respond_with(503)})).await;
    assert_eq!(read_statuses(&server, "live", 1).await, [503]);
    let disabled = json!({"enabled": false, "name": "off", "then": respond_with(504)});
    let mut edited = put_rule(&server, id, &disabled).await;
    server.stop().await;
    edited["lastMatches"] = json!([]);
    assert_eq!(edited["hits"], 1);
    assert_eq!(list_rules(&start().await, "").await, [edited]);
}

#[tokio::test]
async fn last_matches_have_the_last_five_newest_first() {
    let server = TestServer::start_frozen("live").await;
    let order_rule =
        json!({"account": "live", "skip": 1, "then": {"outcome": {"probability": 0.5}}});
    add_rule(&server, &order_rule).await;
    add_rule(
        &server,
        &json!({"when": {"operation": "storage.*"}, "then": {"delayMs": 0}}),
    )
    .await;
    let mut ids = Vec::new();
    for n in 0..7 {
        let body = json!({"idempotencyKey": format!("create {n}"), "fileName": "a.jpg"});
        ids.push(server.create_detection("live", &body).await.0);
    }
    // A replayed create matches no rule.
    let body = json!({"idempotencyKey": "create 6", "fileName": "a.jpg"});
    let (_, upload) = server.create_detection("live", &body).await;
    server.put(&upload, picture()).await;
    let rules = list_rules(&server, "").await;
    let matched = |id: &String| {
        json!({"at": T0, "account": "live", "operation": "bizmori.createAiDetection", "seq": null,
               "orderId": id, "applied": true})
    };
    let expected: Vec<Value> = ids[2..].iter().rev().map(matched).collect();
    assert_eq!(rules[0]["lastMatches"], json!(expected));
    let put = json!({"at": T0, "account": "live", "operation": "storage.put", "seq": 9,
                     "orderId": null, "applied": true});
    assert_eq!(rules[1]["lastMatches"], json!([put]));
}

#[tokio::test]
async fn last_match_without_account_has_the_real_time_and_no_account() {
    let server = TestServer::start().await;
    add_rule(&server, &json!({"then": respond_with(503)})).await;
    let response = server.send(Method::GET, WEBHOOKS, &[], "").await;
    assert_eq!(response.status, 503);
    let mut matched = list_rules(&server, "").await[0]["lastMatches"][0].take();
    let at = matched["at"].take();
    assert!(at.as_str().is_some_and(|at| at.ends_with('Z')), "{at}");
    let seq = response.header("x-mock-request").parse::<u64>();
    assert_eq!(
        matched,
        json!({"at": null, "account": null, "operation": "bizmori.listWebhooks",
               "seq": seq.expect("a number"), "orderId": null, "applied": true})
    );
}

#[tokio::test]
async fn put_rule_with_an_error_changes_nothing() {
    let server = TestServer::start().await;
    let mine = json!({"account": "mine", "then": respond_with(503)});
    let id = add_rule(&server, &mine).await;
    let general = add_rule(&server, &json!({"then": {"delayMs": 0}})).await;
    let before = list_rules(&server, "").await;
    let moved = "the account of a rule cannot be changed: delete the rule and create another";
    let account = "account: rule 1 is not a rule of this account";
    let list = "GET /_mock/rules lists all rules";
    let then = "set one of: delayMs, respond, fault, outcome, processing, webhook";
    let with = |account: &str| json!({"account": account, "then": {"delayMs": 1}});
    for (path, body, status, code, message, hint) in [
        (
            format!("{id}"),
            with("other"),
            400,
            "bad_rule",
            account,
            moved,
        ),
        (
            format!("{id}?account=other"),
            json!({"then": {"delayMs": 1}}),
            400,
            "bad_rule",
            account,
            moved,
        ),
        (
            format!("{general}"),
            with("mine"),
            400,
            "bad_rule",
            "account: rule 2 is not a rule of this account",
            moved,
        ),
        (
            format!("{id}"),
            json!({"then": {}}),
            400,
            "bad_rule",
            "then: at least one effect is required",
            then,
        ),
        (
            "7".to_owned(),
            with("mine"),
            404,
            "unknown_rule",
            "no rule 7",
            list,
        ),
        (
            "x".to_owned(),
            with("mine"),
            404,
            "unknown_rule",
            "no rule x",
            list,
        ),
    ] {
        let path = format!("/_mock/rules/{path}");
        let response = server.send(Method::PUT, &path, &[], body.to_string()).await;
        let error = json!({"code": code, "message": message, "hint": hint});
        assert_eq!(
            (response.status, &response.json()["error"]),
            (status, &error),
            "{path}"
        );
    }
    assert_eq!(list_rules(&server, "").await, before);
    let accounts = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(accounts["accounts"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn put_rule_while_requests_are_evaluated_applies_the_old_or_the_new_rule() {
    const EDITS: u64 = 60;
    let server = Arc::new(TestServer::start().await);
    let version = |n: u64| {
        let respond =
            json!({"status": 500 + n % 2, "headers": {"x-version": n % 2}, "body": n % 2});
        json!({"name": format!("v{}", n % 2), "account": "live", "then": {"respond": respond}})
    };
    let id = add_rule(&server, &version(0)).await;
    let reader = |server: Arc<TestServer>| {
        tokio::spawn(async move {
            for _ in 0..EDITS {
                let response = server.get("live", WEBHOOKS).await;
                let n = response.status - 500;
                assert_eq!(response.header("x-version"), n.to_string());
                assert_eq!(response.text(), n.to_string());
                assert_eq!(response.header("x-mock-reason"), format!("rule 1 (v{n})"));
            }
        })
    };
    let readers: Vec<_> = (0..3).map(|_| reader(Arc::clone(&server))).collect();
    for n in 1..=EDITS {
        put_rule(&server, id, &version(n)).await;
    }
    for reader in readers {
        reader.await.expect("no panic");
    }
    assert_eq!(hits(&server).await, [3 * 60], "no hit is lost");
}
