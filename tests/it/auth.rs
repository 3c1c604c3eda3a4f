//! Who is let in by BIZ MORI's front door, and what the others are told.

use reqwest::Method;
use serde_json::json;
use stuntdouble::settings::KeyMode;

use crate::support::{TestResponse, TestServer};

const DETECTION: &str = "/api/v2/orders/ai-detection";
const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const SET_SO: &str = "Authorization: key state overridden via /_mock/accounts";

/// A call whose body, id and query are as bad as can be, with these headers.
async fn bad_calls(server: &TestServer, headers: &[(&str, &str)]) -> Vec<TestResponse> {
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
async fn a_call_without_a_key_is_not_authenticated_whatever_it_asks() {
    let server = TestServer::start().await;
    for response in bad_calls(&server, &[]).await {
        response.assert_refused(401, "AUTH_NOT_AUTHENTICATED", "Authorization: missing");
    }
    let listed = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(
        listed,
        json!({"accounts": [], "next": null}),
        "nobody was made of nothing"
    );
}

#[tokio::test]
async fn what_is_not_bearer_and_a_key_is_of_an_invalid_format() {
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
        for response in bad_calls(&server, &[("authorization", value)]).await {
            response.assert_refused(
                401,
                "AUTH_TOKEN_INVALID_FORMAT",
                "Authorization: expected Bearer KEY",
            );
        }
    }
    for value in ["Bearer live", "bearer live", "BEARER  live"] {
        let listed = server
            .send(Method::GET, WEBHOOKS, &[("authorization", value)], "")
            .await;
        assert_eq!(listed.status, 200, "{value}: {}", listed.text());
    }
}

#[tokio::test]
async fn a_key_nobody_set_up_is_invalid_where_the_mode_is_strict() {
    let server = TestServer::with_config(|config| config.mode = KeyMode::Strict).await;
    for reply in bad_calls(&server, &[("authorization", "Bearer live")]).await {
        reply.assert_refused(
            401,
            "AUTH_TOKEN_INVALID",
            "Authorization: no account has this key, and the mode is strict",
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
async fn the_state_of_an_account_is_told_before_anything_else() {
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
        for response in bad_calls(&server, &[("authorization", "Bearer live")]).await {
            response.assert_refused(status, code, SET_SO);
        }
    }
    let other = server.get("other", WEBHOOKS).await;
    assert_eq!(other.status, 200, "another key is not touched");
    let set = json!({"state": "active"});
    server
        .control(Method::PUT, "/_mock/accounts/live", &set)
        .await;
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn one_key_never_sees_what_is_anothers() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    let (webhook, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let order = server.get("other", &format!("/api/v2/orders/{id}")).await;
    let why = format!("order {id} belongs to another API key");
    order.assert_refused(403, "ORDER_NOT_OWNER", &why);
    let path = format!("{WEBHOOKS}/{webhook}");
    let why = format!("this key has no webhook {webhook}");
    for response in [
        server.get("other", &path).await,
        server.get("other", &format!("{path}/events")).await,
        server
            .call(Method::DELETE, "other", &path, &json!({}))
            .await,
    ] {
        response.assert_refused(404, "WEBHOOK_NOT_FOUND", &why);
    }
    let listed = server.get("other", WEBHOOKS).await.json();
    assert_eq!(listed["data"]["webhooks"], json!([]));
    let mine = server.get("live", &path).await;
    assert_eq!(mine.json()["data"]["id"].to_string(), webhook);
}

#[tokio::test]
async fn call_with_a_key_of_over_1000_characters_is_refused_and_makes_no_account() {
    let server = TestServer::start().await;
    let (longest, too_long) = ("k".repeat(1_000), "k".repeat(1_001));
    let path = "/api/v2/orders/webhooks";
    let why = "Authorization: the key has more than 1000 characters";
    let response = server.get(&too_long, path).await;
    response.assert_refused(401, "AUTH_TOKEN_INVALID", why);
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
    let listed = server
        .control(Method::GET, "/_mock/accounts?limit=1000", &json!({}))
        .await;
    let accounts = listed["accounts"].as_array().expect("a list");
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["key"], longest);
}
