//! Every format of the contract's section 3, from its upload to its pictures.

use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, error, finish_document, post, query, start_frozen, upload};
use crate::support::{TestServer, ZipEntry, fixture, zip};

/// A fixture under a name: its size as told, and the sizes of its preview and heatmap.
struct FormatCase {
    name: &'static str,
    fixture: &'static str,
    sides: (u32, u32),
    preview: (u32, u32),
    heatmap: (u32, u32),
}

const fn same(name: &'static str, fixture: &'static str, sides: (u32, u32)) -> FormatCase {
    FormatCase {
        name,
        fixture,
        sides,
        preview: sides,
        heatmap: sides,
    }
}

const CASES: [FormatCase; 20] = [
    same("a_ai.jpg", "plain.jpg", (320, 240)),
    same("a_ai.jpeg", "progressive.jpg", (320, 240)),
    same("a_ai.JFIF", "plain.jpg", (320, 240)),
    same("a_ai.png", "plain.png", (320, 240)),
    same("a_ai.webp", "plain.webp", (320, 240)),
    same("a_ai.bmp", "plain.bmp", (160, 120)),
    same("a_ai.tiff", "plain.tiff", (160, 120)),
    same("a_ai.tif", "plain.tiff", (160, 120)),
    same("b_ai.tiff", "palette.tiff", (160, 120)),
    same("c_ai.tiff", "fax.tiff", (160, 120)),
    same("a_ai.gif", "plain.gif", (160, 120)),
    FormatCase {
        preview: (512, 384),
        ..same("a_ai.svg", "plain.svg", (640, 480))
    },
    same("b_ai.svg", "illustrator.svg", (200, 100)),
    same("a_ai.heic", "plain.heic", (320, 240)),
    same("b_ai.HEIC", "camera.heic", (240, 320)),
    same("a_ai.heif", "firefly.heif", (160, 120)),
    same("a_ai.avif", "plain.avif", (160, 120)),
    same("b_ai.avif", "manifest.avif", (160, 120)),
    same("a_ai.pdf", "plain.pdf", (320, 240)),
    same("b_ai.pdf", "encrypted.pdf", (400, 220)),
];

/// The size of the picture behind a link.
async fn sides(server: &TestServer, url: &Value, media_type: &str) -> (u32, u32) {
    let url = url.as_str().unwrap_or_else(|| panic!("{url}"));
    let response = server.send(Method::GET, url, &[], "").await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, media_type)
    );
    let picture = image::load_from_memory(&response.bytes).expect("a picture");
    (picture.width(), picture.height())
}

#[tokio::test]
async fn every_format_is_taken_and_has_its_warnings_its_preview_and_its_heatmap() {
    let server = start_frozen().await;
    for case in CASES {
        let name = case.name;
        let bytes = fixture(case.fixture);
        let screen = json!({"type": "screen_recapture", "label": "Normal", "confidence": 100.0,
                            "metrics": {"is_screen": false}});
        let (width, height) = case.sides;
        let size = json!({"type": "source_size", "metrics":
                          {"width": width, "height": height, "file_size": bytes.len()}});
        let is_small = bytes.len() < 50 * 1024 || width.max(height) < 150;
        let warnings: Vec<Value> = [Some(screen), is_small.then_some(size)]
            .into_iter()
            .flatten()
            .collect();
        let body = json!({"generate_preview": true, "generate_analysis_details": false});
        let document = finish_document(&server, name, bytes, body).await;
        let details = &document["result_details"];
        assert_eq!(details["warnings"], json!(warnings), "{name}");
        assert_eq!(details["final_result"], "AI Generated", "{name}");
        let preview = sides(&server, &document["preview_url"], "image/jpeg").await;
        let heatmap = sides(&server, &details["heatmap_url"], "image/png").await;
        assert_eq!((preview, heatmap), (case.preview, case.heatmap), "{name}");
    }
}

#[tokio::test]
async fn what_is_not_decoded_is_neither_blurred_nor_dark_unless_its_name_says_so() {
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
async fn overlays_are_drawn_on_drawings_and_on_cards() {
    let server = start_frozen().await;
    let body = json!({"generate_heatmap_overlayed": true, "generate_heatmap_normalized": true});
    for (name, plain, expected) in [
        ("a_ai.svg", "plain.svg", (640, 480)),
        ("a_ai.heic", "plain.heic", (320, 240)),
        ("a_ai.pdf", "plain.pdf", (320, 240)),
    ] {
        let document = finish_document(&server, name, fixture(plain), body.clone()).await;
        let url = &document["result_details"]["heatmap_url"];
        assert_eq!(sides(&server, url, "image/png").await, expected, "{name}");
    }
}

#[tokio::test]
async fn containers_drawings_and_documents_say_where_they_come_from() {
    let server = start_frozen().await;
    let (pixel, firefly) = ("Google Pixel 8", "Adobe Firefly");
    for (name, bytes, source, result) in [
        ("a.heic", fixture("camera.heic"), pixel, "Real"),
        ("a.avif", fixture("camera.avif"), pixel, "Real"),
        ("a.heif", fixture("firefly.heif"), firefly, "AI Generated"),
        ("b.avif", fixture("manifest.avif"), firefly, "AI Generated"),
        ("a.svg", fixture("illustrator.svg"), firefly, "AI Generated"),
    ] {
        let document = finish_document(&server, name, bytes, json!({})).await;
        let details = &document["result_details"];
        let found = (&details["metadata_basic_source"], &details["final_result"]);
        assert_eq!(found, (&json!(source), &json!(result)), "{name}");
        assert_eq!(details["detection_step"], 1, "{name}");
    }
}

#[tokio::test]
async fn a_name_that_settles_a_file_that_is_at_fault_has_its_pictures_drawn_too() {
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
        let url = &document["preview_url"];
        assert_eq!(
            sides(&server, url, "image/jpeg").await,
            (362, 512),
            "{name}"
        );
        let url = &details["heatmap_url"];
        assert_eq!(sides(&server, url, "image/png").await, (595, 842), "{name}");
        let warnings = json!([{"type": "screen_recapture", "label": "Normal", "confidence": 100.0,
                               "metrics": {"is_screen": false}}]);
        assert_eq!(details["warnings"], warnings, "{name}");
    }
}

#[tokio::test]
async fn drawings_and_containers_are_judged_in_bulk() {
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
    let found: Vec<Value> = items
        .map(|item| json!([item["final_result"], item["error"]]))
        .collect();
    let expected = json!([
        ["AI Generated", null],
        ["Real", null],
        ["AI Generated", null],
        ["Real", null],
        [null, "Invalid file type"],
    ]);
    assert_eq!(json!(found), expected);
}

#[tokio::test]
async fn content_that_does_not_fit_the_extension_is_refused_for_every_extension() {
    let server = start_frozen().await;
    let refused = async |name: &str, bytes: Vec<u8>| {
        let path = upload(&server, "live", name, bytes).await;
        let body = json!({"key": "live", "url": path});
        post(&server, "/detect", &body).await.error_of()
    };
    let invalid = |why: String| error(400, "Invalid file type", &why);
    for extension in [
        "jpg", "jpeg", "jfif", "png", "webp", "bmp", "tiff", "tif", "gif",
    ] {
        let name = format!("a.{extension}");
        let why = format!("{name}: the content is not JPEG, PNG, WebP, BMP, TIFF or GIF");
        for bytes in [
            vec![b' '; 2_000],
            fixture("plain.svg"),
            fixture("plain.avif"),
        ] {
            assert_eq!(refused(&name, bytes).await, invalid(why.clone()));
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
        let why = format!("{name}: the content is not {title}");
        assert_eq!(refused(&name, vec![b' '; 2_000]).await, invalid(why));
        let why = format!("{name}: named .{extension}, but the bytes are {other_title}");
        assert_eq!(refused(&name, fixture(other)).await, invalid(why));
    }
}

#[tokio::test]
async fn what_is_torn_or_out_of_bounds_fails_and_says_why() {
    let server = start_frozen().await;
    let torn = |name| {
        let mut bytes = fixture(name);
        bytes.truncate(bytes.len() - 200);
        bytes
    };
    let mut vast = fixture("plain.heic");
    let ispe = vast.windows(4).position(|window| window == b"ispe");
    let ispe = ispe.expect("a size");
    vast[ispe + 8..ispe + 16].fill(0xff);
    let sides = "4294967295 by 4294967295 pixels; the limit is 16384 per side and 64 megapixels";
    for (name, bytes, message) in [
        ("a.heic", torn("plain.heic"), "the HEIF is truncated"),
        ("a.avif", torn("plain.avif"), "the AVIF is truncated"),
        ("a.pdf", torn("plain.pdf"), "the PDF is truncated"),
        ("b.heic", vast, sides),
        (
            "a.svg",
            b"<svg><g></svg>".repeat(100),
            "the SVG cannot be read: ",
        ),
        ("b.svg", torn("plain.svg"), "the SVG is truncated"),
    ] {
        let id = detect(&server, name, bytes, json!({})).await;
        server.advance("live", "PT1S").await;
        let document = query(&server, &id).await.json();
        assert_eq!(document["status"], "failed", "{name}");
        let line = &document["result_details"]["error_message"];
        let line = line.as_str().unwrap_or_else(|| panic!("{document}"));
        assert!(line.starts_with(&format!("{name}: {message}")), "{line}");
    }
}
