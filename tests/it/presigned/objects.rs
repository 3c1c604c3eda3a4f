//! What is uploaded is what is read.

use super::{KEY, frozen, get, put, put_raw};
use crate::support::Stunt;

const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

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
