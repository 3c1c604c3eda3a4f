//! Secrets that verify signatures of an inbox without its own secret.

use reqwest::Method;
use serde_json::Value;

use crate::support::TestServer;

/// Registers a webhook and posts a valid and an invalid signature to its inbox. Returns `true` if
/// both are judged correctly, else the first wrong `signatureValid`.
async fn verify_signatures(server: &TestServer, key: &str, url: &str, post: &str) -> Value {
    let (_, secret) = server.webhook(key, url).await;
    let body = "{\"a\": 1}";
    let signature = stuntdouble::services::webhooks::signature(&secret, body.as_bytes());
    for (signature, expected) in [(signature.as_str(), true), (&"0".repeat(64), false)] {
        let headers = [("x-moribiz-signature", signature)];
        server.send(Method::POST, post, &headers, body).await;
        let path = post.split('?').next().unwrap_or_default();
        let path = format!("{path}/messages");
        let listing = server.send(Method::GET, &path, &[], "").await.json();
        let last = listing["messages"].as_array().expect("messages").last();
        let is_valid = last.expect("a message")["signatureValid"].clone();
        if is_valid != expected {
            return is_valid;
        }
    }
    Value::Bool(true)
}

#[tokio::test]
async fn verify_signature_finds_webhook_by_url_in_every_spelling() {
    let server = TestServer::start().await;
    for (url, post) in [
        ("http://localhost:8080/_mock/inbox/a", "/_mock/inbox/a"),
        ("http://h/_mock/inbox/b?tag=1", "/_mock/inbox/b?tag=1"),
        ("http://h/_mock/inbox/c%20c", "/_mock/inbox/c%20c"),
        ("http://h/_mock/inbox/%EB%AA%A8", "/_mock/inbox/%EB%AA%A8"),
    ] {
        assert_eq!(
            verify_signatures(&server, "live", url, post).await,
            true,
            "{url}"
        );
    }
    let other =
        verify_signatures(&server, "live", "http://h/_mock/inbox/ab", "/_mock/inbox/b").await;
    assert_eq!(other, Value::Null, "no webhook calls this inbox");
}

#[tokio::test]
async fn verify_signature_ignores_secrets_of_other_accounts() {
    let server = TestServer::start().await;
    let (_, other) = server.webhook("other", "http://h/_mock/inbox/a").await;
    server.webhook("mine", "http://h/_mock/inbox/a").await;
    let body = "{}";
    let signature = stuntdouble::services::webhooks::signature(&other, body.as_bytes());
    let headers = [("x-moribiz-signature", signature.as_str())];
    for (account, expected) in [("mine", false), ("other", true)] {
        let path = format!("/_mock/inbox/a?account={account}");
        server.send(Method::POST, &path, &headers, body).await;
        let path = format!("/_mock/inbox/a/messages?account={account}");
        let listing = server.send(Method::GET, &path, &[], "").await.json();
        assert_eq!(
            listing["messages"][0]["signatureValid"], expected,
            "{account}"
        );
    }
    server
        .send(Method::POST, "/_mock/inbox/b?account=mine", &headers, body)
        .await;
    let path = "/_mock/inbox/b/messages";
    let listing = server.send(Method::GET, path, &[], "").await.json();
    assert_eq!(listing["messages"][0]["signatureValid"], Value::Null);
}
