//! Errors of the vendor's API: bodies and `X-Mock-Reason`.

use reqwest::Method;
use serde_json::json;

use super::{expected_error, get, post, start_frozen};
use crate::support::{TestResponse, TestServer};

/// Expected 422 response. Each problem is location, field, message, type and `ctx` in JSON.
fn validation_error_with_ctx(problems: &[(&str, &str, &str, &str, &str)]) -> (u16, String) {
    let messages: Vec<String> = problems
        .iter()
        .map(|(location, field, msg, kind, ctx)| {
            let ctx = match *ctx {
                "" => String::new(),
                ctx => format!(r#","ctx":{ctx}"#),
            };
            format!(r#"{{"loc":["{location}","{field}"],"msg":"{msg}","type":"{kind}"{ctx}}}"#)
        })
        .collect();
    (422, format!(r#"{{"detail":[{}]}}"#, messages.join(",")))
}

/// Expected 422 response for problems without a `ctx`.
fn validation_error(problems: &[(&str, &str, &str, &str)]) -> (u16, String) {
    let problems: Vec<_> = problems
        .iter()
        .map(|(location, field, msg, kind)| (*location, *field, *msg, *kind, ""))
        .collect();
    validation_error_with_ctx(&problems)
}

fn status_and_body(response: &TestResponse) -> (u16, String) {
    assert_ne!(response.header("x-mock-reason"), "", "{}", response.text());
    (response.status, response.text())
}

const MISSING: (&str, &str) = ("field required", "value_error.missing");

#[tokio::test]
async fn request_without_api_key_answers_verification_failed() {
    let server = start_frozen().await;
    let message = "User verification failed";
    for path in ["/get-presigned-url?file_name=a.jpg", "/check-user-credits"] {
        for headers in [&[][..], &[("apikey", "")]] {
            let response = server.send(Method::GET, path, headers, "").await;
            assert_eq!(
                response.error_of(),
                expected_error(403, message, "apikey: missing or empty")
            );
        }
    }
    for body in [
        json!({"url": "u"}),
        json!({"url": "u", "key": ""}),
        json!({"url": "u", "key": null}),
    ] {
        let response = post(&server, "/detect", &body).await;
        assert_eq!(
            response.error_of(),
            expected_error(403, message, "key: missing or empty")
        );
    }
}

#[tokio::test]
async fn request_with_unknown_key_in_strict_mode_answers_verification_failed() {
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let message = "User verification failed";
    let reason = "apikey: no account has this key, and unknown keys are rejected (mode strict)";
    let response = get(&server, "unknown", "/check-user-credits").await;
    assert_eq!(response.error_of(), expected_error(403, message, reason));
    let body = json!({"url": "u", "key": "unknown"});
    let response = post(&server, "/detect", &body).await;
    assert_eq!(
        response.error_of(),
        expected_error(403, message, &reason[3..])
    );
}

#[tokio::test]
async fn request_with_configured_key_state_answers_error_of_that_state() {
    let server = start_frozen().await;
    for (state, status, message) in [
        ("expired", 403, "User verification failed"),
        ("forbidden", 403, "User verification failed"),
        ("unknown", 404, "User not found"),
    ] {
        let body = json!({"state": state});
        server
            .control(Method::PUT, "/_mock/accounts/live", &body)
            .await;
        let reason = "key state overridden via /_mock/accounts";
        let response = get(&server, "live", "/check-user-credits").await;
        assert_eq!(
            response.error_of(),
            expected_error(status, message, &format!("apikey: {reason}"))
        );
        let response = post(&server, "/detect", &json!({"url": "u", "key": "live"})).await;
        assert_eq!(
            response.error_of(),
            expected_error(status, message, &format!("key: {reason}"))
        );
    }
}

#[tokio::test]
async fn presign_with_invalid_query_answers_every_problem() {
    let server = start_frozen().await;
    let (msg, kind) = MISSING;
    let response = get(&server, "live", "/get-presigned-url").await;
    assert_eq!(
        status_and_body(&response),
        validation_error(&[("query", "file_name", msg, kind)])
    );
    let long = "a".repeat(252) + ".jpg";
    for (query, field, msg, kind, ctx) in [
        (
            "expiration=0",
            "expiration",
            "ensure this value is greater than or equal to 1",
            "value_error.number.not_ge",
            r#"{"limit_value":1}"#,
        ),
        (
            "expiration=604801",
            "expiration",
            "ensure this value is less than or equal to 604800",
            "value_error.number.not_le",
            r#"{"limit_value":604800}"#,
        ),
        (
            "expiration=1h",
            "expiration",
            "value is not a valid integer",
            "type_error.integer",
            "",
        ),
        (
            &format!("file_name={long}"),
            "file_name",
            "ensure this value has at most 255 characters",
            "value_error.any_str.max_length",
            r#"{"limit_value":255}"#,
        ),
    ] {
        let path = format!("/get-presigned-url?file_name=a.jpg&{query}");
        let response = get(&server, "live", &path).await;
        assert_eq!(
            status_and_body(&response),
            validation_error_with_ctx(&[("query", field, msg, kind, ctx)])
        );
    }
    for valid in [
        "expiration=1",
        "expiration=604800",
        &format!("file_name={}", &long[1..]),
    ] {
        let path = format!("/get-presigned-url?file_name=a.jpg&{valid}");
        assert_eq!(get(&server, "live", &path).await.status, 200, "{valid}");
    }
}

#[tokio::test]
async fn detect_with_invalid_body_answers_problems_in_order_of_schema() {
    let server = start_frozen().await;
    let response = post(&server, "/query", &json!({})).await;
    assert_eq!(
        status_and_body(&response),
        validation_error(&[("body", "id", MISSING.0, MISSING.1)])
    );
    let body = json!({
        "id": "x", "model": "other", "email": [], "document_type": "Text", "generate_heatmap": "no",
        "generate_heatmap_normalized": 1, "generate_preview": "perhaps", "key": {}
    });
    let response = post(&server, "/detect", &body).await;
    let one_of = "value is not a valid enumeration member; permitted: ";
    let boolean = "value could not be parsed to a boolean";
    let expected = validation_error_with_ctx(&[
        ("body", "key", "str type expected", "type_error.str", ""),
        ("body", "url", MISSING.0, MISSING.1, ""),
        ("body", "generate_preview", boolean, "type_error.bool", ""),
        (
            "body",
            "generate_heatmap_normalized",
            "generate_heatmap must be true",
            "value_error",
            "",
        ),
        (
            "body",
            "document_type",
            &format!("{one_of}'Image'"),
            "type_error.enum",
            r#"{"enum_values":["Image"]}"#,
        ),
        ("body", "email", "str type expected", "type_error.str", ""),
        (
            "body",
            "model",
            r#"string does not match regex \"^(generic|sheerid|[^/\\s]+/[^/\\s]+)$\""#,
            "value_error.str.regex",
            r#"{"pattern":"^(generic|sheerid|[^/\\s]+/[^/\\s]+)$"}"#,
        ),
        (
            "body",
            "id",
            "value is not a valid uuid",
            "type_error.uuid",
            "",
        ),
    ]);
    assert_eq!(status_and_body(&response), expected);
    let reason = "body.key: str type expected; body.url: field required; \
               body.generate_preview: value could not be parsed to a boolean; \
               body.generate_heatmap_normalized: generate_heatmap must be true; and 4 more";
    assert_eq!(response.header("x-mock-reason"), reason);
    let response = post(&server, "/detect", &json!({"key": "live", "url": null})).await;
    let null = (
        "none is not an allowed value",
        "type_error.none.not_allowed",
    );
    assert_eq!(
        status_and_body(&response),
        validation_error(&[("body", "url", null.0, null.1)])
    );
}

#[tokio::test]
async fn post_body_that_is_not_a_json_object_answers_its_problem() {
    let server = start_frozen().await;
    let json = [("content-type", "application/json")];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let missing =
        r#"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#;
    let dict = r#"{"detail":[{"loc":["body"],"msg":"value is not a valid dict","type":"type_error.dict"}]}"#;
    let broken = r#"{"detail":[{"loc":["body",6],"msg":"Expecting value: line 1 column 7 (char 6)","type":"value_error.jsondecode","ctx":{"msg":"Expecting value","doc":"{\"id\":?}","pos":6,"lineno":1,"colno":7}}]}"#;
    for (path, field) in [("/detect", "url"), ("/query", "id")] {
        let empty = validation_error(&[("body", field, MISSING.0, MISSING.1)]).1;
        for (headers, body, expected) in [
            (&json[..], "", missing),
            (&json, "null", missing),
            (&json, "[]", empty.as_str()),
            (&json, "\"\"", &empty),
            (&json, "[1]", dict),
            (&json, "\"x\"", dict),
            (&json, "{\"id\":?}", broken),
            (&form, "{\"id\":\"x\"}", dict),
        ] {
            let response = server.send(Method::POST, path, headers, body).await;
            assert_eq!(
                status_and_body(&response),
                (422, expected.to_owned()),
                "{path} {body}"
            );
        }
        let response = server
            .send(Method::POST, path, &json, vec![b' '; 9_000_000])
            .await;
        let reason = "the body is larger than 8388608 bytes";
        assert_eq!(
            response.error_of(),
            expected_error(413, "Request body too large", reason)
        );
    }
    let response = server
        .send(Method::POST, "/query", &[], "{\"id\":\"x\"}")
        .await;
    assert_eq!((response.status, response.text().as_str()), (200, "null"));
}

#[tokio::test]
async fn presign_with_unsupported_extension_answers_unsupported_image_type() {
    let server = start_frozen().await;
    let message = "Unsupported image type";
    for (name, reason) in [
        ("a.exe", "file_name: extension .exe is not supported"),
        ("jpg", r#"file_name: "jpg" has no extension"#),
        ("", r#"file_name: "" has no extension"#),
    ] {
        let response = get(
            &server,
            "live",
            &format!("/get-presigned-url?file_name={name}"),
        )
        .await;
        assert_eq!(response.error_of(), expected_error(400, message, reason));
    }
}

#[tokio::test]
async fn request_with_accept_that_excludes_json_answers_not_acceptable() {
    let server = start_frozen().await;
    let accept = |accept| [("accept", accept), ("apikey", "live")];
    for (method, path) in [
        (Method::GET, "/health"),
        (Method::GET, "/check-user-credits"),
        (Method::POST, "/detect"),
    ] {
        let response = server.send(method, path, &accept("text/html"), "").await;
        let reason = "Accept: excludes application/json".to_owned();
        assert_eq!(
            response.error_of(),
            (406, r#"{"detail":"Not Acceptable"}"#.to_owned(), reason)
        );
    }
    for accepted in ["*/*", "application/*", "text/html, application/json;q=0.1"] {
        let headers = accept(accepted);
        let response = server.send(Method::GET, "/health", &headers, "").await;
        assert_eq!(response.status, 200, "{accepted}");
    }
}
