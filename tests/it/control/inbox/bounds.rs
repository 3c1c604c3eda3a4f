//! Limits of inboxes.

use reqwest::Method;
use serde_json::json;

use super::{messages, post_message};
use crate::support::TestServer;

#[tokio::test]
async fn post_message_over_one_mebibyte_is_refused() {
    let server = TestServer::start().await;
    let one_mebibyte = "x".repeat(1024 * 1024);
    assert_eq!(post_message(&server, &one_mebibyte).await, 200);
    let large = server
        .send(
            Method::POST,
            "/_mock/inbox/mine",
            &[],
            format!("{one_mebibyte}x"),
        )
        .await;
    let error = json!({
        "code": "message_too_large",
        "message": "the message has more than 1048576 bytes",
        "hint": "send a smaller message",
    });
    assert_eq!((large.status, large.json()), (400, json!({"error": error})));
    let (_, listing) = messages(&server, "").await;
    let stored = listing["messages"].as_array().expect("messages");
    assert_eq!(stored.len(), 1);
    assert!(stored[0]["body"] == one_mebibyte);
}

#[tokio::test]
async fn exceed_inbox_bytes_evicts_messages_and_counts_them() {
    let server = TestServer::start().await;
    let one_mebibyte = "x".repeat(1024 * 1024);
    for _ in 0..9 {
        assert_eq!(post_message(&server, &one_mebibyte).await, 200);
    }
    assert_eq!(post_message(&server, "last").await, 200);
    let (_, listing) = messages(&server, "?min=7").await;
    let stored = listing["messages"].as_array().expect("messages");
    assert_eq!((stored.len(), &listing["evicted"]), (8, &json!(2)));
    assert_eq!(stored[7]["body"], "last");
}

#[tokio::test]
async fn put_inbox_with_invalid_settings_is_refused() {
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let bad_inbox = |message: &str, hint: &str| ("bad_inbox", message.to_owned(), hint.to_owned());
    for (settings, status, (code, message, hint)) in [
        (
            json!({"statuses": [200, 100]}),
            400,
            bad_inbox("statuses: expected 200 to 599, got 100", "use 200 to 599"),
        ),
        (
            json!({"statuses": vec![200; 1_001]}),
            400,
            bad_inbox(
                "statuses: expected at most 1000, got 1001",
                "send fewer statuses",
            ),
        ),
        (
            json!({"delayMs": 600_001}),
            400,
            bad_inbox(
                "delayMs: expected at most 600000, got 600001",
                "send a shorter delay",
            ),
        ),
        (
            json!({"secret": ""}),
            400,
            bad_inbox(
                "secret: must not be empty",
                "omit secret to use the secrets of the webhooks that post to this inbox",
            ),
        ),
        (
            json!({"secret": "x".repeat(1_001)}),
            400,
            bad_inbox("secret: has 1001 bytes", "1000 at most"),
        ),
        (
            json!({"account": "nobody"}),
            404,
            (
                "unknown_account",
                "no account nobody".to_owned(),
                "set the account up with PUT /_mock/accounts/{key}, since the mode is strict"
                    .to_owned(),
            ),
        ),
    ] {
        let response = server
            .send(Method::PUT, "/_mock/inbox/mine", &[], settings.to_string())
            .await;
        let error = json!({"code": code, "message": message, "hint": hint});
        assert_eq!(
            (response.status, response.json()),
            (status, json!({"error": error}))
        );
    }
    let path = format!("/_mock/inbox/{}", "n".repeat(201));
    for method in [Method::PUT, Method::POST] {
        let response = server.send(method, &path, &[], "{}").await;
        let error = json!({
            "code": "bad_inbox",
            "message": "the inbox's name has 201 bytes",
            "hint": "200 at most",
        });
        assert_eq!(
            (response.status, response.json()),
            (400, json!({"error": error}))
        );
    }
}

#[tokio::test]
async fn post_to_inbox_of_too_long_key_answers_bad_inbox() {
    let server = TestServer::start().await;
    let path = |chars: usize| format!("/_mock/inbox/mine?account={}", "k".repeat(chars));
    let refused = server.send(Method::POST, &path(1_001), &[], "x").await;
    let error = json!({
        "code": "bad_inbox",
        "message": "account: the key has 1001 characters",
        "hint": "1000 at most",
    });
    assert_eq!(
        (refused.status, refused.json()),
        (400, json!({"error": error}))
    );
    let (_, listing) = inboxes(&server).await;
    assert_eq!(listing, json!({"inboxes": [], "next": null}));
    let accepted = server.send(Method::POST, &path(1_000), &[], "x").await;
    assert_eq!(accepted.status, 200);
}

async fn inboxes(server: &TestServer) -> (u16, serde_json::Value) {
    let response = server.send(Method::GET, "/_mock/inbox", &[], "").await;
    (response.status, response.json())
}

#[tokio::test]
async fn list_messages_with_invalid_query_is_refused() {
    let server = TestServer::start().await;
    for (query, message, hint) in [
        (
            "?wait=1",
            "unknown parameter wait",
            "valid parameters: account, min, timeoutMs",
        ),
        ("?min=-1", "min: invalid number -1", "send a whole number"),
        (
            "?timeoutMs=1s",
            "timeoutMs: invalid number 1s",
            "send a whole number",
        ),
        (
            "?min=1001",
            "min: expected at most 1000, got 1001",
            "an inbox keeps at most 1000 messages",
        ),
    ] {
        let error = json!({"code": "bad_query", "message": message, "hint": hint});
        assert_eq!(
            messages(&server, query).await,
            (400, json!({"error": error}))
        );
    }
}
