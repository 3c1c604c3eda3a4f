//! Entries of a ZIP file that are skipped, and the reasons.

use serde_json::json;

use super::{
    ZipEntry, create_bulk, expected_error, finish_bulk, query_bulk, queue_bulk, start_frozen,
};
use crate::support::{picture, zip};

const BYTES_MAX: usize = 10 * 1024 * 1024;

fn entry_of_size(name: &str, bytes: usize) -> ZipEntry {
    let mut jpeg = picture();
    jpeg.resize(bytes, 0);
    ZipEntry::new(name, &jpeg)
}

#[tokio::test]
async fn bulk_skips_unsupported_entries_with_reasons_in_order_of_zip() {
    let server = start_frozen().await;
    let named = |name: &str| ZipEntry::new(name, &picture());
    let entries = [
        ZipEntry::stored("folder/", b""),
        named("folder/a.pdf"),
        named("folder/a.txt"),
        named("folder/a"),
        entry_of_size("folder/small.jpg", 1_023),
        named("folder/judged.jpg"),
        entry_of_size("folder/large.jpg", BYTES_MAX + 1),
        named(".hidden.jpg"),
        named("__MACOSX/folder/._judged.jpg"),
        named("folder/Thumbs.db"),
        named("../up.jpg"),
        named("/root.jpg"),
        named("C:\\a.jpg"),
        named("a\\..\\..\\b.jpg"),
        named("nul\0.jpg"),
        named("inner.zip"),
        ZipEntry {
            flags: 1,
            ..named("encrypted.jpg")
        },
        ZipEntry {
            method: 12,
            ..named("bzip2.jpg")
        },
    ];
    let id = create_bulk(&server, "some.zip", zip(&entries), 1).await;
    let skipped = json!([
        {"filename": "folder/", "reason": "Directory entry"},
        {"filename": "folder/a.pdf", "reason": "PDF not supported in bulk"},
        {"filename": "folder/a.txt", "reason": "Unsupported image type"},
        {"filename": "folder/a", "reason": "Unsupported image type"},
        {"filename": "folder/small.jpg", "reason": "File size is too small"},
        {"filename": "folder/large.jpg", "reason": "File size exceeds limit"},
        {"filename": ".hidden.jpg", "reason": "Hidden file"},
        {"filename": "__MACOSX/folder/._judged.jpg", "reason": "Hidden file"},
        {"filename": "folder/Thumbs.db", "reason": "Hidden file"},
        {"filename": "../up.jpg", "reason": "Invalid path"},
        {"filename": "/root.jpg", "reason": "Invalid path"},
        {"filename": "C:\\a.jpg", "reason": "Invalid path"},
        {"filename": "a\\..\\..\\b.jpg", "reason": "Invalid path"},
        {"filename": "nul\0.jpg", "reason": "Invalid path"},
        {"filename": "inner.zip", "reason": "Nested ZIP not supported"},
        {"filename": "encrypted.jpg", "reason": "Encrypted file not supported"},
        {"filename": "bzip2.jpg", "reason": "Compression method not supported"},
    ]);
    let expected =
        json!({"id": id, "status": "pending", "result": null, "items": [], "skipped": skipped});
    assert_eq!(query_bulk(&server, &id).await.json(), expected);
    server.advance("live", "PT1S").await;
    let completed = query_bulk(&server, &id).await.json();
    assert_eq!(completed["skipped"], skipped);
    assert_eq!(completed["items"][0]["filename"], "folder/judged.jpg");
}

#[tokio::test]
async fn bulk_processes_images_from_minimum_to_maximum_size() {
    let server = start_frozen().await;
    let entries = [
        entry_of_size("a_ai.jpg", 1_024),
        entry_of_size("b_ai.jpg", BYTES_MAX),
    ];
    let response_body = finish_bulk(&server, &entries, 2).await;
    assert_eq!(
        (&response_body["result"], &response_body["skipped"]),
        (&json!(98.0), &json!([]))
    );
}

#[tokio::test]
async fn bulk_without_valid_images_is_refused_with_first_reasons() {
    let server = start_frozen().await;
    let message = "No valid images found in ZIP";
    let response = queue_bulk(&server, "none.zip", zip(&[])).await;
    let no_images = |reason: &str| expected_error(400, message, reason);
    assert_eq!(response.error_of(), no_images("none.zip: is empty"));
    let entries = ["a.txt", "b.pdf", ".c", "d/", "e"].map(|name| ZipEntry::new(name, &picture()));
    let response = queue_bulk(&server, "none.zip", zip(&entries)).await;
    let reason = "none.zip: a.txt: Unsupported image type; b.pdf: PDF not supported in bulk; .c: Hidden file; d/: Directory entry";
    assert_eq!(response.error_of(), no_images(reason));
}
