//! Documents and bulks of Undetectable.

use reqwest::Method;
use serde_json::{Value, json};

use super::{output, parts, stored_file};
use crate::support::{TestServer, ZipEntry, picture, zip};

/// Uploads a file of `live` and posts `body` with its URL to `path`. Returns the id in the response.
async fn create(
    server: &TestServer,
    path: &str,
    name: &str,
    bytes: Vec<u8>,
    mut body: Value,
) -> String {
    let presign = format!("/get-presigned-url?file_name={name}");
    let headers = [("apikey", "live")];
    let slot = server.send(Method::GET, &presign, &headers, "").await;
    let slot = slot.json();
    let url = slot["presigned_url"].as_str().expect("a URL");
    server.put(url, bytes).await;
    body["key"] = json!("live");
    body["url"] = slot["file_path"].clone();
    let json = [("content-type", "application/json")];
    let response = server
        .send(Method::POST, path, &json, body.to_string())
        .await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn document_has_preview_and_overlay() {
    let server = TestServer::start_frozen("live").await;
    let options = json!({"generate_preview": true, "generate_heatmap_overlayed": true});
    let id = create(&server, "/detect", "a_ai.jpg", picture(), options).await;
    server.advance("live", "PT30S").await;
    let mut actual = parts(&server, &id).await;
    let outcome = actual["outcome"].take();
    assert_eq!(
        (&outcome["kind"], &outcome["label"], &outcome["by"]),
        (&json!("detection"), &json!("ai"), &json!("suffix _ai"))
    );
    let completed = actual["history"][1][0].take();
    assert!(
        completed
            .as_str()
            .expect("an instant")
            .starts_with("12T10:00:")
    );
    let expected = json!({
        "api": null,
        "outcome": null,
        "files": [stored_file("a_ai.jpg")],
        "outputs": [
            output("preview.jpg", "preview", Some(0), "image/jpeg"),
            output("overlay.png", "overlay", Some(0), "image/png"),
        ],
        "history": [
            ["12T10:00:00.000", "inProgress", "undetectable.detect"],
            [null, "complete", "order.process"],
        ],
    });
    assert_eq!(actual, expected);
}

#[tokio::test]
async fn bulk_has_a_result_for_each_entry() {
    let server = TestServer::start_frozen("live").await;
    let entries = [
        ZipEntry::stored("in/a_ai.jpg", &picture()),
        ZipEntry::stored("b_fail.jpg", &picture()),
        ZipEntry::stored("c.pdf", b"%PDF-1.4 and more than enough bytes for a file"),
    ];
    let bytes = zip(&entries);
    let length = bytes.len();
    let id = create(&server, "/bulk-upload", "some.zip", bytes, json!({})).await;
    server.advance("live", "PT1S").await;
    let actual = parts(&server, &id).await;
    let entry = |name: &str, bytes: Option<usize>, content_type: &str, result: Value| {
        json!({
            "name": name,
            "bytes": bytes,
            "contentType": content_type,
            "width": null,
            "height": null,
            "blob": null,
            "watermarks": [],
            "result": result,
        })
    };
    let mut archive = entry("some.zip", Some(length), "", Value::Null);
    archive["contentType"] = actual["files"][0]["contentType"].clone();
    archive["blob"] = json!("blob");
    let detected = json!({
        "kind": "detection",
        "probability": actual["files"][1]["result"]["probability"],
        "label": "ai",
        "generator": null,
        "by": "suffix _ai",
    });
    let failed = json!({
        "kind": "failure",
        "errorCode": null,
        "errorMessage": "b_fail.jpg: forced failure (file name suffix _fail)",
        "by": null,
    });
    let size = Some(picture().len());
    let expected = json!({
        "api": null,
        "outcome": {"kind": "bulk"},
        "files": [
            archive,
            entry("in/a_ai.jpg", size, "image/jpeg", detected),
            entry("b_fail.jpg", size, "image/jpeg", failed),
            entry("c.pdf", None, "application/pdf", json!({"kind": "skipped", "reason": "pdf"})),
        ],
        "outputs": [],
        "history": [
            ["12T10:00:00.000", "inProgress", "undetectable.bulkUpload"],
            ["12T10:00:00.300", "complete", "order.process"],
        ],
    });
    assert_eq!(actual, expected);
}
