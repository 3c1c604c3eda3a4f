//! The journal while requests are under way: a reader that follows it misses none.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{each, requests, verify};
use crate::support::{T0, TestResponse, TestServer, raw};

const DETECTIONS: &str = "/api/v2/orders/ai-detection";
const BODY: &str = r#"{"idempotencyKey":"a","fileName":"a_ai.jpg"}"#;

/// A request whose body has come but for its last byte.
struct HeldWait(TcpStream);

impl HeldWait {
    /// Sends the request, and waits until the journal has it under that number.
    async fn send(server: &TestServer, number: u64) -> Self {
        let length = BODY.len();
        let request_head = format!(
            "POST {DETECTIONS} HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\
             Authorization: Bearer live\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut stream = raw::connect(&server.origin).await;
        stream
            .write_all(request_head.as_bytes())
            .await
            .expect("written");
        let begin = &BODY.as_bytes()[..length - 1];
        stream.write_all(begin).await.expect("written");
        let arrived = json!({"account": "live", "when": {"path": DETECTIONS},
            "count": {"min": 1}, "timeoutMs": 20_000});
        assert_eq!(verify(server, &arrived).await.status, 200);
        let held = Self(stream);
        let listed = requests(server, "?account=live").await;
        assert!(each(&listed, "seq").contains(&json!(number)), "{listed}");
        held
    }

    async fn finish(mut self) -> TestResponse {
        let end = &BODY.as_bytes()[BODY.len() - 1..];
        self.0.write_all(end).await.expect("written");
        raw::read_response(self.0).await
    }
}

async fn ids(server: &TestServer, query: &str) -> Vec<Value> {
    each(&requests(server, query).await, "seq")
}

#[tokio::test]
async fn follow_while_an_earlier_request_is_held_shows_it_pending_and_completes_it_in_place() {
    let server = TestServer::start_frozen("live").await;
    let held = HeldWait::send(&server, 1).await;
    let later = server.get("live", "/api/v2/orders/1").await;
    assert_eq!(later.header("x-mock-request"), "2");
    let listed = requests(&server, "?account=live&since=0").await;
    assert_eq!(each(&listed, "seq"), [json!(1), json!(2)]);
    let expected = json!({
        "seq": 1,
        "revision": "2026-03",
        "at": T0,
        "account": "live",
        "operation": "bizmori.createAiDetection",
        "method": "POST",
        "path": DETECTIONS,
        "query": null,
        "requestHeaders": {
            "authorization": "Bearer live",
            "connection": "close",
            "content-length": BODY.len().to_string(),
            "content-type": "application/json",
            "host": "mock",
        },
        "requestBody": null,
        "status": null,
        "responseHeaders": null,
        "responseBody": null,
        "durationMs": null,
        "ruleId": null,
        "fault": null,
        "reason": null,
        "outcome": null,
    });
    assert_eq!(listed["requests"][0], expected);
    let response = held.finish().await;
    assert_eq!(response.header("x-mock-request"), "1");
    let listed = requests(&server, "?account=live").await;
    assert_eq!(each(&listed, "seq"), [json!(1), json!(2)]);
    assert_eq!(
        each(&listed, "status"),
        [json!(response.status), json!(404)]
    );
    let body: Value = serde_json::from_str(BODY).expect("JSON");
    assert_eq!(listed["requests"][0]["requestBody"], body);
}

#[tokio::test]
async fn follow_while_a_rule_delays_a_request_shows_it_pending_with_the_fault_to_come() {
    let server = TestServer::start().await;
    let rule = json!({"when": {"operation": "bizmori.getOrder"}, "account": "live",
        "then": {"delayMs": 600_000, "fault": "reset"}});
    let rule = server.control(Method::POST, "/_mock/rules", &rule).await;
    let followed = async {
        let there = json!({"account": "live", "count": 1, "timeoutMs": 20_000,
            "when": {"operation": "bizmori.getOrder"}});
        // Counted as soon as it has arrived; the rule is looked up after that.
        assert_eq!(verify(&server, &there).await.status, 200);
        loop {
            let listed = requests(&server, "?account=live&since=0").await;
            let request = &listed["requests"][0];
            assert_eq!(
                (&request["seq"], &request["status"]),
                (&json!(1), &Value::Null)
            );
            if request["ruleId"] == rule["id"] {
                assert_eq!(request["fault"], "reset");
                return;
            }
        }
    };
    tokio::select! {
        response = server.get("live", "/api/v2/orders/1") => panic!("{response:?}"),
        () = followed => {}
    }
}

#[tokio::test]
async fn follow_by_pages_lists_the_first_after_the_number() {
    let server = TestServer::start().await;
    for _ in 0..5 {
        server.get("live", "/api/v2/orders/1").await;
    }
    let page =
        async |since: u64| ids(&server, &format!("?account=live&limit=2&since={since}")).await;
    assert_eq!(page(0).await, [1, 2]);
    assert_eq!(page(2).await, [3, 4]);
    assert_eq!(page(4).await, [5]);
    assert_eq!(page(5).await, [0; 0]);
    assert_eq!(ids(&server, "?account=live&limit=2").await, [4, 5]);
}

#[tokio::test]
async fn evict_or_delete_a_pending_request_leaves_it_out_when_it_completes() {
    let server = TestServer::with_config(|config| config.journal.journal_requests_max = 2).await;
    let evicted = HeldWait::send(&server, 1).await;
    for _ in 0..2 {
        server.get("live", "/api/v2/orders/1").await;
    }
    assert_eq!(evicted.finish().await.header("x-mock-request"), "1");
    let listed = requests(&server, "?account=live").await;
    assert_eq!(each(&listed, "seq"), [2, 3]);
    assert_eq!(listed["evicted"], 1);
    let deleted = HeldWait::send(&server, 4).await;
    let path = "/_mock/requests?account=live";
    server.control(Method::DELETE, path, &json!({})).await;
    assert_eq!(deleted.finish().await.header("x-mock-request"), "4");
    let none = json!({"requests": [], "evicted": 0});
    assert_eq!(requests(&server, "?account=live").await, none);
    server.get("live", "/api/v2/orders/1").await;
    assert_eq!(ids(&server, "?account=live").await, [5]);
}

#[tokio::test]
async fn verify_a_pending_request_counts_its_head_at_once_and_its_body_when_it_has_come() {
    let server = TestServer::start().await;
    let held = HeldWait::send(&server, 1).await;
    let by_body = |within: Value| {
        json!({"account": "live", "when": {"body": {"idempotencyKey": "a"}}, "count": 1,
            "timeoutMs": within})
    };
    let missed = verify(&server, &by_body(Value::Null)).await.json();
    let near = &missed["nearMisses"][0];
    let differences = json!([r#"body: has not come yet, wanted {"idempotencyKey":"a"}"#]);
    assert_eq!(
        (&missed["count"], &near["differences"]),
        (&json!(0), &differences)
    );
    let waiting = json!({"account": "live", "when": {"body": {"idempotencyKey": "a"}},
        "count": {"min": 1}, "timeoutMs": 20_000});
    let (met, response) = tokio::join!(verify(&server, &waiting), held.finish());
    assert_eq!(met.json(), json!({"ok": true, "count": 1}));
    assert_eq!(response.status, 200, "{}", response.text());
}
