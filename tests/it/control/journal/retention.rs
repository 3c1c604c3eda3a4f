//! What is kept, of whom, and how long.

use reqwest::Method;
use serde_json::{Value, json};

use super::{each, requests};
use crate::support::{T0, TestServer, picture};

/// SHA-256 of what [`picture`] is, as the journal has it.
fn digest(bytes: &[u8]) -> Value {
    use std::io::Write;
    let mut child = std::process::Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("sha256sum");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(bytes).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    let line = String::from_utf8(output.stdout).expect("UTF-8");
    let sha256 = line.split(' ').next().expect("a digest");
    json!({"bytes": bytes.len(), "sha256": sha256})
}

#[tokio::test]
async fn a_request_is_kept_with_its_answer_as_both_were() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "é_ai.exe"});
    let path = "/api/v2/orders/ai-detection?x=1&y=%20";
    let response = server.post("live", path, &body).await;
    assert_eq!(response.status, 400);
    let mut listed = requests(&server, "?account=live").await;
    let request = listed["requests"][0].take();
    assert_eq!(listed, json!({"requests": [null], "evicted": 0}));
    let text = body.to_string();
    let host = server.origin.trim_start_matches("http://");
    let date = &request["responseHeaders"]["date"];
    assert!(date.is_null(), "the server sets it later: {date}");
    let expected = json!({
        "seq": 1,
        "revision": "2026-03",
        "at": T0,
        "account": "live",
        "operation": "bizmori.createAiDetection",
        "method": "POST",
        "path": "/api/v2/orders/ai-detection",
        "query": "x=1&y=%20",
        "requestHeaders": {
            "accept": "*/*",
            "authorization": "Bearer live",
            "content-length": text.len().to_string(),
            "content-type": "application/json",
            "host": host,
        },
        "requestBody": body,
        "status": 400,
        "responseHeaders": {
            "content-type": "application/json",
            "vary": "Origin",
            "x-mock-request": "1",
            "x-mock-reason": response.header("x-mock-reason"),
        },
        "responseBody": response.json(),
        "durationMs": request["durationMs"],
        "ruleId": null,
        "fault": null,
        "reason": response.header("x-mock-reason"),
        "outcome": null,
    });
    assert_eq!(request, expected);
    assert!(request["durationMs"].is_u64());
    assert_eq!(response.header("x-mock-request"), "1");
}

#[tokio::test]
async fn what_is_no_text_is_kept_as_size_and_digest_and_what_is_long_with_its_begin() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, url) = server.create_detection("live", &body).await;
    server.put(&url, picture()).await;
    let long = format!("{{\"idempotencyKey\": \"x{}\"}}", "é".repeat(40_000));
    let headers = [("authorization", "Bearer live")];
    let path = "/api/v2/orders/ai-detection";
    server
        .send(Method::POST, path, &headers, long.clone())
        .await;
    let listed = requests(&server, "?account=live").await;
    let bodies = each(&listed, "requestBody");
    assert_eq!(bodies[1], digest(&picture()));
    let mut expected = digest(long.as_bytes());
    expected["text"] = json!(long[..65_535]);
    assert_eq!(bodies[2], expected, "cut between characters");
}

#[tokio::test]
async fn a_picture_that_is_fetched_is_kept_by_its_digest() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let url = server.get_order("live", &id).await["originalImageUrl"].take();
    let url = url.as_str().expect("a URL");
    let got = server.send(Method::GET, url, &[], "").await;
    assert_eq!(got.bytes, picture());
    let listed = requests(&server, "?operation=storage.get").await;
    assert_eq!(each(&listed, "responseBody"), [digest(&picture())]);
    assert_eq!(each(&listed, "account"), ["live"], "it is its owner's");
}

#[tokio::test]
async fn a_listing_is_of_what_is_asked_for_and_the_newest_last() {
    let server = TestServer::start().await;
    for (key, path) in [
        ("one", "/api/v2/orders/1"),
        ("two", "/api/v2/orders/webhooks"),
        ("one", "/api/v2/orders/webhooks"),
        ("one", "/api/v2/nothing"),
    ] {
        server.get(key, path).await;
    }
    let listed = async |query: &str| {
        let listed = requests(&server, query).await;
        let paths = each(&listed, "path").into_iter();
        let accounts = each(&listed, "account").into_iter();
        let of = |value: Value| value.as_str().unwrap_or("nobody").to_owned();
        let lines = accounts
            .zip(paths)
            .map(|(one, two)| of(one) + " " + &of(two));
        lines.collect::<Vec<_>>()
    };
    let all = [
        "one /api/v2/orders/1",
        "two /api/v2/orders/webhooks",
        "one /api/v2/orders/webhooks",
        "nobody /api/v2/nothing",
    ];
    assert_eq!(listed("").await, all);
    assert_eq!(listed("?limit=2").await, all[2..]);
    assert_eq!(listed("?account=one").await, [all[0], all[2]]);
    assert_eq!(listed("?account=one&since=1").await, [all[2]]);
    assert_eq!(listed("?operation=bizmori.*Webhooks").await, all[1..3]);
    assert_eq!(listed("?operation=unmatched").await, all[3..]);
    assert_eq!(listed("?status=200&method=get").await, all[1..3]);
    assert_eq!(listed("?path=/api/v2/orders/?").await, all[..1]);
    for (query, message) in [
        ("?account=one&since=x", "since: invalid number x"),
        ("?since=1", "since: account is missing"),
        ("?key=one", "unknown parameter key"),
    ] {
        let path = format!("/_mock/requests{query}");
        let refused = server.send(Method::GET, &path, &[], "").await;
        let response_body = refused.json();
        assert_eq!(
            (refused.status, &response_body["error"]["message"]),
            (400, &json!(message))
        );
    }
}

#[tokio::test]
async fn the_oldest_go_first_and_how_many_went_is_told() {
    let server = TestServer::with_config(|config| config.journal.journal_requests_max = 3).await;
    for n in 1..=5 {
        server.get("one", &format!("/api/v2/orders/{n}")).await;
    }
    server.get("two", "/api/v2/orders/webhooks").await;
    let listed = requests(&server, "?account=one").await;
    assert_eq!(
        (each(&listed, "seq"), &listed["evicted"]),
        (vec![json!(3), json!(4), json!(5)], &json!(2))
    );
    assert_eq!(requests(&server, "?account=two").await["evicted"], 0);
    let path = "/_mock/requests?account=one";
    server.control(Method::DELETE, path, &json!({})).await;
    let none = json!({"requests": [], "evicted": 0});
    assert_eq!(requests(&server, "?account=one").await, none);
    assert_eq!(each(&requests(&server, "").await, "account"), ["two"]);
    let next = server.get("one", "/api/v2/orders/1").await;
    assert_eq!(next.header("x-mock-request"), "6", "numbers go on");
}

#[tokio::test]
async fn an_account_that_ends_takes_its_journal_along() {
    let server = TestServer::start().await;
    server.get("one", "/api/v2/orders/1").await;
    server.get("two", "/api/v2/orders/2").await;
    server
        .control(Method::DELETE, "/_mock/accounts/one", &json!({}))
        .await;
    assert_eq!(each(&requests(&server, "").await, "account"), ["two"]);
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "two"}))
        .await;
    let none = json!({"requests": [], "evicted": 0});
    assert_eq!(requests(&server, "").await, none);
    let next = server.get("one", "/api/v2/orders/1").await;
    assert_eq!(next.header("x-mock-request"), "1", "a new life counts anew");
}

#[tokio::test]
async fn list_a_request_that_a_rule_answered_names_the_rule() {
    let server = TestServer::start().await;
    let rule = json!({"account": "one", "then": {"respond": {"status": 503}}});
    let created = server.control(Method::POST, "/_mock/rules", &rule).await;
    server.get("one", "/api/v2/orders/1").await;
    let listed = requests(&server, "").await;
    assert_eq!(each(&listed, "ruleId"), [created["id"].clone()]);
    assert_eq!(each(&listed, "status"), [503]);
}

#[tokio::test]
async fn get_a_request_by_account_and_number_answers_that_one() {
    let server = TestServer::start_frozen("live").await;
    server
        .control(
            Method::PUT,
            "/_mock/accounts/live",
            &json!({"revision": "2026-10"}),
        )
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let path = format!("/api/v2/orders/{id}");
    let response = server.get("live", &path).await;
    let seq = response.header("x-mock-request");
    let one = format!("/_mock/requests/live/{seq}");
    let one = server.control(Method::GET, &one, &json!({})).await;
    assert_eq!(
        (one["seq"].to_string(), &one["path"]),
        (seq.to_owned(), &json!(path))
    );
    assert_eq!(one["outcome"], "probability 0.98 by suffix _ai");
    assert_eq!(
        (&one["reason"], &one["revision"]),
        (&Value::Null, &json!("2026-10"))
    );
    let listed = requests(&server, "?account=live").await;
    assert_eq!(
        listed["requests"].as_array().expect("a list").last(),
        Some(&one)
    );
    server.get("other", "/api/v2/orders").await;
    for (path, message) in [
        ("live/99", "no request 99 of account live"),
        ("live/x", "no request x of account live"),
        ("nobody/1", "no request 1 of account nobody"),
    ] {
        let path = format!("/_mock/requests/{path}");
        let response = server.send(Method::GET, &path, &[], "").await;
        let error = response.json()["error"].take();
        assert_eq!(
            (response.status, &error["code"]),
            (404, &json!("unknown_request"))
        );
        assert_eq!(error["message"], message);
    }
}

#[tokio::test]
async fn list_by_a_class_of_statuses_answers_those_of_the_class() {
    let server = TestServer::start().await;
    server.get("live", "/api/v2/orders/1").await;
    server.get("live", "/api/v2/orders?page=0").await;
    server.get("live", "/api/v2/orders").await;
    for (query, statuses) in [
        ("4xx", json!([404, 400])),
        ("4XX", json!([404, 400])),
        ("2xx", json!([200])),
        ("404", json!([404])),
        ("5xx", json!([])),
    ] {
        let listed = requests(&server, &format!("?account=live&status={query}")).await;
        assert_eq!(
            each(&listed, "status"),
            *statuses.as_array().expect("a list"),
            "{query}"
        );
    }
    for query in ["4x", "x", "", "-1", "6xx"] {
        let path = format!("/_mock/requests?status={query}");
        let response = server.send(Method::GET, &path, &[], "").await;
        let error = json!({"error": {
            "code": "bad_query",
            "message": format!("status: invalid status {query}"),
            "hint": "send a status such as 404, or a class such as 4xx",
        }});
        assert_eq!((response.status, response.json()), (400, error));
    }
}
