//! What is uploaded is what is read.

use reqwest::Method;
use stuntdouble::presign::Presign;

use super::{KEY, frozen, get, plan, put, put_raw, signer};
use crate::support::Stunt;

const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn put_then_get_and_head_answer_what_was_put() {
    let stunt = frozen().await;
    let headers = [("content-type", "image/png"), ("x-amz-acl", "private")];
    let done = put(&stunt, KEY, &headers, "hello").await;
    assert_eq!((done.status, done.text()), (200, String::new()));
    assert_eq!(done.header("etag"), HELLO);
    assert_eq!(done.header("x-amz-request-id").len(), 16);
    let got = get(&stunt, KEY, &[]).await;
    let url = signer().presign(&plan(&stunt, "HEAD", KEY));
    let head = stunt.send(Method::HEAD, &url, &[], "").await;
    assert_eq!((got.status, got.text()), (200, "hello".to_owned()));
    assert_eq!((head.status, head.text()), (200, String::new()));
    for answer in [&got, &head] {
        for (name, value) in [
            ("content-type", "image/png"),
            ("content-length", "5"),
            ("etag", HELLO),
            ("last-modified", "Thu, 12 Mar 2026 10:00:00 GMT"),
            ("accept-ranges", "bytes"),
            ("x-mock-why", ""),
        ] {
            assert_eq!(answer.header(name), value, "{name}");
        }
    }
}

#[tokio::test]
async fn a_part_is_206_and_none_is_416() {
    let stunt = frozen().await;
    put(&stunt, KEY, &[], "0123456789").await;
    for (range, status, body, shown) in [
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
        let part = get(&stunt, KEY, &[("range", range)]).await;
        let told = (part.status, part.text(), part.header("content-range"));
        assert_eq!(told, (status, body.to_owned(), shown), "{range}");
        assert_eq!(part.header("content-length"), body.len().to_string());
    }
    for range in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
        let none = get(&stunt, KEY, &[("range", range)]).await;
        let elements = format!(
            "<Message>The requested range is not satisfiable</Message><Key>{KEY}</Key><RangeRequested>{range}</RangeRequested><ActualObjectSize>10</ActualObjectSize>"
        );
        let why = format!("Range: {range} of an object of 10 bytes");
        super::assert_refused(&none, 416, "InvalidRange", &elements, &why);
        assert_eq!(none.header("content-range"), "bytes */10");
    }
}

#[tokio::test]
async fn who_has_the_object_gets_304() {
    let stunt = frozen().await;
    put(&stunt, KEY, &[], "hello").await;
    for headers in [
        ("if-none-match", HELLO),
        ("if-none-match", "*"),
        (
            "if-none-match",
            "\"x\", W/\"5d41402abc4b2a76b9719d911017c592\"",
        ),
        ("if-modified-since", "Thu, 12 Mar 2026 10:00:00 GMT"),
    ] {
        let known = get(&stunt, KEY, &[headers]).await;
        assert_eq!((known.status, known.text()), (304, String::new()));
        assert_eq!(known.header("etag"), HELLO);
    }
    put(&stunt, KEY, &[], "other").await;
    let changed = get(&stunt, KEY, &[("if-none-match", HELLO)]).await;
    assert_eq!((changed.status, changed.text()), (200, "other".to_owned()));
}

#[tokio::test]
async fn a_signed_disposition_is_answered_as_a_header() {
    let stunt = frozen().await;
    put(&stunt, KEY, &[], "hello").await;
    let disposition = "attachment; filename=\"a b.png\"; filename*=UTF-8''%C3%BC.png";
    for (asked, answered) in [(disposition, disposition), ("a\r\nb: c", "")] {
        let url = signer().presign(&Presign {
            response_content_disposition: Some(asked),
            ..plan(&stunt, "GET", KEY)
        });
        let got = stunt.send(Method::GET, &url, &[], "").await;
        assert_eq!((got.status, got.text()), (200, "hello".to_owned()));
        assert_eq!(got.header("content-disposition"), answered);
    }
}

#[tokio::test]
async fn an_upload_in_chunks_or_of_nothing_is_taken() {
    let stunt = frozen().await;
    let chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let done = put_raw(&stunt, KEY, "Transfer-Encoding: chunked\r\n", chunks).await;
    assert_eq!((done.status, done.text()), (200, String::new()));
    let got = get(&stunt, KEY, &[]).await;
    assert_eq!(got.text(), "hello world");
    assert_eq!(got.header("content-type"), "binary/octet-stream");
    let nothing = [("content-length", "0")];
    assert_eq!(put(&stunt, KEY, &nothing, "").await.status, 200);
    let got = get(&stunt, KEY, &[]).await;
    assert_eq!((got.status, got.header("content-length")), (200, "0"));
}

#[tokio::test]
async fn a_large_object_comes_back_byte_for_byte() {
    let stunt = frozen().await;
    let bytes: Vec<u8> = (0..1_500_000_u32)
        .map(|n| n.to_le_bytes()[n as usize % 3])
        .collect();
    assert_eq!(put(&stunt, KEY, &[], bytes.clone()).await.status, 200);
    assert!(get(&stunt, KEY, &[]).await.bytes == bytes);
    let part = get(&stunt, KEY, &[("range", "bytes=1000000-1400000")]).await;
    assert!(part.bytes == bytes[1_000_000..=1_400_000]);
}

#[tokio::test]
async fn readers_see_one_whole_object_while_others_replace_it() {
    let stunt = frozen().await;
    let whole = |byte: u8| vec![byte; 300_000];
    put(&stunt, KEY, &[], whole(b'0')).await;
    let writer = async {
        for byte in b'1'..=b'9' {
            assert_eq!(put(&stunt, KEY, &[], whole(byte)).await.status, 200);
        }
    };
    let reader = async {
        for _ in 0..20 {
            let got = get(&stunt, KEY, &[]).await;
            assert_eq!((got.status, got.bytes.len()), (200, 300_000));
            let first = got.bytes[0];
            assert!(got.bytes.iter().all(|byte| *byte == first), "a torn object");
        }
    };
    tokio::join!(writer, reader);
    assert!(get(&stunt, KEY, &[]).await.bytes == whole(b'9'));
}

#[tokio::test]
async fn any_key_is_a_name_and_never_a_path() {
    let data = tempfile::tempdir().expect("a directory");
    let stunt = Stunt::with(|config| config.data_dir = Some(data.path().join("data"))).await;
    super::freeze(&stunt).await;
    for key in [
        "../../up",
        "/etc/x",
        "a//b/./c",
        "\u{1f600}/?#&=",
        "%2F",
        " ",
        "\u{1}",
    ] {
        let length = format!("Content-Length: {}\r\n", key.len());
        let done = put_raw(&stunt, key, &length, key.as_bytes()).await;
        assert_eq!(done.status, 200, "{key}: {}", done.text());
        if !key.contains("..") && !key.contains("/./") {
            assert_eq!(get(&stunt, key, &[]).await.text(), key);
        }
    }
    let beside: Vec<_> = std::fs::read_dir(data.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(beside, ["data"]);
}

#[tokio::test]
async fn browsers_of_any_origin_may_call() {
    let stunt = frozen().await;
    let asked = [
        ("origin", "http://app.test"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type,x-amz-acl"),
    ];
    let path = "/_s3/bizmori/k";
    let preflight = stunt.send(Method::OPTIONS, path, &asked, "").await;
    assert_eq!((preflight.status, preflight.text()), (200, String::new()));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "*"),
        ("access-control-allow-methods", "GET,HEAD,PUT"),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(preflight.header(name), value, "{name}");
    }
    let done = put(&stunt, KEY, &asked[..1], "hello").await;
    assert_eq!(done.header("access-control-allow-origin"), "*");
    assert_eq!(
        done.header("access-control-expose-headers"),
        "etag,accept-ranges,content-range,content-disposition,x-amz-request-id,x-mock-why,x-mock-request"
    );
    let refused = stunt.send(Method::GET, path, &asked[..1], "").await;
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    assert_eq!(refused.status, 403);
}
