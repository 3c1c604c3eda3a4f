//! Listings are streamed at the pace of the client.

use reqwest::Method;

use super::{get_request, send};
use crate::support::Process;

const CLIENTS: usize = 40;
const REQUESTS: usize = 250;
const MIB: u64 = 1024 * 1024;

#[tokio::test]
async fn leave_listings_unread_uses_little_memory() {
    let data = tempfile::tempdir().expect("a directory");
    let process = Process::start(data.path(), &[]);
    let server = &process.server;
    let body = "x".repeat(60_000);
    for _ in 0..REQUESTS {
        let response = server
            .send(Method::POST, "/nowhere", &[], body.clone())
            .await;
        assert_eq!(response.status, 404);
    }
    let memory = "process_resident_memory_bytes";
    let before = server.metric_value(memory).await.expect("a metric");
    let path = "/_mock/requests?limit=10000";
    let mut unread = Vec::new();
    for _ in 0..CLIENTS {
        unread.push(send(server, &get_request(path)).await);
    }
    let request_count =
        r#"stuntdouble_http_requests_total{operation="control.listRequests",status="200"}"#;
    while server.metric_value(request_count).await.unwrap_or(0) < CLIENTS as u64 {
        tokio::task::yield_now().await;
    }
    let after = server.metric_value(memory).await.expect("a metric");
    let grown = after.saturating_sub(before);
    // A listing that is serialised at once takes 15 MB.
    assert!(
        grown < 150 * MIB,
        "{} MiB for {CLIENTS} clients",
        grown / MIB
    );

    let response = server.send(Method::GET, path, &[], "").await;
    let listing = response.json();
    let requests = listing["requests"].as_array().expect("a list");
    assert_eq!(requests.len(), REQUESTS);
    assert!(requests.iter().all(|it| it["requestBody"] == body.as_str()));
}
