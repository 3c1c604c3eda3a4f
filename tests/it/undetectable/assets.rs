//! Rendered images of a document, available to the document's API key.

use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, expected_error, finish_document, post, query, start_frozen, upload};
use crate::support::{TestResponse, TestServer, ZipEntry, fixture, picture, zip};

const WITH_PREVIEW: fn() -> Value = || json!({"generate_preview": true});

/// Reads an image by its signed URL.
async fn get_asset(server: &TestServer, url: &Value) -> Vec<u8> {
    let url = url.as_str().expect("a URL");
    let response = server.send(Method::GET, url, &[], "").await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.bytes
}

fn assert_image(response: &TestResponse, media_type: &str, bytes: &[u8]) {
    assert_eq!(response.status, 200, "{}", response.text());
    let length = bytes.len().to_string();
    assert_eq!(
        (
            response.header("content-type"),
            response.header("content-length")
        ),
        (media_type, length.as_str())
    );
    assert!(response.bytes == bytes);
    assert_ne!(response.header("x-mock-request"), "");
}

#[tokio::test]
async fn post_by_id_and_by_url_answers_same_image_as_signed_get() {
    let server = start_frozen().await;
    for style in [json!({}), json!({"generate_heatmap_overlayed": true})] {
        let mut body = style;
        body["generate_preview"] = json!(true);
        let document = finish_document(&server, "x_ai.png", fixture("plain.png"), body).await;
        let id = document["id"].as_str().expect("an id");
        let heatmap = &document["result_details"]["heatmap_url"];
        for (path, url, media_type) in [
            (
                format!("/preview/{id}"),
                &document["preview_url"],
                "image/jpeg",
            ),
            (format!("/heatmap/{id}"), heatmap, "image/png"),
            (
                format!("/heatmap/{}", id.to_uppercase()),
                heatmap,
                "image/png",
            ),
        ] {
            let bytes = get_asset(&server, url).await;
            let url = url.as_str().expect("a URL");
            let unsigned = url.split('?').next().expect("a path");
            for target in [path.as_str(), url, unsigned] {
                let response = post(&server, target, &json!({"key": "live"})).await;
                assert_image(&response, media_type, &bytes);
            }
        }
    }
}

#[tokio::test]
async fn post_to_expired_url_answers_image() {
    let server = start_frozen().await;
    let document = finish_document(&server, "x_ai.png", fixture("plain.png"), WITH_PREVIEW()).await;
    let bytes = get_asset(&server, &document["preview_url"]).await;
    server.advance("live", "P1D").await;
    let url = document["preview_url"].as_str().expect("a URL");
    assert_eq!(server.send(Method::GET, url, &[], "").await.status, 403);
    let response = post(&server, url, &json!({"key": "live"})).await;
    assert_image(&response, "image/jpeg", &bytes);
}

#[tokio::test]
async fn post_before_image_is_ready_answers_not_found_until_its_time() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), WITH_PREVIEW()).await;
    let post_asset = async |kind: &str| {
        let path = format!("/{kind}/{id}");
        post(&server, &path, &json!({"key": "live"})).await
    };
    let not_found = |kind: &str, cause: &str| {
        let reason = format!("document {id}: {cause}");
        expected_error(404, &format!("{kind} not found"), &reason)
    };
    let unfinished = "it is not done yet";
    assert_eq!(
        post_asset("preview").await.error_of(),
        not_found("Preview", unfinished)
    );
    assert_eq!(
        post_asset("heatmap").await.error_of(),
        not_found("Heatmap", unfinished)
    );
    server.advance("live", "PT0.499S").await;
    assert_eq!(post_asset("preview").await.status, 200);
    let pending = "the heatmap is pending";
    assert_eq!(
        post_asset("heatmap").await.error_of(),
        not_found("Heatmap", pending)
    );
    let url = format!("/_s3/ai-image-detector-prod/results/{id}/heatmap.png");
    let response = post(&server, &url, &json!({"key": "live"})).await;
    assert_eq!(response.error_of(), not_found("File", pending));
    server.advance("live", "PT0.001S").await;
    assert_eq!(post_asset("heatmap").await.status, 200);
    let first = query(&server, &id).await.json();
    assert_eq!(first["result_details"]["heatmap_status"], "pending");
    server.advance("live", "P8D").await;
    let removed = "it has expired, and its pictures are gone";
    assert_eq!(
        post_asset("preview").await.error_of(),
        not_found("Preview", removed)
    );
    assert_eq!(
        post_asset("heatmap").await.error_of(),
        not_found("Heatmap", removed)
    );
}

#[tokio::test]
async fn post_for_image_that_was_not_rendered_answers_not_found() {
    let server = start_frozen().await;
    let preview = "no preview was asked for";
    let heatmap = "no heatmap was asked for";
    let real = "it is Real, of which no heatmap is drawn";
    let plain = || fixture("plain.png");
    for (name, kind, bytes, body, cause) in [
        ("x_ai.png", "preview", plain(), json!({}), preview),
        (
            "x_ai.png",
            "heatmap",
            plain(),
            json!({"generate_heatmap": false}),
            heatmap,
        ),
        ("x_human.png", "heatmap", plain(), json!({}), real),
        (
            "x_fail.jpg",
            "preview",
            picture(),
            WITH_PREVIEW(),
            "it has failed",
        ),
    ] {
        let id = detect(&server, name, bytes, body).await;
        server.advance("live", "PT1S").await;
        let path = format!("/{kind}/{id}");
        let response = post(&server, &path, &json!({"key": "live"})).await;
        let message = if kind == "preview" {
            "Preview"
        } else {
            "Heatmap"
        };
        let reason = format!("document {id}: {cause}");
        assert_eq!(
            response.error_of(),
            expected_error(404, &format!("{message} not found"), &reason)
        );
    }
    let zipped = zip(&[ZipEntry::new("a_ai.png", &plain())]);
    let path = upload(&server, "live", "a.zip", zipped).await;
    let body = json!({"key": "live", "url": path});
    let queued = post(&server, "/bulk-upload", &body).await.json();
    let bulk = queued["id"].as_str().expect("an id");
    server.advance("live", "PT1S").await;
    let response = post(
        &server,
        &format!("/preview/{bulk}"),
        &json!({"key": "live"}),
    )
    .await;
    let reason = format!("document {bulk}: it is a bulk, of whose pictures none are drawn");
    assert_eq!(
        response.error_of(),
        expected_error(404, "Preview not found", &reason)
    );
    let document = finish_document(&server, "x_ai.png", plain(), WITH_PREVIEW()).await;
    let id = document["id"].as_str().expect("an id");
    let url = format!("/_s3/ai-image-detector-prod/results/{id}/thumbnail.jpg");
    let response = post(&server, &url, &json!({"key": "live"})).await;
    let reason = format!("document {id}: it has no picture there");
    assert_eq!(
        response.error_of(),
        expected_error(404, "File not found", &reason)
    );
}

#[tokio::test]
async fn post_with_other_key_or_unknown_id_answers_error() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), WITH_PREVIEW()).await;
    server.advance("live", "PT1S").await;
    let unknown = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let unverified = "User verification failed";
    let no_document = |id: &str| {
        expected_error(
            404,
            "Document not found",
            &format!("document {id}: there is none"),
        )
    };
    let missing_key = expected_error(403, unverified, "key: missing or empty");
    let other_key = expected_error(
        403,
        unverified,
        &format!("key: document {id} is another key's"),
    );
    let invalid_key_body =
        r#"{"detail":[{"loc":["body","key"],"msg":"str type expected","type":"type_error.str"}]}"#;
    let invalid_key = (
        422,
        invalid_key_body.to_owned(),
        "body.key: str type expected".to_owned(),
    );
    let missing_body =
        r#"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#;
    let no_body = (
        422,
        missing_body.to_owned(),
        "body: field required".to_owned(),
    );
    let path = |kind: &str, id: &str| match kind {
        "url" => format!("/_s3/ai-image-detector-prod/results/{id}/preview.jpg"),
        kind => format!("/{kind}/{id}"),
    };
    for kind in ["preview", "heatmap", "url"] {
        for (id, body, expected) in [
            (id.as_str(), json!({"key": "another"}), &other_key),
            (&id, json!({}), &missing_key),
            (&id, json!({"key": ""}), &missing_key),
            (&id, json!({"key": null}), &missing_key),
            (&id, json!({"key": ["live"]}), &invalid_key),
            (&id, Value::Null, &no_body),
            (unknown, json!({"key": "live"}), &no_document(unknown)),
            ("x", json!({"key": "live"}), &no_document("x")),
        ] {
            let response = post(&server, &path(kind, id), &body).await;
            assert_eq!(&response.error_of(), expected, "{kind} {id} {body}");
        }
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (bizmori_order, _) = server.create_detection("live", &body).await;
    let response = post(
        &server,
        &format!("/preview/{bizmori_order}"),
        &json!({"key": "live"}),
    )
    .await;
    assert_eq!(response.error_of(), no_document(&bizmori_order));
}

#[tokio::test]
async fn post_with_accept_that_excludes_image_and_json_answers_not_acceptable() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), WITH_PREVIEW()).await;
    server.advance("live", "PT1S").await;

    let post_accepting = async |accept: &str| {
        let headers = [("accept", accept), ("content-type", "application/json")];
        let path = format!("/preview/{id}");
        server
            .send(Method::POST, &path, &headers, r#"{"key":"live"}"#)
            .await
    };
    for accepted in ["*/*", "image/*", "image/jpeg", "application/json"] {
        assert_eq!(post_accepting(accepted).await.status, 200, "{accepted}");
    }
    let reason = "Accept: excludes image/jpeg, image/png and application/json".to_owned();
    let expected = (406, r#"{"detail":"Not Acceptable"}"#.to_owned(), reason);
    for excluding in ["text/html", "image/gif", "*/*;q=0"] {
        assert_eq!(
            post_accepting(excluding).await.error_of(),
            expected,
            "{excluding}"
        );
    }
}

#[tokio::test]
async fn other_methods_on_image_urls_are_served_by_s3_api() {
    let server = start_frozen().await;
    let document = finish_document(&server, "x_ai.png", fixture("plain.png"), WITH_PREVIEW()).await;
    let url = document["preview_url"].as_str().expect("a URL");
    let file_path = upload(&server, "live", "a.jpg", picture()).await;
    let uploaded = format!("/_s3/ai-image-detector-prod/{file_path}");
    let bizmori = "/_s3/bizmori/results/1/heatmap.png";
    for (method, path) in [
        (Method::DELETE, url),
        (Method::PATCH, url),
        (Method::POST, &uploaded),
        (Method::POST, bizmori),
        (Method::POST, "/_s3/ai-image-detector-prod/results/x"),
        (Method::POST, "/_s3/ai-image-detector-prod/results/x/y/z"),
    ] {
        let body = r#"{"key":"live"}"#;
        let response = server.send(method.clone(), path, &[], body).await;
        assert_eq!(response.status, 405, "{method} {path}");
        assert_eq!(response.header("content-type"), "application/xml");
        assert_eq!(response.header("allow"), "GET, HEAD, PUT, OPTIONS");
        assert!(response.text().contains("<Code>MethodNotAllowed</Code>"));
    }
    let response = server.send(Method::GET, url, &[], "").await;
    assert_eq!((response.status, response.header("allow")), (200, ""));
    let response = server.send(Method::HEAD, url, &[], "").await;
    assert_eq!(response.status, 403, "signed for GET only");
    let unsigned = url.split('?').next().expect("a path");
    let response = server.send(Method::GET, unsigned, &[], "").await;
    assert_eq!(response.status, 403);
    assert!(
        response.text().contains("<Code>AccessDenied</Code>"),
        "{}",
        response.text()
    );
    let headers = [
        ("origin", "http://a.test"),
        ("access-control-request-method", "GET"),
    ];
    let response = server.send(Method::OPTIONS, unsigned, &headers, "").await;
    assert_eq!(
        (
            response.status,
            response.header("access-control-allow-origin")
        ),
        (200, "*")
    );
}

#[tokio::test]
async fn rules_on_images_apply_to_requests_of_the_document_account() {
    let server = start_frozen().await;
    let document = finish_document(&server, "x_ai.png", fixture("plain.png"), WITH_PREVIEW()).await;
    let id = document["id"].as_str().expect("an id");
    let url = document["preview_url"].as_str().expect("a URL");
    for (operation, path) in [
        ("undetectable.getPreview", format!("/preview/{id}")),
        ("undetectable.getHeatmap", format!("/heatmap/{id}")),
        ("undetectable.getAsset", url.to_owned()),
    ] {
        let respond = json!({"status": 503, "body": {"error": "Service unavailable"}});
        let rule = json!({"account": "live", "times": 1, "when": {"operation": operation},
            "then": {"respond": respond}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
        let response = post(&server, &path, &json!({"key": "another"})).await;
        assert_eq!(response.status, 403, "{path}");
        let response = post(&server, &path, &json!({"key": "live"})).await;
        let expected = (503, r#"{"error":"Service unavailable"}"#.to_owned());
        assert_eq!((response.status, response.text()), expected);
        assert_eq!(
            post(&server, &path, &json!({"key": "live"})).await.status,
            200
        );
    }
}
