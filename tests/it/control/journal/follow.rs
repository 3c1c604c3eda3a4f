//! The journal while requests are in flight. A reader that follows it misses none.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{field_of_each, list_requests, verify};
use crate::support::{T0, TestResponse, TestServer, raw};

const DETECTIONS: &str = "/api/v2/orders/ai-detection";
const BODY: &str = r#"{"idempotencyKey":"a","fileName":"a_ai.jpg"}"#;

/// A request of which all but the last byte of its body was sent.
struct IncompleteRequest(TcpStream);

impl IncompleteRequest {
    /// Sends the request and waits until the journal lists it under `number`.
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
            .expect("the server reads the request");
        let all_but_last = &BODY.as_bytes()[..length - 1];
        stream
            .write_all(all_but_last)
            .await
            .expect("the server reads the request");
        let arrived = json!({"account": "live", "when": {"path": DETECTIONS},
            "count": {"min": 1}, "timeoutMs": 20_000});
        assert_eq!(verify(server, &arrived).await.status, 200);
        let incomplete = Self(stream);
        let listing = list_requests(server, "?account=live").await;
        assert!(
            field_of_each(&listing, "seq").contains(&json!(number)),
            "{listing}"
        );
        incomplete
    }

    async fn finish(mut self) -> TestResponse {
        let last = &BODY.as_bytes()[BODY.len() - 1..];
        self.0
            .write_all(last)
            .await
            .expect("the server reads the request");
        raw::read_response(self.0).await
    }
}

async fn numbers(server: &TestServer, query: &str) -> Vec<Value> {
    field_of_each(&list_requests(server, query).await, "seq")
}

#[tokio::test]
async fn follow_with_incomplete_request_completes_its_entry_in_place() {
    let server = TestServer::start_frozen("live").await;
    let incomplete = IncompleteRequest::send(&server, 1).await;
    let later = server.get("live", "/api/v2/orders/1").await;
    assert_eq!(later.header("x-mock-request"), "2");
    let listing = list_requests(&server, "?account=live&since=0").await;
    assert_eq!(field_of_each(&listing, "seq"), [json!(1), json!(2)]);
    let request = &listing["requests"][0];
    let expected = json!({
        "seq": 1,
        "revision": request["revision"],
        "at": T0,
        "receivedAt": request["receivedAt"],
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
        "orderId": null,
    });
    assert_eq!(*request, expected);
    let response = incomplete.finish().await;
    assert_eq!(response.header("x-mock-request"), "1");
    let listing = list_requests(&server, "?account=live").await;
    assert_eq!(field_of_each(&listing, "seq"), [json!(1), json!(2)]);
    assert_eq!(
        field_of_each(&listing, "status"),
        [json!(response.status), json!(404)]
    );
    let body: Value = serde_json::from_str(BODY).expect("JSON");
    assert_eq!(listing["requests"][0]["requestBody"], body);
}

#[tokio::test]
async fn follow_with_delayed_request_lists_it_as_pending_with_its_fault() {
    let server = TestServer::start().await;
    let body = json!({"when": {"operation": "bizmori.getOrder"}, "account": "live",
        "then": {"delayMs": 600_000, "fault": "reset"}});
    let rule = server.control(Method::POST, "/_mock/rules", &body).await;
    let follow = async {
        let arrived = json!({"account": "live", "count": 1, "timeoutMs": 20_000,
            "when": {"operation": "bizmori.getOrder"}});
        // The request counts as soon as it arrives. Rules are evaluated afterwards.
        assert_eq!(verify(&server, &arrived).await.status, 200);
        loop {
            let listing = list_requests(&server, "?account=live&since=0").await;
            let request = &listing["requests"][0];
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
        () = follow => {}
    }
}

#[tokio::test]
async fn follow_by_pages_lists_the_first_requests_after_the_number() {
    let server = TestServer::start().await;
    for _ in 0..5 {
        server.get("live", "/api/v2/orders/1").await;
    }
    let page =
        async |since: u64| numbers(&server, &format!("?account=live&limit=2&since={since}")).await;
    assert_eq!(page(0).await, [1, 2]);
    assert_eq!(page(2).await, [3, 4]);
    assert_eq!(page(4).await, [5]);
    assert_eq!(page(5).await, [0; 0]);
    assert_eq!(numbers(&server, "?account=live&limit=2").await, [4, 5]);
}

#[tokio::test]
async fn evict_or_delete_pending_request_omits_it_after_completion() {
    let server = TestServer::with_config(|config| config.journal.journal_requests_max = 2).await;
    let evicted = IncompleteRequest::send(&server, 1).await;
    for _ in 0..2 {
        server.get("live", "/api/v2/orders/1").await;
    }
    assert_eq!(evicted.finish().await.header("x-mock-request"), "1");
    let listing = list_requests(&server, "?account=live").await;
    assert_eq!(field_of_each(&listing, "seq"), [2, 3]);
    assert_eq!(listing["evicted"], 1);
    let deleted = IncompleteRequest::send(&server, 4).await;
    let path = "/_mock/requests?account=live";
    server.control(Method::DELETE, path, &json!({})).await;
    assert_eq!(deleted.finish().await.header("x-mock-request"), "4");
    let none = json!({"requests": [], "evicted": 0});
    assert_eq!(list_requests(&server, "?account=live").await, none);
    server.get("live", "/api/v2/orders/1").await;
    assert_eq!(numbers(&server, "?account=live").await, [5]);
}

#[tokio::test]
async fn verify_pending_request_matches_head_at_once_and_body_after_arrival() {
    let server = TestServer::start().await;
    let incomplete = IncompleteRequest::send(&server, 1).await;
    let by_body = |within: Value| {
        json!({"account": "live", "when": {"body": {"idempotencyKey": "a"}}, "count": 1,
            "timeoutMs": within})
    };
    let unmatched = verify(&server, &by_body(Value::Null)).await.json();
    let near_miss = &unmatched["nearMisses"][0];
    let differences = json!([r#"body: not received yet, expected {"idempotencyKey":"a"}"#]);
    assert_eq!(
        (&unmatched["count"], &near_miss["differences"]),
        (&json!(0), &differences)
    );
    let waiting = json!({"account": "live", "when": {"body": {"idempotencyKey": "a"}},
        "count": {"min": 1}, "timeoutMs": 20_000});
    let (verified, response) = tokio::join!(verify(&server, &waiting), incomplete.finish());
    assert_eq!(verified.json(), json!({"ok": true, "count": 1}));
    assert_eq!(response.status, 200, "{}", response.text());
}
