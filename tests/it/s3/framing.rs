//! Bodies with framing of their own, which would be stored as content, are refused.

use super::signed_url::put_with;
use super::{assert_s3_error, get, put_raw, start_frozen};

const FRAMED: &[u8] = b"5\r\nhello\r\n0\r\n\r\n";

#[tokio::test]
async fn put_framed_body_answers_not_implemented_and_stores_nothing() {
    let server = start_frozen().await;
    let length = format!("Content-Length: {}", FRAMED.len());
    let framed_in_chunks: &[u8] = b"f\r\n5\r\nhello\r\n0\r\n\r\n\r\n0\r\n\r\n";
    for (lines, name, value) in [
        (
            "Content-Encoding: aws-chunked",
            "Content-Encoding",
            "aws-chunked",
        ),
        (
            "Content-Encoding: AWS-Chunked",
            "Content-Encoding",
            "AWS-Chunked",
        ),
        (
            "Content-Encoding: gzip, aws-chunked",
            "Content-Encoding",
            "gzip, aws-chunked",
        ),
        (
            "Content-Encoding: gzip,aws-chunked ,br",
            "Content-Encoding",
            "gzip,aws-chunked ,br",
        ),
        (
            "Content-Encoding: gzip\r\nContent-Encoding: aws-chunked",
            "Content-Encoding",
            "gzip,aws-chunked",
        ),
        (
            "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-content-sha256",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        ),
        (
            "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "x-amz-content-sha256",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        ),
        (
            "x-amz-content-sha256: streaming-unsigned-payload-trailer",
            "x-amz-content-sha256",
            "streaming-unsigned-payload-trailer",
        ),
        (
            "x-amz-decoded-content-length: 5",
            "x-amz-decoded-content-length",
            "5",
        ),
        (
            "x-amz-trailer: x-amz-checksum-crc32",
            "x-amz-trailer",
            "x-amz-checksum-crc32",
        ),
        (
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding",
            "gzip, chunked",
        ),
        (
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding",
            "gzip,chunked",
        ),
        (
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding",
            "chunked, chunked",
        ),
    ] {
        let (headers, body) = if lines.starts_with("Transfer-Encoding") {
            (format!("{lines}\r\n"), framed_in_chunks)
        } else {
            (format!("{length}\r\n{lines}\r\n"), FRAMED)
        };
        let refused = put_raw(&server, "k", &headers, body).await;
        let elements = format!(
            "<Message>A header or parameter you provided implies functionality that is not implemented</Message><Key>k</Key><Header>{name}</Header>"
        );
        let reason = format!("{name}: {value}; send the object's bytes as they are, unframed");
        assert_s3_error(&refused, 501, "NotImplemented", &elements, &reason);
        assert_eq!(get(&server, "k", &[]).await.status, 404, "{lines}");
    }
}

#[tokio::test]
async fn put_with_framing_in_signed_query_answers_501_and_stores_nothing() {
    let server = start_frozen().await;
    let body = std::str::from_utf8(FRAMED).expect("text");
    for parameter in [
        ("X-Amz-Decoded-Content-Length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-copy-source", "/bizmori/other"),
    ] {
        let refused = put_with(&server, &[parameter], body).await;
        assert_eq!(refused.status, 501, "{parameter:?}: {}", refused.text());
        assert_eq!(get(&server, "k", &[]).await.status, 404, "{parameter:?}");
    }
}

#[tokio::test]
async fn put_with_transfer_coding_that_does_not_end_in_chunked_answers_400() {
    let server = start_frozen().await;
    for lines in ["Transfer-Encoding: gzip", "Transfer-Encoding: identity"] {
        let refused = put_raw(&server, "k", &format!("{lines}\r\n"), FRAMED).await;
        // RFC 9112 §6.3: the length of the body is not known.
        assert_eq!(refused.status, 400, "{lines}");
        assert_eq!(refused.header("connection"), "close", "{lines}");
        assert_eq!(get(&server, "k", &[]).await.status, 404, "{lines}");
    }
}

#[tokio::test]
async fn put_with_chunked_coding_or_content_codings_stores_decoded_chunks() {
    let server = start_frozen().await;
    for headers in [
        "Transfer-Encoding: Chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Encoding: gzip, br\r\n",
        "Transfer-Encoding: chunked\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n",
    ] {
        let stored = put_raw(&server, "k", headers, FRAMED).await;
        assert_eq!(stored.status, 200, "{headers}: {}", stored.text());
        let object = get(&server, "k", &[]).await;
        assert_eq!((object.status, object.bytes), (200, b"hello".to_vec()));
    }
}
