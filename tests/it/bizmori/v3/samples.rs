//! Samples, which test keys get in place of outputs.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use stuntdouble::settings::Config;

use super::super::fetch;
use super::download::{download, entry_names};
use super::{EMBED, create_order, text};
use crate::support::{TestResponse, TestServer, code};

/// Creates a v3 order of two files and three outputs.
async fn create_pending(server: &TestServer, key: &str) -> Value {
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "x"}, {"text": "y"}]},
        {"fileName": "b.pdf", "watermarks": [{"text": "z"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    create_order(server, key, EMBED, &body).await
}

async fn create_complete(server: &TestServer, key: &str) -> Value {
    let order = create_pending(server, key).await;
    for pointer in ["/files/0/uploadUrl", "/files/1/uploadUrl"] {
        server.put(&text(&order, pointer), vec![1]).await;
    }
    server.advance(key, "PT5S").await;
    order
}

/// Requests the sample at `index` with a correctly signed token.
async fn get_sample(server: &TestServer, id: &str, index: usize) -> TestResponse {
    const EXPIRY_MS: i64 = 4_102_444_800_000;
    let message = format!("{id}.{index}.{EXPIRY_MS}");
    let secret = Config::defaults().storage.s3_secret;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("test sample {message}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let path = format!("/api/v2/test-samples/{message}.{signature}");
    server.send(Method::GET, &path, &[], "").await
}

#[tokio::test]
async fn sample_after_last_output_is_the_zip_and_later_indexes_answer_404() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = text(&create_complete(&server, "sk_test_1").await, "/orderId");
    let zip = get_sample(&server, &id, 3).await;
    assert_eq!(
        (zip.status, zip.header("content-type")),
        (200, "application/zip")
    );
    for index in [4, usize::MAX] {
        let missing = get_sample(&server, &id, index).await;
        let reason = format!("order {id} has no output {index}");
        missing.assert_refused(404, "PROCESSED_FILE_NOT_FOUND", &reason);
    }
}

#[tokio::test]
async fn sample_of_pending_or_expired_order_answers_error_code() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = text(&create_pending(&server, "sk_test_1").await, "/orderId");
    for error_code in ["ORDER_NOT_COMPLETED", "ORDER_EXPIRED"] {
        for index in [0, 3] {
            let refused = get_sample(&server, &id, index).await;
            assert_eq!((refused.status, refused.text()), (400, code(error_code)));
        }
        server.advance("sk_test_1", "P8D").await;
    }
}

#[tokio::test]
async fn samples_of_one_file_are_equal_alone_and_in_the_zip() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = text(&create_complete(&server, "sk_test_1").await, "/orderId");
    let requests = [0, 1, 2].map(|index| get_sample(&server, &id, index));
    let samples = futures_util::future::join_all(requests).await;
    let response = get_sample(&server, &id, 3).await;
    let reader = std::io::Cursor::new(response.bytes);
    let mut zip = zip::ZipArchive::new(reader).expect("a ZIP");
    for (n, single) in samples.iter().enumerate() {
        let mut bytes = Vec::new();
        let mut entry = zip.by_index(n).expect("an entry");
        std::io::copy(&mut entry, &mut bytes).expect("the entry is read");
        assert!(bytes == single.bytes, "{n}");
    }
    assert!(samples[0].bytes == samples[1].bytes);
}

#[tokio::test]
async fn rule_of_one_account_applies_to_its_samples_only() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for key in ["sk_test_1", "sk_test_2"] {
        server.freeze(key).await;
        ids.push(text(&create_complete(&server, key).await, "/orderId"));
    }
    let rule = json!({"account": "sk_test_1", "when": {"operation": "bizmori.getTestSample"},
        "then": {"respond": {"status": 503}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    assert_eq!(get_sample(&server, &ids[0], 0).await.status, 503);
    assert_eq!(get_sample(&server, &ids[1], 0).await.status, 200);
}

#[tokio::test]
async fn download_with_test_key_answers_samples_until_they_expire() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let order = create_complete(&server, key).await;
    let id = text(&order, "/orderId");
    let data = download(&server, key, &id).await;
    let prefix = format!("{}/api/v2/test-samples/{id}.", server.origin);
    for (n, (kind, magic)) in [
        ("image/jpeg", &b"\xff\xd8\xff"[..]),
        ("image/jpeg", b"\xff\xd8\xff"),
        ("application/pdf", b"%PDF-"),
    ]
    .into_iter()
    .enumerate()
    {
        let url = text(&data, &format!("/files/{n}/downloadUrl"));
        assert!(url.starts_with(&prefix), "{url}");
        let sample = server.send(Method::GET, &url, &[], "").await;
        assert_eq!((sample.status, sample.header("content-type")), (200, kind));
        assert!(sample.bytes.starts_with(magic), "{n}");
    }
    let zip = fetch(&server, &text(&data, "/archiveUrl")).await;
    assert_eq!(entry_names(&zip), ["a.jpg", "a (1).jpg", "b.pdf"]);
    let refused = server
        .get(key, &format!("/api/v2/orders/{id}/download"))
        .await;
    assert_eq!(
        (refused.status, refused.text()),
        (404, code("PROCESSED_FILE_NOT_FOUND"))
    );
    let upload = text(&order, "/files/0/uploadUrl");
    let token = upload.rsplit('/').next().expect("a token");
    for token in [token, "nonsense"] {
        let path = format!("/api/v2/test-samples/{token}");
        let refused = server.send(Method::GET, &path, &[], "").await;
        assert_eq!(
            (refused.status, refused.text()),
            (403, code("AUTH_FORBIDDEN"))
        );
    }
    server.advance(key, "PT2H").await;
    let url = text(&data, "/files/0/downloadUrl");
    let stale = server.send(Method::GET, &url, &[], "").await;
    assert_eq!((stale.status, stale.text()), (403, code("AUTH_FORBIDDEN")));
}
