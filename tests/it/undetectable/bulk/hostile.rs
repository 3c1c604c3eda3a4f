//! ZIPs that break off, lie, or are built to burst: refused or told, at no great cost.

use serde_json::{Value, json};

use super::super::presign;
use super::{
    ZipEntry, bulk, error, finish_bulk, of_items, post, query_bulk, queue_bulk, start_frozen,
};
use crate::support::{fixture, picture, zip, zip_64};

const NO_ZIP: &str = "URL must point to a ZIP file";
const SIZE: &str = "the ZIP entry's size differs from the central directory's";
const CHECKSUM: &str = "the ZIP entry's CRC-32 differs from the central directory's";
const PLACE: &str = "the ZIP entry's local header is not where the central directory says";
const UNPACK: &str = "the ZIP entry cannot be decompressed";

fn some() -> [ZipEntry; 2] {
    [
        ZipEntry::new("a_ai.jpg", &picture()),
        ZipEntry::stored("b.jpg", &fixture("photo.jpg")),
    ]
}

#[tokio::test]
async fn a_zip_that_breaks_off_is_none() {
    let server = start_frozen().await;
    let whole = zip(&some());
    let no_end = "no end-of-central-directory record";
    for (length, why) in [
        (3, no_end),
        (30, no_end),
        (1_000, no_end),
        (whole.len() - 100, no_end),
        (whole.len() - 1, "central directory is truncated"),
    ] {
        let response = queue_bulk(&server, "a.zip", whole[..length].to_vec()).await;
        let expected = error(400, NO_ZIP, &format!("a.zip: {why}"));
        assert_eq!(response.error_of(), expected, "{length}");
    }
    let headless = whole[1_000..].to_vec();
    let response = queue_bulk(&server, "a.zip", headless).await;
    let why = "a.zip: central directory is not where the end record says";
    assert_eq!(response.error_of(), error(400, NO_ZIP, why));
}

#[tokio::test]
async fn a_zip64_and_one_with_things_around_it_are_read_like_any() {
    let server = start_frozen().await;
    let comment = |zip: Vec<u8>, comment: &[u8]| {
        let length = u16::try_from(comment.len()).expect("a short one");
        let end = zip.len() - 2;
        [&zip[..end], &length.to_le_bytes(), comment].concat()
    };
    let behind = |zip: Vec<u8>| [&[b'#'; 5_000], zip.as_slice()].concat();
    for zip in [
        zip_64(&some()),
        behind(zip(&some())),
        behind(zip_64(&some())),
        comment(zip(&some()), b"a comment"),
        comment(zip(&some()), &b" ".repeat(0xffff)),
        comment(zip_64(&some()), b"PK\x05\x06"),
    ] {
        let id = bulk(&server, "a.zip", zip, 2).await;
        server.advance("live", "PT1S").await;
        let response_body = query_bulk(&server, &id).await.json();
        assert_eq!(of_items(&response_body, "result"), json!([98.0, 4.0]));
    }
}

#[tokio::test]
async fn an_end_or_a_directory_that_lies_is_told() {
    let server = start_frozen().await;
    let whole = zip(&some());
    let end = whole.len() - 22;
    let with = |at: usize, byte: u8| {
        let mut zip = whole.clone();
        zip[at] = byte;
        zip
    };
    let directory = end - (46 + 8) - (46 + 5);
    for (zip, why) in [
        (
            with(end + 10, 7),
            "end record declares 7 entries, central directory has 2",
        ),
        (with(end + 4, 1), "split ZIP files are not supported"),
        (
            with(end + 13, 99),
            "central directory is not where the end record says",
        ),
        (
            with(end + 18, 99),
            "central directory is not where the end record says",
        ),
        (with(directory + 3, 0), "central directory is malformed"),
        (with(directory + 29, 9), "central directory is truncated"),
    ] {
        let response = queue_bulk(&server, "a.zip", zip).await;
        let why = format!("a.zip: {why}");
        assert_eq!(response.error_of(), error(400, NO_ZIP, &why));
    }
    let mut lost = zip_64(&some());
    let locator = lost.len() - 22 - 20;
    lost[locator - 56] = b'Q';
    let response = queue_bulk(&server, "a.zip", lost).await;
    let why = "a.zip: central directory is not where the end record says";
    assert_eq!(response.error_of(), error(400, NO_ZIP, why));
    let wide = ZipEntry {
        bytes: u64::from(u32::MAX),
        ..some()[0].clone()
    };
    let response = queue_bulk(&server, "a.zip", zip(&[wide])).await;
    let why = "a.zip: a ZIP64 size is missing from the central directory";
    assert_eq!(response.error_of(), error(400, NO_ZIP, why));
}

#[tokio::test]
async fn an_entry_that_is_not_as_the_directory_says_is_an_error_of_its_own() {
    let server = start_frozen().await;
    let (deflated, stored) = (
        ZipEntry::new("a.jpg", &picture()),
        ZipEntry::stored("b.jpg", &picture()),
    );
    let more = |entry: &ZipEntry, by: i64| ZipEntry {
        bytes: entry.bytes.saturating_add_signed(by),
        ..entry.clone()
    };
    let at = |header_at: u64| ZipEntry {
        header_at: Some(header_at),
        ..stored.clone()
    };
    let entries = [
        more(&deflated, 1),
        more(&deflated, -1),
        more(&stored, 1),
        more(&stored, -1),
        ZipEntry {
            crc32: 0,
            ..deflated.clone()
        },
        at(1),
        at(9_000_000),
        ZipEntry {
            packed_bytes: deflated.packed_bytes - 9,
            ..deflated.clone()
        },
        ZipEntry {
            method: 8,
            ..stored.clone()
        },
        ZipEntry {
            packed_bytes: 9_000_000,
            bytes: 9_000_000,
            ..stored.clone()
        },
        deflated,
    ];
    let response_body = finish_bulk(&server, &entries, 11).await;
    let expected = json!([
        SIZE, SIZE, SIZE, SIZE, CHECKSUM, PLACE, PLACE, UNPACK, UNPACK, SIZE, null
    ]);
    assert_eq!(of_items(&response_body, "error"), expected);
}

#[tokio::test]
async fn a_zip_that_would_burst_is_unpacked_no_further_than_it_says() {
    let server = start_frozen().await;
    // Beyond what it says it breaks off, which nobody sees who unpacks no more.
    let mut bursting = ZipEntry {
        bytes: 10 * 1024 * 1024,
        ..ZipEntry::new("a.jpg", &vec![0; 300 * 1024 * 1024])
    };
    bursting.data.truncate(bursting.data.len() / 2);
    bursting.packed_bytes = bursting.data.len() as u64;
    // Eighteen million blocks of nothing, and then what it says, for who reads so far.
    let mut endless = ZipEntry::new("b.jpg", &[7; 2_000]);
    endless.data = [[0, 0, 0, 0xff, 0xff].repeat(18_000_000), endless.data].concat();
    endless.packed_bytes = endless.data.len() as u64;
    let response_body = finish_bulk(&server, &[bursting, endless], 2).await;
    assert_eq!(of_items(&response_body, "error"), json!([SIZE, UNPACK]));
    // Fifty entries that share the data of one.
    let mut shared = vec![ZipEntry::new("a_ai.jpg", &vec![0; 10 * 1024 * 1024])];
    let again = ZipEntry {
        header_at: Some(0),
        data: Vec::new(),
        ..shared[0].clone()
    };
    shared.resize(50, again);
    let response_body = finish_bulk(&server, &shared, 50).await;
    assert_eq!(response_body["result"], 98.0);
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_read_as_old_programs_write_it() {
    let server = start_frozen().await;
    let named = |name: &[u8], flags: u16| ZipEntry {
        name: name.to_vec(),
        flags,
        ..ZipEntry::new("", &picture())
    };
    let utf_8 = 1 << 11;
    let entries = [
        named(b"\x82t\x82_ai.jpg", 0),
        named("été_ai.jpg".as_bytes(), 0),
        named("사진_ai.jpg".as_bytes(), utf_8),
        named(b"\x82_ai.jpg", utf_8),
        named("\u{202e}gpj_ai.jpg\r\n".trim_end().as_bytes(), utf_8),
    ];
    let response_body = finish_bulk(&server, &entries, 5).await;
    let expected = json!([
        "été_ai.jpg",
        "été_ai.jpg",
        "사진_ai.jpg",
        "\u{fffd}_ai.jpg",
        "\u{202e}gpj_ai.jpg"
    ]);
    assert_eq!(of_items(&response_body, "filename"), expected);
    assert_eq!(response_body["result"], 98.0);
}

#[tokio::test]
async fn a_name_without_end_is_cut_and_not_judged() {
    let server = start_frozen().await;
    let entries = [
        ZipEntry::new("a_ai.jpg", &picture()),
        ZipEntry::new(&("b".repeat(60_000) + ".jpg"), &picture()),
    ];
    let response_body = finish_bulk(&server, &entries, 1).await;
    let cut = json!([{"filename": "b".repeat(1_024), "reason": "Invalid path"}]);
    assert_eq!(response_body["skipped"], cut);
}

#[tokio::test]
async fn a_zip_that_is_replaced_while_it_is_queued_is_not_taken_for_the_first() {
    let server = start_frozen().await;
    let place = presign(&server, "live", "a.zip").await;
    let url = place["presigned_url"].as_str().expect("a URL");
    server.put(url, zip(&some())).await;
    let body = json!({"key": "live", "url": place["file_path"]});
    let id = post(&server, "/bulk-upload", &body).await.json()["id"].clone();
    let other = ZipEntry::stored("c_ai.jpg", &[b' '; 2_000]);
    server.put(url, zip(&[other])).await;
    server.advance("live", "PT1S").await;
    let id = id.as_str().expect("an id");
    let response_body = query_bulk(&server, id).await.json();
    assert_eq!(of_items(&response_body, "error"), json!([null, PLACE]));
    assert_eq!(
        of_items(&response_body, "filename"),
        json!(["a_ai.jpg", "b.jpg"])
    );
}

#[tokio::test]
async fn no_byte_of_a_zips_headers_breaks_the_server() {
    let server = start_frozen().await;
    let small = zip(&[
        ZipEntry::stored("b_ai.jpg", &[b' '; 1_024]),
        ZipEntry::stored("a.txt", b""),
    ]);
    let headers = (0..small.len()).filter(|at| !(38..38 + 1_024).contains(at));
    let place = presign(&server, "live", "a.zip").await;
    let put = place["presigned_url"].as_str().expect("a URL");
    let body = json!({"key": "live", "url": place["file_path"]});
    let mut snapshot = Vec::new();
    for at in headers {
        for byte in [0, small[at] ^ 0xff, small[at].wrapping_add(1)] {
            let mut bytes = small.clone();
            bytes[at] = byte;
            server.put(put, bytes).await;
            let response = post(&server, "/bulk-upload", &body).await;
            assert!(
                [200, 400].contains(&response.status),
                "{at}: {}",
                response.text()
            );
            if response.status == 200 {
                server.advance("live", "PT1S").await;
                snapshot.push(response.json()["id"].clone());
            }
        }
    }
    assert!(snapshot.len() > 100);
    for id in snapshot {
        let response_body = query_bulk(&server, id.as_str().expect("an id"))
            .await
            .json();
        assert_eq!(response_body["status"], "done", "{response_body}");
        assert_ne!(response_body["items"][0], Value::Null);
    }
}
