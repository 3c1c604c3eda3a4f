//! Conditional reads and writes.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    KEY, assert_s3_error, freeze_default_clock, get, head, presign_target, put, start_frozen,
};
use crate::support::{TestResponse, TestServer, raw};

/// Entity tags of the bodies `one` and `two`.
const ONE: &str = "\"f97c5d29941bfb1b2fdab0874906ab82\"";
const TWO: &str = "\"b8a9f715dbb64fd5c56e7783c6820a61\"";
const BEFORE_UPLOAD: &str = "Thu, 12 Mar 2026 09:59:59 GMT";
const UPLOAD_TIME: &str = "Thu, 12 Mar 2026 10:00:00 GMT";

fn assert_precondition_failed(response: &TestResponse, condition: &str, reason: &str) {
    let elements = format!(
        "<Message>At least one of the pre-conditions you specified did not hold</Message><Key>{KEY}</Key><Condition>{condition}</Condition>"
    );
    assert_s3_error(response, 412, "PreconditionFailed", &elements, reason);
}

async fn assert_stored(server: &TestServer, body: &str) {
    let object = get(server, KEY, &[]).await;
    assert_eq!((object.status, object.text()), (200, body.to_owned()));
}

#[tokio::test]
async fn put_if_none_match_any_stores_new_object_and_keeps_existing_one() {
    let server = start_frozen().await;
    let if_absent = [("if-none-match", "*")];
    let stored = put(&server, KEY, &if_absent, "one").await;
    assert_eq!((stored.status, stored.header("etag")), (200, ONE));
    let refused = put(&server, KEY, &if_absent, "two").await;
    let reason = format!("If-None-Match: there is an object, {ONE}");
    assert_precondition_failed(&refused, "If-None-Match", &reason);
    assert_stored(&server, "one").await;
    assert_eq!(put(&server, KEY, &[], "two").await.status, 200);
}

#[tokio::test]
async fn put_if_match_replaces_only_the_object_with_that_entity_tag() {
    let server = start_frozen().await;
    for tag in [ONE, "*"] {
        let refused = put(&server, KEY, &[("if-match", tag)], "one").await;
        let elements =
            format!("<Message>The specified key does not exist.</Message><Key>{KEY}</Key>");
        let reason = "key: nothing was uploaded to bizmori under it, or it is removed";
        assert_s3_error(&refused, 404, "NoSuchKey", &elements, reason);
    }
    put(&server, KEY, &[], "one").await;
    for stale in [TWO, &format!("W/{ONE}"), "\"0123\"", ""] {
        let refused = put(&server, KEY, &[("if-match", stale)], "two").await;
        let reason = format!("If-Match: {stale}, but the object is {ONE}");
        assert_precondition_failed(&refused, "If-Match", &reason);
        assert_stored(&server, "one").await;
    }
    let replaced = put(&server, KEY, &[("if-match", ONE)], "two").await;
    assert_eq!((replaced.status, replaced.header("etag")), (200, TWO));
    for tag in [TWO.trim_matches('"'), "*"] {
        assert_eq!(
            put(&server, KEY, &[("if-match", tag)], "two").await.status,
            200
        );
    }
}

#[tokio::test]
async fn put_with_unsupported_condition_answers_not_implemented() {
    let server = start_frozen().await;
    put(&server, KEY, &[], "one").await;
    for (header, value, name, reason) in [
        (
            "if-none-match",
            ONE,
            "If-None-Match",
            format!("If-None-Match: {ONE}; a PUT takes * alone"),
        ),
        (
            "if-none-match",
            TWO,
            "If-None-Match",
            format!("If-None-Match: {TWO}; a PUT takes * alone"),
        ),
        (
            "if-unmodified-since",
            UPLOAD_TIME,
            "If-Unmodified-Since",
            "If-Unmodified-Since: a PUT takes If-Match and If-None-Match".to_owned(),
        ),
    ] {
        let refused = put(&server, KEY, &[(header, value)], "two").await;
        let elements = format!(
            "<Message>A header or parameter you provided implies functionality that is not implemented</Message><Key>{KEY}</Key><Header>{name}</Header>"
        );
        assert_s3_error(&refused, 501, "NotImplemented", &elements, &reason);
    }
    assert_stored(&server, "one").await;
}

/// Sends eight PUTs with different bodies at once, of which exactly one must succeed. Returns the
/// body of that one.
async fn put_eight_concurrently(server: &TestServer, condition: (&str, &str)) -> String {
    let bodies: Vec<String> = (0..8).map(|n| format!("{condition:?} {n}")).collect();
    let headers = [condition];
    let puts = bodies
        .iter()
        .map(|body| put(server, KEY, &headers, body.clone()));
    let responses = futures_util::future::join_all(puts).await;
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    let mut stored = statuses
        .iter()
        .zip(&bodies)
        .filter(|(status, _)| **status == 200);
    let (_, body) = stored.next().expect("one PUT succeeds");
    assert!(stored.next().is_none(), "{statuses:?}");
    let failed = statuses.iter().filter(|status| **status == 412).count();
    assert_eq!(failed, 7, "{statuses:?}");
    body.clone()
}
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn put_conditionally_eight_times_at_once_stores_one_body() {
    let server = start_frozen().await;
    for _ in 0..5 {
        let created = put_eight_concurrently(&server, ("if-none-match", "*")).await;
        assert_stored(&server, &created).await;
        let tag = get(&server, KEY, &[]).await.header("etag").to_owned();
        let replaced = put_eight_concurrently(&server, ("if-match", &tag)).await;
        assert_stored(&server, &replaced).await;
        server
            .control(Method::POST, "/_mock/reset", &json!({}))
            .await;
        freeze_default_clock(&server).await;
    }
}

#[tokio::test]
async fn put_on_failing_condition_with_expect_100_continue_answers_412_before_body() {
    let server = start_frozen().await;
    put(&server, KEY, &[], "one").await;
    let target = presign_target(&server, "PUT", KEY);
    let host = server.origin.trim_start_matches("http://");
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: *\r\nExpect: 100-continue\r\n\
         Content-Length: 9000000\r\n\r\n"
    );
    let mut stream = raw::connect(&server.origin).await;
    let written = stream.write_all(head.as_bytes()).await;
    written.expect("the head is sent");
    let refused = raw::read_response(stream).await;
    let reason = format!("If-None-Match: there is an object, {ONE}");
    assert_precondition_failed(&refused, "If-None-Match", &reason);
    assert_eq!(refused.header("connection"), "close");
}

#[tokio::test]
async fn get_and_head_on_conditions_follow_rfc_9110() {
    let server = start_frozen().await;
    put(&server, KEY, &[], "one").await;
    for (headers, status, body) in [
        (&[("if-match", ONE)][..], 200, "one"),
        (&[("if-match", TWO)], 412, ""),
        (&[("if-match", "*")], 200, "one"),
        (&[("if-unmodified-since", UPLOAD_TIME)], 200, "one"),
        (&[("if-unmodified-since", BEFORE_UPLOAD)], 412, ""),
        (
            &[("if-match", ONE), ("if-unmodified-since", BEFORE_UPLOAD)],
            200,
            "one",
        ),
        (&[("if-match", TWO), ("if-none-match", ONE)], 412, ""),
        (&[("if-match", ONE), ("if-none-match", ONE)], 304, ""),
        (
            &[("if-none-match", TWO), ("if-modified-since", UPLOAD_TIME)],
            200,
            "one",
        ),
        (&[("if-match", ONE), ("range", "bytes=1-")], 206, "ne"),
        (&[("if-match", TWO), ("range", "bytes=1-")], 412, ""),
        (&[("if-match", TWO), ("range", "bytes=9-")], 412, ""),
        (
            &[
                ("if-unmodified-since", BEFORE_UPLOAD),
                ("range", "bytes=1-"),
            ],
            412,
            "",
        ),
        (&[("if-none-match", ONE), ("range", "bytes=1-")], 304, ""),
        (&[("if-match", ONE), ("range", "bytes=9-")], 416, ""),
    ] {
        let object = get(&server, KEY, headers).await;
        assert_eq!(object.status, status, "{headers:?}: {}", object.text());
        if status < 400 {
            assert_eq!(object.text(), body, "{headers:?}");
        }
        let no_body = head(&server, KEY, headers).await;
        assert_eq!(
            (no_body.status, no_body.text()),
            (status, String::new()),
            "{headers:?}"
        );
        let reason = object.header("x-mock-reason");
        assert_eq!(reason, no_body.header("x-mock-reason"), "{headers:?}");
    }
    let stale = get(&server, KEY, &[("if-match", TWO)]).await;
    let reason = format!("If-Match: {TWO}, but the object is {ONE}");
    assert_precondition_failed(&stale, "If-Match", &reason);
    let modified = get(&server, KEY, &[("if-unmodified-since", BEFORE_UPLOAD)]).await;
    let reason = format!("If-Unmodified-Since: the object was modified at {UPLOAD_TIME}");
    assert_precondition_failed(&modified, "If-Unmodified-Since", &reason);
}
