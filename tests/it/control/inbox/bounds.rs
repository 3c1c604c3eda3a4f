//! What a box is not: without end.

use reqwest::Method;
use serde_json::json;

use super::{messages, posted};
use crate::support::TestServer;

#[tokio::test]
async fn a_message_of_a_mebibyte_is_kept_and_no_larger_one() {
    let server = TestServer::start().await;
    let whole = "x".repeat(1024 * 1024);
    assert_eq!(posted(&server, &whole).await, 200);
    let large = server
        .send(Method::POST, "/_mock/inbox/mine", &[], format!("{whole}x"))
        .await;
    let error = json!({
        "code": "message_too_large",
        "message": "the message has more than 1048576 bytes",
        "hint": "send a smaller message",
    });
    assert_eq!((large.status, large.json()), (400, json!({"error": error})));
    let (_, found) = messages(&server, "").await;
    let stored = found["messages"].as_array().expect("messages");
    assert_eq!(stored.len(), 1);
    assert!(stored[0]["body"] == whole);
}

#[tokio::test]
async fn how_many_went_is_told() {
    let server = TestServer::start().await;
    let whole = "x".repeat(1024 * 1024);
    for _ in 0..9 {
        assert_eq!(posted(&server, &whole).await, 200);
    }
    assert_eq!(posted(&server, "last").await, 200);
    let (_, found) = messages(&server, "?min=7").await;
    let stored = found["messages"].as_array().expect("messages");
    assert_eq!((stored.len(), &found["evicted"]), (8, &json!(2)));
    assert_eq!(stored[7]["body"], "last");
}

#[tokio::test]
async fn what_a_box_cannot_be_is_refused() {
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let bad = |message: &str, hint: &str| ("bad_inbox", message.to_owned(), hint.to_owned());
    for (set, status, (code, message, hint)) in [
        (
            json!({"statuses": [200, 100]}),
            400,
            bad("statuses: 100 is not a final status", "use 200 to 599"),
        ),
        (
            json!({"statuses": vec![200; 1_001]}),
            400,
            bad(
                "statuses: expected at most 1000, got 1001",
                "send fewer statuses",
            ),
        ),
        (
            json!({"delayMs": 600_001}),
            400,
            bad(
                "delayMs: expected at most 600000, got 600001",
                "send a shorter delay",
            ),
        ),
        (
            json!({"secret": ""}),
            400,
            bad(
                "secret: must not be empty",
                "omit secret to use the secrets of the webhooks that post to this inbox",
            ),
        ),
        (
            json!({"secret": "x".repeat(1_001)}),
            400,
            bad("secret: has 1001 bytes", "1000 at most"),
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
            .send(Method::PUT, "/_mock/inbox/mine", &[], set.to_string())
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
async fn post_for_an_account_whose_key_is_too_long_answers_bad_inbox() {
    let stunt = TestServer::start().await;
    let path = |chars: usize| format!("/_mock/inbox/mine?account={}", "k".repeat(chars));
    let refused = stunt.send(Method::POST, &path(1_001), &[], "x").await;
    let error = json!({
        "code": "bad_inbox",
        "message": "account: the key has 1001 characters",
        "hint": "1000 at most",
    });
    assert_eq!(
        (refused.status, refused.json()),
        (400, json!({"error": error}))
    );
    let (_, listed) = inboxes(&stunt).await;
    assert_eq!(listed, json!({"inboxes": [], "next": null}));
    let taken = stunt.send(Method::POST, &path(1_000), &[], "x").await;
    assert_eq!(taken.status, 200);
}

async fn inboxes(stunt: &TestServer) -> (u16, serde_json::Value) {
    let answer = stunt.send(Method::GET, "/_mock/inbox", &[], "").await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_refused() {
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
