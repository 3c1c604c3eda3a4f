//! The pictures drawn for a document, given to whoever has its key.

use reqwest::Method;
use serde_json::{Value, json};

use super::{detect, error, finish_document, post, query, start_frozen, upload};
use crate::support::{TestResponse, TestServer, ZipEntry, fixture, picture, zip};

const ALL: fn() -> Value = || json!({"generate_preview": true});

/// The picture that a GET of the URL gives.
async fn get_asset(server: &TestServer, url: &Value) -> Vec<u8> {
    let url = url.as_str().expect("a URL");
    let response = server.send(Method::GET, url, &[], "").await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.bytes
}

fn assert_given(response: &TestResponse, media_type: &str, bytes: &[u8]) {
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
async fn the_pictures_are_given_by_id_and_by_url_as_they_are_to_a_signed_get() {
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
            for way in [path.as_str(), url, unsigned] {
                let response = post(&server, way, &json!({"key": "live"})).await;
                assert_given(&response, media_type, &bytes);
            }
        }
    }
}

#[tokio::test]
async fn a_url_that_has_expired_is_posted_to_still() {
    let server = start_frozen().await;
    let document = finish_document(&server, "x_ai.png", fixture("plain.png"), ALL()).await;
    let bytes = get_asset(&server, &document["preview_url"]).await;
    server.advance("live", "P1D").await;
    let url = document["preview_url"].as_str().expect("a URL");
    assert_eq!(server.send(Method::GET, url, &[], "").await.status, 403);
    let response = post(&server, url, &json!({"key": "live"})).await;
    assert_given(&response, "image/jpeg", &bytes);
}

#[tokio::test]
async fn a_picture_is_there_when_the_clock_says_so() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), ALL()).await;
    let ask = async |what: &str| {
        let path = format!("/{what}/{id}");
        post(&server, &path, &json!({"key": "live"})).await
    };
    let missing = |what: &str, why: &str| {
        let why = format!("document {id}: {why}");
        error(404, &format!("{what} not found"), &why)
    };
    let unfinished = "not done yet";
    assert_eq!(
        ask("preview").await.error_of(),
        missing("Preview", unfinished)
    );
    assert_eq!(
        ask("heatmap").await.error_of(),
        missing("Heatmap", unfinished)
    );
    server.advance("live", "PT0.499S").await;
    assert_eq!(ask("preview").await.status, 200);
    let pending = "the heatmap is pending";
    assert_eq!(ask("heatmap").await.error_of(), missing("Heatmap", pending));
    let url = format!("/_s3/ai-image-detector-prod/results/{id}/heatmap.png");
    let response = post(&server, &url, &json!({"key": "live"})).await;
    assert_eq!(response.error_of(), missing("File", pending));
    server.advance("live", "PT0.001S").await;
    assert_eq!(ask("heatmap").await.status, 200);
    let first = query(&server, &id).await.json();
    assert_eq!(first["result_details"]["heatmap_status"], "pending");
    server.advance("live", "P8D").await;
    let removed = "expired: its images were deleted";
    assert_eq!(ask("preview").await.error_of(), missing("Preview", removed));
    assert_eq!(ask("heatmap").await.error_of(), missing("Heatmap", removed));
}

#[tokio::test]
async fn a_picture_that_was_not_drawn_is_not_found() {
    let server = start_frozen().await;
    let (preview, heatmap) = ("no preview was requested", "no heatmap was requested");
    let real = "result is Real: no heatmap is generated";
    let plain = || fixture("plain.png");
    for (name, what, bytes, body, why) in [
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
            ALL(),
            "failed: it has no images",
        ),
    ] {
        let id = detect(&server, name, bytes, body).await;
        server.advance("live", "PT1S").await;
        let response = post(&server, &format!("/{what}/{id}"), &json!({"key": "live"})).await;
        let message = if what == "preview" {
            "Preview"
        } else {
            "Heatmap"
        };
        let why = format!("document {id}: {why}");
        assert_eq!(
            response.error_of(),
            error(404, &format!("{message} not found"), &why)
        );
    }
    let zipped = zip(&[ZipEntry::new("a_ai.png", &plain())]);
    let path = upload(&server, "live", "a.zip", zipped).await;
    let body = json!({"key": "live", "url": path});
    let bulk = post(&server, "/bulk-upload", &body).await.json()["id"].take();
    let bulk = bulk.as_str().expect("an id");
    server.advance("live", "PT1S").await;
    let response = post(
        &server,
        &format!("/preview/{bulk}"),
        &json!({"key": "live"}),
    )
    .await;
    let why = format!("document {bulk}: a bulk upload has no images");
    assert_eq!(response.error_of(), error(404, "Preview not found", &why));
    let document = finish_document(&server, "x_ai.png", plain(), ALL()).await;
    let id = document["id"].as_str().expect("an id");
    let url = format!("/_s3/ai-image-detector-prod/results/{id}/thumbnail.jpg");
    let response = post(&server, &url, &json!({"key": "live"})).await;
    let why = format!("document {id}: it has no image with this URL");
    assert_eq!(response.error_of(), error(404, "File not found", &why));
}

#[tokio::test]
async fn only_the_documents_own_key_gets_its_pictures() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), ALL()).await;
    server.advance("live", "PT1S").await;
    let unknown = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let unverified = "User verification failed";
    let none = |id: &str| {
        error(
            404,
            "Document not found",
            &format!("document {id} not found"),
        )
    };
    let missing = error(403, unverified, "key: missing or empty");
    let foreign = error(
        403,
        unverified,
        &format!("key: document {id} belongs to another API key"),
    );
    let unfit =
        r#"{"detail":[{"loc":["body","key"],"msg":"str type expected","type":"type_error.str"}]}"#;
    let unfit = (
        422,
        unfit.to_owned(),
        "body.key: str type expected".to_owned(),
    );
    let absent =
        r#"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#;
    let absent = (422, absent.to_owned(), "body: field required".to_owned());
    let path = |what: &str, id: &str| match what {
        "url" => format!("/_s3/ai-image-detector-prod/results/{id}/preview.jpg"),
        what => format!("/{what}/{id}"),
    };
    for what in ["preview", "heatmap", "url"] {
        for (id, body, expected) in [
            (id.as_str(), json!({"key": "another"}), &foreign),
            (&id, json!({}), &missing),
            (&id, json!({"key": ""}), &missing),
            (&id, json!({"key": null}), &missing),
            (&id, json!({"key": ["live"]}), &unfit),
            (&id, Value::Null, &absent),
            (unknown, json!({"key": "live"}), &none(unknown)),
            ("x", json!({"key": "live"}), &none("x")),
        ] {
            let response = post(&server, &path(what, id), &body).await;
            assert_eq!(&response.error_of(), expected, "{what} {id} {body}");
        }
    }
    let order = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let order = server
        .post("live", "/api/v2/orders/ai-detection", &order)
        .await;
    let order = order.json()["data"]["orderId"].take();
    let order = order.as_str().expect("an id");
    let response = post(
        &server,
        &format!("/preview/{order}"),
        &json!({"key": "live"}),
    )
    .await;
    assert_eq!(response.error_of(), none(order));
}

#[tokio::test]
async fn who_takes_neither_pictures_nor_json_is_given_none() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), ALL()).await;
    server.advance("live", "PT1S").await;
    let ask = async |accept: &str| {
        let headers = [("accept", accept), ("content-type", "application/json")];
        let path = format!("/preview/{id}");
        server
            .send(Method::POST, &path, &headers, r#"{"key":"live"}"#)
            .await
    };
    for fine in ["*/*", "image/*", "image/jpeg", "application/json"] {
        assert_eq!(ask(fine).await.status, 200, "{fine}");
    }
    let why = "Accept: excludes image/jpeg, image/png and application/json".to_owned();
    let expected = (406, r#"{"detail":"Not Acceptable"}"#.to_owned(), why);
    for bad in ["text/html", "image/gif", "*/*;q=0"] {
        assert_eq!(ask(bad).await.error_of(), expected, "{bad}");
    }
}

#[tokio::test]
async fn every_other_method_on_the_objects_is_storages_as_before() {
    let server = start_frozen().await;
    let document = finish_document(&server, "x_ai.png", fixture("plain.png"), ALL()).await;
    let url = document["preview_url"].as_str().expect("a URL");
    let uploaded = upload(&server, "live", "a.jpg", picture()).await;
    let uploaded = format!("/_s3/ai-image-detector-prod/{uploaded}");
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
    assert_eq!(response.status, 403, "signed for GET alone");
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
async fn rules_about_the_pictures_know_whose_they_are() {
    let server = start_frozen().await;
    let document = finish_document(&server, "x_ai.png", fixture("plain.png"), ALL()).await;
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
