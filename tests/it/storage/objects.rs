//! What is uploaded is what is read.

use super::*;

#[tokio::test]
async fn put_then_get_answers_what_was_put() {
    let door = StorageFixture::open().await;
    let put = door.put(
        &door.key,
        "Content-Type: image/png\r\nx-amz-acl: private\r\n",
        b"hello",
    );
    let put = put.await;
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    assert_eq!((put.status, put.text().as_str()), (200, ""));
    assert_eq!(put.header("etag"), Some(etag));
    assert_eq!(put.header("x-amz-request-id").map(str::len), Some(16));
    // the account's number, not nobody's: the order was its first request
    assert_eq!(put.header("x-mock-request"), Some("2"));
    assert!(door.is_received().await);

    let got = door.get(&door.key, "").await;
    assert_eq!((got.status, got.text().as_str()), (200, "hello"));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "5"),
        ("etag", etag),
        ("last-modified", "Thu, 12 Mar 2026 10:00:00 GMT"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    assert_eq!(got.header("x-mock-reason"), None);

    let target = door.target(&door.plan("HEAD", &door.key));
    let head = door.call("HEAD", &target, "", b"").await;
    assert_eq!((head.status, head.text().as_str()), (200, ""));
    assert_eq!(head.header("content-length"), Some("5"));
    assert_eq!(head.header("content-type"), Some("image/png"));
}

#[tokio::test]
async fn a_part_is_206_and_none_is_416() {
    let door = StorageFixture::open().await;
    door.put(&door.key, "", b"0123456789").await;
    let part = door.get(&door.key, "Range: bytes=2-4\r\n").await;
    assert_eq!((part.status, part.text().as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(part.header("content-length"), Some("3"));
    let whole = door.get(&door.key, "Range: bytes=0-1,4-5\r\n").await;
    assert_eq!((whole.status, whole.body.len()), (200, 10));

    let none = door.get(&door.key, "Range: bytes=10-\r\n").await;
    let why = "Range: bytes=10- is outside the object, which has 10 bytes";
    assert_eq!(none.error_of(), (416, "InvalidRange".to_owned(), why));
    assert_eq!(none.header("content-range"), Some("bytes */10"));
    let text = none.text();
    assert!(text.contains("<RangeRequested>bytes=10-</RangeRequested>"));
    assert!(text.contains("<ActualObjectSize>10</ActualObjectSize>"));
}

#[tokio::test]
async fn who_has_the_object_gets_304() {
    let door = StorageFixture::open().await;
    door.put(&door.key, "", b"hello").await;
    let request = "If-None-Match: \"5d41402abc4b2a76b9719d911017c592\"\r\n";
    let known = door.get(&door.key, request).await;
    assert_eq!((known.status, known.text().as_str()), (304, ""));
    assert!(known.header("etag").is_some());
    door.put(&door.key, "", b"other").await;
    assert_eq!(door.get(&door.key, request).await.text(), "other");
}

#[tokio::test]
async fn a_signed_disposition_is_answered_as_a_header() {
    let door = StorageFixture::open().await;
    door.put(&door.key, "", b"hello").await;
    let disposition = "attachment; filename=\"a b.png\"; filename*=UTF-8''%C3%BC.png";
    let target = door.target(&PresignParams {
        response_content_disposition: Some(disposition),
        ..door.plan("GET", &door.key)
    });
    let got = door.call("GET", &target, "", b"").await;
    assert_eq!(got.header("content-disposition"), Some(disposition));
    let broken = door.target(&PresignParams {
        response_content_disposition: Some("a\r\nb: c"),
        ..door.plan("GET", &door.key)
    });
    let got = door.call("GET", &broken, "", b"").await;
    assert_eq!((got.status, got.header("content-disposition")), (200, None));
}

#[tokio::test]
async fn an_upload_in_chunks_without_a_type_is_taken() {
    let door = StorageFixture::open().await;
    let chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let put = door
        .put(&door.key, "Transfer-Encoding: chunked\r\n", chunks)
        .await;
    assert_eq!(put.status, 200);
    let got = door.get(&door.key, "").await;
    assert_eq!(got.text(), "hello world");
    assert_eq!(got.header("content-type"), Some("binary/octet-stream"));
    let empty = door.put(&door.key, "", b"").await;
    assert_eq!(empty.status, 200);
    let got = door.get(&door.key, "").await;
    assert_eq!((got.status, got.header("content-length")), (200, Some("0")));
}

#[tokio::test]
async fn a_large_object_comes_back_byte_for_byte() {
    let door = StorageFixture::open().await;
    let bytes: Vec<u8> = (0..1_500_000_u32)
        .map(|n| n.to_le_bytes()[n as usize % 3])
        .collect();
    assert_eq!(door.put(&door.key, "", &bytes).await.status, 200);
    assert_eq!(door.unfinished(), 0);
    assert!(door.get(&door.key, "").await.body == bytes);
    let part = door
        .get(&door.key, "Range: bytes=1000000-1400000\r\n")
        .await;
    assert!(part.body == bytes[1_000_000..=1_400_000]);
}

#[tokio::test]
async fn a_key_of_no_account_belongs_to_nobody() {
    let door = StorageFixture::open().await;
    for key in ["../../etc/passwd", "a//b/./c", "\u{1f600}/?#&=", "%2F", " "] {
        assert_eq!(door.put(key, "", key.as_bytes()).await.status, 200, "{key}");
        assert_eq!(door.get(key, "").await.text(), key);
    }
}

#[tokio::test]
async fn a_broken_upload_leaves_no_object() {
    let door = StorageFixture::open().await;
    let target = door.target(&door.plan("PUT", &door.key));
    for (head, sent) in [
        ("Content-Length: 1000000\r\n", vec![1; 600_000]),
        (
            "Transfer-Encoding: chunked\r\n",
            b"5\r\nhello\r\n6\r\n wor".to_vec(),
        ),
    ] {
        let mut stream = door.begin("PUT", &target, head).await;
        stream.write_all(&sent).await.expect("a write");
        stream.shutdown().await.expect("an end");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(door.get(&door.key, "").await.status, 404);
    }
    assert_eq!(door.unfinished(), 0);
    assert!(!door.is_received().await);
}

#[tokio::test]
async fn an_upload_under_way_when_its_account_goes_leaves_nothing() {
    let door = StorageFixture::open().await;
    let target = door.target(&door.plan("PUT", &door.key));
    let mut stream = door
        .begin("PUT", &target, "Content-Length: 300005\r\n")
        .await;
    stream.write_all(&vec![0; 300_000]).await.expect("a write");
    while door.unfinished() == 0 {
        tokio::task::yield_now().await;
    }
    let error = json!({"account": ACCOUNT});
    door.stunt
        .control(Method::POST, "/_mock/reset", &error)
        .await;
    stream.write_all(b"56789").await.expect("a write");
    let response = read_answer(stream).await;
    let why = "account: deleted or reset during the upload";
    assert_eq!(response.error_of(), (404, "NoSuchBucket".to_owned(), why));
    assert_eq!(door.unfinished(), 0);
}

#[tokio::test]
async fn browsers_of_any_origin_may_call() {
    let door = StorageFixture::open().await;
    let request = "Origin: http://app.test\r\nAccess-Control-Request-Method: PUT\r\n\
        Access-Control-Request-Headers: content-type,x-amz-acl\r\n";
    let preflight = door.call("OPTIONS", "/_s3/bizmori/k", request, b"").await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("*"));
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        Some("GET,HEAD,PUT")
    );

    let put = door
        .put(&door.key, "Origin: http://app.test\r\n", b"hello")
        .await;
    assert_eq!(put.header("access-control-allow-origin"), Some("*"));
    let exposed = put.header("access-control-expose-headers").expect("a list");
    assert!(exposed.contains("etag") && exposed.contains("x-amz-request-id"));
    let refused = door
        .call("GET", "/_s3/bizmori/k", "Origin: http://a\r\n", b"")
        .await;
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (403, Some("*"))
    );
}
