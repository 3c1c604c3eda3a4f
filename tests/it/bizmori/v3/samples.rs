//! Samples stand for what the orders of test keys would have made.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use stuntdouble::settings::Config;

use super::super::fetched;
use super::download::{download, members};
use super::{EMBED, create_order, text};
use crate::support::{TestResponse, TestServer, code};

/// A pending v3 order of two files and three outputs.
async fn create_pending(server: &TestServer, key: &str) -> Value {
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "x"}, {"text": "y"}]},
        {"fileName": "b.pdf", "watermarks": [{"text": "z"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    create_order(server, key, EMBED, &body).await
}

async fn completed(server: &TestServer, key: &str) -> Value {
    let order = create_pending(server, key).await;
    for place in ["/files/0/uploadUrl", "/files/1/uploadUrl"] {
        server.put(&text(&order, place), vec![1]).await;
    }
    server.advance(key, "PT5S").await;
    order
}

/// The sample of that index by a token that is signed as it should be.
async fn sample(server: &TestServer, id: &str, index: usize) -> TestResponse {
    const NEVER_MS: i64 = 4_102_444_800_000;
    let message = format!("{id}.{index}.{NEVER_MS}");
    let secret = Config::defaults().storage.s3_secret;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("test sample {message}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let path = format!("/api/v2/test-samples/{message}.{signature}");
    server.send(Method::GET, &path, &[], "").await
}

#[tokio::test]
async fn the_zip_is_behind_the_last_output_and_nothing_is_behind_the_zip() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = text(&completed(&server, "sk_test_1").await, "/orderId");
    let zip = sample(&server, &id, 3).await;
    assert_eq!(
        (zip.status, zip.header("content-type")),
        (200, "application/zip")
    );
    for index in [4, usize::MAX] {
        let none = sample(&server, &id, index).await;
        let line = format!("order {id} has no output {index}");
        none.assert_refused(404, "PROCESSED_FILE_NOT_FOUND", &line);
    }
}

#[tokio::test]
async fn an_order_that_is_not_complete_or_has_expired_has_no_samples() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = text(&create_pending(&server, "sk_test_1").await, "/orderId");
    for message in ["ORDER_NOT_COMPLETED", "ORDER_EXPIRED"] {
        for index in [0, 3] {
            let refused = sample(&server, &id, index).await;
            assert_eq!((refused.status, refused.text()), (400, code(message)));
        }
        server.advance("sk_test_1", "P8D").await;
    }
}

#[tokio::test]
async fn outputs_of_one_file_have_one_sample_alone_and_in_the_zip() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = text(&completed(&server, "sk_test_1").await, "/orderId");
    let alone = [0, 1, 2].map(|index| sample(&server, &id, index));
    let alone = futures_util::future::join_all(alone).await;
    let zip = sample(&server, &id, 3).await;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip.bytes)).expect("a ZIP");
    for (n, alone) in alone.iter().enumerate() {
        let mut bytes = Vec::new();
        std::io::copy(&mut zip.by_index(n).expect("a member"), &mut bytes).expect("its bytes");
        assert!(bytes == alone.bytes, "{n}");
    }
    assert!(alone[0].bytes == alone[1].bytes);
}

#[tokio::test]
async fn a_rule_of_one_account_is_applied_to_its_samples_alone() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for key in ["sk_test_1", "sk_test_2"] {
        server.freeze(key).await;
        ids.push(text(&completed(&server, key).await, "/orderId"));
    }
    let rule = json!({"account": "sk_test_1", "when": {"operation": "bizmori.getTestSample"},
        "then": {"respond": {"status": 503}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    assert_eq!(sample(&server, &ids[0], 0).await.status, 503);
    assert_eq!(sample(&server, &ids[1], 0).await.status, 200);
}

#[tokio::test]
async fn test_keys_get_samples() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let order = completed(&server, key).await;
    let id = text(&order, "/orderId");
    let data = download(&server, key, &id).await;
    let begins = format!("{}/api/v2/test-samples/{id}.", server.origin);
    for (n, (kind, magic)) in [
        ("image/jpeg", &b"\xff\xd8\xff"[..]),
        ("image/jpeg", b"\xff\xd8\xff"),
        ("application/pdf", b"%PDF-"),
    ]
    .into_iter()
    .enumerate()
    {
        let url = text(&data, &format!("/files/{n}/downloadUrl"));
        assert!(url.starts_with(&begins), "{url}");
        let sample = server.send(Method::GET, &url, &[], "").await;
        assert_eq!((sample.status, sample.header("content-type")), (200, kind));
        assert!(sample.bytes.starts_with(magic), "{n}");
    }
    let zip = fetched(&server, &text(&data, "/archiveUrl")).await;
    assert_eq!(members(&zip), ["a.jpg", "a (1).jpg", "b.pdf"]);
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
