//! Isolation of resets: work in flight never shows up after a reset.

use std::collections::HashMap;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestServer, picture};

const ROUNDS: usize = 100;

/// Creates three confirmed orders and one whose upload runs during the reset. Records the ids of
/// the confirmed orders in `rounds` and returns the upload URL.
async fn create_orders(
    server: &TestServer,
    url: &str,
    round: usize,
    rounds: &mut HashMap<String, usize>,
) -> String {
    server.webhook("live", url).await;
    for n in 0..3 {
        let body = json!({"idempotencyKey": n.to_string(), "orderName": format!("round {round}"),
            "fileName": format!("{n}_ai.jpg")});
        let id = server.confirm_detection("live", &body, picture()).await;
        rounds.insert(id, round);
    }
    let body = json!({"idempotencyKey": "late", "orderName": format!("round {round}"),
        "fileName": "late_ai.jpg"});
    server.create_detection("live", &body).await.1
}

/// Returns the number of stored objects of all accounts.
fn count_blobs(data: &Path) -> usize {
    let rounds = std::fs::read_dir(data.join("blobs")).expect("blobs");
    rounds
        .map(|round| std::fs::read_dir(round.expect("an entry").path()).map_or(0, Iterator::count))
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_a_busy_account_100_times_never_shows_earlier_state() {
    let data = tempfile::tempdir().expect("a directory");
    let path = data.path().to_owned();
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(path);
        config.orders.processing_ms = 1;
    })
    .await;
    let receiver = Receiver::start().await;
    let mut rounds = HashMap::new();
    for round in 0..ROUNDS {
        let late = create_orders(&server, &receiver.url, round, &mut rounds).await;
        let upload = server.send(Method::PUT, &late, &[], picture());
        let body = json!({"account": "live"});
        let reset = server.control(Method::POST, "/_mock/reset", &body);
        let (upload, _) = tokio::join!(upload, reset);
        assert!([200, 404].contains(&upload.status), "{}", upload.text());
        let response = server.send(Method::PUT, &late, &[], picture()).await;
        assert_eq!(response.status, 404, "the upload's order was removed");
        let listing = server.get("live", "/api/v2/orders").await.json();
        assert_eq!(listing["data"]["orders"], json!([]), "{listing}");
        server.drain("live").await;
        assert_eq!(count_blobs(data.path()), 0);
    }
    let last = create_orders(&server, &receiver.url, ROUNDS, &mut rounds).await;
    server.put(&last, picture()).await;
    server.drain("live").await;
    let messages = receiver.messages(receiver.count()).await;
    let delivered_rounds: Vec<usize> = messages
        .iter()
        .map(|message| {
            let body: Value = message.json();
            rounds[body["data"]["orderId"].as_str().expect("an id")]
        })
        .collect();
    assert!(delivered_rounds.is_sorted(), "{delivered_rounds:?}");
    assert_eq!(
        delivered_rounds
            .iter()
            .filter(|round| **round == ROUNDS)
            .count(),
        3
    );
}
