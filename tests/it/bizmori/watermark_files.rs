//! Round trips: an extraction finds the texts of an embedding's outputs.

use reqwest::Method;
use serde_json::{Value, json};

use super::{EMBED, EXTRACT, create_order, download_outputs, text};
use crate::support::{TestServer, fixture};

/// Embeds `texts` in a file and runs an extraction on the output. Returns the extraction order.
async fn round_trip(server: &TestServer, name: &str, bytes: Vec<u8>, texts: &[String]) -> Value {
    let watermarks: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
    let body =
        json!({"idempotencyKey": name, "files": [{"fileName": name, "watermarks": watermarks}]});
    let order = create_order(server, "live", EMBED, &body).await;
    server.put(&text(&order, "/files/0/uploadUrl"), bytes).await;
    server.advance("live", "PT1S").await;
    let marked = download_outputs(server, "live", &text(&order, "/orderId")).await;
    let extension = name.rsplit('.').next().expect("an extension");
    let body = json!({"idempotencyKey": name, "file": {"fileName": format!("copy.{extension}")}});
    let order = create_order(server, "other", EXTRACT, &body).await;
    server.put(&text(&order, "/file/uploadUrl"), marked).await;
    server.advance("other", "PT1S").await;
    server.get_order("other", &text(&order, "/orderId")).await
}

#[tokio::test]
async fn extract_from_embedded_file_of_every_format_answers_its_text() {
    let server = TestServer::start_frozen("live").await;
    server.freeze("other").await;
    let long: String = "물결 ünï 🎨 ".chars().cycle().take(1_000).collect();
    for name in [
        "plain.jpg",
        "progressive.jpg",
        "plain.png",
        "plain.webp",
        "plain.bmp",
        "plain.tiff",
        "table.pdf",
        "stream.pdf",
    ] {
        let order = round_trip(&server, name, fixture(name), std::slice::from_ref(&long)).await;
        assert_eq!(order["status"], "complete", "{name}");
        assert_eq!(order["statusCode"], "detected", "{name}");
        assert_eq!(order["watermarkText"], long, "{name}");
        // The thumbnail of a PDF is a placeholder image.
        let thumbnail = text(&order, "/thumbnailImageUrl");
        let response = server.send(Method::GET, &thumbnail, &[], "").await;
        let image = image::load_from_memory(&response.bytes).expect(name);
        assert_eq!(image.width().max(image.height()), 100, "{name}");
    }
}

#[tokio::test]
async fn extract_from_file_with_ten_long_texts_answers_all() {
    let server = TestServer::start_frozen("live").await;
    server.freeze("other").await;
    let nth_text = |n: u32| -> String {
        let first = char::from_u32(0xac00 + n * 100).expect("a syllable");
        (first..).take(1_000).collect()
    };
    let texts: Vec<String> = (0..10).map(nth_text).collect();
    for name in ["plain.jpg", "plain.png", "table.pdf"] {
        let order = round_trip(&server, name, fixture(name), &texts).await;
        assert_eq!(order["watermarkText"], texts.join("\n"), "{name}");
    }
}

#[tokio::test]
async fn extract_from_file_without_watermark_answers_undetected() {
    let server = TestServer::start_frozen("live").await;
    for name in [
        "plain.jpg",
        "plain.png",
        "plain.webp",
        "plain.bmp",
        "plain.tiff",
        "table.pdf",
    ] {
        let body = json!({"idempotencyKey": name, "file": {"fileName": name}});
        let order = create_order(&server, "live", EXTRACT, &body).await;
        server
            .put(&text(&order, "/file/uploadUrl"), fixture(name))
            .await;
        server.advance("live", "PT1S").await;
        let id = text(&order, "/orderId");
        let detail = server.get("live", &format!("/api/v2/orders/{id}")).await;
        let data = &detail.json()["data"];
        assert_eq!(
            (&data["statusCode"], &data["watermarkText"]),
            (&json!("undetected"), &Value::Null),
            "{name}"
        );
        assert_eq!(
            detail.header("x-mock-outcome"),
            "watermark undetected by content"
        );
    }
}
