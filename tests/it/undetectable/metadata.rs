//! Pictures of generators, cameras and editors, as what they say of themselves decides.

use serde_json::{Value, json};

use super::{finish_document, start_frozen};
use crate::support::{TestServer, fixture};

/// What `/query` tells of a picture that its metadata settled: all of it.
fn document_by_metadata(name: &str, of: &DetectedPicture<'_>) -> Value {
    let DetectedPicture {
        result,
        label,
        label_confidence,
        metadata,
        source,
    } = of;
    let is_real = *label == "Real";
    let warnings = json!([
        {"type": "screen_recapture", "label": "Normal", "confidence": 100.0, "metrics": {"is_screen": false}},
        {"type": "source_size", "metrics": {"width": size(name).0, "height": size(name).1, "file_size": fixture(name).len()}},
    ]);
    json!({
        "is_valid": true,
        "detection_step": 1,
        "final_result": label,
        "confidence": result,
        "final_label_confidence": label_confidence,
        "metadata": metadata,
        "metadata_basic_source": source,
        "ocr": null,
        "heatmap_status": if is_real { Value::Null } else { json!("ready") },
        "heatmap_url": "*",
        "analysis_results_status": null,
        "analysis_results": null,
        "error_message": null,
        "warnings": warnings,
    })
}

struct DetectedPicture<'a> {
    result: Value,
    label: &'a str,
    label_confidence: Value,
    metadata: [String; 2],
    source: &'a str,
}

fn size(name: &str) -> (u16, u16) {
    match name.rsplit('.').next() {
        Some("gif" | "png") => (96, 72),
        Some("tiff") => (64, 48),
        _ => (160, 120),
    }
}

async fn check(server: &TestServer, name: &str, of: &DetectedPicture<'_>) {
    let file = name.rsplit('/').next().expect("a name");
    let body = json!({"generate_analysis_details": false});
    let mut document = finish_document(server, file, fixture(name), body).await;
    let details = &mut document["result_details"];
    let is_drawn = details["heatmap_url"].is_string();
    assert_eq!(is_drawn, of.label != "Real", "{name}");
    details["heatmap_url"] = json!("*");
    assert_eq!(*details, document_by_metadata(name, of), "{name}");
    assert_eq!(document["result"], of.result, "{name}");
}

#[tokio::test]
async fn a_generator_is_named_and_its_picture_is_ai_generated() {
    let server = start_frozen().await;
    for (name, source) in [
        ("automatic1111.png", "Stable Diffusion"),
        ("bing.jpg", "Bing Image Creator"),
        ("canva.png", "Canva"),
        ("chatgpt.png", "ChatGPT"),
        ("comfyui.png", "ComfyUI"),
        ("comfyui.webp", "ComfyUI"),
        ("firefly.gif", "Adobe Firefly"),
        ("firefly.jpg", "Adobe Firefly"),
        ("firefly.tiff", "Adobe Firefly"),
        ("flux.jpg", "Flux"),
        ("fooocus.jpg", "Fooocus"),
        ("fooocus.png", "Fooocus"),
        ("gemini.png", "Google AI"),
        ("gpt-image.webp", "GPT Image"),
        ("ideogram.jpg", "Ideogram"),
        ("imagen.jpg", "AI generator"),
        ("invokeai.png", "InvokeAI"),
        ("novelai.png", "NovelAI"),
        ("recraft.png", "Recraft"),
        ("stability.webp", "Stability AI"),
        ("swarmui.png", "SwarmUI"),
    ] {
        let judged = DetectedPicture {
            result: json!(97.0),
            label: "AI Generated",
            label_confidence: json!(97.0),
            metadata: [
                "AI Generated".to_owned(),
                format!("Metadata names the AI tool {source}"),
            ],
            source,
        };
        check(&server, &format!("generators/{name}"), &judged).await;
    }
}

/// What is told where no machine had a part.
fn no_machine() -> [String; 2] {
    ["Not AI Generated", "No AI indicators found"].map(str::to_owned)
}

#[tokio::test]
async fn a_camera_is_named_and_its_picture_is_real() {
    let server = start_frozen().await;
    for (name, source) in [
        ("canon.jpg", "Canon EOS R5"),
        ("caption.jpg", "Canon EOS R5"),
        ("dji.jpg", "DJI FC3582"),
        ("fujifilm.jpg", "FUJIFILM X-T5"),
        ("galaxy.jpg", "samsung Galaxy S24 Ultra"),
        ("iphone.jpg", "Apple iPhone 15 Pro"),
        ("leica.jpg", "LEICA M11-P"),
        ("nikon-c2pa.png", "NIKON Z 9"),
        ("nikon.jpg", "NIKON Z 9"),
        ("pixel-c2pa.jpg", "Pixel Camera"),
        ("pixel.jpg", "Google Pixel 8 Pro"),
        ("scanner.tiff", "EPSON Perfection V850"),
        ("sony.webp", "SONY ILCE-7M4"),
        ("sora.jpg", "Google Pixel 8"),
    ] {
        let judged = DetectedPicture {
            result: json!(4.0),
            label: "Real",
            label_confidence: json!(96.0),
            metadata: no_machine(),
            source,
        };
        check(&server, &format!("cameras/{name}"), &judged).await;
    }
}

#[tokio::test]
async fn an_editor_is_named_and_a_machine_among_them_is_told_apart() {
    let server = start_frozen().await;
    for (name, source) in [
        ("lightroom.jpg", "Adobe Lightroom 7.3 (Macintosh)"),
        ("photoshop.jpg", "Adobe Photoshop 25.1 (Windows)"),
        ("photoshop.tiff", "Adobe Photoshop 22.4 (Macintosh)"),
        ("snapseed.jpg", "Snapseed 2.0"),
    ] {
        let judged = DetectedPicture {
            result: json!(3.82),
            label: "Digitally Edited",
            label_confidence: json!(96.18),
            metadata: no_machine(),
            source,
        };
        check(&server, &format!("editors/{name}"), &judged).await;
    }
    for (name, source) in [
        ("clean-up.jpg", "AI editor"),
        ("photoshop-fill.jpg", "Adobe Firefly"),
    ] {
        let judged = DetectedPicture {
            result: json!(71.0),
            label: "AI Edited",
            label_confidence: json!(71.0),
            metadata: [
                "AI Edited".to_owned(),
                format!("Metadata names the AI tool {source}"),
            ],
            source,
        };
        check(&server, &format!("editors/{name}"), &judged).await;
    }
}

#[tokio::test]
async fn bizmori_judges_the_same_pictures_by_the_same_words() {
    let server = start_frozen().await;
    for (name, probability, code) in [
        ("generators/gemini.png", 0.97, "likely_ai"),
        ("cameras/leica.jpg", 0.04, "likely_real"),
    ] {
        let file = name.rsplit('/').next().expect("a name");
        let body = json!({"idempotencyKey": name, "fileName": file});
        let id = server.confirm_detection("live", &body, fixture(name)).await;
        server.advance("live", "PT1S").await;
        let order = server.get_order("live", &id).await;
        let value = (&order["probability"], &order["statusCode"]);
        assert_eq!(value, (&json!(probability), &json!(code)), "{name}");
    }
}
