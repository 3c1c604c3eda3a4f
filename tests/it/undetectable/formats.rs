//! File formats of section 3 of the contract, from upload to rendered images.

use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, expected_error, finish_document, post, query, start_frozen, upload};
use crate::support::{TestServer, ZipEntry, fixture, zip};

/// A fixture with its file name, its size in pixels and the sizes of its preview and heatmap.
struct FormatCase {
    name: &'static str,
    fixture: &'static str,
    size: (u32, u32),
    preview: (u32, u32),
    heatmap: (u32, u32),
}

const fn format_case(name: &'static str, fixture: &'static str, size: (u32, u32)) -> FormatCase {
    FormatCase {
        name,
        fixture,
        size,
        preview: size,
        heatmap: size,
    }
}

const CASES: [FormatCase; 20] = [
    format_case("a_ai.jpg", "plain.jpg", (320, 240)),
    format_case("a_ai.jpeg", "progressive.jpg", (320, 240)),
    format_case("a_ai.JFIF", "plain.jpg", (320, 240)),
    format_case("a_ai.png", "plain.png", (320, 240)),
    format_case("a_ai.webp", "plain.webp", (320, 240)),
    format_case("a_ai.bmp", "plain.bmp", (160, 120)),
    format_case("a_ai.tiff", "plain.tiff", (160, 120)),
    format_case("a_ai.tif", "plain.tiff", (160, 120)),
    format_case("b_ai.tiff", "palette.tiff", (160, 120)),
    format_case("c_ai.tiff", "fax.tiff", (160, 120)),
    format_case("a_ai.gif", "plain.gif", (160, 120)),
    FormatCase {
        preview: (512, 384),
        ..format_case("a_ai.svg", "plain.svg", (640, 480))
    },
    format_case("b_ai.svg", "illustrator.svg", (200, 100)),
    format_case("a_ai.heic", "plain.heic", (320, 240)),
    format_case("b_ai.HEIC", "camera.heic", (240, 320)),
    format_case("a_ai.heif", "firefly.heif", (160, 120)),
    format_case("a_ai.avif", "plain.avif", (160, 120)),
    format_case("b_ai.avif", "manifest.avif", (160, 120)),
    format_case("a_ai.pdf", "plain.pdf", (320, 240)),
    format_case("b_ai.pdf", "encrypted.pdf", (400, 220)),
];

/// Downloads an image and returns its width and height.
async fn image_size(server: &TestServer, url: &Value, media_type: &str) -> (u32, u32) {
    let url = url.as_str().unwrap_or_else(|| panic!("{url}"));
    let response = server.send(Method::GET, url, &[], "").await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, media_type)
    );
    let image = image::load_from_memory(&response.bytes).expect("an image");
    (image.width(), image.height())
}

#[tokio::test]
async fn document_of_every_format_has_warnings_preview_and_heatmap() {
    let server = start_frozen().await;
    for case in CASES {
        let name = case.name;
        let bytes = fixture(case.fixture);
        let screen = json!({"type": "screen_recapture", "label": "Normal", "confidence": 100.0,
                            "metrics": {"is_screen": false}});
        let (width, height) = case.size;
        let small_size = json!({"type": "source_size", "metrics":
                          {"width": width, "height": height, "file_size": bytes.len()}});
        let is_small = bytes.len() < 50 * 1024 || width.max(height) < 150;
        let warnings: Vec<Value> = [Some(screen), is_small.then_some(small_size)]
            .into_iter()
            .flatten()
            .collect();
        let body = json!({"generate_preview": true, "generate_analysis_details": false});
        let document = finish_document(&server, name, bytes, body).await;
        let details = &document["result_details"];
        assert_eq!(details["warnings"], json!(warnings), "{name}");
        assert_eq!(details["final_result"], "AI Generated", "{name}");
        let preview = image_size(&server, &document["preview_url"], "image/jpeg").await;
        let heatmap = image_size(&server, &details["heatmap_url"], "image/png").await;
        assert_eq!((preview, heatmap), (case.preview, case.heatmap), "{name}");
    }
}

#[tokio::test]
async fn blurred_suffix_of_format_that_is_not_decoded_adds_warning() {
    let server = start_frozen().await;
    for name in ["a_blurred.heic", "a_blurred.avif", "a_blurred.pdf"] {
        let plain = name.replace("a_blurred", "plain");
        let document = finish_document(&server, name, fixture(&plain), json!({})).await;
        let warnings = &document["result_details"]["warnings"];
        let expected = json!({"type": "blur_dark", "label": "Blurred"});
        assert_eq!(warnings[2], expected, "{name}: {warnings}");
    }
}

#[tokio::test]
async fn overlay_heatmap_of_vector_and_placeholder_images_has_their_size() {
    let server = start_frozen().await;
    let body = json!({"generate_heatmap_overlayed": true, "generate_heatmap_normalized": true});
    for (name, plain, expected) in [
        ("a_ai.svg", "plain.svg", (640, 480)),
        ("a_ai.heic", "plain.heic", (320, 240)),
        ("a_ai.pdf", "plain.pdf", (320, 240)),
    ] {
        let document = finish_document(&server, name, fixture(plain), body.clone()).await;
        let url = &document["result_details"]["heatmap_url"];
        assert_eq!(
            image_size(&server, url, "image/png").await,
            expected,
            "{name}"
        );
    }
}

#[tokio::test]
async fn metadata_of_containers_and_vector_images_decides_result_and_source() {
    let server = start_frozen().await;
    let pixel = "Google Pixel 8";
    let firefly = "Adobe Firefly";
    for (name, bytes, source, result) in [
        ("a.heic", fixture("camera.heic"), pixel, "Real"),
        ("a.avif", fixture("camera.avif"), pixel, "Real"),
        ("a.heif", fixture("firefly.heif"), firefly, "AI Generated"),
        ("b.avif", fixture("manifest.avif"), firefly, "AI Generated"),
        ("a.svg", fixture("illustrator.svg"), firefly, "AI Generated"),
    ] {
        let document = finish_document(&server, name, bytes, json!({})).await;
        let details = &document["result_details"];
        assert_eq!(details["metadata_basic_source"], source, "{name}");
        assert_eq!(details["final_result"], result, "{name}");
        assert_eq!(details["detection_step"], 1, "{name}");
    }
}

#[tokio::test]
async fn suffix_on_undecodable_file_renders_placeholder_images() {
    let server = start_frozen().await;
    for (name, bytes) in [
        ("a_ai.jpg", fixture("truncated.jpg")),
        ("b_edited.png", fixture("bomb.png")),
        ("c_ai.tiff", fixture("fax.tiff")[..6_000].to_vec()),
    ] {
        let body = json!({"generate_preview": true, "generate_heatmap_overlayed": true});
        let document = finish_document(&server, name, bytes, body).await;
        let details = &document["result_details"];
        assert_eq!(details["heatmap_status"], "ready", "{name}");
        let preview = image_size(&server, &document["preview_url"], "image/jpeg").await;
        assert_eq!(preview, (362, 512), "{name}");
        let heatmap = image_size(&server, &details["heatmap_url"], "image/png").await;
        assert_eq!(heatmap, (595, 842), "{name}");
        let warnings = json!([{"type": "screen_recapture", "label": "Normal", "confidence": 100.0,
                               "metrics": {"is_screen": false}}]);
        assert_eq!(details["warnings"], warnings, "{name}");
    }
}

#[tokio::test]
async fn bulk_with_vector_images_and_containers_answers_result_of_each() {
    let server = start_frozen().await;
    let zipped = zip(&[
        ZipEntry::new("a_ai.svg", &fixture("plain.svg")),
        ZipEntry::new("b.heic", &fixture("camera.heic")),
        ZipEntry::stored("c.heif", &fixture("firefly.heif")),
        ZipEntry::stored("d_human.avif", &fixture("plain.avif")),
        ZipEntry::new("e.avif", &fixture("plain.heic")),
    ]);
    let path = upload(&server, "live", "some.zip", zipped).await;
    let body = json!({"key": "live", "url": path});
    let queued = post(&server, "/bulk-upload", &body).await.json();
    assert_eq!(queued["expected_count"], 5, "{queued}");
    server.advance("live", "PT1S").await;
    let id = json!({"id": queued["id"]});
    let bulk = post(&server, "/bulk-upload/query", &id).await.json();
    let items = bulk["items"].as_array().expect("items").iter();
    let results: Vec<Value> = items
        .map(|item| json!([item["final_result"], item["error"]]))
        .collect();
    let expected = json!([
        ["AI Generated", null],
        ["Real", null],
        ["AI Generated", null],
        ["Real", null],
        [null, "Invalid file type"],
    ]);
    assert_eq!(json!(results), expected);
}

#[tokio::test]
async fn detect_content_that_does_not_match_extension_answers_invalid_file_type() {
    let server = start_frozen().await;
    let post_detect = async |name: &str, bytes: Vec<u8>| {
        let path = upload(&server, "live", name, bytes).await;
        let body = json!({"key": "live", "url": path});
        post(&server, "/detect", &body).await.error_of()
    };
    let invalid = |reason: String| expected_error(400, "Invalid file type", &reason);
    for extension in [
        "jpg", "jpeg", "jfif", "png", "webp", "bmp", "tiff", "tif", "gif",
    ] {
        let name = format!("a.{extension}");
        let reason = format!("{name}: the content is not JPEG, PNG, WebP, BMP, TIFF or GIF");
        for bytes in [
            vec![b' '; 2_000],
            fixture("plain.svg"),
            fixture("plain.avif"),
        ] {
            assert_eq!(post_detect(&name, bytes).await, invalid(reason.clone()));
        }
    }
    for (extension, title, other, other_title) in [
        ("svg", "SVG", "plain.png", "a PNG"),
        ("pdf", "PDF", "plain.svg", "an SVG"),
        ("heic", "HEIF", "plain.avif", "an AVIF"),
        ("heif", "HEIF", "plain.pdf", "a PDF"),
        ("avif", "AVIF", "plain.heic", "a HEIF"),
    ] {
        let name = format!("a.{extension}");
        let reason = format!("{name}: the content is not {title}");
        assert_eq!(post_detect(&name, vec![b' '; 2_000]).await, invalid(reason));
        let reason = format!("{name}: named .{extension}, but the bytes are {other_title}");
        assert_eq!(post_detect(&name, fixture(other)).await, invalid(reason));
    }
}

#[tokio::test]
async fn truncated_or_oversized_file_fails_with_reason() {
    let server = start_frozen().await;
    let truncated = |name| {
        let mut bytes = fixture(name);
        bytes.truncate(bytes.len() - 200);
        bytes
    };
    let mut oversized = fixture("plain.heic");
    let ispe = oversized
        .windows(4)
        .position(|window| window == b"ispe")
        .expect("an ispe box");
    oversized[ispe + 8..ispe + 16].fill(0xff);
    let too_large =
        "4294967295 by 4294967295 pixels; the limit is 16384 per side and 64 megapixels";
    for (name, bytes, message) in [
        ("a.heic", truncated("plain.heic"), "the HEIF is truncated"),
        ("a.avif", truncated("plain.avif"), "the AVIF is truncated"),
        ("a.pdf", truncated("plain.pdf"), "the PDF is truncated"),
        ("b.heic", oversized, too_large),
        (
            "a.svg",
            b"<svg><g></svg>".repeat(100),
            "the SVG cannot be read: ",
        ),
        ("b.svg", truncated("plain.svg"), "the SVG is truncated"),
    ] {
        let id = detect(&server, name, bytes, json!({})).await;
        server.advance("live", "PT1S").await;
        let document = query(&server, &id).await.json();
        assert_eq!(document["status"], "failed", "{name}");
        let error = document["result_details"]["error_message"]
            .as_str()
            .unwrap_or_else(|| panic!("{document}"));
        assert!(error.starts_with(&format!("{name}: {message}")), "{error}");
    }
}
