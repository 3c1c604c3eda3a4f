//! Information on the server, and the list of operations.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{T0, TestServer, picture};

const KEY: &str = "live";

async fn info(server: &TestServer, query: &str) -> Value {
    let path = format!("/_mock/info{query}");
    server.control(Method::GET, &path, &json!({})).await
}

#[tokio::test]
async fn info_of_new_server_has_settings_and_zeros() {
    let data = tempfile::tempdir().expect("a directory");
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(data.path().to_owned());
        config.mode = stuntdouble::settings::KeyMode::Strict;
        config.journal.journal_requests_max = 7;
    })
    .await;
    let mut first = info(&server, "").await;
    let uptime = first["uptimeMs"].take();
    let later = info(&server, "").await;
    assert!(uptime.as_i64() <= later["uptimeMs"].as_i64(), "{uptime}");
    let started_at = first["startedAt"].take();
    assert_eq!(started_at, later["startedAt"]);
    let is_instant = |text: &str| text.len() == T0.len() && text.ends_with('Z');
    assert!(started_at.as_str().is_some_and(is_instant), "{started_at}");
    let revision = first["revision"].take();
    assert_eq!(revision, later["revision"], "no change in between");
    assert!(
        revision.as_u64() > Some(1_000_000_000_000_000),
        "{revision}"
    );
    let memory = first["memory"].take();
    let (resident, limit) = (&memory["residentBytes"], &memory["limitBytes"]);
    assert!(resident.as_u64() > Some(1_000_000) && resident.as_u64() < limit.as_u64());
    let expected = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "revision": null, "startedAt": null, "uptimeMs": null, "mode": "strict",
        "dataDirectory": data.path().to_str(), "isTemporary": false, "memory": null,
        "journal": {"requests": 0, "bytes": 0, "requestsMax": 7, "bytesMax": 16_777_216, "evicted": 0},
        "orders": {"pending": 0, "inProgress": 0, "complete": 0, "failed": 0, "expired": 0},
        "deliveries": {"pending": 0, "retrying": 0, "failed": 0},
        "accounts": 0, "rules": 0, "streams": 0,
    });
    assert_eq!(first, expected);
}

#[tokio::test]
async fn info_counts_orders_and_deliveries_of_an_account_or_of_all() {
    let server = TestServer::with_config(|config| config.journal.journal_requests_max = 2).await;
    server.freeze(KEY).await;
    server.freeze("other").await;
    server
        .webhook(KEY, &format!("{}/_mock/inbox/a", server.origin))
        .await;
    server.webhook(KEY, "http://127.0.0.1:1/").await;
    let body = |name: &str| json!({"idempotencyKey": name, "fileName": name});
    server.create_detection(KEY, &body("pending.jpg")).await;
    server.create_detection("other", &body("pending.jpg")).await;
    for name in ["a.jpg", "b_fail.jpg"] {
        server.confirm_detection(KEY, &body(name), picture()).await;
    }
    server.advance(KEY, "PT0.3S").await;
    server
        .confirm_detection(KEY, &body("c.jpg"), picture())
        .await;
    let expired = server.create_detection(KEY, &body("d.jpg")).await.0;
    let path = format!("/_mock/orders/{expired}/expire");
    server.control(Method::POST, &path, &json!({})).await;
    let rule = json!({"account": "other", "then": {"delayMs": 0}});
    server.control(Method::POST, "/_mock/rules", &rule).await;

    let of_account = info(&server, "?account=live").await;
    let orders = json!({"pending": 1, "inProgress": 1, "complete": 1, "failed": 1, "expired": 1});
    let deliveries = json!({"pending": 0, "retrying": 2, "failed": 0});
    assert_eq!(
        (&of_account["orders"], &of_account["deliveries"]),
        (&orders, &deliveries)
    );
    let of_other = info(&server, "?account=other").await;
    let none = json!({"pending": 0, "retrying": 0, "failed": 0});
    let pending = json!({"pending": 1, "inProgress": 0, "complete": 0, "failed": 0, "expired": 0});
    assert_eq!(
        (&of_other["orders"], &of_other["deliveries"]),
        (&pending, &none)
    );
    let of_all = info(&server, "").await;
    let orders = json!({"pending": 2, "inProgress": 1, "complete": 1, "failed": 1, "expired": 1});
    assert_eq!(
        (&of_all["orders"], &of_all["deliveries"]),
        (&orders, &deliveries)
    );
    assert_eq!(
        (&of_all["accounts"], &of_all["rules"]),
        (&json!(2), &json!(1))
    );
    assert!(of_all["journal"]["evicted"].as_u64() > Some(0), "{of_all}");

    let unknown = info(&server, "?account=nobody").await;
    assert_eq!(
        (&unknown["accountKnown"], &unknown["deliveries"]),
        (&json!(false), &none)
    );
}

#[tokio::test]
async fn list_operations_has_every_operation_and_outbound_call() {
    let server = TestServer::start().await;
    let listing = server
        .control(Method::GET, "/_mock/operations", &json!({}))
        .await;
    let listed = listing["operations"].as_array().expect("a list");
    let expected: Vec<Value> = stuntdouble::app::operations()
        .iter()
        .map(|it| {
            let api = it.name.split_once('.').expect("an API").0;
            json!({"name": it.name, "method": it.method.as_str(), "path": it.path, "api": api,
                   "rules": api != "control"})
        })
        .collect();
    let outbound = ["webhook.deliver", "zeroCopy.put", "file.fetch"].map(
        |name| json!({"name": name, "method": null, "path": null, "api": "outbound", "rules": true}),
    );
    assert_eq!(listed[..expected.len()], expected);
    assert_eq!(listed[expected.len()..], outbound);
    for operation in listed {
        let rule = json!({"when": {"operation": operation["name"]}, "then": {"delayMs": 0}});
        let created = server
            .send(Method::POST, "/_mock/rules", &[], rule.to_string())
            .await;
        assert_eq!(
            created.status == 201,
            operation["rules"] == true,
            "{operation}"
        );
    }
}
