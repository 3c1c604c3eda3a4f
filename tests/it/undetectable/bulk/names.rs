//! Entry names in ZIP files, in several code pages.

use serde_json::{Value, json};

use super::{ZipEntry, finish_bulk, item_fields, start_frozen};
use crate::support::picture;

/// Builds an entry whose name has these bytes.
fn entry(name: &[u8]) -> ZipEntry {
    ZipEntry {
        name: name.to_vec(),
        ..ZipEntry::new("", &picture())
    }
}

/// Builds an entry with a Unicode Path field. `checksum_name` is the name of the field's checksum.
fn with_unicode_path(name: &[u8], checksum_name: &[u8], utf8: &str) -> ZipEntry {
    let mut crc = flate2::Crc::new();
    crc.update(checksum_name);
    let field = [&[1], &crc.sum().to_le_bytes()[..], utf8.as_bytes()].concat();
    let length = u16::try_from(field.len()).expect("a short field");
    ZipEntry {
        extra: [b"up", &length.to_le_bytes()[..], &field].concat(),
        ..entry(name)
    }
}

/// Returns the names of a bulk's items and its skipped entries.
async fn names(entries: &[ZipEntry], count: usize) -> (Value, Value) {
    let server = start_frozen().await;
    let response_body = finish_bulk(&server, entries, count).await;
    (
        item_fields(&response_body, "filename"),
        response_body["skipped"].clone(),
    )
}

#[tokio::test]
async fn bulk_with_backslash_as_second_byte_of_character_processes_all_entries() {
    let entries = [
        entry(b"\x83\x5c.jpg"),             // ソ.jpg in Shift-JIS
        entry(b"\xa5\x5c.jpg"),             // 功.jpg in Big5
        entry(b"\xd5\x5c.jpg"),             // 誠.jpg in GBK
        entry(b"\x83\x5c\x83\x5c.jpg"),     // ソソ.jpg in Shift-JIS
        entry(b"\x83\x5c/\x95\x5c_ai.jpg"), // ソ/表_ai.jpg in Shift-JIS
        entry(b"\x94\x5c..\x5c.jpg"),
        entry(b"\x82t\x82.jpg"), // été.jpg in code page 437
    ];
    let expected = json!([
        "â\\.jpg",
        "Ñ\\.jpg",
        "╒\\.jpg",
        "â\\â\\.jpg",
        "â\\/ò\\_ai.jpg",
        "ö\\..\\.jpg",
        "été.jpg"
    ]);
    assert_eq!(names(&entries, 7).await, (expected, json!([])));
}

#[tokio::test]
async fn bulk_of_zip_with_backslash_separators_skips_hidden_and_invalid_paths() {
    let entries = [
        entry(b"a.jpg"),
        entry(b"dir\\.b.jpg"),
        entry(b"dir\\c.jpg"),
        entry("фото\\.d.jpg".as_bytes()),
        ZipEntry {
            flags: 1 << 11,
            ..entry("ソ\\..\\e.jpg".as_bytes())
        },
    ];
    let skipped = json!([
        {"filename": "dir\\.b.jpg", "reason": "Hidden file"},
        {"filename": "фото\\.d.jpg", "reason": "Hidden file"},
        {"filename": "ソ\\..\\e.jpg", "reason": "Invalid path"},
    ]);
    let processed = json!(["a.jpg", "dir\\c.jpg"]);
    assert_eq!(names(&entries, 2).await, (processed, skipped));
}

#[tokio::test]
async fn bulk_with_names_in_code_page_437_skips_hidden_and_invalid_paths() {
    let entries = [
        entry(b"a.jpg"),
        entry(b"\x83\x5c/.b.jpg"),
        entry(b"\x83\x5c/../c.jpg"),
        entry(b"\x83\x5c/"),
        entry(b"\x83\x5c"),
    ];
    let skipped = json!([
        {"filename": "â\\/.b.jpg", "reason": "Hidden file"},
        {"filename": "â\\/../c.jpg", "reason": "Invalid path"},
        {"filename": "â\\/", "reason": "Directory entry"},
        {"filename": "â\\", "reason": "Unsupported image type"},
    ]);
    assert_eq!(names(&entries, 1).await, (json!(["a.jpg"]), skipped));
}

#[tokio::test]
async fn bulk_with_unicode_path_uses_it_if_checksum_matches() {
    let raw = b"\x83\x5c.jpg";
    let entries = [
        with_unicode_path(raw, raw, "ソ.jpg"),
        with_unicode_path(raw, b"other.jpg", "ソ.jpg"),
        with_unicode_path(b"a.txt", b"a.txt", "b.jpg"),
        with_unicode_path(b"c.jpg", b"c.jpg", ".c.jpg"),
    ];
    let skipped = json!([{"filename": ".c.jpg", "reason": "Hidden file"}]);
    let processed = json!(["ソ.jpg", "â\\.jpg", "b.jpg"]);
    assert_eq!(names(&entries, 3).await, (processed, skipped));
}
