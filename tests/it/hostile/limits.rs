//! Limits of sizes, lengths and counts: values at the limit and beyond.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_DETECTION, DETECTION, WEBHOOKS};
use crate::support::{TestResponse, TestServer, raw};

const JSON_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Builds a valid body of `bytes` bytes, padded with spaces.
fn padded(bytes: usize) -> Vec<u8> {
    let mut body = br#"{"idempotencyKey":"a","fileName":"a.jpg"}"#.to_vec();
    body.resize(bytes, b' ');
    body
}

#[tokio::test]
async fn post_body_over_eight_mebibytes_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let headers = [
        ("authorization", "Bearer live"),
        ("content-type", "application/json"),
    ];
    let reason = "the body is larger than 8388608 bytes";
    for bytes in [JSON_BYTES_MAX + 1, 2 * JSON_BYTES_MAX] {
        let response = server
            .send(Method::POST, DETECTION, &headers, padded(bytes))
            .await;
        response.assert_refused(400, "VALIDATION_FAILED", reason);
    }
    let response = server
        .send(Method::POST, DETECTION, &headers, padded(JSON_BYTES_MAX))
        .await;
    assert_eq!(response.status, 200, "{}", response.text());
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn refused_post_answers_while_client_still_sends() {
    let server = TestServer::start_frozen("live").await;
    for round in 0..10 {
        let headers = [("content-type", "application/json")];
        let body = padded(2 * JSON_BYTES_MAX);
        let response = server.send(Method::POST, DETECTION, &headers, body).await;
        response.assert_refused(401, "AUTH_NOT_AUTHENTICATED", "Authorization: missing");
        let path = format!("/api/v2/nothing/{round}");
        let body = padded(2 * JSON_BYTES_MAX);
        let response = server.send(Method::POST, &path, &headers, body).await;
        let reason = format!("no such route: POST {path}");
        response.assert_refused(404, "RESOURCE_NOT_FOUND", &reason);
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn post_chunked_body_over_limit_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let body = padded(JSON_BYTES_MAX + 1);
    let mut chunked = Vec::with_capacity(body.len() + 100_000);
    for piece in body.chunks(64 * 1024) {
        chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let headers = "Host: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let response = raw::post(&server.origin, DETECTION, headers, &chunked).await;
    let reason = "the body is larger than 8388608 bytes";
    response.assert_refused(400, "VALIDATION_FAILED", reason);
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn post_truncated_body_creates_nothing() {
    use tokio::io::AsyncWriteExt;
    let server = TestServer::start_frozen("live").await;
    let body = r#"{"idempotencyKey":"a","fileName":"a.jpg"}"#;
    let head = format!(
        "POST {DETECTION} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer live\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len() + 1
    );
    let mut stream = raw::connect(&server.origin).await;
    let written = stream.write_all(head.as_bytes()).await;
    written.expect("the request is sent");
    stream.shutdown().await.expect("the connection ends");
    let response = raw::read_response(stream).await;
    let reason = "the body was cut short";
    response.assert_refused(400, "VALIDATION_FAILED", reason);
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn idempotency_key_is_accepted_with_1_to_255_characters() {
    let server = TestServer::start_frozen("live").await;
    let id = server
        .upload_detection(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            crate::support::picture(),
        )
        .await;
    let post_with_key = async |key: &str| -> [TestResponse; 3] {
        let files = json!([{"fileName": "a.jpg"}]);
        [
            server
                .post(
                    "live",
                    DETECTION,
                    &json!({"idempotencyKey": key, "fileName": "a.jpg"}),
                )
                .await,
            server
                .post(
                    "live",
                    ANTI_AI,
                    &json!({"idempotencyKey": key, "files": files}),
                )
                .await,
            server
                .post(
                    "live",
                    CONFIRM_DETECTION,
                    &json!({"idempotencyKey": key, "orderId": id}),
                )
                .await,
        ]
    };
    for (key, reason) in [
        (String::new(), "idempotencyKey: empty"),
        (
            "k".repeat(256),
            "idempotencyKey: too long: 256 characters, maximum 255",
        ),
        (
            "\u{1f600}".repeat(256),
            "idempotencyKey: too long: 256 characters, maximum 255",
        ),
        (
            "k".repeat(100_000),
            "idempotencyKey: too long: 100000 characters, maximum 255",
        ),
    ] {
        for response in post_with_key(&key).await {
            response.assert_refused(400, "VALIDATION_IDEMPOTENCY_KEY_INVALID", reason);
        }
    }
    for key in ["k".to_owned(), "k".repeat(255), "\u{1f600}".repeat(255)] {
        let [detection, anti_ai, _] = post_with_key(&key).await;
        assert_eq!((detection.status, anti_ai.status), (200, 200), "{key}");
    }
    let [.., confirmed] = post_with_key("k").await;
    assert_eq!(
        confirmed.text(),
        format!(r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#),
        "confirmed with the first valid key"
    );
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn idempotency_keys_that_differ_after_nul_create_two_orders() {
    let server = TestServer::start_frozen("live").await;
    let mut ids = Vec::new();
    for key in ["a\0b", "a\0c", "a", "a\0", "a\0b"] {
        let (id, _) = server
            .create_detection("live", &json!({"idempotencyKey": key, "fileName": "a.jpg"}))
            .await;
        ids.push(id);
    }
    assert_eq!(ids[0], ids[4]);
    ids.pop();
    ids.dedup();
    assert_eq!(ids.len(), 4, "{ids:?}");
}

#[tokio::test]
async fn order_name_is_accepted_with_up_to_64_characters() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "a.jpg"}]);
    let name_of_length = |n: usize| "\u{1f600}".repeat(n);
    for path in [DETECTION, ANTI_AI] {
        let body = |name: &str| json!({"idempotencyKey": name, "orderName": name, "fileName": "a.jpg", "files": files});
        let refused = server.post("live", path, &body(&name_of_length(65))).await;
        let reason = "orderName: too long: 65 characters, maximum 64";
        refused.assert_refused(400, "VALIDATION_FAILED", reason);
        let longest = name_of_length(64);
        let response = server.post("live", path, &body(&longest)).await;
        assert_eq!(response.json()["data"]["orderName"], json!(longest));
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn anti_ai_order_is_accepted_with_1_to_100_files() {
    let server = TestServer::start_frozen("live").await;
    let body = |n: usize| {
        let files: Vec<Value> = (0..n)
            .map(|n| json!({"fileName": format!("{n}.jpg")}))
            .collect();
        json!({"idempotencyKey": n.to_string(), "files": files})
    };
    for n in [0, 101] {
        let response = server.post("live", ANTI_AI, &body(n)).await;
        let reason = format!("files: expected 1 to 100, got {n}");
        response.assert_refused(400, "VALIDATION_FAILED", &reason);
    }
    let created = server.post("live", ANTI_AI, &body(100)).await.json();
    let files = created["data"]["files"].as_array().expect("files");
    assert_eq!(
        (files.len(), &files[99]["fileName"]),
        (100, &json!("99.jpg"))
    );
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn webhook_with_too_long_name_or_invalid_url_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let url = |chars: usize| {
        let start = "http://127.0.0.1:1/";
        format!("{start}{}", "a".repeat(chars - start.len()))
    };
    for (body, reason) in [
        (
            json!({"name": "n".repeat(101), "url": url(30)}),
            "name: too long: 101 characters, maximum 100",
        ),
        (
            json!({"url": url(2_049)}),
            "url: longer than 2048 characters",
        ),
        (
            json!({"url": ""}),
            r#"url: expected an http or https URL, got """#,
        ),
        (
            json!({"url": "nonsense"}),
            r#"url: expected an http or https URL, got "nonsense""#,
        ),
        (
            json!({"url": "ftp://127.0.0.1/"}),
            "url: expected an http or https URL, got ftp://127.0.0.1/",
        ),
        (
            json!({"url": "file:///etc/passwd"}),
            "url: expected an http or https URL, got file:///etc/passwd",
        ),
        (json!({"url": "http://"}), "url: empty host"),
        (
            json!({"url": "http://127.0.0.1:99999/"}),
            "url: invalid port number",
        ),
        (
            json!({"url": "javascript:alert(1)\r\nX: y"}),
            "url: expected an http or https URL, got javascript:alert(1)\\u{d}\\u{a}X: y",
        ),
    ] {
        let response = server.post("live", WEBHOOKS, &body).await;
        response.assert_refused(400, "VALIDATION_FAILED", reason);
    }
    let longest = json!({"name": "n".repeat(100), "url": url(2_048)});
    let accepted = server.post("live", WEBHOOKS, &longest).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text());
    let listing = server.get("live", WEBHOOKS).await.json();
    assert_eq!(listing["data"]["pagination"]["total"], 1);
}

#[tokio::test]
async fn list_with_invalid_page_or_limit_answers_invalid_parameter() {
    let server = TestServer::start_frozen("live").await;
    let (webhook, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    for path in [WEBHOOKS.to_owned(), format!("{WEBHOOKS}/{webhook}/events")] {
        for (query, reason) in [
            (
                "page=0",
                r#"page: expected a number from 1 to 4294967295, got "0""#,
            ),
            (
                "page=-1",
                r#"page: expected a number from 1 to 4294967295, got "-1""#,
            ),
            (
                "page=one",
                r#"page: expected a number from 1 to 4294967295, got "one""#,
            ),
            (
                "page=4294967296",
                r#"page: expected a number from 1 to 4294967295, got "4294967296""#,
            ),
            (
                "limit=0",
                r#"limit: expected a number from 1 to 100, got "0""#,
            ),
            (
                "limit=-1",
                r#"limit: expected a number from 1 to 100, got "-1""#,
            ),
            (
                "limit=101",
                r#"limit: expected a number from 1 to 100, got "101""#,
            ),
            (
                "limit=1.5",
                r#"limit: expected a number from 1 to 100, got "1.5""#,
            ),
            (
                "limit=%00",
                r#"limit: expected a number from 1 to 100, got "\0""#,
            ),
            (
                "limit=",
                r#"limit: expected a number from 1 to 100, got """#,
            ),
            (
                "limit=1&limit=ten",
                r#"limit: expected a number from 1 to 100, got "ten""#,
            ),
        ] {
            let response = server.get("live", &format!("{path}?{query}")).await;
            response.assert_refused(400, "INVALID_PARAMETER", reason);
        }
        for query in [
            "page=4294967295&limit=100",
            "keyword=%25%27%22%00%ff;--",
            "limit=1&x[]=%",
            "&&=&",
        ] {
            let response = server.get("live", &format!("{path}?{query}")).await;
            assert_eq!(response.status, 200, "{query}: {}", response.text());
        }
    }
}
