//! Migration of webhooks whose ids were snowflakes and UUIDs.

use std::path::Path;

use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::WEBHOOKS;
use crate::support::{Database, Receiver, TestServer, picture};

/// Last version of the schema with snowflakes and UUIDs as ids.
const VERSION: i64 = 7;

/// Creates a database of that version. Two accounts with a frozen clock have one webhook each, and one
/// webhook of `live` is deleted. There are a failed delivery, a due delivery and their attempts.
async fn create_old_database(data_dir: &Path, url: &str) {
    let options = SqliteConnectOptions::new().filename(data_dir.join("stuntdouble.db"));
    let mut connection = options
        .create_if_missing(true)
        .connect()
        .await
        .expect("a database");
    let mut migrator = sqlx::migrate!();
    migrator
        .migrations
        .to_mut()
        .retain(|it| it.version <= VERSION);
    migrator.run(&mut connection).await.expect("a schema");
    drop(connection);
    let at = 1_773_309_600_000_i64;
    let clock = format!(r#"{{"mode":"frozen","at":{at}}}"#);
    let settings = r#"{"plan":"unlimited","state":"active"}"#;
    let endpoint = |id: &str, account: u8, name: &str| {
        format!(
            "INSERT INTO endpoints (id, account_id, name, url, secret, test, active, created_at, updated_at)
             VALUES ('{id}', {account}, '{name}', '{url}', 'whsec_{name}', 0, 1, {at}, {at});"
        )
    };
    let delivery = |id: &str, event: &str, endpoint: &str, status: &str, due_at: &str| {
        format!(
            "INSERT INTO events VALUES ('{event}', 1, 'order.aiDetection.completed', '{{}}');
             INSERT INTO deliveries (id, event_id, endpoint_id, status, retries, due_at, created_at)
             VALUES ('{id}', '{event}', '{endpoint}', '{status}', 6, {due_at}, {at});"
        )
    };
    let attempt = |number: u8, endpoint: &str, delivery: &str| {
        let body = json!({"number": 1, "at": at, "url": url, "requestHeaders": {},
            "answer": {"Err": "refused"}, "durationMs": 1, "nextAt": null,
            "deliveryStatus": "FAILED", "rule": null});
        format!(
            "INSERT INTO attempts (account_id, number, endpoint_id, delivery_id, event_id, body)
             VALUES (1, {number}, '{endpoint}', '{delivery}', 'e1', '{body}');"
        )
    };
    let sql = [
        format!("INSERT INTO accounts VALUES (1, 'live', '{settings}', '{clock}', 0, {at});"),
        format!("INSERT INTO accounts VALUES (2, 'other', '{settings}', '{clock}', 0, {at});"),
        endpoint("290000000000000002", 1, "mine"),
        endpoint("290000000000000001", 2, "theirs"),
        delivery("d1", "e1", "290000000000000002", "FAILED", "NULL"),
        delivery(
            "d2",
            "e2",
            "290000000000000002",
            "RETRYING",
            &at.to_string(),
        ),
        attempt(1, "290000000000000000", "d0"),
        attempt(2, "290000000000000002", "d1"),
        format!(
            "INSERT INTO jobs (account_id, clock_id, kind, subject, due_at)
             VALUES (1, 1, 'webhook.deliver', '290000000000000002', {at})"
        ),
    ];
    Database::open(data_dir).await.execute(&sql.concat()).await;
}

#[tokio::test]
async fn start_on_old_database_assigns_integer_ids_to_webhooks_and_event_rows() {
    let data = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start().await;
    create_old_database(data.path(), &receiver.url).await;
    let server =
        TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await;
    receiver.messages(1).await;
    server.drain("live").await;
    let ids = async |path: &str, list: &str| -> Value {
        let listing = server.get("live", path).await.json();
        let items = listing["data"][list].as_array().expect("a list").iter();
        items
            .map(|it| json!([it["id"], it["name"], it["status"]]))
            .collect()
    };
    let mine = json!([[1_000_002, "mine", null]]);
    assert_eq!(ids(WEBHOOKS, "webhooks").await, mine);
    let events = format!("{WEBHOOKS}/1000002/events");
    let rows = json!([[2, null, "SENT"], [1, null, "FAILED"]]);
    assert_eq!(ids(&events, "events").await, rows);
    let theirs = server.get("other", &format!("{WEBHOOKS}/2000001")).await;
    assert_eq!(theirs.json()["data"]["secret"], "whsec_theirs");
    let retry = format!("{events}/1/retry");
    let retried = server.post("live", &retry, &json!({})).await.json();
    assert_eq!(retried["data"]["success"], true, "{retried}");
    let attempts = server
        .control(
            reqwest::Method::GET,
            "/_mock/deliveries?account=live",
            &json!({}),
        )
        .await;
    let deliveries = attempts["deliveries"].as_array().expect("a list").iter();
    let actual: Value = deliveries
        .map(|it| json!([it["webhookId"], it["id"]]))
        .collect();
    let expected = json!([
        [1_000_001, 3],
        [1_000_002, 1],
        [1_000_002, 2],
        [1_000_002, 1]
    ]);
    assert_eq!(actual, expected, "the first belongs to a deleted webhook");
    let (next, _) = server.webhook("live", &receiver.url).await;
    assert_eq!(next, "2000002", "ids are not reused");
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let newest = ids(&format!("{WEBHOOKS}/{next}/events"), "events").await;
    assert_eq!(newest[0][0].as_i64(), Some(5));
}
