//! A hundred concurrent tests on one server, each with its own key, do not affect each other.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use crate::support::{TestServer, picture};

const TESTS: u32 = 100;

/// Runs one test with its own clock, rules, webhook, journal and orders, and its teardown.
async fn run_test(server: &TestServer, n: u32) {
    let key = format!("key-{n}");
    let day = n % 28 + 1;
    let start = format!("2026-02-{day:02}T10:00:00.000Z");
    let clock = json!({"account": key, "mode": "frozen", "now": start});
    server.control(Method::PUT, "/_mock/clock", &clock).await;
    let credits = json!({"credits": 2});
    server
        .control(Method::PUT, &format!("/_mock/accounts/{key}"), &credits)
        .await;
    let probability = f64::from(n + 1) / 1_000.0;
    let rule = json!({"account": key, "then": {"outcome": {"probability": probability}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let busy_rule = json!({"account": key, "skip": 1, "times": 1,
        "when": {"operation": "bizmori.getOrder"},
        "then": {"respond": {"status": 503, "body": {"test": n}}}});
    server
        .control(Method::POST, "/_mock/rules", &busy_rule)
        .await;
    let url = format!("{}/_mock/inbox/{key}", server.origin);
    server.webhook(&key, &url).await;

    let create = json!({"idempotencyKey": "the same", "fileName": "the_same.jpg"});
    let id = server.confirm_detection(&key, &create, picture()).await;
    assert_eq!(server.get_order(&key, &id).await["status"], "inProgress");
    let path = format!("/api/v2/orders/{id}");
    let response = server.get(&key, &path).await;
    assert_eq!(
        (response.status, response.json()),
        (503, json!({"test": n}))
    );
    let kinds = server.advance(&key, "PT1S").await;
    assert_eq!(kinds, ["order.process", "webhook.deliver"]);
    let order = server.get_order(&key, &id).await;
    assert_eq!(order["createdAt"], start);
    assert_eq!(
        (&order["status"], &order["probability"]),
        (&json!("complete"), &json!(probability))
    );

    let path = format!("/_mock/inbox/{key}/messages");
    let inbox = server.control(Method::GET, &path, &json!({})).await;
    let received = inbox["messages"].as_array().expect("messages");
    assert_eq!(received.len(), 1);
    assert_eq!(received[0]["signatureValid"], true);
    assert_eq!(received[0]["body"]["data"]["orderId"], id);
    let reads = json!({"account": key, "when": {"operation": "bizmori.getOrder"}, "count": 3});
    let path = "/_mock/requests/verify";
    server.control(Method::POST, path, &reads).await;

    let second = json!({"idempotencyKey": "2", "fileName": "2.jpg"});
    server.create_detection(&key, &second).await;
    let third = json!({"idempotencyKey": "3", "fileName": "3.jpg"});
    let refused = server
        .post(&key, "/api/v2/orders/ai-detection", &third)
        .await;
    assert_eq!(refused.text(), crate::support::code("USAGE_LIMIT_EXCEEDED"));
    server
        .control(
            Method::DELETE,
            &format!("/_mock/accounts/{key}"),
            &json!({}),
        )
        .await;
    server
        .control(Method::DELETE, &format!("/_mock/inbox/{key}"), &json!({}))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn run_100_tests_concurrently_keeps_accounts_isolated() {
    let data = tempfile::tempdir().expect("a directory");
    let path = data.path().to_owned();
    let server = TestServer::with_config(|config| config.data_dir = Some(path)).await;
    let server = Arc::new(server);
    let tests: Vec<_> = (0..TESTS)
        .map(|n| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { run_test(&server, n).await })
        })
        .collect();
    for test in tests {
        test.await.expect("a test that passes");
    }
    for (path, none) in [
        ("/_mock/accounts", json!({"accounts": [], "next": null})),
        ("/_mock/rules", json!({"rules": [], "next": null})),
        ("/_mock/orders", json!({"orders": [], "next": null})),
        ("/_mock/deliveries", json!({"deliveries": [], "next": null})),
        ("/_mock/requests", json!({"requests": [], "evicted": 0})),
    ] {
        assert_eq!(server.control(Method::GET, path, &json!({})).await, none);
    }
    let entries = std::fs::read_dir(data.path().join("blobs")).expect("blobs");
    let names: Vec<_> = entries
        .map(|it| it.expect("an entry").file_name())
        .collect();
    assert_eq!(
        names, [""; 0],
        "the directories of all accounts are removed"
    );
    assert_eq!(server.advance("another", "P30D").await, [""; 0]);
}
