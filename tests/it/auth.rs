//! Authentication by the BIZ MORI API, and its errors.

use reqwest::Method;
use serde_json::json;
use stuntdouble::settings::KeyMode;

use crate::support::{TestResponse, TestServer};

const DETECTION: &str = "/api/v2/orders/ai-detection";
const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const STATE_OVERRIDDEN: &str = "Authorization: the key's state was set so by the control plane";

/// Calls every kind of route with an invalid body, id or query. Returns the responses.
async fn send_invalid_calls(server: &TestServer, headers: &[(&str, &str)]) -> Vec<TestResponse> {
    let mut responses = Vec::new();
    for (method, path) in [
        (Method::POST, DETECTION.to_owned()),
        (Method::POST, format!("{DETECTION}/confirm")),
        (Method::POST, "/api/v2/orders/anti-ai".to_owned()),
        (Method::POST, "/api/v2/orders/anti-ai/confirm".to_owned()),
        (Method::GET, "/api/v2/orders/x".to_owned()),
        (Method::GET, "/api/v2/orders/%ff/download".to_owned()),
        (Method::POST, WEBHOOKS.to_owned()),
        (Method::GET, format!("{WEBHOOKS}?page=x")),
        (Method::GET, format!("{WEBHOOKS}/x")),
        (Method::PUT, format!("{WEBHOOKS}/x")),
        (Method::DELETE, format!("{WEBHOOKS}/x")),
        (Method::GET, format!("{WEBHOOKS}/x/events?page=x")),
    ] {
        responses.push(server.send(method, &path, headers, "{nonsense").await);
    }
    responses
}

#[tokio::test]
async fn call_without_key_answers_not_authenticated() {
    let server = TestServer::start().await;
    for response in send_invalid_calls(&server, &[]).await {
        response.assert_refused(401, "AUTH_NOT_AUTHENTICATED", "Authorization: missing");
    }
    let accounts = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(
        accounts,
        json!({"accounts": [], "next": null}),
        "no account is created"
    );
}

#[tokio::test]
async fn call_without_bearer_key_answers_invalid_format() {
    let server = TestServer::start().await;
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic bGl2ZTo=",
        "live",
        "Token live",
        "Bearer \u{e9}",
        "Bearerlive",
    ] {
        for response in send_invalid_calls(&server, &[("authorization", value)]).await {
            response.assert_refused(
                401,
                "AUTH_TOKEN_INVALID_FORMAT",
                "Authorization: is not of the form Bearer KEY",
            );
        }
    }
    for value in ["Bearer live", "bearer live", "BEARER  live"] {
        let webhooks = server
            .send(Method::GET, WEBHOOKS, &[("authorization", value)], "")
            .await;
        assert_eq!(webhooks.status, 200, "{value}: {}", webhooks.text());
    }
}

#[tokio::test]
async fn call_with_unknown_key_in_strict_mode_answers_token_invalid() {
    let server = TestServer::with_config(|config| config.mode = KeyMode::Strict).await;
    for response in send_invalid_calls(&server, &[("authorization", "Bearer live")]).await {
        response.assert_refused(
            401,
            "AUTH_TOKEN_INVALID",
            "Authorization: no account has this key, and unknown keys are rejected (mode strict)",
        );
    }
    server
        .control(Method::PUT, "/_mock/accounts/live", &json!({}))
        .await;
    server.freeze("live").await;
    server.assert_healthy("live").await;
    server
        .control(Method::DELETE, "/_mock/accounts/live", &json!({}))
        .await;
    let response = server.get("live", WEBHOOKS).await;
    assert_eq!(response.status, 401, "{}", response.text());
}

#[tokio::test]
async fn call_with_inactive_account_answers_its_state_before_other_errors() {
    let server = TestServer::start_frozen("live").await;
    for (state, status, code) in [
        ("expired", 401, "AUTH_TOKEN_EXPIRED"),
        ("forbidden", 403, "AUTH_FORBIDDEN"),
        ("unknown", 401, "AUTH_TOKEN_INVALID"),
    ] {
        let set = json!({"state": state});
        server
            .control(Method::PUT, "/_mock/accounts/live", &set)
            .await;
        for response in send_invalid_calls(&server, &[("authorization", "Bearer live")]).await {
            response.assert_refused(status, code, STATE_OVERRIDDEN);
        }
    }
    let other = server.get("other", WEBHOOKS).await;
    assert_eq!(other.status, 200, "another key is not affected");
    let set = json!({"state": "active"});
    server
        .control(Method::PUT, "/_mock/accounts/live", &set)
        .await;
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn read_with_another_key_answers_not_owner_or_not_found() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    let (webhook, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let order = server.get("other", &format!("/api/v2/orders/{id}")).await;
    let reason = format!("order {id} is another key's");
    order.assert_refused(403, "ORDER_NOT_OWNER", &reason);
    let path = format!("{WEBHOOKS}/{webhook}");
    let reason = format!("this key has no webhook {webhook}");
    for response in [
        server.get("other", &path).await,
        server.get("other", &format!("{path}/events")).await,
        server
            .call(Method::DELETE, "other", &path, &json!({}))
            .await,
    ] {
        response.assert_refused(404, "WEBHOOK_NOT_FOUND", &reason);
    }
    let webhooks = server.get("other", WEBHOOKS).await.json();
    assert_eq!(webhooks["data"]["webhooks"], json!([]));
    let own = server.get("live", &path).await;
    assert_eq!(own.json()["data"]["id"].to_string(), webhook);
}

#[tokio::test]
async fn call_with_key_over_1000_characters_is_refused_and_creates_no_account() {
    let server = TestServer::start().await;
    let longest = "k".repeat(1_000);
    let too_long = "k".repeat(1_001);
    let path = "/api/v2/orders/webhooks";
    let reason = "Authorization: the key is longer than 1000 characters";
    let response = server.get(&too_long, path).await;
    response.assert_refused(401, "AUTH_TOKEN_INVALID", reason);
    let headers = [("apikey", too_long.as_str())];
    let credits = server
        .send(Method::GET, "/check-user-credits", &headers, "")
        .await;
    assert_eq!(credits.status, 403, "{}", credits.text());
    for (method, path, code) in [
        (Method::PUT, format!("/_mock/accounts/{too_long}"), 400),
        (Method::GET, format!("/_mock/clock?account={too_long}"), 200),
    ] {
        let response = server.send(method, &path, &[], "").await;
        assert_eq!(response.status, code, "{}", response.text());
    }
    assert_eq!(server.get(&longest, path).await.status, 200);
    let listing = server
        .control(Method::GET, "/_mock/accounts?limit=1000", &json!({}))
        .await;
    let accounts = listing["accounts"].as_array().expect("a list");
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["key"], longest);
}
