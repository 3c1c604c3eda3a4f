//! Truncated, inconsistent and oversized ZIP files, which are refused or answered at bounded cost.

use serde_json::{Value, json};

use super::super::presign;
use super::{
    ZipEntry, create_bulk, expected_error, finish_bulk, item_fields, post, query_bulk, queue_bulk,
    start_frozen,
};
use crate::support::{fixture, picture, zip, zip_64};

const NO_ZIP: &str = "URL must point to a ZIP file";
const WRONG_SIZE: &str = "the ZIP entry's size differs from the central directory's";
const WRONG_CHECKSUM: &str = "the ZIP entry's CRC-32 differs from the central directory's";
const WRONG_OFFSET: &str = "the ZIP entry's local header is not where the central directory says";
const INVALID_DATA: &str = "the ZIP entry cannot be decompressed";

fn two_entries() -> [ZipEntry; 2] {
    [
        ZipEntry::new("a_ai.jpg", &picture()),
        ZipEntry::stored("b.jpg", &fixture("photo.jpg")),
    ]
}

#[tokio::test]
async fn bulk_of_truncated_zip_answers_not_a_zip() {
    let server = start_frozen().await;
    let whole = zip(&two_entries());
    let no_end = "no end-of-central-directory record";
    for (length, reason) in [
        (3, no_end),
        (30, no_end),
        (1_000, no_end),
        (whole.len() - 100, no_end),
        (whole.len() - 1, "central directory is truncated"),
    ] {
        let response = queue_bulk(&server, "a.zip", whole[..length].to_vec()).await;
        let expected = expected_error(400, NO_ZIP, &format!("a.zip: {reason}"));
        assert_eq!(response.error_of(), expected, "{length}");
    }
    let headless = whole[1_000..].to_vec();
    let response = queue_bulk(&server, "a.zip", headless).await;
    let reason = "a.zip: central directory is not where the end record says";
    assert_eq!(response.error_of(), expected_error(400, NO_ZIP, reason));
}

#[tokio::test]
async fn bulk_of_zip64_or_zip_with_comment_or_prefix_is_processed() {
    let server = start_frozen().await;
    let comment = |zip: Vec<u8>, comment: &[u8]| {
        let length = u16::try_from(comment.len()).expect("a short comment");
        let end = zip.len() - 2;
        [&zip[..end], &length.to_le_bytes(), comment].concat()
    };
    let with_prefix = |zip: Vec<u8>| [&[b'#'; 5_000], zip.as_slice()].concat();
    for zip in [
        zip_64(&two_entries()),
        with_prefix(zip(&two_entries())),
        with_prefix(zip_64(&two_entries())),
        comment(zip(&two_entries()), b"a comment"),
        comment(zip(&two_entries()), &b" ".repeat(0xffff)),
        comment(zip_64(&two_entries()), b"PK\x05\x06"),
    ] {
        let id = create_bulk(&server, "a.zip", zip, 2).await;
        server.advance("live", "PT1S").await;
        let response_body = query_bulk(&server, &id).await.json();
        assert_eq!(item_fields(&response_body, "result"), json!([98.0, 4.0]));
    }
}

#[tokio::test]
async fn bulk_of_zip_with_inconsistent_end_or_directory_answers_not_a_zip() {
    let server = start_frozen().await;
    let whole = zip(&two_entries());
    let end = whole.len() - 22;
    let with_byte = |offset: usize, byte: u8| {
        let mut zip = whole.clone();
        zip[offset] = byte;
        zip
    };
    let directory = end - (46 + 8) - (46 + 5);
    for (zip, reason) in [
        (
            with_byte(end + 10, 7),
            "end record declares 7 entries, central directory has 2",
        ),
        (with_byte(end + 4, 1), "split ZIP files are not supported"),
        (
            with_byte(end + 13, 99),
            "central directory is not where the end record says",
        ),
        (
            with_byte(end + 18, 99),
            "central directory is not where the end record says",
        ),
        (
            with_byte(directory + 3, 0),
            "central directory is malformed",
        ),
        (
            with_byte(directory + 29, 9),
            "central directory is truncated",
        ),
    ] {
        let response = queue_bulk(&server, "a.zip", zip).await;
        let reason = format!("a.zip: {reason}");
        assert_eq!(response.error_of(), expected_error(400, NO_ZIP, &reason));
    }
    let mut wrong_locator = zip_64(&two_entries());
    let locator = wrong_locator.len() - 22 - 20;
    wrong_locator[locator - 56] = b'Q';
    let response = queue_bulk(&server, "a.zip", wrong_locator).await;
    let reason = "a.zip: central directory is not where the end record says";
    assert_eq!(response.error_of(), expected_error(400, NO_ZIP, reason));
    let wide = ZipEntry {
        bytes: u64::from(u32::MAX),
        ..two_entries()[0].clone()
    };
    let response = queue_bulk(&server, "a.zip", zip(&[wide])).await;
    let reason = "a.zip: a ZIP64 size is missing from the central directory";
    assert_eq!(response.error_of(), expected_error(400, NO_ZIP, reason));
}

#[tokio::test]
async fn bulk_with_inconsistent_entries_answers_error_for_each() {
    let server = start_frozen().await;
    let deflated = ZipEntry::new("a.jpg", &picture());
    let stored = ZipEntry::stored("b.jpg", &picture());
    let with_size = |entry: &ZipEntry, by: i64| ZipEntry {
        bytes: entry.bytes.saturating_add_signed(by),
        ..entry.clone()
    };
    let with_offset = |header_at: u64| ZipEntry {
        header_at: Some(header_at),
        ..stored.clone()
    };
    let entries = [
        with_size(&deflated, 1),
        with_size(&deflated, -1),
        with_size(&stored, 1),
        with_size(&stored, -1),
        ZipEntry {
            crc32: 0,
            ..deflated.clone()
        },
        with_offset(1),
        with_offset(9_000_000),
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
        WRONG_SIZE,
        WRONG_SIZE,
        WRONG_SIZE,
        WRONG_SIZE,
        WRONG_CHECKSUM,
        WRONG_OFFSET,
        WRONG_OFFSET,
        INVALID_DATA,
        INVALID_DATA,
        WRONG_SIZE,
        null
    ]);
    assert_eq!(item_fields(&response_body, "error"), expected);
}

#[tokio::test]
async fn bulk_of_zip_bomb_is_decompressed_up_to_declared_sizes() {
    let server = start_frozen().await;

    // The data is invalid beyond the declared size. Only a reader that decompresses more would notice.
    let mut bursting = ZipEntry {
        bytes: 10 * 1024 * 1024,
        ..ZipEntry::new("a.jpg", &vec![0; 300 * 1024 * 1024])
    };
    bursting.data.truncate(bursting.data.len() / 2);
    bursting.packed_bytes = bursting.data.len() as u64;
    // Eighteen million empty blocks before the content.
    let mut endless = ZipEntry::new("b.jpg", &[7; 2_000]);
    endless.data = [[0, 0, 0, 0xff, 0xff].repeat(18_000_000), endless.data].concat();
    endless.packed_bytes = endless.data.len() as u64;
    let response_body = finish_bulk(&server, &[bursting, endless], 2).await;
    let expected = json!([WRONG_SIZE, INVALID_DATA]);
    assert_eq!(item_fields(&response_body, "error"), expected);
    // Fifty entries with the same data.
    let mut shared = vec![ZipEntry::new("a_ai.jpg", &vec![0; 10 * 1024 * 1024])];
    let duplicate = ZipEntry {
        header_at: Some(0),
        data: Vec::new(),
        ..shared[0].clone()
    };
    shared.resize(50, duplicate);
    let response_body = finish_bulk(&server, &shared, 50).await;
    assert_eq!(response_body["result"], 98.0);
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn bulk_with_names_that_are_not_utf8_decodes_them_as_code_page_437() {
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
    assert_eq!(item_fields(&response_body, "filename"), expected);
    assert_eq!(response_body["result"], 98.0);
}

#[tokio::test]
async fn bulk_with_too_long_name_skips_entry_and_truncates_name() {
    let server = start_frozen().await;
    let entries = [
        ZipEntry::new("a_ai.jpg", &picture()),
        ZipEntry::new(&("b".repeat(60_000) + ".jpg"), &picture()),
    ];
    let response_body = finish_bulk(&server, &entries, 1).await;
    let skipped = json!([{"filename": "b".repeat(1_024), "reason": "Invalid path"}]);
    assert_eq!(response_body["skipped"], skipped);
}

#[tokio::test]
async fn bulk_of_zip_replaced_after_request_answers_errors_for_changed_entries() {
    let server = start_frozen().await;
    let slot = presign(&server, "live", "a.zip").await;
    let url = slot["presigned_url"].as_str().expect("a URL");
    server.put(url, zip(&two_entries())).await;
    let body = json!({"key": "live", "url": slot["file_path"]});
    let queued = post(&server, "/bulk-upload", &body).await.json();
    let other = ZipEntry::stored("c_ai.jpg", &[b' '; 2_000]);
    server.put(url, zip(&[other])).await;
    server.advance("live", "PT1S").await;
    let id = queued["id"].as_str().expect("an id");
    let response_body = query_bulk(&server, id).await.json();
    let errors = item_fields(&response_body, "error");
    assert_eq!(errors, json!([null, WRONG_OFFSET]));
    assert_eq!(
        item_fields(&response_body, "filename"),
        json!(["a_ai.jpg", "b.jpg"])
    );
}

#[tokio::test]
async fn bulk_of_zip_with_any_header_byte_changed_is_refused_or_done() {
    let server = start_frozen().await;
    let small = zip(&[
        ZipEntry::stored("b_ai.jpg", &[b' '; 1_024]),
        ZipEntry::stored("a.txt", b""),
    ]);
    let header_offsets = (0..small.len()).filter(|at| !(38..38 + 1_024).contains(at));
    let slot = presign(&server, "live", "a.zip").await;
    let url = slot["presigned_url"].as_str().expect("a URL");
    let body = json!({"key": "live", "url": slot["file_path"]});
    let mut accepted_ids = Vec::new();
    for at in header_offsets {
        for byte in [0, small[at] ^ 0xff, small[at].wrapping_add(1)] {
            let mut bytes = small.clone();
            bytes[at] = byte;
            server.put(url, bytes).await;
            let response = post(&server, "/bulk-upload", &body).await;
            assert!(
                [200, 400].contains(&response.status),
                "{at}: {}",
                response.text()
            );
            if response.status == 200 {
                server.advance("live", "PT1S").await;
                accepted_ids.push(response.json()["id"].clone());
            }
        }
    }
    assert!(accepted_ids.len() > 100);
    for id in accepted_ids {
        let response_body = query_bulk(&server, id.as_str().expect("an id"))
            .await
            .json();
        assert_eq!(response_body["status"], "done", "{response_body}");
        assert_ne!(response_body["items"][0], Value::Null);
    }
}
