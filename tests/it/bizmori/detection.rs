//! AI detections: pending, complete, failed, expired.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CONFIRM_DETECTION, DETECTION, count_files, signed_query};
use crate::support::{TestServer, fixture, picture};

/// Asserts that the order's thumbnail and heatmap can be downloaded.
async fn assert_rendered_images(server: &TestServer, order: &Value) {
    for (field, start) in [
        ("thumbnailImageUrl", b"\xff\xd8\xff".as_slice()),
        ("heatmapUrl", b"\x89PNG"),
    ] {
        let url = order[field].as_str().expect("a URL").to_owned();
        let file = server.send(Method::GET, &url, &[], "").await;
        assert_eq!(
            (file.status, file.bytes.starts_with(start)),
            (200, true),
            "{field}"
        );
    }
}

#[tokio::test]
async fn detection_from_pending_to_complete_answers_every_field() {
    let server = TestServer::start_frozen("live").await;
    let options = json!({"generateHeatmap": true, "generateThumbnail": true});
    let body = json!({"idempotencyKey": "a", "fileName": "x_AI.jpg", "orderName": "mine", "options": options});
    let created = server.post("live", DETECTION, &body).await.json();
    let id = created["data"]["orderId"].as_str().expect("an id");
    let path = format!("/api/v2/orders/{id}");
    let options_field =
        r#""options":{"generateHeatmap":true,"generateOverlay":false,"generateThumbnail":true}"#;
    let head = |thumbnail: &str, status: &str, updated: &str| {
        format!(
            r#"{{"data":{{"type":"aiDetection","orderId":"{id}","channel":"api","thumbnailImageUrl":{thumbnail},"status":"{status}","orderName":"mine","fileCount":1,"createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00{updated}Z","errors":null"#
        )
    };
    let no_result = r#""aiDetection":{"probability":null,"statusCode":null}}}"#;
    let pending = server.get("live", &path).await;
    let expected = format!(
        r#"{},"probability":null,"statusCode":null,{options_field},"originalImageUrl":null,"heatmapUrl":null,{no_result}"#,
        head("null", "pending", ".000")
    );
    assert_eq!(pending.text(), expected);

    server
        .put(
            created["data"]["file"]["uploadUrl"]
                .as_str()
                .expect("a URL"),
            picture(),
        )
        .await;
    let url = |key: &str| format!(r#""{{origin}}/_s3/bizmori/{key}?{}""#, signed_query(3_600));
    let original = url(&format!("ai-detection/{id}/1/x_AI.jpg"));
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let confirmed = server.post("live", CONFIRM_DETECTION, &confirm).await;
    assert_eq!(
        confirmed.text(),
        format!(r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#)
    );
    let expected = format!(
        r#"{},"probability":null,"statusCode":null,{options_field},"originalImageUrl":{original},"heatmapUrl":null,{no_result}"#,
        head("null", "inProgress", ".000")
    );
    assert_eq!(
        server.redact(&server.get("live", &path).await.text()),
        expected
    );

    assert_eq!(server.advance("live", "PT0.3S").await, ["order.process"]);
    let complete = server.get("live", &path).await;
    let expected = format!(
        r#"{},"probability":0.98,"statusCode":"likely_ai",{options_field},"originalImageUrl":{original},"heatmapUrl":{},"aiDetection":{{"probability":0.98,"statusCode":1}}}}}}"#,
        head(
            &url(&format!("results/{id}/thumbnail.jpg")),
            "complete",
            ".300"
        ),
        url(&format!("results/{id}/heatmap.png"))
    );
    assert_eq!(server.redact(&complete.text()), expected);
    assert_eq!(
        complete.header("x-mock-outcome"),
        "probability 0.98 by suffix _ai"
    );
    assert_rendered_images(&server, &complete.json()["data"]).await;
}

#[tokio::test]
async fn detection_without_suffix_is_decided_by_content() {
    let server = TestServer::start_frozen("live").await;
    for (file, expected) in [
        ("camera.jpg", (json!(0.04), "likely_real", "by metadata")),
        ("parameters.png", (json!(0.97), "likely_ai", "by metadata")),
        (
            "digital-source-type.png",
            (json!(0.97), "likely_ai", "by metadata"),
        ),
        ("manifest.jpg", (json!(0.97), "likely_ai", "by metadata")),
    ] {
        let body = json!({"idempotencyKey": file, "fileName": file});
        let id = server.confirm_detection("live", &body, fixture(file)).await;
        server.advance("live", "PT1S").await;
        let response = server.get("live", &format!("/api/v2/orders/{id}")).await;
        let detail = response.json();
        let actual = (
            detail["data"]["probability"].clone(),
            detail["data"]["statusCode"].clone(),
        );
        assert_eq!(actual, (expected.0, json!(expected.1)), "{file}");
        assert!(
            response.header("x-mock-outcome").ends_with(expected.2),
            "{file}"
        );
    }
    for file in ["plain.jpg", "plain.png", "plain.bmp", "plain.tiff"] {
        let mut probabilities = Vec::new();
        for round in ["one", "two"] {
            let body = json!({"idempotencyKey": format!("{file} {round}"), "fileName": file});
            let id = server.confirm_detection("live", &body, fixture(file)).await;
            server.advance("live", "PT1S").await;
            let response = server.get("live", &format!("/api/v2/orders/{id}")).await;
            assert!(
                response.header("x-mock-outcome").ends_with("by digest"),
                "{file}: {}",
                response.text()
            );
            probabilities.push(response.json()["data"]["probability"].clone());
        }
        assert_eq!(probabilities[0], probabilities[1], "{file}");
    }
}

#[tokio::test]
async fn detection_of_file_that_is_not_a_supported_image_fails() {
    let server = TestServer::start_frozen("live").await;
    for (file, name, expected) in [
        ("truncated.jpg", "a.jpg", "is truncated"),
        ("not-a-picture.jpg", "b.jpg", "is not JPEG"),
        ("bomb.png", "c.png", "pixel"),
        ("plain.png", "d.jpg", "PNG"),
    ] {
        let id = server
            .confirm_detection(
                "live",
                &json!({"idempotencyKey": name, "fileName": name}),
                fixture(file),
            )
            .await;
        server.advance("live", "PT1S").await;
        let detail = server
            .get("live", &format!("/api/v2/orders/{id}"))
            .await
            .json();
        assert_eq!(detail["data"]["status"], "failed", "{file}");
        let errors = detail["data"]["errors"].as_str().expect("a message");
        assert!(
            errors.to_lowercase().contains(&expected.to_lowercase()),
            "{file}: {errors}"
        );
    }
}

#[tokio::test]
async fn expired_detection_answers_no_urls_and_its_files_are_deleted() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_human.jpg", "options": {"generateThumbnail": true}});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let path = format!("/api/v2/orders/{id}");
    let detail = server.get("live", &path).await.json();
    let original = detail["data"]["originalImageUrl"]
        .as_str()
        .expect("a URL")
        .to_owned();
    server.advance("live", "P7D").await;
    let expired = server.get("live", &path).await.json();
    let order = &expired["data"];
    assert_eq!(order["status"], "expired");
    assert_eq!(order["probability"], 0.02);
    assert_eq!(order["thumbnailImageUrl"], Value::Null);
    assert_eq!(order["originalImageUrl"], Value::Null);
    server
        .control(
            Method::PUT,
            "/_mock/clock",
            &json!({"account": "live", "mode": "frozen", "now": crate::support::T0}),
        )
        .await;
    assert_eq!(
        server.send(Method::GET, &original, &[], "").await.status,
        404,
        "a URL from before the expiry"
    );
}

#[tokio::test]
async fn upload_to_expired_order_is_not_stored() {
    let data = tempfile::tempdir().expect("a directory");
    let server =
        TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await;
    server.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    server.advance("live", "P7D").await;
    let (repeated_id, upload) = server.create_detection("live", &body).await;
    assert_eq!(repeated_id, id);
    server.put(&upload, picture()).await;
    assert_eq!(server.get_order("live", &id).await["status"], "expired");
    assert_eq!(count_files(&data.path().join("blobs")), 0);
}
