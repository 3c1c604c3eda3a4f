//! Which pictures are not looked at, and what is said of them.

use serde_json::{Value, json};

use super::{credits, error, post, presign, start_frozen, upload};
use crate::support::{TestServer, fixture, picture};

const BYTES_MAX: usize = 10 * 1024 * 1024;

#[tokio::test]
async fn what_is_empty_or_was_never_uploaded_is_refused() {
    let server = start_frozen().await;
    let foreign = upload(&server, "other", "a.jpg", picture()).await;
    let awaited = presign(&server, "live", "a.jpg").await["file_path"].clone();
    let mine = upload(&server, "live", "b.jpg", picture()).await;
    let elsewhere = mine.replace("_b.jpg", "_c.jpg");
    let nothing = |path: &str| format!("url: no upload of this API key at {path}");
    let metadata = "File metadata could not be fetched";
    let awaited = awaited.as_str().expect("a path");
    for (body, expected) in [
        (
            json!({"url": ""}),
            error(400, "Input URL cannot be empty", "url: empty"),
        ),
        (
            json!({"url": mine, "email": ""}),
            error(400, "Input email is empty", "email: empty"),
        ),
        (
            json!({"url": awaited}),
            error(500, metadata, &nothing(awaited)),
        ),
        (
            json!({"url": foreign}),
            error(500, metadata, &nothing(&foreign)),
        ),
        (
            json!({"url": elsewhere}),
            error(500, metadata, &nothing(&elsewhere)),
        ),
        (
            json!({"url": "https://host/uploads/x.jpg"}),
            error(500, metadata, &nothing("uploads/x.jpg")),
        ),
        (
            json!({"url": "https://host/a.jpg"}),
            error(
                500,
                metadata,
                "url: contains no uploads/, and fetching other URLs is off",
            ),
        ),
    ] {
        assert_eq!(assert_picture_refused(&server, body).await, expected);
    }
    assert_eq!(
        credits(&server, "live").await,
        r#"{"baseCredits":10000,"boostCredits":1000,"credits":11000}"#
    );
}

async fn assert_picture_refused(server: &TestServer, mut body: Value) -> (u16, String, String) {
    body["key"] = json!("live");
    post(server, "/detect", &body).await.error_of()
}

#[tokio::test]
async fn sizes_and_types_are_judged_at_detect() {
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
            error(
                400,
                "File size is too small",
                "a.jpg: too small: 1023 bytes, minimum 1024",
            ),
        ),
        (
            "a.jpg",
            jpeg(BYTES_MAX + 1),
            error(
                400,
                "File size exceeds limit",
                "a.jpg: too large: 10485761 bytes, maximum 10485760",
            ),
        ),
        (
            "a.png",
            jpeg(2_000),
            error(
                400,
                "Invalid file type",
                "a.png: named .png, but the bytes are a JPEG",
            ),
        ),
        (
            "a.jpg",
            vec![b' '; 2_000],
            error(
                400,
                "Invalid file type",
                "a.jpg: the content is not JPEG, PNG, WebP, BMP, TIFF or GIF",
            ),
        ),
        (
            "a.heic",
            jpeg(2_000),
            error(
                400,
                "Invalid file type",
                "a.heic: named .heic, but the bytes are a JPEG",
            ),
        ),
        (
            "a.zip",
            jpeg(2_000),
            error(
                400,
                "Unsupported image type",
                "a.zip: not an image, by its extension; send a .zip to /bulk-upload",
            ),
        ),
    ] {
        let path = upload(&server, "live", name, bytes).await;
        assert_eq!(
            assert_picture_refused(&server, json!({"url": path})).await,
            expected
        );
    }
    for bytes in [jpeg(1_024), jpeg(BYTES_MAX), fixture("bench.jpg")] {
        let path = upload(&server, "live", "a.jfif", bytes).await;
        let response = post(&server, "/detect", &json!({"key": "live", "url": path})).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }
}
