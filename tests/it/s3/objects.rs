//! Reads of stored objects: bodies, ranges, cached copies, keys, browsers.

use reqwest::Method;
use stuntdouble::platform::presign::PresignParams;

use super::{
    KEY, PendingOrder, assert_s3_error, freeze_default_clock, get, head, presign_params,
    presign_target, put, put_raw, send_head, signer, start_frozen,
};
use crate::support::{TestServer, raw};

/// Entity tag of the body `hello`.
const HELLO_ETAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn put_then_get_and_head_answer_object_and_its_headers() {
    let order = PendingOrder::create().await;
    let headers = [("content-type", "image/png"), ("x-amz-acl", "private")];
    let stored = put(&order.server, &order.file_key, &headers, "hello").await;
    assert_eq!((stored.status, stored.text()), (200, String::new()));
    assert_eq!(stored.header("etag"), HELLO_ETAG);
    assert_eq!(stored.header("x-amz-request-id").len(), 16);
    // The number counts the account's requests. The order was the first.
    assert_eq!(stored.header("x-mock-request"), "2");
    assert!(order.is_uploaded().await);

    let object = get(&order.server, &order.file_key, &[]).await;
    assert_eq!((object.status, object.text()), (200, "hello".to_owned()));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "5"),
        ("etag", HELLO_ETAG),
        ("last-modified", "Thu, 12 Mar 2026 10:00:00 GMT"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(object.header(name), value, "{name}");
    }
    assert!(!object.headers.contains_key("x-mock-reason"));

    let head_response = head(&order.server, &order.file_key, &[]).await;
    let status_and_body = (head_response.status, head_response.text());
    assert_eq!(status_and_body, (200, String::new()));
    assert_eq!(head_response.header("content-length"), "5");
    assert_eq!(head_response.header("content-type"), "image/png");
}

#[tokio::test]
async fn get_range_answers_206_and_unsatisfiable_range_416() {
    let server = start_frozen().await;
    put(&server, KEY, &[], "0123456789").await;
    for (range, status, body, content_range) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=0-99", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=-99", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=0-1,4-5", 200, "0123456789", ""),
        ("bytes=4-2", 200, "0123456789", ""),
        ("lines=1-2", 200, "0123456789", ""),
        ("bytes=99999999999999999999-", 200, "0123456789", ""),
    ] {
        let part = get(&server, KEY, &[("range", range)]).await;
        let actual = (part.status, part.text(), part.header("content-range"));
        assert_eq!(actual, (status, body.to_owned(), content_range), "{range}");
        assert_eq!(part.header("content-length"), body.len().to_string());
    }
    for range in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
        let refused = get(&server, KEY, &[("range", range)]).await;
        let elements = format!(
            "<Message>The requested range is not satisfiable</Message><Key>{KEY}</Key><RangeRequested>{range}</RangeRequested><ActualObjectSize>10</ActualObjectSize>"
        );
        let reason = format!("Range: {range} of an object of 10 bytes");
        assert_s3_error(&refused, 416, "InvalidRange", &elements, &reason);
        assert_eq!(refused.header("content-range"), "bytes */10");
    }
}

#[tokio::test]
async fn get_unchanged_object_on_condition_answers_304() {
    let server = start_frozen().await;
    put(&server, KEY, &[], "hello").await;
    for header in [
        ("if-none-match", HELLO_ETAG),
        ("if-none-match", "*"),
        (
            "if-none-match",
            "\"x\", W/\"5d41402abc4b2a76b9719d911017c592\"",
        ),
        ("if-modified-since", "Thu, 12 Mar 2026 10:00:00 GMT"),
    ] {
        let unchanged = get(&server, KEY, &[header]).await;
        assert_eq!((unchanged.status, unchanged.text()), (304, String::new()));
        assert_eq!(unchanged.header("etag"), HELLO_ETAG);
    }
    put(&server, KEY, &[], "other").await;
    let changed = get(&server, KEY, &[("if-none-match", HELLO_ETAG)]).await;
    assert_eq!((changed.status, changed.text()), (200, "other".to_owned()));
}

#[tokio::test]
async fn get_while_object_is_replaced_answers_one_whole_object() {
    let server = start_frozen().await;
    let object_of = |byte: u8| vec![byte; 300_000];
    put(&server, KEY, &[], object_of(b'0')).await;
    let writer = async {
        for byte in b'1'..=b'9' {
            assert_eq!(put(&server, KEY, &[], object_of(byte)).await.status, 200);
        }
    };
    let reader = async {
        for _ in 0..20 {
            let object = get(&server, KEY, &[]).await;
            assert_eq!((object.status, object.bytes.len()), (200, 300_000));
            let first = object.bytes[0];
            let is_whole = object.bytes.iter().all(|byte| *byte == first);
            assert!(is_whole, "bytes of two objects in one body");
        }
    };
    tokio::join!(writer, reader);
    assert!(get(&server, KEY, &[]).await.bytes == object_of(b'9'));
}

#[tokio::test]
async fn put_and_get_with_unusual_keys_work_and_write_nothing_outside_data_dir() {
    let parent = tempfile::tempdir().expect("a directory");
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(parent.path().join("data"));
    })
    .await;
    freeze_default_clock(&server).await;
    for key in [
        "../../up",
        "../../etc/passwd",
        "/etc/x",
        "a//b/./c",
        "\u{1f600}/?#&=",
        "%2F",
        " ",
        "\u{1}",
    ] {
        let length = format!("Content-Length: {}\r\n", key.len());
        let stored = put_raw(&server, key, &length, key.as_bytes()).await;
        assert_eq!(stored.status, 200, "{key}: {}", stored.text());
        // An HTTP client would normalize the path.
        let target = presign_target(&server, "GET", key);
        let stream = send_head(&server, "GET", &target, "").await;
        assert_eq!(raw::read_response(stream).await.text(), key);
    }
    let entries: Vec<_> = std::fs::read_dir(parent.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(entries, ["data"]);
}

#[tokio::test]
async fn get_with_signed_disposition_answers_it_as_header_if_it_is_valid() {
    let order = PendingOrder::create().await;
    put(&order.server, &order.file_key, &[], "hello").await;
    let disposition = "attachment; filename=\"a b.png\"; filename*=UTF-8''%C3%BC.png";
    for (signed, expected) in [(disposition, Some(disposition)), ("a\r\nb: c", None)] {
        let url = signer().presign(&PresignParams {
            response_content_disposition: Some(signed),
            ..presign_params(&order.server, "GET", &order.file_key)
        });
        let object = order.server.send(Method::GET, &url, &[], "").await;
        assert_eq!(object.status, 200, "{}", object.text());
        let header = object.headers.get("content-disposition");
        let actual = header.map(|value| value.to_str().expect("ASCII"));
        assert_eq!(actual, expected);
    }
}

#[tokio::test]
async fn browser_requests_from_any_origin_are_allowed() {
    let order = PendingOrder::create().await;
    let preflight_headers = [
        ("origin", "http://app.test"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type,x-amz-acl"),
    ];
    let path = "/_s3/bizmori/k";
    let preflight = order
        .server
        .send(Method::OPTIONS, path, &preflight_headers, "")
        .await;
    assert_eq!(preflight.status, 200);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "*"),
        ("access-control-allow-methods", "GET,HEAD,PUT"),
    ] {
        assert_eq!(preflight.header(name), value, "{name}");
    }

    let origin = [("origin", "http://app.test")];
    let stored = put(&order.server, &order.file_key, &origin, "hello").await;
    assert_eq!(stored.header("access-control-allow-origin"), "*");
    let exposed = stored.header("access-control-expose-headers");
    assert!(exposed.contains("etag") && exposed.contains("x-amz-request-id"));
    let refused = order.server.send(Method::GET, path, &origin, "").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("access-control-allow-origin"), "*");
}
