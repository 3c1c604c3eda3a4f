//! Heatmaps: styles, and documents without a heatmap.

use image::{ColorType, DynamicImage, RgbImage, RgbaImage};
use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, finish_document, post, query, start_frozen, upload};
use crate::support::{TestServer, fixture};

/// Completes a document and returns its decoded heatmap.
async fn heatmap(server: &TestServer, name: &str, body: Value) -> DynamicImage {
    let document = finish_document(server, name, fixture("plain.png"), body).await;
    let details = &document["result_details"];
    assert_eq!(details["heatmap_status"], "ready", "{document}");
    let url = details["heatmap_url"].as_str().expect("a URL");
    let response = server.send(Method::GET, url, &[], "").await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, "image/png")
    );
    let format = image::ImageFormat::Png;
    image::load_from_memory_with_format(&response.bytes, format).expect("a PNG")
}

fn style(overlayed: bool, normalized: bool) -> Value {
    json!({"generate_heatmap_overlayed": overlayed, "generate_heatmap_normalized": normalized})
}

async fn transparent_heatmap(server: &TestServer, normalized: bool) -> RgbaImage {
    let image = heatmap(server, "x_ai.png", style(false, normalized)).await;
    assert_eq!(image.color(), ColorType::Rgba8);
    image.into_rgba8()
}

async fn overlay_heatmap(server: &TestServer, normalized: bool) -> RgbImage {
    let image = heatmap(server, "x_ai.png", style(true, normalized)).await;
    assert_eq!(image.color(), ColorType::Rgb8);
    image.into_rgb8()
}

fn original() -> RgbImage {
    let picture = image::load_from_memory(&fixture("plain.png"));
    picture.expect("a picture").into_rgb8()
}

/// Returns the lowest and the highest alpha value.
fn alpha_range(map: &RgbaImage) -> (u8, u8) {
    let alphas = || map.pixels().map(|pixel| pixel.0[3]);
    let min = alphas().min().expect("a pixel");
    let max = alphas().max().expect("a pixel");
    (min, max)
}

#[tokio::test]
async fn heatmap_without_overlay_is_transparent_at_low_values() {
    let server = start_frozen().await;
    let raw = transparent_heatmap(&server, false).await;
    let normalized = transparent_heatmap(&server, true).await;
    for map in [&raw, &normalized] {
        assert_eq!(map.dimensions(), original().dimensions());
        for pixel in map.pixels() {
            let [red, _, blue, alpha] = pixel.0;
            if alpha < 40 {
                assert!(blue > red, "cold is blue: {pixel:?}");
            }
            if alpha > 180 {
                assert!(red > blue, "hot is red: {pixel:?}");
            }
        }
    }
    let (raw_min, raw_max) = alpha_range(&raw);
    let (min, max) = alpha_range(&normalized);
    assert!(raw_max > raw_min + 50, "{raw_min} to {raw_max}");
    assert!(min < raw_min && max > raw_max, "{min} to {max}");
}

#[tokio::test]
async fn heatmap_with_overlay_blends_image_and_colours_half_and_half() {
    let server = start_frozen().await;
    let raw = overlay_heatmap(&server, false).await;
    let normalized = overlay_heatmap(&server, true).await;
    assert!(raw != normalized);
    let picture = original();
    let map = transparent_heatmap(&server, true).await;
    assert_eq!(normalized.dimensions(), picture.dimensions());
    for ((blended, pixel), colour) in normalized.pixels().zip(picture.pixels()).zip(map.pixels()) {
        for channel in 0..3 {
            let half = colour.0[channel].midpoint(pixel.0[channel]);
            assert!(blended.0[channel].abs_diff(half) <= 1);
        }
    }
}

#[tokio::test]
async fn heatmap_of_same_image_and_result_is_equal_and_hotter_with_confidence() {
    let server = start_frozen().await;
    let map_of = async |name| heatmap(&server, name, json!({})).await.into_rgba8();
    assert!(map_of("x_ai.png").await == map_of("y_ai.png").await);
    let mut cooler = 0;
    for name in ["x_edited.png", "x_aiedited.png", "x_ai.png"] {
        let map = map_of(name).await;
        let hottest = map.pixels().map(|pixel| pixel[3]).max().expect("pixels");
        assert!(hottest > cooler, "{name}: {hottest}, before {cooler}");
        cooler = hottest;
    }
    // A generator's watermark has the highest confidence.
    assert_eq!(map_of("x_grok.png").await.dimensions(), (320, 240));
}

#[tokio::test]
async fn document_with_real_result_or_without_heatmap_field_never_has_heatmap() {
    let server = start_frozen().await;
    for (name, body) in [
        ("x_human.png", json!({})),
        ("x_human.png", style(true, true)),
        ("x_ai.png", json!({"generate_heatmap": false})),
        (
            "x_ai.png",
            json!({"generate_heatmap": false, "generate_heatmap_overlayed": false}),
        ),
    ] {
        let id = detect(&server, name, fixture("plain.png"), body.clone()).await;
        server.advance("live", "PT0.3S").await;
        for _ in 0..3 {
            let details = query(&server, &id).await.json()["result_details"].take();
            assert_eq!(details["heatmap_status"], Value::Null, "{name} {body}");
            assert_eq!(details["heatmap_url"], Value::Null, "{name} {body}");
            server.advance("live", "PT1S").await;
        }
    }
}

#[tokio::test]
async fn detect_with_heatmap_style_but_without_heatmap_answers_422() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "x_ai.png", fixture("plain.png")).await;
    let problem = |style: &str| {
        format!(
            r#"{{"loc":["body","{style}"],"msg":"generate_heatmap must be true","type":"value_error"}}"#
        )
    };
    let overlayed = "generate_heatmap_overlayed";
    let normalized = "generate_heatmap_normalized";
    for (styles, problems) in [
        (json!({overlayed: true}), problem(overlayed)),
        (json!({normalized: true}), problem(normalized)),
        (
            json!({normalized: "yes", overlayed: false}),
            problem(normalized),
        ),
        (
            json!({normalized: true, overlayed: true}),
            problem(overlayed) + "," + &problem(normalized),
        ),
    ] {
        let mut body = styles;
        body["key"] = json!("live");
        body["url"] = json!(path);
        body["generate_heatmap"] = json!(false);
        let response = post(&server, "/detect", &body).await;
        let expected = (422, format!(r#"{{"detail":[{problems}]}}"#));
        assert_eq!((response.status, response.text()), expected);
    }
}

#[tokio::test]
async fn analysis_and_preview_are_answered_only_if_requested() {
    let server = start_frozen().await;
    for (analysis, preview) in [(false, false), (false, true), (true, false), (true, true)] {
        let body = json!({"generate_analysis_details": analysis, "generate_preview": preview});
        let id = detect(&server, "x_ai.png", fixture("plain.png"), body).await;
        server.advance("live", "PT0.3S").await;
        let status = |word: &'static str| if analysis { json!(word) } else { Value::Null };
        for expected in [status("pending"), status("analyzing"), status("ready")] {
            let document = query(&server, &id).await.json();
            let details = &document["result_details"];
            assert_eq!(details["analysis_results_status"], expected);
            let has_results = expected == "ready";
            assert_eq!(details["analysis_results"].is_object(), has_results);
            assert_eq!(document["preview_url"].is_string(), preview);
            let fields = document.as_object().expect("an object");
            assert!(fields.contains_key("preview_url"));
            if expected != "pending" {
                server.advance("live", "PT0.4S").await;
            }
        }
    }
}
