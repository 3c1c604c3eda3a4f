//! Whose signature is checked, where nobody says with what.

use reqwest::Method;
use serde_json::Value;

use crate::support::TestServer;

/// A webhook of that key's with this URL; posts what its secret signs, and tells whether the box
/// finds the signature right.
async fn checked(server: &TestServer, key: &str, url: &str, post: &str) -> Value {
    let (_, secret) = server.webhook(key, url).await;
    let body = "{\"a\": 1}";
    let signature = stuntdouble::services::webhooks::signature(&secret, body.as_bytes());
    for (signed, expected) in [(signature.as_str(), true), (&"0".repeat(64), false)] {
        let headers = [("x-moribiz-signature", signed)];
        server.send(Method::POST, post, &headers, body).await;
        let path = post.split('?').next().unwrap_or_default();
        let listing = format!("{path}/messages");
        let found = server.send(Method::GET, &listing, &[], "").await.json();
        let last = found["messages"].as_array().expect("messages").last();
        let is_valid = last.expect("a message")["signatureValid"].clone();
        if is_valid != expected {
            return is_valid;
        }
    }
    Value::Bool(true)
}

#[tokio::test]
async fn it_is_that_of_the_webhook_that_comes_there_however_its_url_is_written() {
    let server = TestServer::start().await;
    for (url, post) in [
        ("http://localhost:8080/_mock/inbox/a", "/_mock/inbox/a"),
        ("http://h/_mock/inbox/b?tag=1", "/_mock/inbox/b?tag=1"),
        ("http://h/_mock/inbox/c%20c", "/_mock/inbox/c%20c"),
        ("http://h/_mock/inbox/%EB%AA%A8", "/_mock/inbox/%EB%AA%A8"),
    ] {
        assert_eq!(checked(&server, "live", url, post).await, true, "{url}");
    }
    let other = checked(&server, "live", "http://h/_mock/inbox/ab", "/_mock/inbox/b").await;
    assert_eq!(other, Value::Null, "it does not come there");
}

#[tokio::test]
async fn the_inbox_of_an_account_knows_the_secrets_of_no_other() {
    let server = TestServer::start().await;
    let (_, other) = server.webhook("other", "http://h/_mock/inbox/a").await;
    server.webhook("mine", "http://h/_mock/inbox/a").await;
    let body = "{}";
    let signature = stuntdouble::services::webhooks::signature(&other, body.as_bytes());
    let headers = [("x-moribiz-signature", signature.as_str())];
    for (account, expected) in [("mine", false), ("other", true)] {
        let path = format!("/_mock/inbox/a?account={account}");
        server.send(Method::POST, &path, &headers, body).await;
        let listing = format!("/_mock/inbox/a/messages?account={account}");
        let found = server.send(Method::GET, &listing, &[], "").await.json();
        assert_eq!(
            found["messages"][0]["signatureValid"], expected,
            "{account}"
        );
    }
    server
        .send(Method::POST, "/_mock/inbox/b?account=mine", &headers, body)
        .await;
    let listing = "/_mock/inbox/b/messages";
    let found = server.send(Method::GET, listing, &[], "").await.json();
    assert_eq!(found["messages"][0]["signatureValid"], Value::Null);
}
