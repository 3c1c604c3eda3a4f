//! A URL is made for the host its client called, and works by whatever name it is called.

use reqwest::Method;
use serde_json::json;

use super::{KEY, plan, put, signer};
use crate::support::{TestServer, picture};

const DETECTION: &str = "/api/v2/orders/ai-detection";

/// The upload URL of a new order, asked for with these headers.
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
async fn a_url_made_for_one_name_works_by_every_other() {
    let server = TestServer::start_frozen("live").await;
    for made_for in ["localhost:1234", "[::1]:1234", "mock", "127.0.0.1:9"] {
        let url = upload_url(&server, &[("host", made_for)]).await;
        assert_eq!(origin(&url), format!("http://{made_for}"));
        let here = url.replace(origin(&url), &server.origin);
        for host in [
            "localhost:8080",
            "[::1]:8080",
            "mock.test",
            "10.0.0.1",
            made_for,
        ] {
            let done = server
                .send(Method::PUT, &here, &[("host", host)], picture())
                .await;
            assert_eq!(done.status, 200, "{made_for} {host}: {}", done.text());
        }
    }
}

#[tokio::test]
async fn strict_host_takes_a_url_at_its_own_host_only() {
    let server = TestServer::with_config(|config| config.strict_host = true).await;
    server.freeze("live").await;
    let url = upload_url(&server, &[("host", "made.for:8080")]).await;
    let here = url.replace(origin(&url), &server.origin);
    let refused = server.send(Method::PUT, &here, &[], picture()).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .text()
            .contains("<Code>SignatureDoesNotMatch</Code>")
    );
    let arrived = server.origin.trim_start_matches("http://");
    let why =
        format!("signature: made for the host made.for:8080, arrived at {arrived} (strict-host)");
    assert_eq!(refused.header("x-mock-reason"), why);
    let own = [("host", "made.for:8080")];
    let done = server.send(Method::PUT, &here, &own, picture()).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

#[tokio::test]
async fn public_url_is_the_origin_of_every_url() {
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
async fn what_a_proxy_forwarded_counts_where_the_setting_says_so() {
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
async fn a_host_no_url_was_made_for_is_not_signed_for() {
    let server = super::frozen().await;
    let mut elsewhere = plan(&server, "PUT", KEY);
    elsewhere.origin = "http://elsewhere:1";
    let url = signer().presign(&elsewhere);
    let here = url.replace("http://elsewhere:1", &server.origin);
    let refused = server.send(Method::PUT, &here, &[], "x").await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(put(&server, KEY, &[], "x").await.status, 200);
}
