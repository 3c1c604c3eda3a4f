//! Uploads: presigned URLs, forms of file URLs, credits, retention.

use reqwest::Method;
use serde_json::{Value, json};

use super::{credits, get, post, presign, start_frozen, upload};
use crate::support::{fixture, picture};

#[tokio::test]
async fn presign_answers_url_path_and_document_id() {
    let server = start_frozen().await;
    let path = "/get-presigned-url?file_name=my%20photo%20(1)_ai.JPG&expiration=60&_t=1&content_type=image/jpg";
    let response = get(&server, "live", path).await;
    let id = response.json()["document_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id}");
    let key = format!("uploads/{id}_20260312-100000_my_photo__1__ai.JPG");
    let expected = format!(
        r#"{{"status":"success","presigned_url":"{{origin}}/_s3/ai-image-detector-prod/{key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F20260312%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260312T100000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=*","file_path":"{key}","document_id":"{id}"}}"#
    );
    assert_eq!(
        (response.status, server.redact(&response.text())),
        (200, expected)
    );
}

#[tokio::test]
async fn presigned_url_without_expiration_is_valid_for_one_hour() {
    let server = start_frozen().await;
    let slot = presign(&server, "live", "a.jpg").await;
    let url = slot["presigned_url"].as_str().expect("a URL");
    assert!(url.contains("&X-Amz-Expires=3600&"), "{url}");
    let headers = [("content-type", "image/jpeg"), ("x-amz-acl", "private")];
    let response = server.send(Method::PUT, url, &headers, picture()).await;
    assert_eq!((response.status, response.text().as_str()), (200, ""));
    server.advance("live", "PT3601S").await;
    let response = server.send(Method::PUT, url, &headers, picture()).await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (403, "application/xml")
    );
}

#[tokio::test]
async fn detect_with_every_form_of_file_url_finds_upload() {
    let server = start_frozen().await;
    let slot = presign(&server, "live", "été 1_ai.jpg").await;
    let url = slot["presigned_url"].as_str().expect("a URL");
    server.put(url, picture()).await;
    let path = slot["file_path"].as_str().expect("a path");
    for form in [
        format!("https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{path}"),
        format!("https://ai-image-detector-dev.nyc3.digitaloceanspaces.com/{path}"),
        format!("{}/{path}", server.origin),
        url.split('?').next().expect("a path").to_owned(),
        url.to_owned(),
        format!("http://ai-image-detector-prod.localhost:8080/{path}"),
    ] {
        let response = post(&server, "/detect", &json!({"key": "live", "url": form})).await;
        assert_eq!(response.status, 200, "{form}: {}", response.text());
    }
}

#[tokio::test]
async fn detect_with_dev_bucket_url_finds_upload_of_prod_bucket() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "a.jpg", picture()).await;
    let url = format!("http://h/_s3/ai-image-detector-dev/{path}");
    let response = post(&server, "/detect", &json!({"key": "live", "url": url})).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

#[tokio::test]
async fn detect_accepts_every_decodable_format() {
    let server = start_frozen().await;
    for name in [
        "plain.jpg",
        "plain.png",
        "plain.webp",
        "plain.bmp",
        "plain.tiff",
        "plain.gif",
    ] {
        let path = upload(&server, "live", name, fixture(name)).await;
        let response = post(&server, "/detect", &json!({"key": "live", "url": path})).await;
        assert_eq!(response.status, 200, "{name}: {}", response.text());
    }
}

#[tokio::test]
async fn detect_costs_one_credit_and_uses_base_credits_first() {
    let server = start_frozen().await;
    let full = r#"{"baseCredits":10000,"boostCredits":1000,"credits":11000}"#;
    assert_eq!(credits(&server, "live").await, full);
    let path = upload(&server, "live", "a.jpg", picture()).await;
    assert_eq!(credits(&server, "live").await, full);
    let body = json!({"key": "live", "url": path});
    let mut ids = Vec::new();
    for left in [9_999, 9_998] {
        ids.push(post(&server, "/detect", &body).await.json()["id"].clone());
        let expected = format!(
            r#"{{"baseCredits":{left},"boostCredits":1000,"credits":{}}}"#,
            left + 1_000
        );
        assert_eq!(credits(&server, "live").await, expected);
    }
    assert_ne!(ids[0], ids[1]);
    let other = r#"{"baseCredits":10000,"boostCredits":1000,"credits":11000}"#;
    assert_eq!(credits(&server, "other").await, other);
}

#[tokio::test]
async fn detect_without_credits_is_refused() {
    let server = start_frozen().await;
    let set_credits = |credits: Value| {
        let server = &server;
        async move {
            let body = json!({"credits": credits});
            server
                .control(Method::PUT, "/_mock/accounts/live", &body)
                .await
        }
    };
    set_credits(json!(1)).await;
    let path = upload(&server, "live", "a.jpg", picture()).await;
    let body = json!({"key": "live", "url": path});
    assert_eq!(post(&server, "/detect", &body).await.status, 200);
    let expected = (
        403,
        r#"{"error":"Not enough credits"}"#.to_owned(),
        "credits: 1 needed, 0 left".to_owned(),
    );
    assert_eq!(post(&server, "/detect", &body).await.error_of(), expected);
    let no_credits = r#"{"baseCredits":0,"boostCredits":0,"credits":0}"#;
    assert_eq!(credits(&server, "live").await, no_credits);
    set_credits(json!(2)).await;
    assert_eq!(post(&server, "/detect", &body).await.status, 200);
    assert_eq!(credits(&server, "live").await, no_credits);
}

#[tokio::test]
async fn health_without_key_answers_healthy() {
    let server = start_frozen().await;
    let response = server.send(Method::GET, "/health", &[], "").await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (200, r#"{"status":"healthy"}"#)
    );
}

#[tokio::test]
async fn upload_without_document_expires_after_retention() {
    let server = start_frozen().await;
    let settings = json!({"retentionDays": 1});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let path = "/get-presigned-url?file_name=a.jpg&expiration=604800";
    let slot = get(&server, "live", path).await.json();
    let url = slot["presigned_url"].as_str().expect("a URL");
    server.put(url, picture()).await;
    assert_eq!(server.advance("live", "PT86399S").await, [""; 0]);
    server.put(url, picture()).await;
    assert_eq!(server.advance("live", "PT1S").await, ["upload.expire"]);
    let response = server.send(Method::PUT, url, &[], picture()).await;
    assert_eq!(response.status, 404, "{}", response.text());
    let reason = "the upload has expired, and its file is gone";
    assert_eq!(response.header("x-mock-reason"), reason);
    assert_eq!(server.send(Method::GET, url, &[], "").await.status, 403);
    let body = json!({"key": "live", "url": slot["file_path"]});
    let response = post(&server, "/detect", &body).await;
    assert_eq!(response.status, 500, "{}", response.text());
}

#[tokio::test]
async fn upload_of_document_expires_with_it() {
    let server = start_frozen().await;
    let path = "/get-presigned-url?file_name=a.jpg&expiration=604800";
    let slot = get(&server, "live", path).await.json();
    let url = slot["presigned_url"].as_str().expect("a URL");
    server.put(url, picture()).await;
    assert_eq!(server.advance("live", "P3D").await, [""; 0]);
    let settings = json!({"retentionDays": 1});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let body = json!({"key": "live", "url": slot["file_path"]});
    assert_eq!(post(&server, "/detect", &body).await.status, 200);
    let executed = server.advance("live", "P1D").await;
    assert_eq!(executed, ["order.process", "order.expire"]);
    let response = server.send(Method::PUT, url, &[], picture()).await;
    assert_eq!(response.status, 404, "{}", response.text());
    assert_eq!(server.advance("live", "P30D").await, [""; 0]);
}
