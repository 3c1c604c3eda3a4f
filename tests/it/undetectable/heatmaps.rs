//! Heatmaps as they are fetched: every style, and whose picture has none.

use image::{ColorType, DynamicImage, RgbImage, RgbaImage};
use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, finish_document, post, query, start_frozen, upload};
use crate::support::{TestServer, fixture};

/// The heatmap of a document that is done, decoded.
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

async fn transparent(server: &TestServer, normalized: bool) -> RgbaImage {
    let drawn = heatmap(server, "x_ai.png", style(false, normalized)).await;
    assert_eq!(drawn.color(), ColorType::Rgba8);
    drawn.into_rgba8()
}

async fn overlayed(server: &TestServer, normalized: bool) -> RgbImage {
    let drawn = heatmap(server, "x_ai.png", style(true, normalized)).await;
    assert_eq!(drawn.color(), ColorType::Rgb8);
    drawn.into_rgb8()
}

fn original() -> RgbImage {
    let picture = image::load_from_memory(&fixture("plain.png"));
    picture.expect("a picture").into_rgb8()
}

/// The least and the greatest opacity.
fn opacities(map: &RgbaImage) -> (u8, u8) {
    let all = || map.pixels().map(|pixel| pixel.0[3]);
    (all().min().expect("a pixel"), all().max().expect("a pixel"))
}

#[tokio::test]
async fn a_map_that_is_not_overlayed_is_transparent_where_it_is_cold() {
    let server = start_frozen().await;
    let raw = transparent(&server, false).await;
    let normalized = transparent(&server, true).await;
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
    let ((raw_least, raw_most), (least, most)) = (opacities(&raw), opacities(&normalized));
    assert!(raw_most > raw_least + 50, "{raw_least} to {raw_most}");
    assert!(least < raw_least && most > raw_most, "{least} to {most}");
}

#[tokio::test]
async fn a_map_that_is_overlayed_is_half_picture_and_half_colours() {
    let server = start_frozen().await;
    let raw = overlayed(&server, false).await;
    let normalized = overlayed(&server, true).await;
    assert!(raw != normalized);
    let (picture, map) = (original(), transparent(&server, true).await);
    assert_eq!(normalized.dimensions(), picture.dimensions());
    for ((blended, pixel), colour) in normalized.pixels().zip(picture.pixels()).zip(map.pixels()) {
        for channel in 0..3 {
            let half = colour.0[channel].midpoint(pixel.0[channel]);
            assert!(blended.0[channel].abs_diff(half) <= 1);
        }
    }
}

#[tokio::test]
async fn the_same_picture_and_verdict_have_the_same_map_and_a_surer_one_is_hotter() {
    let server = start_frozen().await;
    let map_of = async |name| heatmap(&server, name, json!({})).await.into_rgba8();
    assert!(map_of("x_ai.png").await == map_of("y_ai.png").await);
    let mut cooler = 0;
    for name in ["x_edited.png", "x_aiedited.png", "x_ai.png"] {
        let map = map_of(name).await;
        let hottest = map.pixels().map(|pixel| pixel[3]).max();
        let hottest = hottest.expect("pixels");
        assert!(hottest > cooler, "{name}: {hottest}, before {cooler}");
        cooler = hottest;
    }
    // A generator's watermark is as sure as can be.
    assert_eq!(map_of("x_grok.png").await.dimensions(), (320, 240));
}

#[tokio::test]
async fn who_is_real_or_not_asked_for_has_none_from_the_first_answer_on() {
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
            let value = (&details["heatmap_status"], &details["heatmap_url"]);
            assert_eq!(value, (&Value::Null, &Value::Null), "{name} {body}");
            server.advance("live", "PT1S").await;
        }
    }
}

#[tokio::test]
async fn a_style_without_a_heatmap_is_refused() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "x_ai.png", fixture("plain.png")).await;
    let problem = |style: &str| {
        format!(
            r#"{{"loc":["body","{style}"],"msg":"generate_heatmap must be true","type":"value_error"}}"#
        )
    };
    let (overlayed, normalized) = ("generate_heatmap_overlayed", "generate_heatmap_normalized");
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
async fn analysis_and_preview_are_each_there_where_they_are_wanted() {
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
            let is_there = expected == "ready";
            assert_eq!(details["analysis_results"].is_object(), is_there);
            assert_eq!(document["preview_url"].is_string(), preview);
            let fields = document.as_object().expect("an object");
            assert!(fields.contains_key("preview_url"));
            if expected != "pending" {
                server.advance("live", "PT0.4S").await;
            }
        }
    }
}
