//! Anti-AI orders and their downloads.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_ANTI_AI, signed_query};
use crate::support::{TestServer, code, fixture, picture};

#[tokio::test]
async fn download_of_order_with_one_file_answers_that_file_changed() {
    let server = TestServer::start_frozen("live").await;
    for file in [
        "plain.jpg",
        "plain.png",
        "plain.webp",
        "plain.bmp",
        "plain.tiff",
    ] {
        let body = json!({"idempotencyKey": file, "files": [{"fileName": file}], "options": {"strength": "low"}});
        let created = server.post("live", ANTI_AI, &body).await.json();
        let id = created["data"]["orderId"].as_str().expect("an id");
        server
            .put(
                created["data"]["files"][0]["uploadUrl"]
                    .as_str()
                    .expect("a URL"),
                fixture(file),
            )
            .await;
        server
            .post(
                "live",
                CONFIRM_ANTI_AI,
                &json!({"idempotencyKey": "c", "orderId": id}),
            )
            .await;
        server.advance("live", "PT1S").await;
        let download = server
            .get("live", &format!("/api/v2/orders/{id}/download"))
            .await;
        let url = download.json()["data"]["url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        let expected =
            format!(r#"{{"data":{{"url":"{url}","downloadUrl":"{url}","expiresIn":3600}}}}"#);
        assert_eq!((download.status, download.text()), (200, expected));
        let output = server.send(Method::GET, &url, &[], "").await;
        assert_eq!(
            output.header("content-disposition"),
            format!(
                "attachment; filename=\"{file}\"; filename*=UTF-8''{}",
                file.replace('.', "%2E")
            )
        );
        assert!(
            output.bytes != fixture(file) && output.bytes[..2] == fixture(file)[..2],
            "{file}"
        );
    }
}

fn assert_three_jpegs(zipped: Vec<u8>) {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zipped)).expect("a ZIP");
    let names: Vec<String> = zip
        .file_names()
        .map(|name| name.expect("UTF-8").into_owned())
        .collect();
    assert_eq!(names, ["one.jpg", "two.jpg", "one (1).jpg"]);
    for n in 0..3 {
        let mut bytes = Vec::new();
        std::io::copy(&mut zip.by_index(n).expect("a member"), &mut bytes)
            .expect("a readable member");
        assert!(bytes.starts_with(b"\xff\xd8\xff"));
    }
}

#[tokio::test]
async fn download_of_order_with_several_files_answers_zip_of_all() {
    let server = TestServer::start_frozen("live").await;
    let names = ["one.jpg", "two.jpg", "one.jpg"];
    let files: Vec<Value> = names.iter().map(|name| json!({"fileName": name})).collect();
    let response = server
        .post(
            "live",
            ANTI_AI,
            &json!({"idempotencyKey": "a", "files": files}),
        )
        .await;
    let id = response.json()["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let file = |n: usize| {
        format!(
            r#"{{"fileId":{},"fileName":"{}","uploadUrl":"{{origin}}/_s3/bizmori/temp/{id}/{n}/{}?{}","fileKey":"temp/{id}/{n}/{}"}}"#,
            1_001 + n,
            names[n],
            names[n],
            signed_query(3_600),
            names[n]
        )
    };
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"pending","files":[{},{},{}]}}}}"#,
        file(0),
        file(1),
        file(2)
    );
    assert_eq!(server.redact(&response.text()), expected);
    for n in 0..3 {
        server
            .put(
                response.json()["data"]["files"][n]["uploadUrl"]
                    .as_str()
                    .expect("a URL"),
                picture(),
            )
            .await;
    }
    server
        .post(
            "live",
            CONFIRM_ANTI_AI,
            &json!({"idempotencyKey": "c", "orderId": id}),
        )
        .await;
    server.advance("live", "PT1S").await;
    let download = server
        .get("live", &format!("/api/v2/orders/{id}/download"))
        .await
        .json();
    let zipped = server
        .send(
            Method::GET,
            download["data"]["url"].as_str().expect("a URL"),
            &[],
            "",
        )
        .await;
    assert_three_jpegs(zipped.bytes);
}

#[tokio::test]
async fn download_of_order_without_outputs_is_refused_by_reason() {
    let server = TestServer::start_frozen("live").await;
    let error_of = async |key: &str, id: &str| {
        let response = server
            .get(key, &format!("/api/v2/orders/{id}/download"))
            .await;
        (response.status, response.text())
    };
    let detection = server
        .upload_detection(
            "live",
            &json!({"idempotencyKey": "d", "fileName": "d.jpg"}),
            picture(),
        )
        .await;
    let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let created = server.post("live", ANTI_AI, &body).await.json();
    let pending = created["data"]["orderId"].as_str().expect("an id");
    assert_eq!(error_of("live", "42").await, (404, code("ORDER_NOT_FOUND")));
    assert_eq!(error_of("live", "x").await, (404, code("ORDER_NOT_FOUND")));
    assert_eq!(
        error_of("other", pending).await,
        (404, code("ORDER_NOT_FOUND"))
    );
    assert_eq!(
        error_of("live", &detection).await,
        (400, code("ORDER_TYPE_CANT_DOWNLOAD"))
    );
    assert_eq!(
        error_of("live", pending).await,
        (400, code("ORDER_NOT_COMPLETED"))
    );
    server.advance("live", "P7D").await;
    assert_eq!(
        error_of("live", pending).await,
        (400, code("ORDER_EXPIRED"))
    );
}
