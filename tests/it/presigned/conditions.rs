//! Conditions of reads and writes.

use reqwest::Method;
use tokio::io::AsyncWriteExt;

use super::{KEY, assert_refused, frozen, get, plan, put, signer};
use crate::support::{TestResponse, TestServer, raw};

/// Entity tags of the bodies `one` and `two`.
const ONE: &str = "\"f97c5d29941bfb1b2fdab0874906ab82\"";
const TWO: &str = "\"b8a9f715dbb64fd5c56e7783c6820a61\"";
const BEFORE: &str = "Thu, 12 Mar 2026 09:59:59 GMT";
const THEN: &str = "Thu, 12 Mar 2026 10:00:00 GMT";

fn assert_precondition_failed(response: &TestResponse, condition: &str, reason: &str) {
    let elements = format!(
        "<Message>At least one of the pre-conditions you specified did not hold</Message><Key>{KEY}</Key><Condition>{condition}</Condition>"
    );
    assert_refused(response, 412, "PreconditionFailed", &elements, reason);
}

async fn assert_stored(server: &TestServer, body: &str) {
    let got = get(server, KEY, &[]).await;
    assert_eq!((got.status, got.text()), (200, body.to_owned()));
}

#[tokio::test]
async fn put_if_none_match_any_makes_an_object_and_replaces_none() {
    let server = frozen().await;
    let new = [("if-none-match", "*")];
    let response = put(&server, KEY, &new, "one").await;
    assert_eq!((response.status, response.header("etag")), (200, ONE));
    let refused = put(&server, KEY, &new, "two").await;
    let reason = format!("If-None-Match: the object exists, with ETag {ONE}");
    assert_precondition_failed(&refused, "If-None-Match", &reason);
    assert_stored(&server, "one").await;
    assert_eq!(put(&server, KEY, &[], "two").await.status, 200);
}

#[tokio::test]
async fn put_if_match_replaces_the_object_it_names_alone() {
    let server = frozen().await;
    for tag in [ONE, "*"] {
        let refused = put(&server, KEY, &[("if-match", tag)], "one").await;
        let elements =
            format!("<Message>The specified key does not exist.</Message><Key>{KEY}</Key>");
        let reason = "key: no such object in bucket bizmori: not uploaded, or deleted";
        assert_refused(&refused, 404, "NoSuchKey", &elements, reason);
    }
    put(&server, KEY, &[], "one").await;
    for stale in [TWO, &format!("W/{ONE}"), "\"0123\"", ""] {
        let refused = put(&server, KEY, &[("if-match", stale)], "two").await;
        let reason = format!("If-Match: {stale}, but the object has ETag {ONE}");
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
async fn put_on_a_condition_that_s3_has_not_answers_not_implemented() {
    let server = frozen().await;
    put(&server, KEY, &[], "one").await;
    for (header, value, name, reason) in [
        (
            "if-none-match",
            ONE,
            "If-None-Match",
            format!("If-None-Match: {ONE} is not supported on PUT; use *"),
        ),
        (
            "if-none-match",
            TWO,
            "If-None-Match",
            format!("If-None-Match: {TWO} is not supported on PUT; use *"),
        ),
        (
            "if-unmodified-since",
            THEN,
            "If-Unmodified-Since",
            "If-Unmodified-Since: not supported on PUT; use If-Match or If-None-Match".to_owned(),
        ),
    ] {
        let refused = put(&server, KEY, &[(header, value)], "two").await;
        let elements = format!(
            "<Message>A header or parameter you provided implies functionality that is not implemented</Message><Key>{KEY}</Key><Header>{name}</Header>"
        );
        assert_refused(&refused, 501, "NotImplemented", &elements, &reason);
    }
    assert_stored(&server, "one").await;
}

/// Of eight PUTs at once, each of another body, one is taken. Returns its body.
async fn one_of_eight(server: &TestServer, condition: (&str, &str)) -> String {
    let bodies: Vec<String> = (0..8).map(|n| format!("{condition:?} {n}")).collect();
    let headers = [condition];
    let puts = bodies
        .iter()
        .map(|body| put(server, KEY, &headers, body.clone()));
    let responses = futures_util::future::join_all(puts).await;
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    let mut accepts = statuses.iter().zip(&bodies).filter(|(it, _)| **it == 200);
    let (_, body) = accepts.next().expect("one is taken");
    assert!(accepts.next().is_none(), "{statuses:?}");
    let failed = statuses.iter().filter(|status| **status == 412).count();
    assert_eq!(failed, 7, "{statuses:?}");
    body.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_conditional_puts_at_once_one_is_taken() {
    let server = frozen().await;
    for _ in 0..5 {
        let body = one_of_eight(&server, ("if-none-match", "*")).await;
        assert_stored(&server, &body).await;
        let tag = get(&server, KEY, &[]).await.header("etag").to_owned();
        let body = one_of_eight(&server, ("if-match", &tag)).await;
        assert_stored(&server, &body).await;
        let reset = serde_json::json!({});
        server.control(Method::POST, "/_mock/reset", &reset).await;
        super::freeze(&server).await;
    }
}

#[tokio::test]
async fn put_that_awaits_100_continue_is_refused_before_its_body() {
    let server = frozen().await;
    put(&server, KEY, &[], "one").await;
    let url = signer().presign(&plan(&server, "PUT", KEY));
    let target = url.trim_start_matches(server.origin.as_str());
    let host = server.origin.trim_start_matches("http://");
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: *\r\nExpect: 100-continue\r\n\
         Content-Length: 9000000\r\n\r\n"
    );
    let mut stream = raw::connect(&server.origin).await;
    stream.write_all(head.as_bytes()).await.expect("it is read");
    let refused = raw::read_response(stream).await;
    let reason = format!("If-None-Match: the object exists, with ETag {ONE}");
    assert_precondition_failed(&refused, "If-None-Match", &reason);
    assert_eq!(refused.header("connection"), "close");
}

#[tokio::test]
async fn reads_on_conditions_follow_rfc_9110() {
    let server = frozen().await;
    put(&server, KEY, &[], "one").await;
    for (headers, status, body) in [
        (&[("if-match", ONE)][..], 200, "one"),
        (&[("if-match", TWO)], 412, ""),
        (&[("if-match", "*")], 200, "one"),
        (&[("if-unmodified-since", THEN)], 200, "one"),
        (&[("if-unmodified-since", BEFORE)], 412, ""),
        (
            &[("if-match", ONE), ("if-unmodified-since", BEFORE)],
            200,
            "one",
        ),
        (&[("if-match", TWO), ("if-none-match", ONE)], 412, ""),
        (&[("if-match", ONE), ("if-none-match", ONE)], 304, ""),
        (
            &[("if-none-match", TWO), ("if-modified-since", THEN)],
            200,
            "one",
        ),
        (&[("if-match", ONE), ("range", "bytes=1-")], 206, "ne"),
        (&[("if-match", TWO), ("range", "bytes=1-")], 412, ""),
        (&[("if-match", TWO), ("range", "bytes=9-")], 412, ""),
        (
            &[("if-unmodified-since", BEFORE), ("range", "bytes=1-")],
            412,
            "",
        ),
        (&[("if-none-match", ONE), ("range", "bytes=1-")], 304, ""),
        (&[("if-match", ONE), ("range", "bytes=9-")], 416, ""),
    ] {
        let got = get(&server, KEY, headers).await;
        assert_eq!(got.status, status, "{headers:?}: {}", got.text());
        if status < 400 {
            assert_eq!(got.text(), body, "{headers:?}");
        }
        let url = signer().presign(&plan(&server, "HEAD", KEY));
        let head = server.send(Method::HEAD, &url, headers, "").await;
        assert_eq!(
            (head.status, head.text()),
            (status, String::new()),
            "{headers:?}"
        );
        let reasons = [got.header("x-mock-reason"), head.header("x-mock-reason")];
        assert_eq!(reasons[0], reasons[1], "{headers:?}");
    }
    let stale = get(&server, KEY, &[("if-match", TWO)]).await;
    let reason = format!("If-Match: {TWO}, but the object has ETag {ONE}");
    assert_precondition_failed(&stale, "If-Match", &reason);
    let modified = get(&server, KEY, &[("if-unmodified-since", BEFORE)]).await;
    let reason = format!("If-Unmodified-Since: the object was modified at {THEN}");
    assert_precondition_failed(&modified, "If-Unmodified-Since", &reason);
}
