//! Results of documents: by file name, metadata, content and rules.

use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, finish_document, query, start_frozen, start_frozen_with};
use crate::support::{fixture, picture};

/// Returns the fields that depend on the result, in the vendor's order.
fn result_fields(document: &Value) -> Value {
    let details = &document["result_details"];
    let fields = [
        "detection_step",
        "final_result",
        "confidence",
        "final_label_confidence",
        "metadata",
        "metadata_basic_source",
        "ocr",
        "ml_model",
        "heatmap_status",
    ];
    let mut values = vec![document["result"].clone()];
    values.extend(fields.map(|field| details.get(field).cloned().unwrap_or(json!("absent"))));
    json!(values)
}

#[tokio::test]
async fn file_name_suffix_decides_result() {
    let server = start_frozen().await;
    let unknown = json!([
        "No Information Detected",
        "Could not find anything from ExifTool and Pillow metadata"
    ]);
    let no_ocr = json!(["OCR did not detect AI", 0.0]);
    let watermark = |name: &str| {
        let ocr = json!([name, 99.0]);
        json!([
            0.0, 2, name, 99.0, 99.0, unknown, null, ocr, "absent", "ready"
        ])
    };
    for (suffix, expected) in [
        (
            "ai",
            json!([
                98.0,
                3,
                "AI Generated",
                98.0,
                98.0,
                unknown,
                null,
                no_ocr,
                ["AI Generated", 98.0],
                "ready"
            ]),
        ),
        (
            "human",
            json!([
                2.0,
                3,
                "Real",
                2.0,
                98.0,
                unknown,
                null,
                null,
                ["Real", 2.0],
                null
            ]),
        ),
        (
            "edited",
            json!([
                3.82,
                3,
                "Digitally Edited",
                3.82,
                96.18,
                unknown,
                null,
                no_ocr,
                ["Digitally Edited", 3.82],
                "ready"
            ]),
        ),
        (
            "aiedited",
            json!([
                71.0,
                3,
                "AI Edited",
                71.0,
                71.0,
                unknown,
                null,
                no_ocr,
                ["AI Edited", 71.0],
                "ready"
            ]),
        ),
        ("grok", watermark("Grok")),
        ("Gemini", watermark("Gemini")),
    ] {
        let name = format!("some photo_{suffix}.jpg");
        let document = finish_document(&server, &name, picture(), json!({})).await;
        assert_eq!(result_fields(&document), expected, "{suffix}");
    }
}

#[tokio::test]
async fn metadata_decides_result_without_suffix() {
    let server = start_frozen().await;
    let no_ai = json!(["Not AI Generated", "No AI indicators found"]);
    let tool = json!([
        "AI Generated",
        "Metadata names the AI tool Stable Diffusion"
    ]);
    for (name, expected) in [
        (
            "parameters.png",
            json!([
                97.0,
                1,
                "AI Generated",
                97.0,
                97.0,
                tool,
                "Stable Diffusion",
                null,
                "absent",
                "ready"
            ]),
        ),
        (
            "photo.jpg",
            json!([
                4.0,
                1,
                "Real",
                4.0,
                96.0,
                no_ai,
                "NIKON D750",
                null,
                "absent",
                null
            ]),
        ),
        (
            "editor.jpg",
            json!([
                3.82,
                1,
                "Digitally Edited",
                3.82,
                96.18,
                no_ai,
                "Adobe Photoshop 25.1 (Windows)",
                null,
                "absent",
                "ready"
            ]),
        ),
    ] {
        let document = finish_document(&server, name, fixture(name), json!({})).await;
        assert_eq!(result_fields(&document), expected, "{name}");
    }
}

#[tokio::test]
async fn digest_decides_result_without_suffix_and_metadata() {
    let server = start_frozen().await;
    for name in [
        "plain.jpg",
        "plain.png",
        "plain.bmp",
        "plain.tiff",
        "plain.gif",
        "bench.jpg",
    ] {
        let document = finish_document(&server, name, fixture(name), json!({})).await;
        assert_eq!(document["result_details"]["detection_step"], 3, "{name}");
        let repeated = finish_document(&server, name, fixture(name), json!({})).await;
        assert_eq!(result_fields(&repeated), result_fields(&document), "{name}");
    }
    let document = finish_document(&server, "plain.png", fixture("plain.png"), json!({})).await;
    assert_eq!(document["result"], 68.845_240_087_595_27);
}

#[tokio::test]
async fn mock_outcome_header_names_result_and_its_cause() {
    let server = start_frozen().await;
    for (name, bytes, expected) in [
        ("x_ai.jpg", picture(), "result 98 by suffix _ai"),
        ("x_grok.jpg", picture(), "result 0 by suffix _grok"),
        ("photo.jpg", fixture("photo.jpg"), "result 4 by metadata"),
        (
            "plain.png",
            fixture("plain.png"),
            "result 68.84524008759527 by digest",
        ),
    ] {
        let id = detect(&server, name, bytes, json!({})).await;
        assert_eq!(
            query(&server, &id).await.header("x-mock-outcome"),
            "",
            "{name}"
        );
        server.advance("live", "PT1S").await;
        assert_eq!(query(&server, &id).await.header("x-mock-outcome"), expected);
    }
}

#[tokio::test]
async fn watermark_suffix_with_bypass_ocr_setting_has_no_effect() {
    let server = start_frozen_with(|config| config.undetectable.bypass_ocr = true).await;
    let document =
        finish_document(&server, "plain_grok.png", fixture("plain.png"), json!({})).await;
    assert_eq!(document["result"], 68.845_240_087_595_27);
    assert_eq!(document["result_details"]["detection_step"], 3);
}

#[tokio::test]
async fn warnings_depend_on_name_and_size_of_image() {
    let server = start_frozen().await;
    let screen = |label, is_screen: bool| json!({"type": "screen_recapture", "label": label, "confidence": 100.0, "metrics": {"is_screen": is_screen}});
    let normal = screen("Normal", false);
    let warnings = |name: &'static str, fixed: &'static str| {
        let server = &server;
        async move {
            let document = finish_document(server, name, fixture(fixed), json!({})).await;
            document["result_details"]["warnings"].clone()
        }
    };
    assert_eq!(warnings("a.png", "plain.png").await, json!([normal]));
    assert_eq!(
        warnings("a_screen.png", "plain.png").await,
        json!([screen("Screen", true)])
    );
    let small = json!({"type": "source_size", "metrics": {"width": 320, "height": 240, "file_size": 28279}});
    assert_eq!(warnings("a.jpg", "plain.jpg").await, json!([normal, small]));
    let watermark = json!({"type": "watermark", "label": "Grok", "confidence": 0.99});
    assert_eq!(
        warnings("a_grok.png", "plain.png").await,
        json!([normal, watermark])
    );
    let blurred = warnings("a_blurred.png", "plain.png").await;
    assert_eq!(blurred[1]["type"], "blur_dark");
    assert_eq!(blurred[1]["label"], "Blurred");
}

#[tokio::test]
async fn rule_with_generator_name_answers_its_watermark() {
    let server = start_frozen().await;
    let outcome = json!({"finalResult": "Nano Banana 2", "probability": 0.913});
    let rule = json!({"account": "live", "then": {"outcome": outcome}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let document = finish_document(&server, "x_human.jpg", picture(), json!({})).await;
    let unknown = json!([
        "No Information Detected",
        "Could not find anything from ExifTool and Pillow metadata"
    ]);
    let ocr = json!(["Nano Banana 2", 91.3]);
    let expected = json!([
        0.0,
        2,
        "Nano Banana 2",
        91.3,
        91.3,
        unknown,
        null,
        ocr,
        "absent",
        "ready"
    ]);
    assert_eq!(result_fields(&document), expected);
    let warnings = &document["result_details"]["warnings"];
    let watermark = json!({"type": "watermark", "label": "Nano Banana 2", "confidence": 0.913});
    assert!(
        warnings
            .as_array()
            .is_some_and(|all| all.contains(&watermark)),
        "{warnings}"
    );
}

/// Draws a BMP of 200 by 200 pixels in a chess pattern of `level` and `level + contrast`.
fn bmp(level: u8, contrast: u8) -> Vec<u8> {
    let drawn = image::GrayImage::from_fn(200, 200, |x, y| {
        image::Luma([level + u8::try_from((x + y) % 2).expect("a bit") * contrast])
    });
    let image = image::DynamicImage::from(drawn).into_rgb8();
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written = image.write_to(&mut bytes, image::ImageFormat::Bmp);
    written.expect("a BMP");
    bytes.into_inner()
}

#[tokio::test]
async fn blur_and_darkness_of_content_add_warning_with_measurements() {
    let server = start_frozen().await;
    for (level, contrast, expected) in [
        (100, 100, None),
        (128, 0, Some(("Blurred", 0.0, 128.0))),
        (0, 60, Some(("Dark", 57_600.0, 30.0))),
        (20, 0, Some(("Dark", 0.0, 20.0))),
    ] {
        let document = finish_document(&server, "a.bmp", bmp(level, contrast), json!({})).await;
        let warnings = document["result_details"]["warnings"].clone();
        let actual = warnings[1].as_object().map(|warning| {
            assert_eq!(warning["type"], "blur_dark");
            let number = |name: &str| warning["metrics"][name].as_f64().expect("a number");
            let label = warning["label"].as_str().expect("a label");
            (label, number("sharpness"), number("brightness"))
        });
        assert_eq!(actual, expected, "{level} {contrast}: {warnings}");
    }
}
