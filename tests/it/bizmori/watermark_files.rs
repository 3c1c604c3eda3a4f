//! The round trip: what an embedding hands out, an extraction finds the text in.

use reqwest::Method;
use serde_json::{Value, json};

use super::{EMBED, EXTRACT, create_order, downloaded, text};
use crate::support::{TestServer, fixture};

/// The file with its texts in, and through the whole of both orders: what is found in it.
async fn round_trip(server: &TestServer, name: &str, bytes: Vec<u8>, texts: &[String]) -> Value {
    let marks: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
    let body = json!({"idempotencyKey": name, "files": [{"fileName": name, "watermarks": marks}]});
    let order = create_order(server, "live", EMBED, &body).await;
    server.put(&text(&order, "/files/0/uploadUrl"), bytes).await;
    server.advance("live", "PT1S").await;
    let marked = downloaded(server, "live", &text(&order, "/orderId")).await;
    let extension = name.rsplit('.').next().expect("an extension");
    let body = json!({"idempotencyKey": name, "file": {"fileName": format!("copy.{extension}")}});
    let order = create_order(server, "other", EXTRACT, &body).await;
    server.put(&text(&order, "/file/uploadUrl"), marked).await;
    server.advance("other", "PT1S").await;
    server.get_order("other", &text(&order, "/orderId")).await
}

#[tokio::test]
async fn a_text_goes_into_every_format_and_is_found_under_another_name_and_key() {
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
        let found = (
            &order["status"],
            &order["statusCode"],
            &order["watermarkText"],
        );
        let expected = (&json!("complete"), &json!("detected"), &json!(long));
        assert_eq!(found, expected, "{name}");
        // of a PDF it is a card
        let thumbnail = text(&order, "/thumbnailImageUrl");
        let response = server.send(Method::GET, &thumbnail, &[], "").await;
        let drawn = image::load_from_memory(&response.bytes).expect(name);
        assert_eq!(drawn.width().max(drawn.height()), 100, "{name}");
    }
}

#[tokio::test]
async fn ten_texts_of_a_thousand_characters_survive_in_one_file() {
    let server = TestServer::start_frozen("live").await;
    server.freeze("other").await;
    let of = |n: u32| -> String {
        let begin = char::from_u32(0xac00 + n * 100).expect("a syllable");
        (begin..).take(1_000).collect()
    };
    let texts: Vec<String> = (0..10).map(of).collect();
    for name in ["plain.jpg", "plain.png", "table.pdf"] {
        let order = round_trip(&server, name, fixture(name), &texts).await;
        assert_eq!(order["watermarkText"], texts.join("\n"), "{name}");
    }
}

#[tokio::test]
async fn a_file_without_a_watermark_has_none() {
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
