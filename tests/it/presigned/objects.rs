//! What is uploaded is what is read.

use super::{KEY, frozen, get, put, put_raw};
use crate::support::TestServer;

const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn a_part_is_206_and_none_is_416() {
    let server = frozen().await;
    put(&server, KEY, &[], "0123456789").await;
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
        let part = get(&server, KEY, &[("range", range)]).await;
        let message = (part.status, part.text(), part.header("content-range"));
        assert_eq!(message, (status, body.to_owned(), shown), "{range}");
        assert_eq!(part.header("content-length"), body.len().to_string());
    }
    for range in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
        let none = get(&server, KEY, &[("range", range)]).await;
        let elements = format!(
            "<Message>The requested range is not satisfiable</Message><Key>{KEY}</Key><RangeRequested>{range}</RangeRequested><ActualObjectSize>10</ActualObjectSize>"
        );
        let why = format!("Range: {range} is outside the object, which has 10 bytes");
        super::assert_refused(&none, 416, "InvalidRange", &elements, &why);
        assert_eq!(none.header("content-range"), "bytes */10");
    }
}

#[tokio::test]
async fn who_has_the_object_gets_304() {
    let server = frozen().await;
    put(&server, KEY, &[], "hello").await;
    for headers in [
        ("if-none-match", HELLO),
        ("if-none-match", "*"),
        (
            "if-none-match",
            "\"x\", W/\"5d41402abc4b2a76b9719d911017c592\"",
        ),
        ("if-modified-since", "Thu, 12 Mar 2026 10:00:00 GMT"),
    ] {
        let known = get(&server, KEY, &[headers]).await;
        assert_eq!((known.status, known.text()), (304, String::new()));
        assert_eq!(known.header("etag"), HELLO);
    }
    put(&server, KEY, &[], "other").await;
    let changed = get(&server, KEY, &[("if-none-match", HELLO)]).await;
    assert_eq!((changed.status, changed.text()), (200, "other".to_owned()));
}

#[tokio::test]
async fn readers_see_one_whole_object_while_others_replace_it() {
    let server = frozen().await;
    let whole = |byte: u8| vec![byte; 300_000];
    put(&server, KEY, &[], whole(b'0')).await;
    let writer = async {
        for byte in b'1'..=b'9' {
            assert_eq!(put(&server, KEY, &[], whole(byte)).await.status, 200);
        }
    };
    let reader = async {
        for _ in 0..20 {
            let got = get(&server, KEY, &[]).await;
            assert_eq!((got.status, got.bytes.len()), (200, 300_000));
            let first = got.bytes[0];
            assert!(got.bytes.iter().all(|byte| *byte == first), "a torn object");
        }
    };
    tokio::join!(writer, reader);
    assert!(get(&server, KEY, &[]).await.bytes == whole(b'9'));
}

#[tokio::test]
async fn any_key_is_a_name_and_never_a_path() {
    let data = tempfile::tempdir().expect("a directory");
    let server =
        TestServer::with_config(|config| config.data_dir = Some(data.path().join("data"))).await;
    super::freeze(&server).await;
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
        let done = put_raw(&server, key, &length, key.as_bytes()).await;
        assert_eq!(done.status, 200, "{key}: {}", done.text());
        if !key.contains("..") && !key.contains("/./") {
            assert_eq!(get(&server, key, &[]).await.text(), key);
        }
    }
    let beside: Vec<_> = std::fs::read_dir(data.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(beside, ["data"]);
}
