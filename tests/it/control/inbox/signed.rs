//! Whose signature is checked, where nobody says with what.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Stunt;

/// A webhook of that key's with this URL; posts what its secret signs, and tells whether the box
/// finds the signature right.
async fn checked(stunt: &Stunt, key: &str, url: &str, post: &str) -> Value {
    let (_, secret) = stunt.webhook(key, url).await;
    let body = "{\"a\": 1}";
    let signature = stuntdouble::webhooks::signature(&secret, body.as_bytes());
    for (signed, expected) in [(signature.as_str(), true), (&"0".repeat(64), false)] {
        let headers = [("x-moribiz-signature", signed)];
        stunt.send(Method::POST, post, &headers, body).await;
        let path = post.split('?').next().unwrap_or_default();
        let listing = format!("{path}/messages");
        let found = stunt.send(Method::GET, &listing, &[], "").await.json();
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
    let stunt = Stunt::start().await;
    for (url, post) in [
        ("http://localhost:8080/_mock/inbox/a", "/_mock/inbox/a"),
        ("http://h/_mock/inbox/b?tag=1", "/_mock/inbox/b?tag=1"),
        ("http://h/_mock/inbox/c%20c", "/_mock/inbox/c%20c"),
        ("http://h/_mock/inbox/%EB%AA%A8", "/_mock/inbox/%EB%AA%A8"),
    ] {
        assert_eq!(checked(&stunt, "live", url, post).await, true, "{url}");
    }
    let other = checked(&stunt, "live", "http://h/_mock/inbox/ab", "/_mock/inbox/b").await;
    assert_eq!(other, Value::Null, "it does not come there");
}

#[tokio::test]
async fn the_box_of_an_account_knows_the_secrets_of_no_other() {
    let stunt = Stunt::start().await;
    let path = "/_mock/inbox/mine";
    let set = json!({"account": "mine"});
    stunt.control(Method::PUT, path, &set).await;
    let url = "http://h/_mock/inbox/mine";
    assert_eq!(checked(&stunt, "other", url, path).await, Value::Null);
    assert_eq!(checked(&stunt, "mine", url, path).await, true);
    stunt.control(Method::PUT, path, &json!({})).await;
    assert_eq!(checked(&stunt, "third", url, path).await, true);
}
