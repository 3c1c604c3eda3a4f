//! Snapshots: everything, or one account, as it was.

mod kept;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, Reply, T0, TestServer, picture};

async fn look(stunt: &TestServer, path: &str) -> Value {
    stunt.control(Method::GET, path, &json!({})).await
}

async fn take(stunt: &TestServer, name: &str, body: &Value) -> Value {
    let path = format!("/_mock/snapshots/{name}");
    stunt.control(Method::PUT, &path, body).await
}

async fn restore(stunt: &TestServer, name: &str, body: &Value) -> Value {
    let path = format!("/_mock/snapshots/{name}/restore");
    stunt.control(Method::POST, &path, body).await
}

/// What can be seen of an account, but for the signatures in URLs.
async fn account_view(stunt: &TestServer, key: &str) -> Vec<String> {
    let mut observed = Vec::new();
    for path in [
        format!("/_mock/accounts/{key}"),
        format!("/_mock/clock?account={key}"),
        format!("/_mock/rules?account={key}"),
        format!("/_mock/orders?account={key}"),
        format!("/_mock/deliveries?account={key}"),
    ] {
        let answer = stunt.send(Method::GET, &path, &[], "").await;
        let mut shown = answer.json();
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
        observed.push(stunt.get(key, path).await.text());
    }
    observed
}

/// An account at [`T0`] with a webhook, a rule that was applied once, an order that is done, one
/// under way and one that waits for its upload: their ids, and where that goes.
async fn live(stunt: &TestServer, key: &str, url: &str) -> (Vec<String>, String) {
    stunt.freeze(key).await;
    stunt.webhook(key, url).await;
    let rule = json!({"account": key, "name": "first", "times": 2,
        "when": {"operation": "bizmori.createAiDetection"},
        "then": {"outcome": {"probability": 0.25}}});
    stunt.control(Method::POST, "/_mock/rules", &rule).await;
    let body = |name: &str| json!({"idempotencyKey": name, "fileName": format!("{name}.jpg")});
    let done = stunt.confirm_detection(key, &body("done"), picture()).await;
    assert_eq!(
        stunt.advance(key, "PT0.5S").await,
        ["order.process", "webhook.deliver"]
    );
    let under_way = stunt
        .confirm_detection(key, &body("under_way"), picture())
        .await;
    let (waiting, upload) = stunt.create_detection(key, &body("waiting")).await;
    (vec![done, under_way, waiting], upload)
}

/// Nothing is as it was.
async fn ruin(stunt: &TestServer, key: &str) {
    stunt
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    let body = json!({"idempotencyKey": "later", "fileName": "later.jpg"});
    stunt.confirm_detection(key, &body, picture()).await;
    stunt.advance(key, "P8D").await;
    let settings = json!({"plan": "pro"});
    let path = format!("/_mock/accounts/{key}");
    stunt.control(Method::PUT, &path, &settings).await;
}

/// It goes on from there: the next order has the id that it had, what was under way ends, and
/// what waits takes its upload.
async fn creates_next_order(stunt: &TestServer, key: &str, (ids, upload): &(Vec<String>, String)) {
    stunt.put(upload, picture()).await;
    stunt.confirm(key, &ids[2]).await;
    let ran = stunt.advance(key, "PT0.3S").await;
    let (done, told) = ("order.process", "webhook.deliver");
    assert_eq!(ran, [done, done, told, told]);
    for id in ids {
        let order = stunt.get_order(key, id).await;
        assert_eq!(order["status"], "complete", "{order}");
        let picture_of_it = order["originalImageUrl"].as_str().expect("a URL");
        let fetched = stunt.send(Method::GET, picture_of_it, &[], "").await;
        assert_eq!((fetched.status, fetched.bytes), (200, picture()));
    }
}

#[tokio::test]
async fn everything_is_restored_as_it_was_and_goes_on_from_there() {
    let (stunt, receiver) = (TestServer::start().await, Receiver::start().await);
    let freeze = json!({"mode": "frozen", "now": T0});
    stunt.control(Method::PUT, "/_mock/clock", &freeze).await;
    let rule = json!({"when": {"operation": "storage.put"}, "then": {"delayMs": 1}});
    stunt.control(Method::POST, "/_mock/rules", &rule).await;
    let one = live(&stunt, "one", &receiver.url).await;
    let two = live(&stunt, "two", &receiver.url).await;
    let snapshot = take(&stunt, "begin", &json!({})).await;
    assert_eq!(
        snapshot,
        json!({"name": "begin", "account": null, "takenAt": snapshot["takenAt"],
            "accounts": 2, "orders": 6, "bytes": snapshot["bytes"]})
    );
    assert!(snapshot["bytes"].as_u64() > Some(4 * 1024), "{snapshot}");
    let rules = look(&stunt, "/_mock/rules").await;
    let before = (
        account_view(&stunt, "one").await,
        account_view(&stunt, "two").await,
    );

    for _ in 0..2 {
        ruin(&stunt, "one").await;
        stunt.advance("two", "P8D").await;
        let body = json!({"idempotencyKey": "x", "fileName": "x.jpg"});
        stunt.confirm_detection("three", &body, picture()).await;
        let later = json!({"mode": "frozen", "now": "2030-01-01T00:00:00Z"});
        stunt.control(Method::PUT, "/_mock/clock", &later).await;
        assert_eq!(restore(&stunt, "begin", &json!({})).await, snapshot);
        let after = (
            account_view(&stunt, "one").await,
            account_view(&stunt, "two").await,
        );
        assert_eq!(after, before);
        let again = look(&stunt, "/_mock/rules").await;
        assert_eq!(again, rules);
        let clock = look(&stunt, "/_mock/clock").await;
        assert_eq!(clock["now"], T0);
        let accounts = look(&stunt, "/_mock/accounts").await;
        let keys: Vec<_> = accounts["accounts"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|account| account["key"].as_str())
            .collect();
        assert_eq!(keys, [Some("one"), Some("two")]);
        creates_next_order(&stunt, "one", &one).await;
        creates_next_order(&stunt, "two", &two).await;
    }
}

#[tokio::test]
async fn one_account_is_restored_and_no_other_is_touched() {
    let (stunt, receiver) = (TestServer::start().await, Receiver::start().await);
    let mine = live(&stunt, "mine", &receiver.url).await;
    let other = live(&stunt, "other", &receiver.url).await;
    let before = account_view(&stunt, "mine").await;
    let snapshot = take(&stunt, "mine at first", &json!({"account": "mine"})).await;
    assert_eq!(
        (
            &snapshot["account"],
            &snapshot["accounts"],
            &snapshot["orders"]
        ),
        (&json!("mine"), &json!(1), &json!(3))
    );
    let all = take(&stunt, "all", &json!({})).await;
    assert_eq!(all["orders"], 6);
    for (name, of) in [
        ("mine at first", json!({"account": "mine"})),
        ("all", json!({"account": "mine"})),
    ] {
        ruin(&stunt, "mine").await;
        let others = account_view(&stunt, "other").await;
        restore(&stunt, name, &of).await;
        assert_eq!(account_view(&stunt, "mine").await, before, "{name} {of}");
        assert_eq!(account_view(&stunt, "other").await, others, "{name} {of}");
        creates_next_order(&stunt, "mine", &mine).await;
    }
    stunt.put(&other.1, picture()).await;
    let none = stunt
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
async fn two_accounts_with_one_name_have_two_snapshots() {
    let data = tempfile::tempdir().expect("a directory");
    let start = async || {
        let path = data.path().to_owned();
        TestServer::with_config(|config| config.data_dir = Some(path)).await
    };
    let stunt = start().await;
    let probability = async |stunt: &TestServer, key: &str| {
        let rules = look(stunt, &format!("/_mock/rules?account={key}")).await;
        rules["rules"][0]["then"]["outcome"]["probability"].clone()
    };
    let set = async |stunt: &TestServer, key: &str, probability: f64| {
        let path = format!("/_mock/rules?account={key}");
        let none = json!({});
        stunt.control(Method::DELETE, &path, &none).await;
        let rule = json!({"account": key, "then": {"outcome": {"probability": probability}}});
        stunt.control(Method::POST, "/_mock/rules", &rule).await;
    };
    for (key, first) in [("one", 0.1), ("two", 0.2)] {
        set(&stunt, key, first).await;
        take(&stunt, "begin", &json!({"account": key})).await;
        set(&stunt, key, 0.9).await;
    }
    let names = async |stunt: &TestServer, query: &str| {
        let listed = look(stunt, &format!("/_mock/snapshots{query}")).await;
        let snapshots = listed["snapshots"].as_array().expect("a list").iter();
        let shown = snapshots.map(|it| (it["name"].clone(), it["account"].clone()));
        shown.collect::<Vec<_>>()
    };
    let shown = |account: &str| (json!("begin"), json!(account));
    assert_eq!(names(&stunt, "").await, [shown("one"), shown("two")]);
    assert_eq!(names(&stunt, "?account=two").await, [shown("two")]);
    let unnamed = "/_mock/snapshots/begin/restore";
    let unnamed = stunt.send(Method::POST, unnamed, &[], "").await;
    let expected = json!({"error": {"code": "unknown_snapshot",
        "message": "no snapshot begin of everything; account one has one",
        "hint": "name the account of which it is"}});
    assert_eq!((unnamed.status, unnamed.json()), (404, expected));
    restore(&stunt, "begin", &json!({"account": "two"})).await;
    assert_eq!(probability(&stunt, "one").await, 0.9);
    assert_eq!(probability(&stunt, "two").await, 0.2);
    take(&stunt, "begin", &json!({})).await;
    assert_eq!(
        names(&stunt, "").await.len(),
        3,
        "that of everything is a third"
    );
    stunt.stop().await;
    let stunt = start().await;
    assert_eq!(
        names(&stunt, "").await.len(),
        3,
        "all are there after a restart"
    );
    restore(&stunt, "begin", &json!({"account": "one"})).await;
    assert_eq!(probability(&stunt, "one").await, 0.1, "its own comes first");
    let delete = async |query: &str| {
        let path = format!("/_mock/snapshots/begin{query}");
        stunt.send(Method::DELETE, &path, &[], "").await.status
    };
    assert_eq!(delete("?account=one").await, 204);
    assert_eq!(delete("?account=one").await, 404, "not that of everything");
    restore(&stunt, "begin", &json!({"account": "one"})).await;
    assert_eq!(
        probability(&stunt, "one").await,
        0.9,
        "of that of everything"
    );
    assert_eq!(delete("").await, 204);
    assert_eq!(names(&stunt, "").await, [shown("two")]);
}

#[tokio::test]
async fn a_restore_is_fenced_and_what_was_under_way_is_done_again() {
    let stunt = TestServer::start().await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    stunt.webhook("live", &receiver.url).await;
    let none = json!({"processing": {"delayMs": 0}});
    stunt
        .control(Method::PUT, "/_mock/accounts/live", &none)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = stunt.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    take(&stunt, "under way", &json!({})).await;
    restore(&stunt, "under way", &json!({})).await;
    stunt.drain("live").await;
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body, "the same event");
    assert_eq!(stunt.get_order("live", &id).await["status"], "complete");
    let deliveries = look(&stunt, "/_mock/deliveries?account=live").await;
    let attempts = deliveries["deliveries"].as_array().expect("a list");
    assert_eq!(attempts.len(), 1, "the first was never answered");
}

#[tokio::test]
async fn a_clock_that_ran_goes_on_from_where_it_was() {
    let stunt = TestServer::start().await;
    let set = json!({"account": "live", "mode": "running", "now": T0});
    stunt.control(Method::PUT, "/_mock/clock", &set).await;
    take(&stunt, "then", &json!({"account": "live"})).await;
    stunt.advance("live", "P30D").await;
    restore(&stunt, "then", &json!({"account": "live"})).await;
    let clock = look(&stunt, "/_mock/clock?account=live").await;
    assert_eq!(clock["mode"], "running");
    let now = clock["now"].as_str().expect("an instant");
    assert!(now.starts_with("2026-03-12T10:0"), "{now}");
}

#[tokio::test]
async fn what_was_observed_is_no_part_of_a_snapshot_and_goes_with_a_restore() {
    let stunt = TestServer::start().await;
    for (of, left) in [(json!({"account": "live"}), 1), (json!({}), 0)] {
        for key in ["live", "other"] {
            let path = format!("/_mock/inbox/{key}");
            let set = json!({"account": key});
            stunt.control(Method::PUT, &path, &set).await;
            stunt.get(key, "/api/v2/orders/1").await;
        }
        take(&stunt, "a", &of).await;
        for key in ["live", "other"] {
            let path = format!("/_mock/inbox/{key}");
            stunt.send(Method::POST, &path, &[], "hello").await;
        }
        restore(&stunt, "a", &of).await;
        for (key, count) in [("live", 0), ("other", left)] {
            let requests = look(&stunt, &format!("/_mock/requests?account={key}")).await;
            let came = look(&stunt, &format!("/_mock/inbox/{key}/messages")).await;
            let counts = [&requests["requests"], &came["messages"]];
            let counts = counts.map(|list| list.as_array().map(Vec::len));
            assert_eq!(counts, [Some(count); 2], "{key} {of}");
        }
    }
}
