//! Snapshots of everything or of one account, and restoring them.

mod persistence;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, Reply, T0, TestServer, picture};

async fn get_json(server: &TestServer, path: &str) -> Value {
    server.control(Method::GET, path, &json!({})).await
}

async fn take_snapshot(server: &TestServer, name: &str, body: &Value) -> Value {
    let path = format!("/_mock/snapshots/{name}");
    server.control(Method::PUT, &path, body).await
}

async fn restore_snapshot(server: &TestServer, name: &str, body: &Value) -> Value {
    let path = format!("/_mock/snapshots/{name}/restore");
    server.control(Method::POST, &path, body).await
}

/// Removes the last matches of rules, which are in memory and not in a snapshot.
fn forget_last_matches(view: &mut Value) {
    for rule in view["rules"].as_array_mut().into_iter().flatten() {
        rule["lastMatches"].take();
    }
}

/// Returns the views of an account, without the signatures in URLs.
async fn account_view(server: &TestServer, key: &str) -> Vec<String> {
    let mut views = Vec::new();
    for path in [
        format!("/_mock/accounts/{key}"),
        format!("/_mock/clock?account={key}"),
        format!("/_mock/rules?account={key}"),
        format!("/_mock/orders?account={key}"),
        format!("/_mock/deliveries?account={key}"),
    ] {
        let response = server.send(Method::GET, &path, &[], "").await;
        let mut view = response.json();
        // The offset depends on the real time.
        if let Some(offset) = view.get_mut("offsetMs") {
            offset.take();
        }
        forget_last_matches(&mut view);
        views.push(view.to_string());
    }
    for path in [
        "/api/v2/orders",
        "/api/v2/orders/stats/recent",
        "/api/v2/orders/webhooks",
    ] {
        views.push(server.get(key, path).await.text());
    }
    views
}

/// Creates an account at [`T0`] with a webhook, a rule that was applied once, and three orders: one
/// complete, one in progress and one waiting for its upload. Returns their ids and the upload URL.
async fn create_account(server: &TestServer, key: &str, url: &str) -> (Vec<String>, String) {
    server.freeze(key).await;
    server.webhook(key, url).await;
    let rule = json!({"account": key, "name": "first", "times": 2,
        "when": {"operation": "bizmori.createAiDetection"},
        "then": {"outcome": {"probability": 0.25}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let body = |name: &str| json!({"idempotencyKey": name, "fileName": format!("{name}.jpg")});
    let complete = server
        .confirm_detection(key, &body("done"), picture())
        .await;
    assert_eq!(
        server.advance(key, "PT0.5S").await,
        ["order.process", "webhook.deliver"]
    );
    let in_progress = server
        .confirm_detection(key, &body("in_progress"), picture())
        .await;
    let (waiting, upload) = server.create_detection(key, &body("waiting")).await;
    (vec![complete, in_progress, waiting], upload)
}

/// Changes the state of an account: rules, orders, clock and settings.
async fn change_account(server: &TestServer, key: &str) {
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    let body = json!({"idempotencyKey": "later", "fileName": "later.jpg"});
    server.confirm_detection(key, &body, picture()).await;
    server.advance(key, "P8D").await;
    let settings = json!({"plan": "pro"});
    let path = format!("/_mock/accounts/{key}");
    server.control(Method::PUT, &path, &settings).await;
}

/// Asserts that a restored account continues: the order in progress ends, and the waiting order
/// accepts its upload and completes.
async fn assert_continues(server: &TestServer, key: &str, (ids, upload): &(Vec<String>, String)) {
    server.put(upload, picture()).await;
    server.confirm(key, &ids[2]).await;
    let kinds = server.advance(key, "PT0.3S").await;
    let expected = [
        "order.process",
        "order.process",
        "webhook.deliver",
        "webhook.deliver",
    ];
    assert_eq!(kinds, expected);
    for id in ids {
        let order = server.get_order(key, id).await;
        assert_eq!(order["status"], "complete", "{order}");
        let url = order["originalImageUrl"].as_str().expect("a URL");
        let download = server.send(Method::GET, url, &[], "").await;
        assert_eq!((download.status, download.bytes), (200, picture()));
    }
}

#[tokio::test]
async fn restore_all_returns_to_the_snapshot_and_continues() {
    let server = TestServer::start().await;
    let receiver = Receiver::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let rule = json!({"when": {"operation": "storage.put"}, "then": {"delayMs": 1}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let one = create_account(&server, "one", &receiver.url).await;
    let two = create_account(&server, "two", &receiver.url).await;
    let snapshot = take_snapshot(&server, "begin", &json!({})).await;
    assert_eq!(
        snapshot,
        json!({"name": "begin", "account": null, "takenAt": snapshot["takenAt"],
            "accounts": 2, "orders": 6, "bytes": snapshot["bytes"]})
    );
    assert!(snapshot["bytes"].as_u64() > Some(4 * 1024), "{snapshot}");
    let mut rules = get_json(&server, "/_mock/rules").await;
    forget_last_matches(&mut rules);
    let before = (
        account_view(&server, "one").await,
        account_view(&server, "two").await,
    );

    for _ in 0..2 {
        change_account(&server, "one").await;
        server.advance("two", "P8D").await;
        let body = json!({"idempotencyKey": "x", "fileName": "x.jpg"});
        server.confirm_detection("three", &body, picture()).await;
        let later = json!({"mode": "frozen", "now": "2030-01-01T00:00:00Z"});
        server.control(Method::PUT, "/_mock/clock", &later).await;
        assert_eq!(
            restore_snapshot(&server, "begin", &json!({})).await,
            snapshot
        );
        let after = (
            account_view(&server, "one").await,
            account_view(&server, "two").await,
        );
        assert_eq!(after, before);
        let mut restored_rules = get_json(&server, "/_mock/rules").await;
        forget_last_matches(&mut restored_rules);
        assert_eq!(restored_rules, rules);
        let clock = get_json(&server, "/_mock/clock").await;
        assert_eq!(clock["now"], T0);
        let accounts = get_json(&server, "/_mock/accounts").await;
        let keys: Vec<_> = accounts["accounts"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|account| account["key"].as_str())
            .collect();
        assert_eq!(keys, [Some("one"), Some("two")]);
        assert_continues(&server, "one", &one).await;
        assert_continues(&server, "two", &two).await;
    }
}

#[tokio::test]
async fn restore_one_account_leaves_others_unchanged() {
    let server = TestServer::start().await;
    let receiver = Receiver::start().await;
    let mine = create_account(&server, "mine", &receiver.url).await;
    let other = create_account(&server, "other", &receiver.url).await;
    let before = account_view(&server, "mine").await;
    let snapshot = take_snapshot(&server, "mine at first", &json!({"account": "mine"})).await;
    assert_eq!(
        (
            &snapshot["account"],
            &snapshot["accounts"],
            &snapshot["orders"]
        ),
        (&json!("mine"), &json!(1), &json!(3))
    );
    let all = take_snapshot(&server, "all", &json!({})).await;
    assert_eq!(all["orders"], 6);
    for (name, scope) in [
        ("mine at first", json!({"account": "mine"})),
        ("all", json!({"account": "mine"})),
    ] {
        change_account(&server, "mine").await;
        let others = account_view(&server, "other").await;
        restore_snapshot(&server, name, &scope).await;
        assert_eq!(
            account_view(&server, "mine").await,
            before,
            "{name} {scope}"
        );
        assert_eq!(
            account_view(&server, "other").await,
            others,
            "{name} {scope}"
        );
        assert_continues(&server, "mine", &mine).await;
    }
    server.put(&other.1, picture()).await;
    let refused = server
        .send(
            Method::POST,
            "/_mock/snapshots/mine%20at%20first/restore",
            &[],
            r#"{"account":"other"}"#,
        )
        .await;
    let expected = json!({"error": {"code": "unknown_snapshot",
        "message": "no snapshot mine at first of account other, or of everything",
        "hint": "GET /_mock/snapshots lists all snapshots"}});
    assert_eq!((refused.status, refused.json()), (404, expected));
}

#[tokio::test]
async fn snapshots_of_two_accounts_with_one_name_are_separate() {
    let data = tempfile::tempdir().expect("a directory");
    let start = async || {
        let path = data.path().to_owned();
        TestServer::with_config(|config| config.data_dir = Some(path)).await
    };
    let server = start().await;
    let probability = async |server: &TestServer, key: &str| {
        let rules = get_json(server, &format!("/_mock/rules?account={key}")).await;
        rules["rules"][0]["then"]["outcome"]["probability"].clone()
    };
    let set_probability = async |server: &TestServer, key: &str, probability: f64| {
        let path = format!("/_mock/rules?account={key}");
        let no_body = json!({});
        server.control(Method::DELETE, &path, &no_body).await;
        let rule = json!({"account": key, "then": {"outcome": {"probability": probability}}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
    };
    for (key, first) in [("one", 0.1), ("two", 0.2)] {
        set_probability(&server, key, first).await;
        take_snapshot(&server, "begin", &json!({"account": key})).await;
        set_probability(&server, key, 0.9).await;
    }
    let names = async |server: &TestServer, query: &str| {
        let listing = get_json(server, &format!("/_mock/snapshots{query}")).await;
        let snapshots = listing["snapshots"].as_array().expect("a list").iter();
        let names = snapshots.map(|it| (it["name"].clone(), it["account"].clone()));
        names.collect::<Vec<_>>()
    };
    let name_of = |account: &str| (json!("begin"), json!(account));
    assert_eq!(names(&server, "").await, [name_of("one"), name_of("two")]);
    assert_eq!(names(&server, "?account=two").await, [name_of("two")]);
    let path = "/_mock/snapshots/begin/restore";
    let refused = server.send(Method::POST, path, &[], "").await;
    let expected = json!({"error": {"code": "unknown_snapshot",
        "message": "no snapshot begin of everything; account one has one",
        "hint": "add this account to the request"}});
    assert_eq!((refused.status, refused.json()), (404, expected));
    restore_snapshot(&server, "begin", &json!({"account": "two"})).await;
    assert_eq!(probability(&server, "one").await, 0.9);
    assert_eq!(probability(&server, "two").await, 0.2);
    take_snapshot(&server, "begin", &json!({})).await;
    assert_eq!(
        names(&server, "").await.len(),
        3,
        "the snapshot of everything is a third one"
    );
    server.stop().await;
    let server = start().await;
    assert_eq!(
        names(&server, "").await.len(),
        3,
        "all snapshots remain after a restart"
    );
    restore_snapshot(&server, "begin", &json!({"account": "one"})).await;
    assert_eq!(
        probability(&server, "one").await,
        0.1,
        "the snapshot of the account takes precedence"
    );
    let delete = async |query: &str| {
        let path = format!("/_mock/snapshots/begin{query}");
        server.send(Method::DELETE, &path, &[], "").await.status
    };
    assert_eq!(delete("?account=one").await, 204);
    assert_eq!(
        delete("?account=one").await,
        404,
        "the snapshot of everything is not deleted"
    );
    restore_snapshot(&server, "begin", &json!({"account": "one"})).await;
    assert_eq!(
        probability(&server, "one").await,
        0.9,
        "restored from the snapshot of everything"
    );
    assert_eq!(delete("").await, 204);
    assert_eq!(names(&server, "").await, [name_of("two")]);
}

#[tokio::test]
async fn restore_during_a_delivery_repeats_it_once() {
    let server = TestServer::start().await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    server.webhook("live", &receiver.url).await;
    let settings = json!({"processing": {"delayMs": 0}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    take_snapshot(&server, "in flight", &json!({})).await;
    restore_snapshot(&server, "in flight", &json!({})).await;
    server.drain("live").await;
    let messages = receiver.messages(2).await;
    assert_eq!(
        messages[0].body, messages[1].body,
        "both deliveries are the same event"
    );
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    let deliveries = get_json(&server, "/_mock/deliveries?account=live").await;
    let attempts = deliveries["deliveries"].as_array().expect("a list");
    assert_eq!(
        attempts.len(),
        1,
        "the attempt before the restore is not recorded"
    );
}

#[tokio::test]
async fn restore_account_with_running_clock_continues_from_its_instant() {
    let server = TestServer::start().await;
    let running = json!({"account": "live", "mode": "running", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &running).await;
    take_snapshot(&server, "then", &json!({"account": "live"})).await;
    server.advance("live", "P30D").await;
    restore_snapshot(&server, "then", &json!({"account": "live"})).await;
    let clock = get_json(&server, "/_mock/clock?account=live").await;
    assert_eq!(clock["mode"], "running");
    let now = clock["now"].as_str().expect("an instant");
    assert!(now.starts_with("2026-03-12T10:0"), "{now}");
}

#[tokio::test]
async fn restore_clears_requests_and_inboxes_of_restored_accounts() {
    let server = TestServer::start().await;
    for (scope, others_count) in [(json!({"account": "live"}), 1), (json!({}), 0)] {
        for key in ["live", "other"] {
            let path = format!("/_mock/inbox/{key}");
            let settings = json!({"account": key});
            server.control(Method::PUT, &path, &settings).await;
            server.get(key, "/api/v2/orders/1").await;
        }
        take_snapshot(&server, "a", &scope).await;
        for key in ["live", "other"] {
            let path = format!("/_mock/inbox/{key}");
            server.send(Method::POST, &path, &[], "hello").await;
        }
        restore_snapshot(&server, "a", &scope).await;
        for (key, count) in [("live", 0), ("other", others_count)] {
            let requests = get_json(&server, &format!("/_mock/requests?account={key}")).await;
            let received = get_json(&server, &format!("/_mock/inbox/{key}/messages")).await;
            let lists = [&requests["requests"], &received["messages"]];
            let counts = lists.map(|list| list.as_array().map(Vec::len));
            assert_eq!(counts, [Some(count); 2], "{key} {scope}");
        }
    }
}
