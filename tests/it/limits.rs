//! How many calls a minute are taken of a key, by its plan, and what the others are told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const FREE: &str =
    "plan free: the 60 calls of the minute that began at 2026-03-12T10:00:00.000Z are used up";

/// A server where the clock of `live` stands at 10:00, with these settings.
async fn limited(settings: &Value) -> TestServer {
    let stunt = TestServer::start_frozen("live").await;
    set(&stunt, "live", settings).await;
    stunt
}

async fn set(stunt: &TestServer, key: &str, settings: &Value) {
    let path = format!("/_mock/accounts/{key}");
    stunt.control(Method::PUT, &path, settings).await;
}

/// Calls with that key until one is refused: how many were taken, and the one that was not.
async fn exhaust(stunt: &TestServer, key: &str) -> (u32, TestResponse) {
    for limit in 0..=2_000 {
        let answer = stunt.get(key, WEBHOOKS).await;
        if answer.status != 200 {
            return (limit, answer);
        }
    }
    panic!("all calls are taken");
}

fn assert_limited(answer: &TestResponse, retry_after_s: &str, why: &str) {
    answer.assert_refused(429, "RATE_LIMIT_EXCEEDED", why);
    assert_eq!(answer.header("retry-after"), retry_after_s);
}

#[tokio::test]
async fn a_minute_takes_as_many_calls_as_the_plan_says_and_the_next_minute_again() {
    let stunt = limited(&json!({"plan": "free"})).await;
    let (limit, refused) = exhaust(&stunt, "live").await;
    assert_eq!(limit, 60);
    assert_limited(&refused, "60", FREE);
    stunt.advance("live", "PT59.001S").await;
    let refused = stunt.get("live", WEBHOOKS).await;
    assert_limited(&refused, "1", FREE);
    stunt.advance("live", "PT0.999S").await;
    let (limit, refused) = exhaust(&stunt, "live").await;
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
        let stunt = limited(&settings).await;
        let (limit, refused) = exhaust(&stunt, "live").await;
        assert_eq!(limit, calls, "{settings}");
        let why = format!(
            "{filter}: the {calls} calls of the minute that began at 2026-03-12T10:00:00.000Z are used up"
        );
        assert_limited(&refused, "60", &why);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_begins_a_new_minute() {
    let stunt = limited(&json!({"requestsPerMinute": 1})).await;
    assert_eq!(exhaust(&stunt, "live").await.0, 1);
    let back = json!({"account": "live", "mode": "frozen", "now": "2026-03-12T09:59:59.999Z"});
    stunt.control(Method::PUT, "/_mock/clock", &back).await;
    assert_eq!(exhaust(&stunt, "live").await.0, 1);
}

#[tokio::test]
async fn a_key_that_is_used_up_touches_no_other_and_none_of_its_own_files() {
    let stunt = limited(&json!({})).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, upload) = stunt.create_detection("live", &body).await;
    let (_, test_upload) = stunt.create_detection("sk_test_1", &body).await;
    for key in ["live", "sk_test_1"] {
        set(&stunt, key, &json!({"requestsPerMinute": 1})).await;
        assert_eq!(exhaust(&stunt, key).await.0, 1, "{key}");
    }
    stunt.put(&upload, picture()).await;
    stunt.put(&upload, picture()).await;
    let counted = stunt.send(Method::PUT, &test_upload, &[], "x").await;
    assert_eq!(counted.status, 200, "{}", counted.text());
    assert_eq!(stunt.get("other", WEBHOOKS).await.status, 200);
    set(&stunt, "live", &json!({})).await;
    stunt.assert_healthy("live").await;
}

#[tokio::test]
async fn too_many_calls_are_refused_before_what_they_ask_and_after_who_asks() {
    let stunt = limited(&json!({"plan": "free"})).await;
    exhaust(&stunt, "live").await;
    let nonsense = stunt.get("live", &format!("{WEBHOOKS}?page=x")).await;
    assert_limited(&nonsense, "60", FREE);
    set(
        &stunt,
        "live",
        &json!({"plan": "free", "state": "forbidden"}),
    )
    .await;
    stunt.get("live", WEBHOOKS).await.assert_refused(
        403,
        "AUTH_FORBIDDEN",
        "Authorization: the key's state was set so by the control plane",
    );
}

#[tokio::test]
async fn undetectable_counts_the_calls_that_show_a_key_with_those_of_bizmori() {
    let stunt = limited(&json!({"plan": "free", "requestsPerMinute": 3})).await;
    let credits = async |key: &str| {
        let headers = [("apikey", key)];
        let path = "/check-user-credits";
        stunt.send(Method::GET, path, &headers, "").await
    };
    assert_eq!(credits("live").await.status, 200);
    let place = "/get-presigned-url?file_name=a.jpg";
    let headers = [("apikey", "live")];
    let presigned = stunt.send(Method::GET, place, &headers, "").await;
    assert_eq!(presigned.status, 200, "{}", presigned.text());
    assert_eq!(stunt.get("live", WEBHOOKS).await.status, 200);

    let why = "plan free, requestsPerMinute set: the 3 calls of the minute that began at 2026-03-12T10:00:00.000Z are used up";
    let body = r#"{"key": "live", "url": "http://127.0.0.1/uploads/a.jpg"}"#;
    let json = [("content-type", "application/json")];
    for refused in [
        credits("live").await,
        stunt.send(Method::GET, place, &headers, "").await,
        stunt.send(Method::POST, "/detect", &json, body).await,
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
    let response = stunt.send(Method::POST, "/query", &json, query).await;
    assert_eq!((response.status, response.text()), (200, "null".to_owned()));
    assert_eq!(credits("other").await.status, 200);
    stunt.advance("live", "PT1M").await;
    assert_eq!(credits("live").await.status, 200);
}
