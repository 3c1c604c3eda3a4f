//! The memory budget for pictures. Work that never fits fails; work that fits waits for memory.

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::model::account::Revision;

use crate::support::{TestServer, ZipEntry, fixture, zip};

const MIB: u64 = 1024 * 1024;

/// Returns a PNG of zeros, RGBA with 16 bits per channel. Half a megabyte for 8,000 pixels a side.
fn large_png(side_px: u32) -> Vec<u8> {
    use std::io::Write;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side_px, side_px);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::NoFilter);
    let mut file = encoder.write_header().expect("a header");
    let mut pixels = file.stream_writer().expect("a writer");
    let row = vec![0; side_px as usize * 8];
    for _ in 0..side_px {
        pixels.write_all(&row).expect("a row");
    }
    pixels.finish().expect("all rows");
    file.finish().expect("a PNG");
    bytes
}

async fn start_with_memory(mebibytes: u64) -> TestServer {
    TestServer::with_config(|config| {
        config.engine.engine_memory = Some(mebibytes * MIB);
        config.orders.processing_ms = 0;
        // Failed orders of this revision show their error code.
        config.orders.revision = Revision::V2026_10;
    })
    .await
}

/// Asserts that the peak of leased memory was between `leased_bytes_min` and the budget, and that
/// all of it was returned.
async fn assert_memory_within_budget(server: &TestServer, leased_bytes_min: u64) {
    let value_of = async |name: &str| {
        let name = format!("stuntdouble_engine_memory_{name}");
        server.metric_value(&name).await.expect("a metric")
    };
    let budget = value_of("budget_bytes").await;
    let leased_max = value_of("leased_bytes_max").await;
    assert!(leased_max <= budget, "{leased_max} of {budget}");
    assert!(leased_max >= leased_bytes_min, "{leased_max}");
    assert_eq!(value_of("leased_bytes").await, 0);
}

/// Creates an order of one file and uploads the file. Returns the order's id.
async fn create_order(server: &TestServer, kind: &str, body: &Value, bytes: Vec<u8>) -> String {
    let path = format!("/api/v2/orders/{kind}");
    let response = server.post("live", &path, body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let data = &response.json()["data"];
    let file = [&data["file"], &data["files"][0]];
    let url = file.iter().find_map(|file| file["uploadUrl"].as_str());
    server.put(url.expect("a URL"), bytes).await;
    let id = data["orderId"].as_str().expect("an id").to_owned();
    if kind.starts_with("wtr") {
        return id;
    }
    let confirm = json!({"idempotencyKey": format!("confirm {id}"), "orderId": id});
    let confirmed = server
        .post("live", &format!("{path}/confirm"), &confirm)
        .await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    id
}

fn anti_ai_body(key: &str) -> Value {
    json!({"idempotencyKey": key, "files": [{"fileName": "large.png"}]})
}

#[tokio::test]
async fn process_picture_beyond_memory_budget_fails_with_code_and_remedy() {
    let server = start_with_memory(204).await;
    // The frozen time is before the sunset of the v2 watermark routes.
    server.freeze("live").await;
    let png = large_png(8_000);
    for (kind, body, code, mebibytes) in [
        ("anti-ai", anti_ai_body("a"), "PROCESSING_ERROR", 493),
        (
            "ai-detection",
            json!({"idempotencyKey": "d", "fileName": "large.png"}),
            "AI_DETECTION_INVALID_IMAGE",
            493,
        ),
        (
            "wtr-embed",
            json!({"idempotencyKey": "e", "files": [{"fileName": "large.png", "watermarks": [{"text": "x"}]}]}),
            "WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED",
            493,
        ),
        (
            "wtr-extract",
            json!({"idempotencyKey": "x", "file": {"fileName": "large.png"}}),
            "WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED",
            493,
        ),
    ] {
        let id = create_order(&server, kind, &body, png.clone()).await;
        server.advance("live", "PT1S").await;
        let failed = server.get_order("live", &id).await;
        let message = format!(
            "large.png: needs {mebibytes} MiB of memory, the limit is 204 MiB; give the server's \
             container more memory, or raise --engine-memory"
        );
        let errors = json!({"errorCode": code, "errorMessage": message});
        assert_eq!(
            (&failed["status"], &failed["errors"]),
            (&json!("failed"), &errors),
            "{kind}"
        );
    }
    // No memory was leased for pictures that never fit.
    let leased_max = server
        .metric_value("stuntdouble_engine_memory_leased_bytes_max")
        .await
        .expect("a metric");
    assert!(leased_max < 8 * MIB, "{leased_max}");
    assert_memory_within_budget(&server, 0).await;
}

#[tokio::test]
async fn process_orders_that_exceed_memory_together_completes_each() {
    let server = start_with_memory(16).await;
    let png = large_png(960);
    let mut ids = Vec::new();
    for n in 0..4 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "large.png"});
        ids.push(create_order(&server, "ai-detection", &body, png.clone()).await);
    }
    let small = json!({"idempotencyKey": "small", "fileName": "small.jpg"});
    ids.push(create_order(&server, "ai-detection", &small, fixture("plain.jpg")).await);
    server.drain("live").await;
    for id in ids {
        let order = server.get_order("live", &id).await;
        assert_eq!(order["status"], json!("complete"), "{order}");
    }
    assert_memory_within_budget(&server, 960 * 960 * 8).await;
}

#[tokio::test]
async fn process_document_and_bulk_beyond_memory_budget_reaches_final_status() {
    let server = start_with_memory(16).await;
    server.freeze("live").await;
    let png = large_png(2_000);
    let entries = ["one.png", "two.png"].map(|name| ZipEntry::stored(name, &png));
    let zip = zip(&entries);
    let apikey = [("apikey", "live")];
    let json_type = [("content-type", "application/json")];
    for (name, bytes, path, query) in [
        ("large.png", png, "/detect", "/query"),
        ("some.zip", zip, "/bulk-upload", "/bulk-upload/query"),
    ] {
        let presign = format!("/get-presigned-url?file_name={name}");
        let response = server.send(Method::GET, &presign, &apikey, "").await;
        let presigned = response.json();
        let url = presigned["presigned_url"].as_str().expect("a URL");
        server.put(url, bytes).await;
        let url = format!(
            "{}/{}",
            server.origin,
            presigned["file_path"].as_str().expect("a path")
        );
        let body = json!({"key": "live", "url": url}).to_string();
        let response = server.send(Method::POST, path, &json_type, body).await;
        assert_eq!(response.status, 200, "{}", response.text());
        server.advance("live", "PT2S").await;
        let body = json!({"id": response.json()["id"]}).to_string();
        let response = server.send(Method::POST, query, &json_type, body).await;
        let view = response.json();
        if path == "/detect" {
            let actual = (&view["status"], &view["items"]);
            assert_eq!(actual, (&json!("failed"), &Value::Null));
        } else {
            assert_eq!(view["status"], json!("done"));
        }
    }
    assert_memory_within_budget(&server, 0).await;
}
