//! JSON bodies, parsed as `FastAPI` parses them, and its errors for bodies that it cannot parse.

use reqwest::Method;
use serde_json::json;

use super::{start_frozen, upload};
use crate::support::{TestResponse, TestServer, picture, zip};

/// Recorded exchanges with `/query` in `FastAPI` 0.99 with pydantic 1. Each line has the escaped body, the
/// status and the response body. Written by `json_bodies/record.py`.
const RECORDED_RESPONSES: &str = include_str!("json_bodies/recorded_responses.tsv");

/// Bodies that Python parses and `serde_json` does not. `{}` is replaced by the members of a route.
const READABLE: [&str; 8] = [
    "\u{feff}{{}}",
    r#"{{}, "x": NaN}"#,
    r#"{{}, "x": [Infinity, -Infinity]}"#,
    r#"{{}, "x": "\ud800"}"#,
    r#"{{}, "\udfff": "\udc00\ud800"}"#,
    r#"{"url": [1], {}, "x": 1e999}"#,
    r#"{{}, "x": 123456789012345678901234567890}"#,
    " \r\n\t{{}\n}\r\n",
];

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        if let Some(hex) = rest.strip_prefix('x') {
            bytes.push(u8::from_str_radix(&hex[..2], 16).expect("two digits"));
            rest = &hex[2..];
        } else {
            bytes.push(b'\\');
            rest = &rest[1..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

async fn post_bytes(server: &TestServer, path: &str, body: impl Into<Vec<u8>>) -> TestResponse {
    let json = [("content-type", "application/json")];
    server.send(Method::POST, path, &json, body.into()).await
}

#[tokio::test]
async fn query_with_any_recorded_body_answers_as_fastapi() {
    let server = start_frozen().await;
    let mut count = 0;
    for line in RECORDED_RESPONSES.lines() {
        let [body, status, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let response = post_bytes(&server, "/query", unescape(body)).await;
        let actual = (response.status.to_string(), response.text());
        assert_eq!(actual, (status.to_owned(), expected.to_owned()), "{body}");
        assert_eq!(response.header("content-type"), "application/json");
        assert_eq!(response.header("x-mock-reason").is_empty(), status == "200");
        count += 1;
    }
    assert!(count > 500, "{count}");
}

#[tokio::test]
async fn post_body_that_only_python_parses_is_accepted_on_every_route() {
    let server = start_frozen().await;
    let photo = upload(&server, "live", "a_ai.jpg", picture()).await;
    let entries = [crate::support::ZipEntry::new("a_ai.jpg", &picture())];
    let archive = upload(&server, "live", "a.zip", zip(&entries)).await;
    let with_url = |url: &str| format!(r#""key": "live", "url": "{url}""#);
    let document = super::finish_document(
        &server,
        "b_ai.jpg",
        picture(),
        json!({"generate_preview": true}),
    )
    .await;
    let id = document["id"].as_str().expect("an id");
    let preview = document["preview_url"].as_str().expect("a URL");
    let key = r#""key": "live""#.to_owned();
    let unknown = r#""id": "x""#.to_owned();
    for (path, members) in [
        ("/detect", with_url(&photo)),
        ("/bulk-upload", with_url(&archive)),
        ("/query", unknown.clone()),
        ("/bulk-upload/query", unknown),
        (&format!("/preview/{id}"), key.clone()),
        (&format!("/heatmap/{id}"), key.clone()),
        (preview.split('?').next().expect("a path"), key),
    ] {
        for template in READABLE {
            let body = template.replacen("{}", &members, 1);
            let response = post_bytes(&server, path, body.as_bytes()).await;
            let text = String::from_utf8_lossy(&response.bytes);
            assert_eq!(response.status, 200, "{path} {body}: {text}");
        }
        let body = format!("{{{members}}}");
        let units: Vec<u16> = body.encode_utf16().collect();
        let utf_16: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let utf_32: Vec<u8> = body
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        for body in [utf_16, utf_32] {
            let response = post_bytes(&server, path, body).await;
            assert_eq!(response.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn post_body_in_no_unicode_encoding_answers_400_on_every_route() {
    let server = start_frozen().await;
    for path in [
        "/detect",
        "/bulk-upload",
        "/query",
        "/bulk-upload/query",
        "/preview/x",
        "/heatmap/x",
        "/_s3/ai-image-detector-prod/results/x/y",
    ] {
        let response = post_bytes(&server, path, b"{\"key\": \"\xff\"}").await;
        let expected = (
            400,
            r#"{"detail":"There was an error parsing the body"}"#.to_owned(),
            "the body is in no Unicode encoding".to_owned(),
        );
        assert_eq!(response.error_of(), expected, "{path}");
    }
}

#[tokio::test]
async fn detect_with_trailing_comma_answers_message_and_position_of_python() {
    let server = start_frozen().await;
    let body = r#"{"key":"det-k","url":"http://x/uploads/nope.jpg",}"#;
    let response = post_bytes(&server, "/detect", body).await;
    let doc = serde_json::to_string(body).expect("JSON");
    let message = "Expecting property name enclosed in double quotes";
    let expected = format!(
        r#"{{"detail":[{{"loc":["body",49],"msg":"{message}: line 1 column 50 (char 49)","type":"value_error.jsondecode","ctx":{{"msg":"{message}","doc":{doc},"pos":49,"lineno":1,"colno":50}}}}]}}"#
    );
    let reason = format!("body.49: {message}: line 1 column 50 (char 49)");
    assert_eq!(response.error_of(), (422, expected, reason));
}

#[tokio::test]
async fn query_with_deep_nesting_is_accepted_up_to_limit_of_python() {
    let server = start_frozen().await;
    let body_with_nesting = |open: &str, close: &str, levels: usize| {
        let open = open.repeat(levels);
        let close = close.repeat(levels);
        format!(r#"{{"id":"x","a":{open}1{close}}}"#)
    };
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for levels in [1_000, 1_499] {
            let body = body_with_nesting(open, close, levels);
            let response = post_bytes(&server, "/query", body).await;
            assert_eq!((response.status, response.text().as_str()), (200, "null"));
        }
        for levels in [1_500, 100_000] {
            let body = body_with_nesting(open, close, levels);
            let response = post_bytes(&server, "/query", body).await;
            let expected = (
                400,
                r#"{"detail":"There was an error parsing the body"}"#.to_owned(),
                "the body is nested too deep".to_owned(),
            );
            assert_eq!(response.error_of(), expected, "{levels}");
        }
    }
}

#[tokio::test]
async fn rule_for_account_applies_to_body_that_only_python_parses() {
    let server = start_frozen().await;
    let rule = json!({"account": "live", "when": {"operation": "undetectable.detect"},
                      "then": {"respond": {"status": 503}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    for template in READABLE {
        let members = r#""key": "live", "url": "uploads/a.jpg""#;
        let body = template.replacen("{}", members, 1);
        let response = post_bytes(&server, "/detect", body.as_bytes()).await;
        assert_eq!(response.status, 503, "{body}");
    }
}

#[tokio::test]
async fn query_with_empty_content_type_is_parsed_as_json() {
    let server = start_frozen().await;
    let headers = [("content-type", "")];
    let response = server
        .send(Method::POST, "/query", &headers, r#"{"id":"x"}"#)
        .await;
    assert_eq!((response.status, response.text().as_str()), (200, "null"));
}
