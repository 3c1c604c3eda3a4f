//! Rate limits: calls per minute of a key, by its plan.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const FREE: &str = "plan free: rate limit reached, 60 calls in the minute that started at 2026-03-12T10:00:00.000Z";

/// Starts a server with `live` frozen at 10:00 and configured by `settings`.
async fn start_with_account(settings: &Value) -> TestServer {
    let server = TestServer::start_frozen("live").await;
    set_account(&server, "live", settings).await;
    server
}

async fn set_account(server: &TestServer, key: &str, settings: &Value) {
    let path = format!("/_mock/accounts/{key}");
    server.control(Method::PUT, &path, settings).await;
}

/// Calls until one call is refused. Returns the number of accepted calls and the refusal.
async fn exhaust(server: &TestServer, key: &str) -> (u32, TestResponse) {
    for accepted in 0..=2_000 {
        let response = server.get(key, WEBHOOKS).await;
        if response.status != 200 {
            return (accepted, response);
        }
    }
    panic!("no call is refused");
}

fn assert_limited(response: &TestResponse, retry_after_s: &str, reason: &str) {
    response.assert_refused(429, "RATE_LIMIT_EXCEEDED", reason);
    assert_eq!(response.header("retry-after"), retry_after_s);
}

#[tokio::test]
async fn exceed_plan_limit_answers_429_until_the_next_minute() {
    let server = start_with_account(&json!({"plan": "free"})).await;
    let (accepted, refused) = exhaust(&server, "live").await;
    assert_eq!(accepted, 60);
    assert_limited(&refused, "60", FREE);
    server.advance("live", "PT59.001S").await;
    let refused = server.get("live", WEBHOOKS).await;
    assert_limited(&refused, "1", FREE);
    server.advance("live", "PT0.999S").await;
    let (accepted, refused) = exhaust(&server, "live").await;
    assert_eq!(accepted, 60);
    let reason = FREE.replace("10:00", "10:01");
    assert_limited(&refused, "60", &reason);
}

#[tokio::test]
async fn exceed_limit_of_any_plan_or_account_answers_429() {
    for (settings, calls, plan) in [
        (json!({"plan": "pro"}), 300, "plan pro"),
        (json!({"plan": "enterprise"}), 1_000, "plan enterprise"),
        (
            json!({"plan": "free", "requestsPerMinute": 61}),
            61,
            "plan free, with requestsPerMinute set",
        ),
        (
            json!({"requestsPerMinute": 2}),
            2,
            "plan unlimited, with requestsPerMinute set",
        ),
        (
            json!({"plan": "pro", "requestsPerMinute": 0}),
            0,
            "plan pro, with requestsPerMinute set",
        ),
    ] {
        let server = start_with_account(&settings).await;
        let (accepted, refused) = exhaust(&server, "live").await;
        assert_eq!(accepted, calls, "{settings}");
        let reason = format!(
            "{plan}: rate limit reached, {calls} calls in the minute that started at 2026-03-12T10:00:00.000Z"
        );
        assert_limited(&refused, "60", &reason);
    }
}

#[tokio::test]
async fn set_clock_back_starts_a_new_rate_window() {
    let server = start_with_account(&json!({"requestsPerMinute": 1})).await;
    assert_eq!(exhaust(&server, "live").await.0, 1);
    let earlier = json!({"account": "live", "mode": "frozen", "now": "2026-03-12T09:59:59.999Z"});
    server.control(Method::PUT, "/_mock/clock", &earlier).await;
    assert_eq!(exhaust(&server, "live").await.0, 1);
}

#[tokio::test]
async fn exhaust_one_key_leaves_other_keys_and_uploads_working() {
    let server = start_with_account(&json!({})).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection("live", &body).await;
    let (_, test_upload) = server.create_detection("sk_test_1", &body).await;
    for key in ["live", "sk_test_1"] {
        set_account(&server, key, &json!({"requestsPerMinute": 1})).await;
        assert_eq!(exhaust(&server, key).await.0, 1, "{key}");
    }
    server.put(&upload, picture()).await;
    server.put(&upload, picture()).await;
    let uploaded = server.send(Method::PUT, &test_upload, &[], "x").await;
    assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    assert_eq!(server.get("other", WEBHOOKS).await.status, 200);
    set_account(&server, "live", &json!({})).await;
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn exceed_limit_answers_429_after_authentication_and_before_validation() {
    let server = start_with_account(&json!({"plan": "free"})).await;
    exhaust(&server, "live").await;
    let invalid = server.get("live", &format!("{WEBHOOKS}?page=x")).await;
    assert_limited(&invalid, "60", FREE);
    set_account(
        &server,
        "live",
        &json!({"plan": "free", "state": "forbidden"}),
    )
    .await;
    server.get("live", WEBHOOKS).await.assert_refused(
        403,
        "AUTH_FORBIDDEN",
        "Authorization: the key's state was set so by the control plane",
    );
}

#[tokio::test]
async fn exceed_limit_with_calls_of_both_vendors_counts_them_together() {
    let server = start_with_account(&json!({"plan": "free", "requestsPerMinute": 3})).await;
    let credits = async |key: &str| {
        let headers = [("apikey", key)];
        let path = "/check-user-credits";
        server.send(Method::GET, path, &headers, "").await
    };
    assert_eq!(credits("live").await.status, 200);
    let path = "/get-presigned-url?file_name=a.jpg";
    let headers = [("apikey", "live")];
    let presigned = server.send(Method::GET, path, &headers, "").await;
    assert_eq!(presigned.status, 200, "{}", presigned.text());
    assert_eq!(server.get("live", WEBHOOKS).await.status, 200);

    let reason = "plan free, with requestsPerMinute set: rate limit reached, 3 calls in the minute that started at 2026-03-12T10:00:00.000Z";
    let body = r#"{"key": "live", "url": "http://127.0.0.1/uploads/a.jpg"}"#;
    let json = [("content-type", "application/json")];
    for refused in [
        credits("live").await,
        server.send(Method::GET, path, &headers, "").await,
        server.send(Method::POST, "/detect", &json, body).await,
    ] {
        let expected = (
            429,
            r#"{"error":"Too many requests"}"#.to_owned(),
            reason.to_owned(),
        );
        assert_eq!(refused.error_of(), expected);
        assert_eq!(refused.header("retry-after"), "60");
        assert_eq!(refused.header("content-type"), "application/json");
    }
    let query = r#"{"id": "00000000-0000-4000-8000-000000000000"}"#;
    let response = server.send(Method::POST, "/query", &json, query).await;
    assert_eq!((response.status, response.text()), (200, "null".to_owned()));
    assert_eq!(credits("other").await.status, 200);
    server.advance("live", "PT1M").await;
    assert_eq!(credits("live").await.status, 200);
}
