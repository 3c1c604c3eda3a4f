//! File names, valid and invalid.

use reqwest::Method;
use serde_json::json;

use super::{ANTI_AI, DETECTION};
use crate::support::{TestServer, picture};

#[tokio::test]
async fn create_with_invalid_file_name_is_refused() {
    let server = TestServer::start_frozen("live").await;
    for (name, reason) in [
        (
            "../a.jpg".to_owned(),
            "'/' has no place in a file name".to_owned(),
        ),
        (
            "/etc/a.jpg".to_owned(),
            "'/' has no place in a file name".to_owned(),
        ),
        (
            "..\\a.jpg".to_owned(),
            "'\\\\' has no place in a file name".to_owned(),
        ),
        (
            "a\0.jpg".to_owned(),
            "'\\0' has no place in a file name".to_owned(),
        ),
        (
            "a\r\nX-Evil: 1.jpg".to_owned(),
            "'\\r' has no place in a file name".to_owned(),
        ),
        (
            "\u{7f}.jpg".to_owned(),
            "'\\u{7f}' has no place in a file name".to_owned(),
        ),
        (
            format!("{}.jpg", "a".repeat(10_236)),
            "10240 characters, 255 are taken".to_owned(),
        ),
        (
            format!("{}.jpg", "a".repeat(252)),
            "256 characters, 255 are taken".to_owned(),
        ),
        (
            "a.exe".to_owned(),
            "extension .exe is not supported".to_owned(),
        ),
        (
            "a.jpg.exe".to_owned(),
            "extension .exe is not supported".to_owned(),
        ),
        (
            "a.pdf".to_owned(),
            "extension .pdf is not supported".to_owned(),
        ),
        ("a.".to_owned(), "extension . is not supported".to_owned()),
        (
            "a.jpg ".to_owned(),
            "extension .jpg  is not supported".to_owned(),
        ),
        ("a".to_owned(), "\"a\" has no extension".to_owned()),
        (".jpg".to_owned(), "\".jpg\" has no extension".to_owned()),
        (String::new(), "\"\" has no extension".to_owned()),
    ] {
        let body = json!({"idempotencyKey": "a", "fileName": name});
        let response = server.post("live", DETECTION, &body).await;
        response.assert_refused(400, "VALIDATION_FAILED", &format!("fileName: {reason}"));
        let files = json!([{"fileName": "a.jpg"}, {"fileName": name}]);
        let body = json!({"idempotencyKey": "a", "files": files});
        let response = server.post("live", ANTI_AI, &body).await;
        let reason = format!("files[1].fileName: {reason}");
        response.assert_refused(400, "VALIDATION_FAILED", &reason);
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn order_with_unusual_file_name_completes() {
    let server = TestServer::start_frozen("live").await;
    for name in [
        "\u{1f600}.jpg".to_owned(),
        "été 1%+&?#=;\"'<>.jpg".to_owned(),
        "%2e%2e%2f.jpg".to_owned(),
        "..jpg".to_owned(),
        " .jpg".to_owned(),
        "a.JPG".to_owned(),
        "CON.jpg".to_owned(),
        "\u{202e}gpj.exe.jpg".to_owned(),
        "e\u{301}.jpg".to_owned(),
        format!("{}.jpg", "a".repeat(251)),
        format!("{}.jpg", "é".repeat(251)),
    ] {
        let body = json!({"idempotencyKey": name, "fileName": name});
        let id = server.confirm_detection("live", &body, picture()).await;
        server.advance("live", "PT1S").await;
        let order = server.get_order("live", &id).await;
        assert_eq!(order["status"], "complete", "{name}: {order}");
        let original = order["originalImageUrl"].as_str().expect("a URL");
        let object = server.send(Method::GET, original, &[], "").await;
        assert_eq!(object.status, 200, "{name}");
        assert!(object.bytes == picture(), "{name}");
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn create_with_file_name_that_makes_key_too_long_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let name = |n: usize| format!("{}.jpg", "\u{1f600}".repeat(n));
    let body = json!({"idempotencyKey": "a", "fileName": name(251)});
    let response = server.post("live", DETECTION, &body).await;
    let reason = "fileName: 1008 bytes, 960 are taken";
    response.assert_refused(400, "VALIDATION_FAILED", reason);
    let body = json!({"idempotencyKey": "a", "fileName": name(239)});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}
