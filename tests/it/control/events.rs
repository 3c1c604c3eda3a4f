//! `GET /_mock/events`: stream of what changes.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{T0, TestServer, picture, raw};

/// Time limit for a test that would never end. No test depends on its length.
const GUARD: Duration = Duration::from_mins(1);
/// Number of streams at a time.
const STREAMS_MAX: usize = 16;

/// Open stream of events.
struct Events {
    stream: TcpStream,
    /// Received bytes of the body that have not been returned, without chunk framing.
    text: String,
}

/// Received event.
#[derive(Debug)]
struct Event {
    id: u64,
    name: String,
    data: Value,
}

impl Events {
    /// Opens a stream, and reads its first comment.
    async fn open(server: &TestServer, query: &str, headers: &str) -> (Self, u64) {
        let mut stream = raw::connect(&server.origin).await;
        let request =
            format!("GET /_mock/events{query} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the server reads the request");
        let text = String::new();
        let mut events = Self { stream, text };
        let head = events.block("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.0 200"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        let greeting = events.block("\n\n").await;
        let (comment, id) = greeting.split_once("\nid: ").expect("a revision");
        assert!(
            comment.starts_with(": events after revision "),
            "{greeting}"
        );
        (events, id.parse().expect("a number"))
    }

    /// Returns the bytes up to the next separator.
    async fn block(&mut self, separator: &str) -> String {
        loop {
            if let Some(length) = self.text.find(separator) {
                let rest = self.text.split_off(length + separator.len());
                let mut block = std::mem::replace(&mut self.text, rest);
                block.truncate(length);
                return block;
            }
            let mut bytes = vec![0; 16 * 1024];
            let read = tokio::time::timeout(GUARD, self.stream.read(&mut bytes)).await;
            let length = read.expect("bytes in time").expect("bytes");
            assert!(length > 0, "the stream has ended: {}", self.text);
            self.text += std::str::from_utf8(&bytes[..length]).expect("text");
        }
    }

    /// Returns the next event.
    async fn next(&mut self) -> Event {
        loop {
            let block = self.block("\n\n").await;
            if block.starts_with(':') {
                continue;
            }
            let line = |name: &str| {
                let mut lines = block.lines();
                let found = lines.find_map(|line| line.strip_prefix(name));
                found.unwrap_or_else(|| panic!("no {name}in {block}"))
            };
            return Event {
                id: line("id: ").parse().expect("a number"),
                name: line("event: ").to_owned(),
                data: serde_json::from_str(line("data: ")).expect("JSON"),
            };
        }
    }

    /// Returns the next event with that name.
    async fn next_named(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }

    /// Reads until the row of the request with the number `seq` has a status. Returns its rows.
    async fn rows_until_answered(&mut self, seq: u64) -> (Vec<Value>, u64) {
        let mut rows = Vec::new();
        loop {
            let event = self.next_named("requests").await;
            rows.extend(event.data["rows"].as_array().expect("rows").clone());
            let is_answered = |row: &Value| row["seq"] == seq && row["status"].is_u64();
            if rows.iter().any(is_answered) {
                return (rows, event.id);
            }
        }
    }
}

#[tokio::test]
async fn stream_tells_requests_orders_and_accounts_as_they_change() {
    let server = TestServer::start().await;
    let (mut events, start) = Events::open(&server, "", "").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    let accounts = events.next_named("accounts").await;
    let change = &accounts.data["changed"][0];
    let expected = json!({"revision": start + 1, "account": "live"});
    assert_eq!(*change, expected);
    let order = async |events: &mut Events| {
        let orders = events.next_named("orders").await;
        orders.data["changed"][0]["id"].clone()
    };
    assert_eq!(order(&mut events).await, json!(id));
    let listing = server
        .control(Method::GET, "/_mock/requests?rows=true", &json!({}))
        .await;
    let (mut again, _) = Events::open(&server, &format!("?since={start}"), "").await;
    let replayed = again.next_named("requests").await;
    let expected = json!({"rows": listing["requests"], "evicted": 0});
    assert_eq!(
        replayed.data, expected,
        "each request once, as in the listing"
    );
    assert!(replayed.id >= start);
}

#[tokio::test]
async fn stream_of_one_account_omits_others() {
    let server = TestServer::start().await;
    let (mut events, _) = Events::open(&server, "?account=one", "").await;
    server.get("two", "/api/v2/orders/webhooks").await;
    server.send(Method::GET, "/api/v2/orders", &[], "").await;
    server.get("one", "/api/v2/orders/webhooks").await;
    let (rows, _) = events.rows_until_answered(1).await;
    assert!(rows.iter().all(|row| row["account"] == "one"), "{rows:?}");
    server
        .control(
            Method::PUT,
            "/_mock/clock",
            &json!({"mode": "frozen", "now": T0}),
        )
        .await;
    let clock = events.next_named("clock").await;
    assert_eq!(clock.data["changed"][0]["account"], Value::Null);
}

#[tokio::test]
async fn resume_by_since_or_last_event_id_continues_after_it() {
    let server = TestServer::start().await;
    server.get("live", "/api/v2/orders/webhooks").await;
    let (mut events, start) = Events::open(&server, "", "").await;
    server.get("live", "/api/v2/orders/webhooks").await;
    let (_, id) = events.rows_until_answered(2).await;
    drop(events);
    server.get("live", "/api/v2/orders/webhooks").await;
    for (query, headers) in [
        (format!("?since={id}"), String::new()),
        (
            format!("?since={start}"),
            format!("Last-Event-ID: {id}\r\n"),
        ),
    ] {
        let (mut resumed, from) = Events::open(&server, &query, &headers).await;
        assert_eq!(from, id);
        let (rows, _) = resumed.rows_until_answered(3).await;
        let seqs: Vec<_> = rows.iter().map(|row| row["seq"].clone()).collect();
        assert_eq!(seqs, [3], "{query} {headers}");
    }
}

#[tokio::test]
async fn resume_after_a_restart_tells_that_the_server_restarted() {
    let server = TestServer::start().await;
    for since in [0, 1_000, u64::MAX] {
        let (mut events, revision) = Events::open(&server, &format!("?since={since}"), "").await;
        let event = events.next().await;
        assert_eq!((event.name.as_str(), event.id), ("restarted", revision));
        assert_eq!(event.data, json!({"revision": revision}));
    }
}

#[tokio::test]
async fn seventeenth_stream_is_refused_until_one_ends() {
    let server = TestServer::start().await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        streams.push(Events::open(&server, "", "").await);
    }
    let refused = server.send(Method::GET, "/_mock/events", &[], "").await;
    let error = refused.json()["error"].take();
    assert_eq!(
        (refused.status, &error["code"]),
        (503, &json!("too_many_streams"))
    );
    streams.pop();
    let reopened = async {
        loop {
            let request = b"GET /_mock/events HTTP/1.0\r\nHost: localhost\r\n\r\n";
            let mut stream = raw::connect(&server.origin).await;
            stream.write_all(request).await.expect("a write");
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.expect("a status");
            if status.ends_with(b"200") {
                return;
            }
        }
    };
    let reopened = tokio::time::timeout(GUARD, reopened).await;
    reopened.expect("the ended stream leaves its place");
}

#[tokio::test]
async fn burst_of_requests_is_coalesced_and_the_rest_skipped() {
    let server = TestServer::start().await;
    let (mut events, start) = Events::open(&server, "", "").await;
    for _ in 0..20 {
        let calls = (0..50).map(|_| server.get("live", "/api/v2/orders/webhooks"));
        futures_util::future::join_all(calls).await;
    }
    drop(events);
    let (mut behind, _) = Events::open(&server, &format!("?since={start}"), "").await;
    let skipped = behind.next().await;
    assert_eq!((skipped.name.as_str(), skipped.id), ("skipped", start));
    assert_eq!(skipped.data["count"], 800, "{}", skipped.data);
    let requests = behind.next().await;
    let rows = requests.data["rows"].as_array().expect("rows");
    assert_eq!((requests.name.as_str(), rows.len()), ("requests", 200));
    assert!(rows.iter().any(|row| row["seq"] == 1_000), "the newest");
    events = behind;
    server.get("live", "/api/v2/orders/webhooks").await;
    events.rows_until_answered(1_001).await;
}

#[tokio::test]
async fn stream_that_is_not_read_falls_behind_and_skips() {
    /// Long enough that the rows of all requests do not fit into the buffers of the sockets.
    const QUERY_BYTES: usize = 6_000;
    let server = TestServer::start().await;
    let (mut events, _) = Events::open(&server, "?account=live", "").await;
    let path = format!("/api/v2/orders/webhooks?x={}", "x".repeat(QUERY_BYTES));
    for _ in 0..60 {
        let calls = (0..50).map(|_| server.get("live", &path));
        futures_util::future::join_all(calls).await;
    }
    let mut received = 0;
    let mut skipped = 0;
    loop {
        let event = events.next().await;
        skipped += event.data["count"].as_u64().unwrap_or(0);
        let rows = event.data["rows"].as_array().map_or(&[][..], Vec::as_slice);
        received += rows.len();
        if rows.iter().any(|row| row["seq"] == 3_000) {
            break;
        }
    }
    assert!(
        skipped > 1_000 && received < 2_000,
        "{received} received, {skipped} skipped"
    );
}

#[tokio::test]
async fn stop_ends_streams_at_once() {
    let server = TestServer::start().await;
    let (mut events, _) = Events::open(&server, "", "").await;
    assert!(server.shuts_down_cleanly().await, "no stream is aborted");
    let rest = raw::read_to_end(&mut events.stream).await;
    assert_eq!(rest.error, None);
}

#[tokio::test]
async fn deleted_requests_are_told_and_streams_are_not_recorded() {
    let server = TestServer::start().await;
    let (mut events, _) = Events::open(&server, "", "").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let listing = server
        .control(Method::GET, "/_mock/requests?rows=true", &json!({}))
        .await;
    let rows = listing["requests"].as_array().expect("rows");
    let is_stream = |row: &Value| row["operation"] == "control.streamEvents";
    assert!(!rows.iter().any(is_stream), "{listing}");
    server
        .control(Method::DELETE, "/_mock/requests", &json!({}))
        .await;
    let cleared = events.next_named("cleared").await;
    assert_eq!(cleared.data["changed"][0]["account"], Value::Null);
}
