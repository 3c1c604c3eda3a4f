//! Hosts of presigned URLs: signed for the host that the client called, accepted at other hosts.

use reqwest::Method;
use serde_json::json;

use super::{KEY, presign_params, put, signer, start_frozen};
use crate::support::{TestServer, picture};

const DETECTION: &str = "/api/v2/orders/ai-detection";

/// Creates an order with these request headers and returns its upload URL.
async fn upload_url(server: &TestServer, headers: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("authorization", "Bearer live"),
        ("content-type", "application/json"),
    ];
    all.extend_from_slice(headers);
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let response = server
        .send(Method::POST, DETECTION, &all, body.to_string())
        .await;
    assert_eq!(response.status, 200, "{}", response.text());
    let url = response.json()["data"]["file"]["uploadUrl"].take();
    url.as_str().expect("a URL").to_owned()
}

fn origin(url: &str) -> &str {
    url.split_once("/_s3/").expect("a storage URL").0
}

#[tokio::test]
async fn put_url_signed_for_one_host_works_at_every_other_host() {
    let server = TestServer::start_frozen("live").await;
    for signed_host in ["localhost:1234", "[::1]:1234", "mock", "127.0.0.1:9"] {
        let url = upload_url(&server, &[("host", signed_host)]).await;
        assert_eq!(origin(&url), format!("http://{signed_host}"));
        let here = url.replace(origin(&url), &server.origin);
        for host in [
            "localhost:8080",
            "[::1]:8080",
            "mock.test",
            "10.0.0.1",
            signed_host,
        ] {
            let stored = server
                .send(Method::PUT, &here, &[("host", host)], picture())
                .await;
            assert_eq!(
                stored.status,
                200,
                "{signed_host} {host}: {}",
                stored.text()
            );
        }
    }
}

#[tokio::test]
async fn put_with_strict_host_at_another_host_answers_signature_does_not_match() {
    let server = TestServer::with_config(|config| config.strict_host = true).await;
    server.freeze("live").await;
    let url = upload_url(&server, &[("host", "signed.test:8080")]).await;
    let here = url.replace(origin(&url), &server.origin);
    let refused = server.send(Method::PUT, &here, &[], picture()).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .text()
            .contains("<Code>SignatureDoesNotMatch</Code>")
    );
    let actual_host = server.origin.trim_start_matches("http://");
    let reason =
        format!("signature: signed for host signed.test:8080, sent to {actual_host} (strict-host)");
    assert_eq!(refused.header("x-mock-reason"), reason);
    let signed_host = [("host", "signed.test:8080")];
    let stored = server
        .send(Method::PUT, &here, &signed_host, picture())
        .await;
    assert_eq!(stored.status, 200, "{}", stored.text());
}

#[tokio::test]
async fn create_order_with_public_url_answers_upload_url_at_it() {
    let server = TestServer::with_config(|config| {
        config.public_url = Some("https://mock.example:8443".to_owned());
        config.trust_forwarded = true;
    })
    .await;
    server.freeze("live").await;
    let forwarded = [
        ("x-forwarded-host", "proxy"),
        ("x-forwarded-proto", "https"),
    ];
    for headers in [&[][..], &[("host", "other")], &forwarded] {
        let url = upload_url(&server, headers).await;
        assert_eq!(origin(&url), "https://mock.example:8443");
        let here = url.replace(origin(&url), &server.origin);
        server.put(&here, picture()).await;
    }
}

#[tokio::test]
async fn create_order_behind_proxy_uses_forwarded_host_only_if_trusted() {
    let forwarded = [
        ("host", "inner"),
        ("x-forwarded-host", "outer.example, inner"),
        ("x-forwarded-proto", "https"),
    ];
    for (trusted, expected) in [(true, "https://outer.example"), (false, "http://inner")] {
        let server = TestServer::with_config(|config| config.trust_forwarded = trusted).await;
        server.freeze("live").await;
        let url = upload_url(&server, &forwarded).await;
        assert_eq!(origin(&url), expected);
        let here = url.replace(origin(&url), &server.origin);
        server.put(&here, picture()).await;
    }
}

#[tokio::test]
async fn put_url_signed_for_unknown_host_answers_403() {
    let server = start_frozen().await;
    let mut params = presign_params(&server, "PUT", KEY);
    params.origin = "http://elsewhere:1";
    let url = signer().presign(&params);
    let here = url.replace("http://elsewhere:1", &server.origin);
    let refused = server.send(Method::PUT, &here, &[], "x").await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(put(&server, KEY, &[], "x").await.status, 200);
}
