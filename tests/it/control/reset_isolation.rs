//! A reset is fenced: nothing of an older life ever shows, however busy it was.

use std::collections::HashMap;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestServer, picture};

const LIVES: usize = 100;

/// Orders of a life: one that is done and told, one on its way, and one whose upload is cut off by
/// the reset, or comes after it.
async fn live(
    server: &TestServer,
    url: &str,
    life: usize,
    lives: &mut HashMap<String, usize>,
) -> String {
    server.webhook("live", url).await;
    for n in 0..3 {
        let body = json!({"idempotencyKey": n.to_string(), "orderName": format!("life {life}"),
            "fileName": format!("{n}_ai.jpg")});
        let id = server.confirm_detection("live", &body, picture()).await;
        lives.insert(id, life);
    }
    let body = json!({"idempotencyKey": "late", "orderName": format!("life {life}"),
        "fileName": "late_ai.jpg"});
    server.create_detection("live", &body).await.1
}

fn blobs(data: &Path) -> usize {
    let lives = std::fs::read_dir(data.join("blobs")).expect("blobs");
    lives
        .map(|life| std::fs::read_dir(life.expect("an entry").path()).map_or(0, Iterator::count))
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_lives_none_shows_anything_of_an_older_one() {
    let data = tempfile::tempdir().expect("a directory");
    let path = data.path().to_owned();
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(path);
        config.orders.processing_ms = 1;
    })
    .await;
    let receiver = Receiver::start().await;
    let mut lives = HashMap::new();
    for life in 0..LIVES {
        let late = live(&server, &receiver.url, life, &mut lives).await;
        let upload = server.send(Method::PUT, &late, &[], picture());
        let body = json!({"account": "live"});
        let reset = server.control(Method::POST, "/_mock/reset", &body);
        let (upload, _) = tokio::join!(upload, reset);
        assert!([200, 404].contains(&upload.status), "{}", upload.text());
        let response = server.send(Method::PUT, &late, &[], picture()).await;
        assert_eq!(response.status, 404, "the upload's order is gone");
        let listed = server.get("live", "/api/v2/orders").await.json();
        assert_eq!(listed["data"]["orders"], json!([]), "{listed}");
        server.drain("live").await;
        assert_eq!(blobs(data.path()), 0);
    }
    let last = live(&server, &receiver.url, LIVES, &mut lives).await;
    server.put(&last, picture()).await;
    server.drain("live").await;
    let messages = receiver.messages(receiver.count()).await;
    let message_lives: Vec<usize> = messages
        .iter()
        .map(|message| {
            let body: Value = message.json();
            lives[body["data"]["orderId"].as_str().expect("an id")]
        })
        .collect();
    assert!(
        message_lives.is_sorted(),
        "an older life was told of: {message_lives:?}"
    );
    assert_eq!(
        message_lives.iter().filter(|life| **life == LIVES).count(),
        3
    );
}
