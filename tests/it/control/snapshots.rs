//! Snapshots: everything, or one account, as it was.

mod persistence;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, Reply, T0, TestServer, picture};

async fn look(server: &TestServer, path: &str) -> Value {
    server.control(Method::GET, path, &json!({})).await
}

async fn take(server: &TestServer, name: &str, body: &Value) -> Value {
    let path = format!("/_mock/snapshots/{name}");
    server.control(Method::PUT, &path, body).await
}

async fn restore(server: &TestServer, name: &str, body: &Value) -> Value {
    let path = format!("/_mock/snapshots/{name}/restore");
    server.control(Method::POST, &path, body).await
}

/// What can be seen of an account, but for the signatures in URLs.
async fn account_view(server: &TestServer, key: &str) -> Vec<String> {
    let mut observed = Vec::new();
    for path in [
        format!("/_mock/accounts/{key}"),
        format!("/_mock/clock?account={key}"),
        format!("/_mock/rules?account={key}"),
        format!("/_mock/orders?account={key}"),
        format!("/_mock/deliveries?account={key}"),
    ] {
        let response = server.send(Method::GET, &path, &[], "").await;
        let mut shown = response.json();
        // By the real time, which goes on.
        if let Some(offset) = shown.get_mut("offsetMs") {
            offset.take();
        }
        observed.push(shown.to_string());
    }
    for path in [
        "/api/v2/orders",
        "/api/v2/orders/stats/recent",
        "/api/v2/orders/webhooks",
    ] {
        observed.push(server.get(key, path).await.text());
    }
    observed
}

/// An account at [`T0`] with a webhook, a rule that was applied once, an order that is done, one
/// under way and one that waits for its upload: their ids, and where that goes.
async fn live(server: &TestServer, key: &str, url: &str) -> (Vec<String>, String) {
    server.freeze(key).await;
    server.webhook(key, url).await;
    let rule = json!({"account": key, "name": "first", "times": 2,
        "when": {"operation": "bizmori.createAiDetection"},
        "then": {"outcome": {"probability": 0.25}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let body = |name: &str| json!({"idempotencyKey": name, "fileName": format!("{name}.jpg")});
    let result = server
        .confirm_detection(key, &body("done"), picture())
        .await;
    assert_eq!(
        server.advance(key, "PT0.5S").await,
        ["order.process", "webhook.deliver"]
    );
    let under_way = server
        .confirm_detection(key, &body("under_way"), picture())
        .await;
    let (waiting, upload) = server.create_detection(key, &body("waiting")).await;
    (vec![result, under_way, waiting], upload)
}

/// Nothing is as it was.
async fn ruin(server: &TestServer, key: &str) {
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

/// It goes on from there: the next order has the id that it had, what was under way ends, and
/// what waits takes its upload.
async fn creates_next_order(stunt: &TestServer, key: &str, (ids, upload): &(Vec<String>, String)) {
    stunt.put(upload, picture()).await;
    stunt.confirm(key, &ids[2]).await;
    let ran = stunt.advance(key, "PT0.3S").await;
    let (result, told) = ("order.process", "webhook.deliver");
    assert_eq!(ran, [result, result, told, told]);
    for id in ids {
        let order = stunt.get_order(key, id).await;
        assert_eq!(order["status"], "complete", "{order}");
        let picture_of_it = order["originalImageUrl"].as_str().expect("a URL");
        let fetched = stunt.send(Method::GET, picture_of_it, &[], "").await;
        assert_eq!((fetched.status, fetched.bytes), (200, picture()));
    }
}

#[tokio::test]
async fn restore_all_returns_to_the_snapshot_and_continues() {
    let (server, receiver) = (TestServer::start().await, Receiver::start().await);
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let rule = json!({"when": {"operation": "storage.put"}, "then": {"delayMs": 1}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let one = live(&server, "one", &receiver.url).await;
    let two = live(&server, "two", &receiver.url).await;
    let snapshot = take(&server, "begin", &json!({})).await;
    assert_eq!(
        snapshot,
        json!({"name": "begin", "account": null, "takenAt": snapshot["takenAt"],
            "accounts": 2, "orders": 6, "bytes": snapshot["bytes"]})
    );
    assert!(snapshot["bytes"].as_u64() > Some(4 * 1024), "{snapshot}");
    let rules = look(&server, "/_mock/rules").await;
    let before = (
        account_view(&server, "one").await,
        account_view(&server, "two").await,
    );

    for _ in 0..2 {
        ruin(&server, "one").await;
        server.advance("two", "P8D").await;
        let body = json!({"idempotencyKey": "x", "fileName": "x.jpg"});
        server.confirm_detection("three", &body, picture()).await;
        let later = json!({"mode": "frozen", "now": "2030-01-01T00:00:00Z"});
        server.control(Method::PUT, "/_mock/clock", &later).await;
        assert_eq!(restore(&server, "begin", &json!({})).await, snapshot);
        let after = (
            account_view(&server, "one").await,
            account_view(&server, "two").await,
        );
        assert_eq!(after, before);
        let again = look(&server, "/_mock/rules").await;
        assert_eq!(again, rules);
        let clock = look(&server, "/_mock/clock").await;
        assert_eq!(clock["now"], T0);
        let accounts = look(&server, "/_mock/accounts").await;
        let keys: Vec<_> = accounts["accounts"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|account| account["key"].as_str())
            .collect();
        assert_eq!(keys, [Some("one"), Some("two")]);
        creates_next_order(&server, "one", &one).await;
        creates_next_order(&server, "two", &two).await;
    }
}

#[tokio::test]
async fn restore_one_account_leaves_others_unchanged() {
    let (server, receiver) = (TestServer::start().await, Receiver::start().await);
    let mine = live(&server, "mine", &receiver.url).await;
    let other = live(&server, "other", &receiver.url).await;
    let before = account_view(&server, "mine").await;
    let snapshot = take(&server, "mine at first", &json!({"account": "mine"})).await;
    assert_eq!(
        (
            &snapshot["account"],
            &snapshot["accounts"],
            &snapshot["orders"]
        ),
        (&json!("mine"), &json!(1), &json!(3))
    );
    let all = take(&server, "all", &json!({})).await;
    assert_eq!(all["orders"], 6);
    for (name, of) in [
        ("mine at first", json!({"account": "mine"})),
        ("all", json!({"account": "mine"})),
    ] {
        ruin(&server, "mine").await;
        let others = account_view(&server, "other").await;
        restore(&server, name, &of).await;
        assert_eq!(account_view(&server, "mine").await, before, "{name} {of}");
        assert_eq!(account_view(&server, "other").await, others, "{name} {of}");
        creates_next_order(&server, "mine", &mine).await;
    }
    server.put(&other.1, picture()).await;
    let none = server
        .send(
            Method::POST,
            "/_mock/snapshots/mine%20at%20first/restore",
            &[],
            r#"{"account":"other"}"#,
        )
        .await;
    let expected = json!({"error": {"code": "unknown_snapshot",
        "message": "no snapshot mine at first of account other, or of everything",
        "hint": "GET /_mock/snapshots lists those there are"}});
    assert_eq!((none.status, none.json()), (404, expected));
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
        let rules = look(server, &format!("/_mock/rules?account={key}")).await;
        rules["rules"][0]["then"]["outcome"]["probability"].clone()
    };
    let set = async |server: &TestServer, key: &str, probability: f64| {
        let path = format!("/_mock/rules?account={key}");
        let none = json!({});
        server.control(Method::DELETE, &path, &none).await;
        let rule = json!({"account": key, "then": {"outcome": {"probability": probability}}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
    };
    for (key, first) in [("one", 0.1), ("two", 0.2)] {
        set(&server, key, first).await;
        take(&server, "begin", &json!({"account": key})).await;
        set(&server, key, 0.9).await;
    }
    let names = async |server: &TestServer, query: &str| {
        let listing = look(server, &format!("/_mock/snapshots{query}")).await;
        let snapshots = listing["snapshots"].as_array().expect("a list").iter();
        let shown = snapshots.map(|it| (it["name"].clone(), it["account"].clone()));
        shown.collect::<Vec<_>>()
    };
    let shown = |account: &str| (json!("begin"), json!(account));
    assert_eq!(names(&server, "").await, [shown("one"), shown("two")]);
    assert_eq!(names(&server, "?account=two").await, [shown("two")]);
    let unnamed = "/_mock/snapshots/begin/restore";
    let unnamed = server.send(Method::POST, unnamed, &[], "").await;
    let expected = json!({"error": {"code": "unknown_snapshot",
        "message": "no snapshot begin of everything; account one has one",
        "hint": "name the account of which it is"}});
    assert_eq!((unnamed.status, unnamed.json()), (404, expected));
    restore(&server, "begin", &json!({"account": "two"})).await;
    assert_eq!(probability(&server, "one").await, 0.9);
    assert_eq!(probability(&server, "two").await, 0.2);
    take(&server, "begin", &json!({})).await;
    assert_eq!(
        names(&server, "").await.len(),
        3,
        "that of everything is a third"
    );
    server.stop().await;
    let server = start().await;
    assert_eq!(
        names(&server, "").await.len(),
        3,
        "all are there after a restart"
    );
    restore(&server, "begin", &json!({"account": "one"})).await;
    assert_eq!(
        probability(&server, "one").await,
        0.1,
        "its own comes first"
    );
    let delete = async |query: &str| {
        let path = format!("/_mock/snapshots/begin{query}");
        server.send(Method::DELETE, &path, &[], "").await.status
    };
    assert_eq!(delete("?account=one").await, 204);
    assert_eq!(delete("?account=one").await, 404, "not that of everything");
    restore(&server, "begin", &json!({"account": "one"})).await;
    assert_eq!(
        probability(&server, "one").await,
        0.9,
        "of that of everything"
    );
    assert_eq!(delete("").await, 204);
    assert_eq!(names(&server, "").await, [shown("two")]);
}

#[tokio::test]
async fn restore_during_a_delivery_repeats_it_once() {
    let server = TestServer::start().await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    server.webhook("live", &receiver.url).await;
    let none = json!({"processing": {"delayMs": 0}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &none)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    take(&server, "under way", &json!({})).await;
    restore(&server, "under way", &json!({})).await;
    server.drain("live").await;
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body, "the same event");
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    let deliveries = look(&server, "/_mock/deliveries?account=live").await;
    let attempts = deliveries["deliveries"].as_array().expect("a list");
    assert_eq!(attempts.len(), 1, "the first was never answered");
}

#[tokio::test]
async fn restore_account_with_running_clock_continues_from_its_instant() {
    let server = TestServer::start().await;
    let set = json!({"account": "live", "mode": "running", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &set).await;
    take(&server, "then", &json!({"account": "live"})).await;
    server.advance("live", "P30D").await;
    restore(&server, "then", &json!({"account": "live"})).await;
    let clock = look(&server, "/_mock/clock?account=live").await;
    assert_eq!(clock["mode"], "running");
    let now = clock["now"].as_str().expect("an instant");
    assert!(now.starts_with("2026-03-12T10:0"), "{now}");
}

#[tokio::test]
async fn restore_clears_requests_and_inboxes_of_restored_accounts() {
    let server = TestServer::start().await;
    for (of, left) in [(json!({"account": "live"}), 1), (json!({}), 0)] {
        for key in ["live", "other"] {
            let path = format!("/_mock/inbox/{key}");
            let set = json!({"account": key});
            server.control(Method::PUT, &path, &set).await;
            server.get(key, "/api/v2/orders/1").await;
        }
        take(&server, "a", &of).await;
        for key in ["live", "other"] {
            let path = format!("/_mock/inbox/{key}");
            server.send(Method::POST, &path, &[], "hello").await;
        }
        restore(&server, "a", &of).await;
        for (key, count) in [("live", 0), ("other", left)] {
            let requests = look(&server, &format!("/_mock/requests?account={key}")).await;
            let received = look(&server, &format!("/_mock/inbox/{key}/messages")).await;
            let counts = [&requests["requests"], &received["messages"]];
            let counts = counts.map(|list| list.as_array().map(Vec::len));
            assert_eq!(counts, [Some(count); 2], "{key} {of}");
        }
    }
}
