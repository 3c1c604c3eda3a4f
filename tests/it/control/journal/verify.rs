//! Verification of requests, and near misses.

use reqwest::Method;
use serde_json::{Value, json};

use super::verify;
use crate::support::{T0, TestServer};

/// Starts a server to which `live` has sent two create requests.
async fn start_with_two_creates() -> TestServer {
    let server = TestServer::start_frozen("live").await;
    for (key, heatmap) in [("a", true), ("b", false)] {
        let options = json!({"generateHeatmap": heatmap});
        let body = json!({"idempotencyKey": key, "fileName": "cat.jpg", "options": options});
        server.create_detection("live", &body).await;
    }
    server
}

fn count_creates(count: &Value) -> Value {
    json!({"account": "live", "when": {"operation": "bizmori.createAiDetection"}, "count": count})
}

#[tokio::test]
async fn verify_count_answers_ok_or_the_actual_count() {
    let server = start_with_two_creates().await;
    for count in [
        json!(2),
        json!({"min": 1}),
        json!({"max": 2}),
        json!({"min": 2, "max": 9}),
    ] {
        let verified = verify(&server, &count_creates(&count)).await;
        assert_eq!(
            (verified.status, verified.json()),
            (200, json!({"ok": true, "count": 2}))
        );
    }
    let unmatched = verify(&server, &count_creates(&json!(1))).await;
    let expected = json!({"ok": false, "count": 2, "nearMisses": []});
    assert_eq!((unmatched.status, unmatched.json()), (422, expected));
    let reason = unmatched.header("x-mock-reason");
    assert_eq!(reason, "expected 1 matching requests, got 2");
    let never = json!({"account": "other", "count": 0});
    assert_eq!(verify(&server, &never).await.status, 200);
}

#[tokio::test]
async fn verify_by_query_headers_and_body_counts_matches() {
    let server = start_with_two_creates().await;
    server
        .get("live", "/api/v2/orders?page=2&keyword=cat")
        .await;
    for (when, count) in [
        (json!({"body": {"options": {"generateHeatmap": true}}}), 1),
        (json!({"body": {"fileName": "*.jpg"}}), 2),
        (json!({"fileName": "c?t.jpg"}), 2),
        (json!({"headers": {"Content-Type": "application/json"}}), 2),
        (json!({"query": {"page": "2", "keyword": "c*"}}), 1),
        (json!({"status": 200, "method": "post"}), 2),
        (
            json!({"body": {"options": {}}, "headers": {"authorization": "Bearer l*"}}),
            2,
        ),
    ] {
        let body = json!({"account": "live", "when": when, "count": count});
        let response = verify(&server, &body).await;
        assert_eq!(
            response.json(),
            json!({"ok": true, "count": count}),
            "{body}"
        );
    }
}

#[tokio::test]
async fn verify_without_match_names_differing_fields_in_near_misses() {
    let server = start_with_two_creates().await;
    let when = json!({
        "operation": "bizmori.createAiDetection",
        "method": "PUT",
        "fileName": "dog*",
        "status": 201,
        "query": {"page": "1"},
        "headers": {"x-tenant": "a"},
        "body": {"idempotencyKey": "b", "options": {"generateHeatmap": true, "tile": [1]}},
    });
    let body = json!({"account": "live", "when": when, "count": 1});
    let response = verify(&server, &body).await;
    let result = response.json();
    assert_eq!((response.status, &result["count"]), (422, &json!(0)));
    let near_misses = result["nearMisses"].as_array().expect("near misses");
    assert_eq!(near_misses.len(), 2);
    let differences = json!([
        "method: expected PUT, got POST",
        "query.page: missing, expected 1",
        "headers.x-tenant: missing, expected a",
        "status: expected 201, got 200",
        "fileName: expected dog*, got cat.jpg",
        "body.options.generateHeatmap: expected true, got false",
        "body.options.tile: missing, expected [1]",
    ]);
    assert_eq!(near_misses[0]["differences"], differences);
    let request = &near_misses[0]["request"];
    assert_eq!((&request["seq"], &request["at"]), (&json!(2), &json!(T0)));
    let second = near_misses[1]["differences"]
        .as_array()
        .expect("differences");
    assert!(
        second.contains(&json!("body.idempotencyKey: expected \"b\", got \"a\"")),
        "{second:?}"
    );
}

#[tokio::test]
async fn verify_after_eviction_answers_409_if_the_result_is_uncertain() {
    let server = TestServer::with_config(|config| config.journal.journal_requests_max = 2).await;
    for _ in 0..3 {
        server.get("live", "/api/v2/orders/1").await;
    }
    let count_all = |count: Value| json!({"account": "live", "count": count});
    for (count, status) in [
        (json!({"min": 2}), 200),
        (json!({"max": 3}), 200),
        (json!({"max": 1}), 422),
        (json!({"min": 4}), 422),
        (json!({"min": 3}), 409),
        (json!({"max": 2}), 409),
        (json!(2), 409),
        (json!(0), 422),
    ] {
        let response = verify(&server, &count_all(count.clone())).await;
        assert_eq!(response.status, status, "{count}: {}", response.text());
    }
    let response = verify(&server, &count_all(json!(2))).await;
    assert_eq!(response.json()["error"]["code"], "evicted");
    let message = "expected 2 matching requests, got 2; 1 evicted requests may have matched";
    assert_eq!(response.json()["error"]["message"], message);
}

#[tokio::test]
async fn read_and_verify_with_disabled_journal_answer_journal_disabled() {
    let server = TestServer::with_config(|config| config.journal.journal_requests_max = 0).await;
    server.get("live", "/api/v2/orders/1").await;
    let response = verify(&server, &json!({"account": "live", "count": 0})).await;
    let error = json!({"error": {
        "code": "journal_disabled",
        "message": "the journal is disabled: --journal-requests-max is 0",
        "hint": "start the server with a larger --journal-requests-max",
    }});
    assert_eq!((response.status, response.json()), (409, error.clone()));
    for path in [
        "/_mock/requests",
        "/_mock/requests?account=live",
        "/_mock/requests/live/1",
    ] {
        let response = server.send(reqwest::Method::GET, path, &[], "").await;
        assert_eq!(
            (response.status, response.json()),
            (409, error.clone()),
            "{path}"
        );
    }
    let response = server.send(reqwest::Method::DELETE, "/_mock/requests", &[], "");
    assert_eq!(
        response.await.status,
        204,
        "clearing an empty journal succeeds"
    );
}

#[tokio::test]
async fn verify_by_status_class_or_file_name_in_any_case_counts_matches() {
    let server = TestServer::start().await;
    let create = json!({"idempotencyKey": "a", "fileName": "Photo_AI.JPG"});
    server
        .post("live", "/api/v2/orders/ai-detection", &create)
        .await;
    server.get("live", "/api/v2/orders/1").await;
    server.get("live", "/api/v2/orders?page=0").await;
    for (when, count) in [
        (json!({"status": "4xx"}), 2),
        (json!({"status": "4XX"}), 2),
        (json!({"status": "2xx"}), 1),
        (json!({"status": "404"}), 1),
        (json!({"status": 404}), 1),
        (json!({"status": "5xx"}), 0),
        (json!({"fileName": "photo_*.jpg"}), 1),
        (json!({"fileName": "PHOTO_ai.JPG"}), 1),
        (json!({"fileName": "photo.jpg"}), 0),
    ] {
        let body = json!({"account": "live", "when": when, "count": count});
        let response = verify(&server, &body).await;
        assert_eq!(response.status, 200, "{when}: {}", response.text());
    }
    let expectation = json!({"account": "live", "when": {"status": "5xx"}, "count": 1});
    let unmatched = verify(&server, &expectation).await.json();
    let difference = unmatched["nearMisses"][0]["differences"][0].as_str();
    assert!(
        difference.is_some_and(|it| it == "status: expected 5xx, got 400"),
        "{unmatched}"
    );
    for status in [json!("4x"), json!("soon"), json!(true), json!("6xx")] {
        let body = json!({"count": 1, "when": {"status": status}});
        let response = verify(&server, &body).await;
        assert_eq!(response.status, 400, "{status}: {}", response.text());
    }
}

#[tokio::test]
async fn verify_with_timeout_waits_for_requests() {
    let server = TestServer::start().await;
    let body = json!({"account": "live", "when": {"path": "/api/v2/orders/2"},
        "count": {"min": 1}, "timeoutMs": 20_000});
    let pending = async {
        server.get("live", "/api/v2/orders/1").await;
        server.get("live", "/api/v2/orders/2").await;
    };
    let (response, ()) = tokio::join!(verify(&server, &body), pending);
    assert_eq!(response.json(), json!({"ok": true, "count": 1}));
    let never =
        json!({"account": "live", "when": {"path": "/x"}, "count": {"min": 1}, "timeoutMs": 1});
    assert_eq!(verify(&server, &never).await.status, 422);
    let none = json!({"account": "live", "when": {"path": "/x"}, "count": 0, "timeoutMs": 1});
    assert_eq!(verify(&server, &none).await.status, 200);
}

#[tokio::test]
async fn verify_counts_requests_that_are_in_flight() {
    let server = TestServer::start().await;
    let rule = json!({"account": "live", "when": {"operation": "bizmori.getOrder"},
        "then": {"delayMs": 600_000}});
    server
        .control(reqwest::Method::POST, "/_mock/rules", &rule)
        .await;
    server.get("live", "/api/v2/orders/webhooks").await;
    let body = json!({"account": "live", "when": {"operation": "bizmori.getOrder"},
        "count": 1, "timeoutMs": 200});
    let waiting = server.get("live", "/api/v2/orders/1");
    tokio::select! {
        response = waiting => panic!("the delayed request was answered: {response:?}"),
        response = verify(&server, &body) => {
            assert_eq!(response.json(), json!({"ok": true, "count": 1}));
        }
    }
}

#[tokio::test]
async fn verify_with_matcher_that_can_match_nothing_is_refused() {
    let server = TestServer::start().await;
    for (body, code, prefix) in [
        (
            json!({"count": 1, "when": {"operation": "nothing"}}),
            "bad_when",
            "when.operation: no recorded operation matches nothing",
        ),
        (
            json!({"count": 1, "when": {"operation": "webhook.deliver"}}),
            "bad_when",
            "when.operation: webhook.deliver is an outbound call, which GET /_mock/deliveries lists",
        ),
        (
            json!({"count": 1, "when": {"operation": "bizmori.getOrdr"}}),
            "bad_when",
            "when.operation: no recorded operation matches bizmori.getOrdr; did you mean bizmori.getOrder?",
        ),
        (
            json!({"count": {"min": 2, "max": 1}}),
            "bad_count",
            "count: min is greater than max",
        ),
        (
            json!({"count": "x"}),
            "bad_body",
            "count: expected a number or {min, max}",
        ),
        (json!({}), "bad_body", "missing field `count`"),
    ] {
        let response = verify(&server, &body).await;
        let error = response.json()["error"].take();
        assert_eq!(
            (response.status, &error["code"]),
            (400, &json!(code)),
            "{body}"
        );
        let message = error["message"].as_str().expect("a line");
        assert!(message.starts_with(prefix), "{message}");
    }
}

/// Verifies that one request has a body that includes `body`. Returns status and body.
async fn verify_body(server: &TestServer, body: &str) -> (u16, Value) {
    let expectation = format!(r#"{{"account": "live", "when": {{"body": {body}}}, "count": 1}}"#);
    let path = "/_mock/requests/verify";
    let verified = server.send(Method::POST, path, &[], expectation).await;
    (verified.status, verified.json())
}

#[tokio::test]
async fn verify_body_with_numbers_compares_exact_values() {
    let server = TestServer::start_frozen("live").await;
    let body_sent = r#"{"idempotencyKey": "1", "fileName": "a.jpg", "f": 1.0, "h": 1e2,
        "x": 123456789012345678901234567890}"#;
    let headers = [
        ("authorization", "Bearer live"),
        ("content-type", "application/json"),
    ];
    let path = "/api/v2/orders/ai-detection";
    let created = server.send(Method::POST, path, &headers, body_sent).await;
    assert_eq!(created.status, 200, "{}", created.text());
    for (body, status) in [
        (r#"{"f": 1}"#, 200),
        (r#"{"f": 10e-1, "h": 100}"#, 200),
        (r#"{"f": 1.0000000000000000000001}"#, 422),
        (r#"{"x": 123456789012345678901234567890}"#, 200),
        (r#"{"x": 123456789012345678901234567890.0}"#, 200),
        (r#"{"x": 123456789012345678901234567891}"#, 422),
        (r#"{"x": 1e999}"#, 422),
    ] {
        assert_eq!(verify_body(&server, body).await.0, status, "{body}");
    }
    let (_, unmatched) = verify_body(&server, r#"{"f": 2.50, "h": "100"}"#).await;
    assert_eq!(
        unmatched["nearMisses"][0]["differences"],
        json!([
            "body.f: expected 2.50, got 1.0",
            r#"body.h: expected "100", got 1e2"#
        ])
    );
}
