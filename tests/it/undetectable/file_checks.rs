//! Files that `/detect` refuses: missing, too small, too large, of another type.

use serde_json::{Value, json};

use super::{credits, expected_error, post, presign, start_frozen, upload};
use crate::support::{TestServer, fixture, picture};

const BYTES_MAX: usize = 10 * 1024 * 1024;

#[tokio::test]
async fn detect_with_url_of_no_upload_of_this_key_is_refused_without_cost() {
    let server = start_frozen().await;
    let other_account = upload(&server, "other", "a.jpg", picture()).await;
    let slot = presign(&server, "live", "a.jpg").await;
    let not_uploaded = slot["file_path"].as_str().expect("a path");
    let uploaded = upload(&server, "live", "b.jpg", picture()).await;
    let other_name = uploaded.replace("_b.jpg", "_c.jpg");
    let nothing = |path: &str| format!("url: nothing that this key uploaded is at {path}");
    let metadata = "File metadata could not be fetched";
    for (body, expected) in [
        (
            json!({"url": not_uploaded}),
            expected_error(500, metadata, &nothing(not_uploaded)),
        ),
        (
            json!({"url": other_account}),
            expected_error(500, metadata, &nothing(&other_account)),
        ),
        (
            json!({"url": other_name}),
            expected_error(500, metadata, &nothing(&other_name)),
        ),
        (
            json!({"url": "https://host/uploads/x.jpg"}),
            expected_error(500, metadata, &nothing("uploads/x.jpg")),
        ),
        (
            json!({"url": "https://host/a.jpg"}),
            expected_error(
                500,
                metadata,
                "url: has no uploads/ in it, and is not fetched",
            ),
        ),
    ] {
        assert_eq!(detect_error(&server, body).await, expected);
    }
    assert_eq!(
        credits(&server, "live").await,
        r#"{"baseCredits":10000,"boostCredits":1000,"credits":11000}"#
    );
}

async fn detect_error(server: &TestServer, mut body: Value) -> (u16, String, String) {
    body["key"] = json!("live");
    post(server, "/detect", &body).await.error_of()
}

#[tokio::test]
async fn detect_file_of_wrong_size_or_type_is_refused() {
    let server = start_frozen().await;
    let jpeg = |bytes: usize| {
        let mut jpeg = picture();
        jpeg.resize(bytes, 0);
        jpeg
    };
    for (name, bytes, expected) in [
        (
            "a.jpg",
            jpeg(1_023),
            expected_error(
                400,
                "File size is too small",
                "a.jpg: 1023 bytes, 1024 at least are taken",
            ),
        ),
        (
            "a.jpg",
            jpeg(BYTES_MAX + 1),
            expected_error(
                400,
                "File size exceeds limit",
                "a.jpg: 10485761 bytes, 10485760 at most are taken",
            ),
        ),
        (
            "a.png",
            jpeg(2_000),
            expected_error(
                400,
                "Invalid file type",
                "a.png: named .png, but the bytes are a JPEG",
            ),
        ),
        (
            "a.jpg",
            vec![b' '; 2_000],
            expected_error(
                400,
                "Invalid file type",
                "a.jpg: the content is not JPEG, PNG, WebP, BMP, TIFF or GIF",
            ),
        ),
        (
            "a.heic",
            jpeg(2_000),
            expected_error(
                400,
                "Invalid file type",
                "a.heic: named .heic, but the bytes are a JPEG",
            ),
        ),
        (
            "a.zip",
            jpeg(2_000),
            expected_error(
                400,
                "Unsupported image type",
                "a.zip: no picture, by its extension; a .zip goes to /bulk-upload",
            ),
        ),
    ] {
        let path = upload(&server, "live", name, bytes).await;
        assert_eq!(detect_error(&server, json!({"url": path})).await, expected);
    }
    for bytes in [jpeg(1_024), jpeg(BYTES_MAX), fixture("bench.jpg")] {
        let path = upload(&server, "live", "a.jfif", bytes).await;
        let response = post(&server, "/detect", &json!({"key": "live", "url": path})).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }
}
