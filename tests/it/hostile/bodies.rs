//! Bodies that are not JSON or not the expected JSON.

use reqwest::Method;

use super::{ANTI_AI, DETECTION, POSTS};
use crate::support::{TestResponse, TestServer};

async fn post(
    server: &TestServer,
    path: &str,
    content_type: &str,
    body: impl Into<Vec<u8>>,
) -> TestResponse {
    let headers = [
        ("authorization", "Bearer live"),
        ("content-type", content_type),
    ];
    server.send(Method::POST, path, &headers, body.into()).await
}

#[tokio::test]
async fn post_body_that_is_not_a_json_object_is_refused_on_every_route() {
    let server = TestServer::start_frozen("live").await;
    let trailing = "trailing characters at line 1 column";
    let cases: [(&[u8], &str); 14] = [
        (b"", "EOF while parsing a value at line 1 column 0"),
        (b" \n", "EOF while parsing a value at line 2 column 0"),
        (b"{", "EOF while parsing an object at line 1 column 1"),
        (b"{\"a\":", "EOF while parsing a value at line 1 column 5"),
        (b"nonsense", "expected ident at line 1 column 2"),
        (b"{'a': 1}", "key must be a string at line 1 column 2"),
        (b"{\"a\": 1,}", "trailing comma at line 1 column 9"),
        (b"\xff\xfe", "expected value at line 1 column 1"),
        (b"\0", "expected value at line 1 column 1"),
        (b"null", "invalid type: null, expected an object"),
        (b"42", "invalid type: integer `42`, expected an object"),
        (
            b"\"text\"",
            "invalid type: string \"text\", expected an object",
        ),
        (b"[]", "invalid type: sequence, expected an object"),
        (b"[{}]", "invalid type: sequence, expected an object"),
    ];
    for path in POSTS {
        for (body, reason) in cases {
            let response = post(&server, path, "application/json", body).await;
            let message = response.header("x-mock-reason").to_owned();
            assert!(
                message.starts_with(&format!("body: {reason}")),
                "{path} {}: {message}",
                String::from_utf8_lossy(body)
            );
            response.assert_refused(400, "VALIDATION_FAILED", &message);
        }
    }
    let two_values = br#"{"idempotencyKey":"a","fileName":"a.jpg"}{}"#;
    let response = post(&server, DETECTION, "application/json", two_values).await;
    response.assert_refused(400, "VALIDATION_FAILED", &format!("body: {trailing} 42"));
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn post_array_in_place_of_object_is_refused() {
    let server = TestServer::start_frozen("live").await;

    for (path, body, field) in [
        (DETECTION, r#"["a",null,"a.jpg",null]"#, "body"),
        (
            DETECTION,
            r#"{"idempotencyKey":"a","fileName":"a.jpg","options":[true,true,true]}"#,
            "options",
        ),
        (
            ANTI_AI,
            r#"{"idempotencyKey":"a","files":[["a.jpg",null]]}"#,
            "files[0]",
        ),
        (
            ANTI_AI,
            r#"{"idempotencyKey":"a","files":[{"fileName":"a.jpg"}],"options":["low"]}"#,
            "options",
        ),
        (
            ANTI_AI,
            r#"{"idempotencyKey":"a","files":[{"fileName":"a.jpg"}],"mode":[false]}"#,
            "mode",
        ),
        (
            super::WEBHOOKS,
            r#"["name","http://127.0.0.1:1/",false]"#,
            "body",
        ),
    ] {
        let response = post(&server, path, "application/json", body).await;
        let reason = response.header("x-mock-reason").to_owned();
        let start = format!("{field}: invalid type: sequence, expected an object");
        assert!(
            reason.starts_with(&start),
            "{body}: {} {reason}",
            response.text()
        );
        response.assert_refused(400, "VALIDATION_FAILED", &reason);
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn post_deep_nesting_is_refused_in_known_fields_and_ignored_in_others() {
    let server = TestServer::start_frozen("live").await;

    let open = "[".repeat(10_000);
    let close = "]".repeat(10_000);
    let objects = r#"{"a":"#.repeat(10_000);
    for path in POSTS {
        for body in [
            open.clone(),
            format!("{open}{close}"),
            objects.clone(),
            format!(r#"{{"idempotencyKey":{open}{close}}}"#),
            format!(r#"{{"fileName":{open}{close},"files":{open}{close},"orderId":{objects}"#),
            format!(r#"{{"options":{objects}"#),
        ] {
            let reply = post(&server, path, "application/json", body).await;
            let reason = reply.header("x-mock-reason").to_owned();
            assert!(
                !reason.is_empty() && reason.len() <= 500,
                "{path}: {reason}"
            );
            reply.assert_refused(400, "VALIDATION_FAILED", &reason);
        }
    }
    let unknown = format!(r#"{{"idempotencyKey":"a","fileName":"a.jpg","x":{open}{close}}}"#);
    let response = post(&server, DETECTION, "application/json", unknown).await;
    assert_eq!(response.status, 200, "{}", response.text());
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn post_invalid_unicode_or_duplicate_fields_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let cases: [(&[u8], &str); 7] = [
        (
            b"{\"idempotencyKey\":\"a\",\"fileName\":\"\xff.jpg\"}",
            "body: invalid unicode code point at line 1 column 35",
        ),
        (
            br#"{"idempotencyKey":"a","fileName":"\ud800.jpg"}"#,
            "body: unexpected end of hex escape at line 1 column 41",
        ),
        (
            br#"{"idempotencyKey":"a","fileName":"\udc00.jpg"}"#,
            "body: lone leading surrogate in hex escape at line 1 column 40",
        ),
        (
            br#"{"idempotencyKey":"\ud800\u0041","fileName":"a.jpg"}"#,
            "body: lone leading surrogate in hex escape at line 1 column 31",
        ),
        (
            b"{\"idempotencyKey\":\"a\",\"fileName\":\"a\tb.jpg\"}",
            "body: control character (\\u0000-\\u001F) found while parsing a string at line 1 column 36",
        ),
        (
            br#"{"idempotencyKey":"a","idempotencyKey":"b","fileName":"a.jpg"}"#,
            "body: duplicate field `idempotencyKey` at line 1 column 38",
        ),
        (
            br#"{"idempotencyKey":"a","fileName":"a.jpg","fileName":"b.jpg"}"#,
            "body: duplicate field `fileName` at line 1 column 51",
        ),
    ];
    for (body, reason) in cases {
        let response = post(&server, DETECTION, "application/json", body).await;
        response.assert_refused(400, "VALIDATION_FAILED", reason);
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn post_with_other_content_type_than_json_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let body = r#"{"idempotencyKey":"a","fileName":"a.jpg"}"#;
    for content_type in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "json",
    ] {
        let response = post(&server, DETECTION, content_type, body).await;
        response.assert_refused(
            400,
            "VALIDATION_FAILED",
            "Content-Type: is not application/json",
        );
    }
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/vnd.api+json",
    ] {
        let response = post(&server, DETECTION, content_type, body).await;
        assert_eq!(response.status, 200, "{content_type}: {}", response.text());
    }
    server.assert_healthy("live").await;
}
