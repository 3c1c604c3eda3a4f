//! Framing inside a body is refused and never stored.

use super::signed_url::put_with;
use super::{assert_refused, frozen, get, put_raw};

const FRAMED: &[u8] = b"5\r\nhello\r\n0\r\n\r\n";

#[tokio::test]
async fn framed_body_is_refused_in_every_form_and_stores_nothing() {
    let server = frozen().await;
    let length = format!("Content-Length: {}", FRAMED.len());
    let te_chunked: &[u8] = b"f\r\n5\r\nhello\r\n0\r\n\r\n\r\n0\r\n\r\n";
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
            (format!("{lines}\r\n"), te_chunked)
        } else {
            (format!("{length}\r\n{lines}\r\n"), FRAMED)
        };
        let refused = put_raw(&server, "k", &headers, body).await;
        let elements = format!(
            "<Message>A header or parameter you provided implies functionality that is not implemented</Message><Key>k</Key><Header>{name}</Header>"
        );
        let reason = format!(
            "{name}: {value} is not supported; send the bytes of the object without framing"
        );
        assert_refused(&refused, 501, "NotImplemented", &elements, &reason);
        assert_eq!(get(&server, "k", &[]).await.status, 404, "{lines}");
    }
}

#[tokio::test]
async fn framing_in_the_signed_query_is_refused_as_well() {
    let server = frozen().await;
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
async fn transfer_coding_that_does_not_end_in_chunked_stores_nothing() {
    let server = frozen().await;
    for lines in ["Transfer-Encoding: gzip", "Transfer-Encoding: identity"] {
        let refused = put_raw(&server, "k", &format!("{lines}\r\n"), FRAMED).await;
        // RFC 9112 §6.3: nobody can tell where the body ends.
        assert_eq!(refused.status, 400, "{lines}");
        assert_eq!(refused.header("connection"), "close", "{lines}");
        assert_eq!(get(&server, "k", &[]).await.status, 404, "{lines}");
    }
}

#[tokio::test]
async fn plain_transfer_coding_and_content_codings_are_taken() {
    let server = frozen().await;
    for headers in [
        "Transfer-Encoding: Chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Encoding: gzip, br\r\n",
        "Transfer-Encoding: chunked\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n",
    ] {
        let done = put_raw(&server, "k", headers, FRAMED).await;
        assert_eq!(done.status, 200, "{headers}: {}", done.text());
        let got = get(&server, "k", &[]).await;
        assert_eq!((got.status, got.bytes), (200, b"hello".to_vec()));
    }
}
