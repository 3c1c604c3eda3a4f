//! Content of stored requests, filters of listings, and eviction.

use reqwest::Method;
use serde_json::{Value, json};

use super::{field_of_each, list_requests};
use crate::support::{T0, TestServer, picture};

/// Returns size and SHA-256 of bytes in the form of the journal.
fn digest(bytes: &[u8]) -> Value {
    use std::io::Write;
    let mut child = std::process::Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("sha256sum");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(bytes).expect("sha256sum reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("an output");
    let line = String::from_utf8(output.stdout).expect("UTF-8");
    let sha256 = line.split(' ').next().expect("a digest");
    json!({"bytes": bytes.len(), "sha256": sha256})
}

#[tokio::test]
async fn list_requests_answers_complete_request_and_response() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "é_ai.exe"});
    let path = "/api/v2/orders/ai-detection?x=1&y=%20";
    let response = server.post("live", path, &body).await;
    assert_eq!(response.status, 400);
    let mut listing = list_requests(&server, "?account=live").await;
    let request = listing["requests"][0].take();
    assert_eq!(listing, json!({"requests": [null], "evicted": 0}));
    let text = body.to_string();
    let host = server.origin.trim_start_matches("http://");
    let date = &request["responseHeaders"]["date"];
    assert!(date.is_null(), "the date is added after journaling: {date}");
    let expected = json!({
        "seq": 1,
        "revision": request["revision"],
        "at": T0,
        "receivedAt": request["receivedAt"],
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
        "orderId": null,
    });
    assert_eq!(request, expected);
    assert!(request["revision"].as_u64() > Some(1_700_000_000_000_000));
    assert_ne!(request["receivedAt"], T0, "real time");
    assert!(request["durationMs"].is_u64());
    assert_eq!(response.header("x-mock-request"), "1");
}

#[tokio::test]
async fn list_requests_with_binary_or_long_body_answers_digest_and_prefix() {
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
    let listing = list_requests(&server, "?account=live").await;
    let bodies = field_of_each(&listing, "requestBody");
    assert_eq!(bodies[1], digest(&picture()));
    let mut expected = digest(long.as_bytes());
    expected["text"] = json!(long[..65_535]);
    assert_eq!(bodies[2], expected, "the text ends at a character boundary");
}

#[tokio::test]
async fn list_requests_with_downloaded_picture_answers_its_digest() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let order = server.get_order("live", &id).await;
    let url = order["originalImageUrl"].as_str().expect("a URL");
    let download = server.send(Method::GET, url, &[], "").await;
    assert_eq!(download.bytes, picture());
    let listing = list_requests(&server, "?operation=storage.get").await;
    assert_eq!(
        field_of_each(&listing, "responseBody"),
        [digest(&picture())]
    );
    assert_eq!(
        field_of_each(&listing, "account"),
        ["live"],
        "the request belongs to the owner of the picture"
    );
}

#[tokio::test]
async fn list_requests_with_filters_answers_matches_newest_last() {
    let server = TestServer::start().await;
    for (key, path) in [
        ("one", "/api/v2/orders/1"),
        ("two", "/api/v2/orders/webhooks"),
        ("one", "/api/v2/orders/webhooks"),
        ("one", "/api/v2/nothing"),
    ] {
        server.get(key, path).await;
    }
    let lines = async |query: &str| {
        let listing = list_requests(&server, query).await;
        let paths = field_of_each(&listing, "path").into_iter();
        let accounts = field_of_each(&listing, "account").into_iter();
        let text = |value: Value| value.as_str().unwrap_or("nobody").to_owned();
        accounts
            .zip(paths)
            .map(|(account, path)| text(account) + " " + &text(path))
            .collect::<Vec<_>>()
    };
    let all = [
        "one /api/v2/orders/1",
        "two /api/v2/orders/webhooks",
        "one /api/v2/orders/webhooks",
        "nobody /api/v2/nothing",
    ];
    assert_eq!(lines("").await, all);
    assert_eq!(lines("?limit=2").await, all[2..]);
    assert_eq!(lines("?account=one").await, [all[0], all[2]]);
    assert_eq!(lines("?account=one&since=1").await, [all[2]]);
    assert_eq!(lines("?operation=bizmori.*Webhooks").await, all[1..3]);
    assert_eq!(lines("?operation=unmatched").await, all[3..]);
    assert_eq!(lines("?status=200&method=get").await, all[1..3]);
    assert_eq!(lines("?path=/api/v2/orders/?").await, all[..1]);
    for (query, message) in [
        ("?account=one&since=x", "since: invalid number x"),
        ("?since=1", "since: account is missing"),
        ("?key=one", "unknown parameter key"),
    ] {
        let path = format!("/_mock/requests{query}");
        let refused = server.send(Method::GET, &path, &[], "").await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["message"]),
            (400, &json!(message))
        );
    }
}

#[tokio::test]
async fn exceed_journal_limit_evicts_the_oldest_and_counts_them() {
    let server = TestServer::with_config(|config| config.journal.journal_requests_max = 3).await;
    for n in 1..=5 {
        server.get("one", &format!("/api/v2/orders/{n}")).await;
    }
    server.get("two", "/api/v2/orders/webhooks").await;
    let listing = list_requests(&server, "?account=one").await;
    assert_eq!(
        (field_of_each(&listing, "seq"), &listing["evicted"]),
        (vec![json!(3), json!(4), json!(5)], &json!(2))
    );
    assert_eq!(list_requests(&server, "?account=two").await["evicted"], 0);
    let path = "/_mock/requests?account=one";
    server.control(Method::DELETE, path, &json!({})).await;
    let none = json!({"requests": [], "evicted": 0});
    assert_eq!(list_requests(&server, "?account=one").await, none);
    assert_eq!(
        field_of_each(&list_requests(&server, "").await, "account"),
        ["two"]
    );
    let next = server.get("one", "/api/v2/orders/1").await;
    assert_eq!(next.header("x-mock-request"), "6", "numbers continue");
}

#[tokio::test]
async fn reset_or_delete_account_removes_its_journal() {
    let server = TestServer::start().await;
    server.get("one", "/api/v2/orders/1").await;
    server.get("two", "/api/v2/orders/2").await;
    server
        .control(Method::DELETE, "/_mock/accounts/one", &json!({}))
        .await;
    assert_eq!(
        field_of_each(&list_requests(&server, "").await, "account"),
        ["two"]
    );
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "two"}))
        .await;
    let none = json!({"requests": [], "evicted": 0});
    assert_eq!(list_requests(&server, "").await, none);
    let next = server.get("one", "/api/v2/orders/1").await;
    assert_eq!(
        next.header("x-mock-request"),
        "1",
        "a new account starts at 1"
    );
}

#[tokio::test]
async fn list_request_with_response_of_a_rule_names_the_rule() {
    let server = TestServer::start().await;
    let rule = json!({"account": "one", "then": {"respond": {"status": 503}}});
    let created = server.control(Method::POST, "/_mock/rules", &rule).await;
    server.get("one", "/api/v2/orders/1").await;
    let listing = list_requests(&server, "").await;
    assert_eq!(field_of_each(&listing, "ruleId"), [created["id"].clone()]);
    assert_eq!(field_of_each(&listing, "status"), [503]);
}

#[tokio::test]
async fn get_request_by_account_and_number_answers_it() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let path = format!("/api/v2/orders/{id}");
    let response = server.get("live", &path).await;
    let number = response.header("x-mock-request");
    let request_path = format!("/_mock/requests/live/{number}");
    let request = server.control(Method::GET, &request_path, &json!({})).await;
    assert_eq!(
        (request["seq"].to_string(), &request["path"]),
        (number.to_owned(), &json!(path))
    );
    assert_eq!(request["outcome"], "probability 0.98 by suffix _ai");
    assert_eq!(
        (&request["reason"], &request["orderId"]),
        (&Value::Null, &json!(id))
    );
    let listing = list_requests(&server, "?account=live").await;
    assert_eq!(
        listing["requests"].as_array().expect("a list").last(),
        Some(&request)
    );
    server.get("other", "/api/v2/orders").await;
    for (path, message) in [
        ("live/99", "no request 99 of account live"),
        ("live/x", "no request x of account live"),
        ("nobody/1", "no request 1 of account nobody"),
        ("-/99", "no request 99 without an account"),
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
async fn list_requests_by_order_answers_each_request_about_it() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let other = json!({"idempotencyKey": "b", "fileName": "b.jpg"});
    server.confirm_detection("live", &other, picture()).await;
    let order = server.get_order("live", &id).await;
    let url = order["originalImageUrl"].as_str().expect("a URL");
    server.send(Method::GET, url, &[], "").await;
    let listing = list_requests(&server, &format!("?orderId={id}&rows=true")).await;
    assert_eq!(
        field_of_each(&listing, "operation"),
        [
            "bizmori.createAiDetection",
            "storage.put",
            "bizmori.confirmAiDetection",
            "bizmori.getOrder",
            "storage.get"
        ]
    );
    assert!(
        field_of_each(&listing, "orderId")
            .iter()
            .all(|of| *of == json!(id))
    );
    let none = list_requests(&server, "?orderId=1").await;
    assert_eq!(none, json!({"requests": [], "evicted": 0}));
}

#[tokio::test]
async fn list_requests_as_rows_omits_headers_and_bodies() {
    let server = TestServer::start_frozen("live").await;
    server.get("live", "/api/v2/orders/1?a=b").await;
    let listing = list_requests(&server, "?account=live&rows=true").await;
    let row = &listing["requests"][0];
    let expected = json!({
        "seq": 1, "revision": row["revision"], "at": T0, "receivedAt": row["receivedAt"],
        "account": "live", "operation": "bizmori.getOrder", "method": "GET",
        "path": "/api/v2/orders/1", "query": "a=b", "status": 404,
        "durationMs": row["durationMs"], "ruleId": null, "fault": null,
        "reason": "order 1 not found", "outcome": null, "orderId": "1",
    });
    assert_eq!(*row, expected);
    let wrong = server
        .send(Method::GET, "/_mock/requests?rows=yes", &[], "")
        .await;
    let message = "rows: expected true or false, got yes";
    assert_eq!(wrong.json()["error"]["message"], message);
}

#[tokio::test]
async fn get_request_without_account_is_found_under_a_hyphen() {
    let server = TestServer::start().await;
    let response = server.send(Method::GET, "/api/v2/orders", &[], "").await;
    let seq = response.header("x-mock-request");
    let path = format!("/_mock/requests/-/{seq}");
    let request = server.control(Method::GET, &path, &json!({})).await;
    assert_eq!(
        (&request["account"], &request["status"]),
        (&Value::Null, &json!(401))
    );
}

#[tokio::test]
async fn list_requests_by_status_class_answers_that_class() {
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
        let listing = list_requests(&server, &format!("?account=live&status={query}")).await;
        assert_eq!(
            field_of_each(&listing, "status"),
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
