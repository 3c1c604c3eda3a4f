//! What a picture is judged to be, by its name and by its bytes.

use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, finish_document, frozen_with, query, start_frozen};
use crate::support::{fixture, picture};

/// The fields a verdict decides, in the vendor's order.
fn verdict(document: &Value) -> Value {
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
    let mut bodies = vec![document["result"].clone()];
    bodies.extend(fields.map(|field| details.get(field).cloned().unwrap_or(json!("absent"))));
    json!(bodies)
}

#[tokio::test]
async fn a_names_suffix_decides() {
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
        assert_eq!(verdict(&document), expected, "{suffix}");
    }
}

#[tokio::test]
async fn metadata_decide_where_the_name_does_not() {
    let server = start_frozen().await;
    let none = json!(["Not AI Generated", "No AI indicators found"]);
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
                none,
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
                none,
                "Adobe Photoshop 25.1 (Windows)",
                null,
                "absent",
                "ready"
            ]),
        ),
    ] {
        let document = finish_document(&server, name, fixture(name), json!({})).await;
        assert_eq!(verdict(&document), expected, "{name}");
    }
}

#[tokio::test]
async fn the_bytes_decide_where_nothing_else_does() {
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
        let again = finish_document(&server, name, fixture(name), json!({})).await;
        assert_eq!(verdict(&again), verdict(&document), "{name}");
    }
    let document = finish_document(&server, "plain.png", fixture("plain.png"), json!({})).await;
    assert_eq!(document["result"], 68.845_240_087_595_27);
}

#[tokio::test]
async fn an_answer_says_what_settled_it() {
    let server = start_frozen().await;
    for (name, bytes, plan) in [
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
        assert_eq!(query(&server, &id).await.header("x-mock-outcome"), plan);
    }
}

#[tokio::test]
async fn watermarks_are_left_out_where_it_is_set_so() {
    let server = frozen_with(|config| config.undetectable.bypass_ocr = true).await;
    let document =
        finish_document(&server, "plain_grok.png", fixture("plain.png"), json!({})).await;
    assert_eq!(document["result"], 68.845_240_087_595_27);
    assert_eq!(document["result_details"]["detection_step"], 3);
}

#[tokio::test]
async fn warnings_tell_what_is_odd_about_a_picture() {
    let server = start_frozen().await;
    let screen = |label, is_screen: bool| json!({"type": "screen_recapture", "label": label, "confidence": 100.0, "metrics": {"is_screen": is_screen}});
    let normal = screen("Normal", false);
    let of = |name: &'static str, fixed: &'static str| {
        let server = &server;
        async move {
            let document = finish_document(server, name, fixture(fixed), json!({})).await;
            document["result_details"]["warnings"].clone()
        }
    };
    assert_eq!(of("a.png", "plain.png").await, json!([normal]));
    assert_eq!(
        of("a_screen.png", "plain.png").await,
        json!([screen("Screen", true)])
    );
    let small = json!({"type": "source_size", "metrics": {"width": 320, "height": 240, "file_size": 28279}});
    assert_eq!(of("a.jpg", "plain.jpg").await, json!([normal, small]));
    let watermark = json!({"type": "watermark", "label": "Grok", "confidence": 0.99});
    assert_eq!(
        of("a_grok.png", "plain.png").await,
        json!([normal, watermark])
    );
    let blurred = of("a_blurred.png", "plain.png").await;
    assert_eq!(blurred[1]["type"], "blur_dark");
    assert_eq!(blurred[1]["label"], "Blurred");
}

#[tokio::test]
async fn any_generators_watermark_is_found_where_a_rule_says_so() {
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
    assert_eq!(verdict(&document), expected);
    let warnings = &document["result_details"]["warnings"];
    let watermark = json!({"type": "watermark", "label": "Nano Banana 2", "confidence": 0.913});
    assert!(
        warnings
            .as_array()
            .is_some_and(|all| all.contains(&watermark)),
        "{warnings}"
    );
}

/// A BMP of 200 pixels a side, whose levels differ from pixel to pixel by so much.
fn bmp(level: u8, contrast: u8) -> Vec<u8> {
    let drawn = image::GrayImage::from_fn(200, 200, |x, y| {
        image::Luma([level + u8::try_from((x + y) % 2).expect("a bit") * contrast])
    });
    let drawn = image::DynamicImage::from(drawn).into_rgb8();
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written = drawn.write_to(&mut bytes, image::ImageFormat::Bmp);
    written.expect("a BMP");
    bytes.into_inner()
}

#[tokio::test]
async fn blur_and_darkness_are_measured_on_the_picture() {
    let server = start_frozen().await;
    for (level, contrast, expected) in [
        (100, 100, None),
        (128, 0, Some(("Blurred", 0.0, 128.0))),
        (0, 60, Some(("Dark", 57_600.0, 30.0))),
        (20, 0, Some(("Dark", 0.0, 20.0))),
    ] {
        let document = finish_document(&server, "a.bmp", bmp(level, contrast), json!({})).await;
        let warnings = document["result_details"]["warnings"].clone();
        let message = warnings[1].as_object().map(|warning| {
            assert_eq!(warning["type"], "blur_dark");
            let number = |name: &str| warning["metrics"][name].as_f64().expect("a number");
            let label = warning["label"].as_str().expect("a label");
            (label, number("sharpness"), number("brightness"))
        });
        assert_eq!(message, expected, "{level} {contrast}: {warnings}");
    }
}
