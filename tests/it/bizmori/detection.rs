//! AI detections, from pending to complete, failed or expired.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CONFIRM_DETECTION, DETECTION, files_in, signed};
use crate::support::{TestServer, fixture, picture};

/// The thumbnail and the heatmap are there to be fetched.
async fn are_pictures(server: &TestServer, order: &Value) {
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
async fn an_ai_detection_goes_from_pending_to_complete_with_every_field() {
    let server = TestServer::start_frozen("live").await;
    let options = json!({"generateHeatmap": true, "generateThumbnail": true});
    let body = json!({"idempotencyKey": "a", "fileName": "x_AI.jpg", "orderName": "mine", "options": options});
    let created = server.post("live", DETECTION, &body).await.json();
    let id = created["data"]["orderId"].as_str().expect("an id");
    let path = format!("/api/v2/orders/{id}");
    let message =
        r#""options":{"generateHeatmap":true,"generateOverlay":false,"generateThumbnail":true}"#;
    let head = |thumbnail: &str, status: &str, updated: &str| {
        format!(
            r#"{{"data":{{"type":"aiDetection","orderId":"{id}","channel":"api","thumbnailImageUrl":{thumbnail},"status":"{status}","orderName":"mine","fileCount":1,"createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00{updated}Z","errors":null"#
        )
    };
    let none = r#""aiDetection":{"probability":null,"statusCode":null}}}"#;
    let pending = server.get("live", &path).await;
    let expected = format!(
        r#"{},"probability":null,"statusCode":null,{message},"originalImageUrl":null,"heatmapUrl":null,{none}"#,
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
    let url = |key: &str| format!(r#""{{origin}}/_s3/bizmori/{key}?{}""#, signed(3_600));
    let original = url(&format!("ai-detection/{id}/1/x_AI.jpg"));
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let confirmed = server.post("live", CONFIRM_DETECTION, &confirm).await;
    assert_eq!(
        confirmed.text(),
        format!(r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#)
    );
    let expected = format!(
        r#"{},"probability":null,"statusCode":null,{message},"originalImageUrl":{original},"heatmapUrl":null,{none}"#,
        head("null", "inProgress", ".000")
    );
    assert_eq!(
        server.redact(&server.get("live", &path).await.text()),
        expected
    );

    assert_eq!(server.advance("live", "PT0.3S").await, ["order.process"]);
    let complete = server.get("live", &path).await;
    let expected = format!(
        r#"{},"probability":0.98,"statusCode":"likely_ai",{message},"originalImageUrl":{original},"heatmapUrl":{},"aiDetection":{{"probability":0.98,"statusCode":1}}}}}}"#,
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
    are_pictures(&server, &complete.json()["data"]).await;
}

#[tokio::test]
async fn the_bytes_decide_where_the_name_does_not() {
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
        let value = (
            detail["data"]["probability"].clone(),
            detail["data"]["statusCode"].clone(),
        );
        assert_eq!(value, (expected.0, json!(expected.1)), "{file}");
        assert!(
            response.header("x-mock-outcome").ends_with(expected.2),
            "{file}"
        );
    }
    for file in ["plain.jpg", "plain.png", "plain.bmp", "plain.tiff"] {
        let mut value = Vec::new();
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
            value.push(response.json()["data"]["probability"].clone());
        }
        assert_eq!(
            value[0], value[1],
            "the same bytes, the same answer: {file}"
        );
    }
}

#[tokio::test]
async fn what_is_no_picture_fails_with_the_vendors_code() {
    let server = TestServer::start_frozen("live").await;
    for (file, name, says) in [
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
            errors.to_lowercase().contains(&says.to_lowercase()),
            "{file}: {errors}"
        );
    }
}

#[tokio::test]
async fn an_expired_order_is_read_without_urls_and_its_files_are_gone() {
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
    let response_body = &expired["data"];
    assert_eq!(
        (&response_body["status"], &response_body["probability"]),
        (&json!("expired"), &json!(0.02))
    );
    assert_eq!(
        (
            &response_body["thumbnailImageUrl"],
            &response_body["originalImageUrl"]
        ),
        (&Value::Null, &Value::Null)
    );
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
        "a link of before finds nothing"
    );
}

#[tokio::test]
async fn what_is_uploaded_to_an_expired_order_is_not_kept() {
    let data = tempfile::tempdir().expect("a directory");
    let server =
        TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await;
    server.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    server.advance("live", "P7D").await;
    let (again, upload) = server.create_detection("live", &body).await;
    assert_eq!(again, id);
    server.put(&upload, picture()).await;
    assert_eq!(server.get_order("live", &id).await["status"], "expired");
    assert_eq!(files_in(&data.path().join("blobs")), 0);
}
