//! Empty account keys: refused in every query, body and path.

use serde_json::{Value, json};

use super::{
    assert_code, assert_refused, assert_unchanged, control_operations, create_protected_account,
    path_of,
};
use crate::support::TestServer;

#[tokio::test]
async fn call_with_empty_account_in_query_is_refused_by_every_operation() {
    let server = TestServer::start().await;
    create_protected_account(&server).await;
    for operation in control_operations() {
        if operation.name == "control.postToInbox" {
            continue;
        }
        for query in [
            "account=",
            "account",
            "account=a&account=",
            "acc%6Funt=&limit=1",
        ] {
            let path = format!("{}?{query}", path_of(&operation));
            let response = server.send(operation.method.clone(), &path, &[], "").await;
            let hint = "set a key, or omit account";
            assert_refused(
                &response,
                400,
                "bad_query",
                "account: the key is empty",
                hint,
            );
        }
    }
    assert_unchanged(&server).await;
    let delivery = reqwest::Method::POST;
    let response = server
        .send(delivery, "/_mock/inbox/a?account=", &[], "x")
        .await;
    assert_eq!(
        response.status, 200,
        "the query of a webhook URL is not checked"
    );
}

#[tokio::test]
async fn call_with_empty_account_in_body_is_refused_by_every_operation() {
    let server = TestServer::start().await;
    create_protected_account(&server).await;
    for operation in control_operations() {
        if operation.name == "control.postToInbox" {
            continue;
        }
        // Required fields, so that the account is the only error.
        let mut body = match operation.name {
            "control.advanceClock" => json!({"by": 1}),
            "control.createRule" | "control.putRule" => json!({"then": {"delayMs": 1}}),
            "control.setClock" => json!({"mode": "running"}),
            "control.verifyRequests" => json!({"count": 0}),
            _ => json!({}),
        };
        body["account"] = json!("");
        let path = path_of(&operation);
        let response = server
            .send(operation.method.clone(), &path, &[], body.to_string())
            .await;
        let code = match operation.name {
            "control.putFixtures" => "bad_fixtures",
            _ => "bad_body",
        };
        assert_code(&response, 400, code, operation.name);
        let error = response.json()["error"].take();
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains("account: ") && message.contains("is empty"),
            "{}: {message}",
            operation.name
        );
    }
    assert_unchanged(&server).await;
}

#[tokio::test]
async fn put_fixtures_with_empty_account_is_refused_with_its_place() {
    let server = TestServer::start().await;
    create_protected_account(&server).await;
    let detection = "bizmori.createAiDetection";
    for (document, place) in [
        (json!({"accounts": [{"key": ""}]}), "accounts[0].key"),
        (
            json!({"webhooks": [{"account": "", "url": "http://127.0.0.1:1/"}]}),
            "webhooks[0].account",
        ),
        (
            json!({"rules": [{"account": "", "then": {"delayMs": 1}}]}),
            "rules[0].account",
        ),
        (
            json!({"orders": [{"account": "", "operation": detection, "files": []}]}),
            "orders[0].account",
        ),
    ] {
        let put = reqwest::Method::PUT;
        let response = server
            .send(put, "/_mock/fixtures", &[], document.to_string())
            .await;
        assert_code(&response, 400, "bad_fixtures", place);
        let error = response.json()["error"].take();
        let message = error["message"].as_str().expect("a message");
        let prefix = format!("line 1, {place}: is empty");
        assert!(message.starts_with(&prefix), "{message}");
    }
    assert_unchanged(&server).await;
}

#[tokio::test]
async fn call_with_empty_key_in_path_is_refused() {
    let server = TestServer::start().await;
    create_protected_account(&server).await;
    for method in ["GET", "PUT", "DELETE"] {
        let method: reqwest::Method = method.parse().expect("a method");
        let response = server.send(method, "/_mock/accounts/", &[], "").await;
        let message = "/_mock/accounts/: the key is empty";
        let hint = "append a key to the path; GET /_mock/accounts lists all accounts";
        assert_refused(&response, 400, "bad_key", message, hint);
    }
    assert_unchanged(&server).await;
    let unknown: Value = server
        .send(reqwest::Method::GET, "/_mock/accounts//", &[], "")
        .await
        .json();
    assert_eq!(unknown["error"]["code"], "unknown_route");
}
