//! How many calls a minute are taken of a key, by its plan, and what the others are told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const FREE: &str =
    "plan free: the 60 calls of the minute that began at 2026-03-12T10:00:00.000Z are used up";

/// A server where the clock of `live` stands at 10:00, with these settings.
async fn limited(settings: &Value) -> TestServer {
    let server = TestServer::start_frozen("live").await;
    set(&server, "live", settings).await;
    server
}

async fn set(server: &TestServer, key: &str, settings: &Value) {
    let path = format!("/_mock/accounts/{key}");
    server.control(Method::PUT, &path, settings).await;
}

/// Calls with that key until one is refused: how many were taken, and the one that was not.
async fn exhaust(server: &TestServer, key: &str) -> (u32, TestResponse) {
    for limit in 0..=2_000 {
        let response = server.get(key, WEBHOOKS).await;
        if response.status != 200 {
            return (limit, response);
        }
    }
    panic!("all calls are taken");
}

fn assert_limited(response: &TestResponse, retry_after_s: &str, why: &str) {
    response.assert_refused(429, "RATE_LIMIT_EXCEEDED", why);
    assert_eq!(response.header("retry-after"), retry_after_s);
}

#[tokio::test]
async fn a_minute_takes_as_many_calls_as_the_plan_says_and_the_next_minute_again() {
    let server = limited(&json!({"plan": "free"})).await;
    let (limit, refused) = exhaust(&server, "live").await;
    assert_eq!(limit, 60);
    assert_limited(&refused, "60", FREE);
    server.advance("live", "PT59.001S").await;
    let refused = server.get("live", WEBHOOKS).await;
    assert_limited(&refused, "1", FREE);
    server.advance("live", "PT0.999S").await;
    let (limit, refused) = exhaust(&server, "live").await;
    assert_eq!(limit, 60);
    let why = FREE.replace("10:00", "10:01");
    assert_limited(&refused, "60", &why);
}

#[tokio::test]
async fn each_plan_has_its_number_and_an_account_may_have_one_of_its_own() {
    for (settings, calls, filter) in [
        (json!({"plan": "pro"}), 300, "plan pro"),
        (json!({"plan": "enterprise"}), 1_000, "plan enterprise"),
        (
            json!({"plan": "free", "requestsPerMinute": 61}),
            61,
            "plan free, requestsPerMinute set",
        ),
        (
            json!({"requestsPerMinute": 2}),
            2,
            "plan unlimited, requestsPerMinute set",
        ),
        (
            json!({"plan": "pro", "requestsPerMinute": 0}),
            0,
            "plan pro, requestsPerMinute set",
        ),
    ] {
        let server = limited(&settings).await;
        let (limit, refused) = exhaust(&server, "live").await;
        assert_eq!(limit, calls, "{settings}");
        let why = format!(
            "{filter}: the {calls} calls of the minute that began at 2026-03-12T10:00:00.000Z are used up"
        );
        assert_limited(&refused, "60", &why);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_begins_a_new_minute() {
    let server = limited(&json!({"requestsPerMinute": 1})).await;
    assert_eq!(exhaust(&server, "live").await.0, 1);
    let back = json!({"account": "live", "mode": "frozen", "now": "2026-03-12T09:59:59.999Z"});
    server.control(Method::PUT, "/_mock/clock", &back).await;
    assert_eq!(exhaust(&server, "live").await.0, 1);
}

#[tokio::test]
async fn a_key_that_is_used_up_touches_no_other_and_none_of_its_own_files() {
    let server = limited(&json!({})).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection("live", &body).await;
    let (_, test_upload) = server.create_detection("sk_test_1", &body).await;
    for key in ["live", "sk_test_1"] {
        set(&server, key, &json!({"requestsPerMinute": 1})).await;
        assert_eq!(exhaust(&server, key).await.0, 1, "{key}");
    }
    server.put(&upload, picture()).await;
    server.put(&upload, picture()).await;
    let counted = server.send(Method::PUT, &test_upload, &[], "x").await;
    assert_eq!(counted.status, 200, "{}", counted.text());
    assert_eq!(server.get("other", WEBHOOKS).await.status, 200);
    set(&server, "live", &json!({})).await;
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn too_many_calls_are_refused_before_what_they_ask_and_after_who_asks() {
    let server = limited(&json!({"plan": "free"})).await;
    exhaust(&server, "live").await;
    let nonsense = server.get("live", &format!("{WEBHOOKS}?page=x")).await;
    assert_limited(&nonsense, "60", FREE);
    set(
        &server,
        "live",
        &json!({"plan": "free", "state": "forbidden"}),
    )
    .await;
    server.get("live", WEBHOOKS).await.assert_refused(
        403,
        "AUTH_FORBIDDEN",
        "Authorization: key state overridden via /_mock/accounts",
    );
}

#[tokio::test]
async fn undetectable_counts_the_calls_that_show_a_key_with_those_of_bizmori() {
    let server = limited(&json!({"plan": "free", "requestsPerMinute": 3})).await;
    let credits = async |key: &str| {
        let headers = [("apikey", key)];
        let path = "/check-user-credits";
        server.send(Method::GET, path, &headers, "").await
    };
    assert_eq!(credits("live").await.status, 200);
    let place = "/get-presigned-url?file_name=a.jpg";
    let headers = [("apikey", "live")];
    let presigned = server.send(Method::GET, place, &headers, "").await;
    assert_eq!(presigned.status, 200, "{}", presigned.text());
    assert_eq!(server.get("live", WEBHOOKS).await.status, 200);

    let why = "plan free, requestsPerMinute set: the 3 calls of the minute that began at 2026-03-12T10:00:00.000Z are used up";
    let body = r#"{"key": "live", "url": "http://127.0.0.1/uploads/a.jpg"}"#;
    let json = [("content-type", "application/json")];
    for refused in [
        credits("live").await,
        server.send(Method::GET, place, &headers, "").await,
        server.send(Method::POST, "/detect", &json, body).await,
    ] {
        let expected = (
            429,
            r#"{"error":"Too many requests"}"#.to_owned(),
            why.to_owned(),
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
