//! Listings are sent as the client reads them.

use reqwest::Method;

use super::{get, send};
use crate::support::{Process, TestServer};

const CLIENTS: usize = 40;
const REQUESTS: usize = 250;
const MIB: u64 = 1024 * 1024;

/// Value of a metric that has no labels, or whose labels are given with its name.
async fn metric(server: &TestServer, name: &str) -> u64 {
    let page = server.send(Method::GET, "/_mock/metrics", &[], "").await;
    let text = page.text();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().expect("a number"))
}

#[tokio::test]
async fn unread_listings_of_many_clients_take_little_memory() {
    let data = tempfile::tempdir().expect("a directory");
    let process = Process::start(data.path(), &[]);
    let server = &process.stunt;
    let body = "x".repeat(60_000);
    for _ in 0..REQUESTS {
        let response = server
            .send(Method::POST, "/nowhere", &[], body.clone())
            .await;
        assert_eq!(response.status, 404);
    }
    let memory = "process_resident_memory_bytes";
    let before = metric(server, memory).await;
    let path = "/_mock/requests?limit=10000";
    let mut unread = Vec::new();
    for _ in 0..CLIENTS {
        unread.push(send(server, &get(path)).await);
    }
    let answered =
        r#"stuntdouble_http_requests_total{operation="control.listRequests",status="200"}"#;
    while metric(server, answered).await < CLIENTS as u64 {
        tokio::task::yield_now().await;
    }
    let grown = metric(server, memory).await.saturating_sub(before);
    // Written out at once, each listing alone takes 15 MB.
    assert!(
        grown < 150 * MIB,
        "{} MiB for {CLIENTS} clients",
        grown / MIB
    );

    let listing = server.send(Method::GET, path, &[], "").await;
    let requests = listing.json()["requests"].take();
    let requests = requests.as_array().expect("a list");
    assert_eq!(requests.len(), REQUESTS);
    assert!(requests.iter().all(|it| it["requestBody"] == body.as_str()));
}
