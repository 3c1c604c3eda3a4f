//! Metadata of generators, cameras and editors, and the results that follow from it.

use serde_json::{Value, json};

use super::{finish_document, start_frozen};
use crate::support::{TestServer, fixture};

/// Expected `result_details` of a document that is decided by metadata.
fn expected_details(name: &str, expected: &MetadataResult<'_>) -> Value {
    let MetadataResult {
        result,
        label,
        label_confidence,
        metadata,
        source,
    } = expected;
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

struct MetadataResult<'a> {
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

async fn assert_document(server: &TestServer, name: &str, expected: &MetadataResult<'_>) {
    let file = name.rsplit('/').next().expect("a name");
    let body = json!({"generate_analysis_details": false});
    let mut document = finish_document(server, file, fixture(name), body).await;
    let details = &mut document["result_details"];
    let has_heatmap = details["heatmap_url"].is_string();
    assert_eq!(has_heatmap, expected.label != "Real", "{name}");
    details["heatmap_url"] = json!("*");
    assert_eq!(*details, expected_details(name, expected), "{name}");
    assert_eq!(document["result"], expected.result, "{name}");
}

#[tokio::test]
async fn metadata_of_generator_answers_ai_generated_with_its_name() {
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
        let expected = MetadataResult {
            result: json!(97.0),
            label: "AI Generated",
            label_confidence: json!(97.0),
            metadata: [
                "AI Generated".to_owned(),
                format!("Metadata names the AI tool {source}"),
            ],
            source,
        };
        assert_document(&server, &format!("generators/{name}"), &expected).await;
    }
}

/// Value of `metadata` for an image without traces of AI tools.
fn no_ai_metadata() -> [String; 2] {
    ["Not AI Generated", "No AI indicators found"].map(str::to_owned)
}

#[tokio::test]
async fn metadata_of_camera_answers_real_with_its_name() {
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
        let expected = MetadataResult {
            result: json!(4.0),
            label: "Real",
            label_confidence: json!(96.0),
            metadata: no_ai_metadata(),
            source,
        };
        assert_document(&server, &format!("cameras/{name}"), &expected).await;
    }
}

#[tokio::test]
async fn metadata_of_editor_answers_edited_and_of_ai_editor_ai_edited() {
    let server = start_frozen().await;
    for (name, source) in [
        ("lightroom.jpg", "Adobe Lightroom 7.3 (Macintosh)"),
        ("photoshop.jpg", "Adobe Photoshop 25.1 (Windows)"),
        ("photoshop.tiff", "Adobe Photoshop 22.4 (Macintosh)"),
        ("snapseed.jpg", "Snapseed 2.0"),
    ] {
        let expected = MetadataResult {
            result: json!(3.82),
            label: "Digitally Edited",
            label_confidence: json!(96.18),
            metadata: no_ai_metadata(),
            source,
        };
        assert_document(&server, &format!("editors/{name}"), &expected).await;
    }
    for (name, source) in [
        ("clean-up.jpg", "AI editor"),
        ("photoshop-fill.jpg", "Adobe Firefly"),
    ] {
        let expected = MetadataResult {
            result: json!(71.0),
            label: "AI Edited",
            label_confidence: json!(71.0),
            metadata: [
                "AI Edited".to_owned(),
                format!("Metadata names the AI tool {source}"),
            ],
            source,
        };
        assert_document(&server, &format!("editors/{name}"), &expected).await;
    }
}

#[tokio::test]
async fn bizmori_detection_by_metadata_answers_matching_status_code() {
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
        assert_eq!(order["probability"], probability, "{name}");
        assert_eq!(order["statusCode"], code, "{name}");
    }
}
