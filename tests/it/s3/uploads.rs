//! Bodies of PUT requests: length, size limit, truncated uploads, removed accounts.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    PendingOrder, assert_s3_error, get, presign_target, put, put_raw, send_head, start_frozen,
    status_and_code,
};
use crate::support::raw;

const OBJECT_BYTES_MAX: usize = 2 * 1024 * 1024;

#[tokio::test]
async fn put_without_content_type_stores_default_type() {
    let server = start_frozen().await;
    let chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let stored = put_raw(&server, "k", "Transfer-Encoding: chunked\r\n", chunks).await;
    assert_eq!(stored.status, 200, "{}", stored.text());
    let object = get(&server, "k", &[]).await;
    assert_eq!(object.text(), "hello world");
    assert_eq!(object.header("content-type"), "binary/octet-stream");
}

#[tokio::test]
async fn put_empty_body_stores_empty_object() {
    let server = start_frozen().await;
    let stored = put_raw(&server, "k", "Content-Length: 0\r\n", b"").await;
    assert_eq!(stored.status, 200, "{}", stored.text());
    let object = get(&server, "k", &[]).await;
    assert_eq!((object.status, object.header("content-length")), (200, "0"));
}

#[tokio::test]
async fn put_large_object_then_get_and_range_answer_its_bytes() {
    let order = PendingOrder::create().await;
    let bytes: Vec<u8> = (0..1_500_000_u32)
        .map(|n| n.to_le_bytes()[n as usize % 3])
        .collect();
    let stored = put(&order.server, &order.file_key, &[], bytes.clone()).await;
    assert_eq!(stored.status, 200, "{}", stored.text());
    assert_eq!(order.count_temporary_files(), 0);
    let object = get(&order.server, &order.file_key, &[]).await;
    assert!(object.bytes == bytes);
    let range = [("range", "bytes=1000000-1400000")];
    let part = get(&order.server, &order.file_key, &range).await;
    assert!(part.bytes == bytes[1_000_000..=1_400_000]);
}

#[tokio::test]
async fn put_truncated_body_stores_nothing() {
    let order = PendingOrder::create().await;
    let target = presign_target(&order.server, "PUT", &order.file_key);
    let truncated_chunks = b"5\r\nhello\r\n6\r\n wor".to_vec();
    for (headers, body) in [
        ("Content-Length: 1000000\r\n", vec![1; 600_000]),
        ("Transfer-Encoding: chunked\r\n", truncated_chunks),
    ] {
        let mut stream = send_head(&order.server, "PUT", &target, headers).await;
        stream.write_all(&body).await.expect("the body is sent");
        stream.shutdown().await.expect("the connection ends");
        let mut response = Vec::new();
        // The server may answer or reset the connection.
        let _ = stream.read_to_end(&mut response).await;
        let missing = get(&order.server, &order.file_key, &[]).await;
        assert_eq!(missing.status, 404);
    }
    assert_eq!(order.count_temporary_files(), 0);
    assert!(!order.is_uploaded().await);
}

#[tokio::test]
async fn put_while_account_is_reset_answers_no_such_bucket_and_stores_nothing() {
    let order = PendingOrder::create().await;
    let target = presign_target(&order.server, "PUT", &order.file_key);
    let length = "Content-Length: 300005\r\n";
    let mut stream = send_head(&order.server, "PUT", &target, length).await;
    let sent = stream.write_all(&vec![0; 300_000]).await;
    sent.expect("the body is sent");
    while order.count_temporary_files() == 0 {
        tokio::task::yield_now().await;
    }
    let account = json!({"account": "live"});
    order
        .server
        .control(Method::POST, "/_mock/reset", &account)
        .await;
    stream.write_all(b"56789").await.expect("the body is sent");
    let refused = raw::read_response(stream).await;
    let expected = (404, "NoSuchBucket".to_owned());
    assert_eq!(status_and_code(&refused), expected);
    let reason = "account: removed or reset while the upload was under way";
    assert_eq!(refused.header("x-mock-reason"), reason);
    assert_eq!(order.count_temporary_files(), 0);
}

#[tokio::test]
async fn put_over_size_limit_answers_entity_too_large_with_and_without_content_length() {
    let order = PendingOrder::create_with(|config| {
        config.storage.object_bytes_max = OBJECT_BYTES_MAX as u64;
    })
    .await;
    let key = order.file_key.as_str();
    let large = vec![0; OBJECT_BYTES_MAX + 1];
    let refused = put(&order.server, key, &[], large.clone()).await;
    let elements = format!(
        "<Message>Your proposed upload exceeds the maximum allowed size</Message><Key>{key}</Key><ProposedSize>2097153</ProposedSize><MaxSizeAllowed>2097152</MaxSizeAllowed>"
    );
    let reason = "body: 2097153 bytes or more, at most 2097152 are allowed";
    assert_s3_error(&refused, 400, "EntityTooLarge", &elements, reason);

    let chunked = [b"200001\r\n", large.as_slice(), b"\r\n0\r\n\r\n"].concat();
    let encoding = "Transfer-Encoding: chunked\r\n";
    let refused_chunked = put_raw(&order.server, key, encoding, &chunked).await;
    let expected = (400, "EntityTooLarge".to_owned());
    assert_eq!(status_and_code(&refused_chunked), expected);

    assert_eq!(order.count_temporary_files(), 0);
    assert_eq!(get(&order.server, key, &[]).await.status, 404);
    assert!(!order.is_uploaded().await);
    let stored = put(&order.server, key, &[], &large[1..]).await;
    assert_eq!(stored.status, 200, "{}", stored.text());
}

#[tokio::test]
async fn put_without_length_answers_missing_content_length() {
    let server = start_frozen().await;
    let target = presign_target(&server, "PUT", "k");
    let stream = send_head(&server, "PUT", &target, "").await;
    let refused = raw::read_response(stream).await;
    let expected = (411, "MissingContentLength".to_owned());
    assert_eq!(status_and_code(&refused), expected);
    let reason = "body: neither Content-Length nor Transfer-Encoding: chunked";
    assert_eq!(refused.header("x-mock-reason"), reason);
}

#[tokio::test]
async fn put_with_long_content_type_is_stored() {
    let server = start_frozen().await;
    let long = format!("image/{}", "x".repeat(200));
    let stored = put(&server, "k", &[("content-type", &long)], "x").await;
    assert_eq!(stored.status, 200, "{}", stored.text());
}

#[tokio::test]
async fn refused_put_answers_while_client_still_sends() {
    let server = start_frozen().await;
    let path = "/_s3/bizmori/k";
    let length = "Content-Length: 6000000\r\n";
    let mut stream = send_head(&server, "PUT", path, length).await;
    let sent = stream.write_all(&vec![0; 6_000_000]).await;
    sent.expect("the body is sent");
    let refused = raw::read_response(stream).await;
    assert_eq!(status_and_code(&refused), (403, "AccessDenied".to_owned()));
}

#[tokio::test]
async fn refused_put_that_expects_100_continue_answers_403_before_body() {
    let server = start_frozen().await;
    let headers = "Content-Length: 6000000\r\nExpect: 100-continue\r\n";
    let stream = send_head(&server, "PUT", "/_s3/bizmori/k", headers).await;
    assert_eq!(raw::read_response(stream).await.status, 403);
}
