//! Views of clocks, advances to an instant, and orders that wait for client actions.

use reqwest::Method;
use serde_json::{Value, json};

use super::clock;
use crate::support::{T0, TestServer, picture};

const ADVANCE: &str = "/_mock/clock/advance";

#[tokio::test]
async fn get_clock_answers_if_it_is_default_and_the_next_job() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    let frozen = server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let offset = frozen["offsetMs"].clone();
    let expected = json!({"now": T0, "mode": "frozen", "offsetMs": offset, "isDefault": true,
        "next": null});
    assert_eq!(frozen, expected);
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let next = json!({"at": "2026-03-12T10:00:00.300Z", "kind": "order.process", "subject": id});
    let live = clock(&server, "live").await;
    assert_eq!((&live["isDefault"], &live["next"]), (&json!(true), &next));
    server.get("other", "/api/v2/orders").await;
    let other = clock(&server, "other").await;
    assert_eq!(
        (&other["isDefault"], &other["next"]),
        (&json!(true), &Value::Null)
    );
    let default = server
        .control(Method::GET, "/_mock/clock", &json!({}))
        .await;
    assert_eq!(
        default["next"], next,
        "the next job of all accounts that follow the default clock"
    );
    server.freeze("live").await;
    let own = clock(&server, "live").await;
    assert_eq!((&own["isDefault"], &own["next"]), (&json!(false), &next));
    let default = server
        .control(Method::GET, "/_mock/clock", &json!({}))
        .await;
    assert_eq!(
        default["next"],
        Value::Null,
        "the account has its own clock"
    );
    let unknown = clock(&server, "nobody").await;
    let actual = (&unknown["isDefault"], &unknown["accountKnown"]);
    assert_eq!(actual, (&json!(true), &json!(false)));
}

#[tokio::test]
async fn advance_to_an_instant_runs_all_jobs_due_by_then() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let to = json!({"account": "live", "to": "2026-03-12T19:00:01+09:00"});
    let result = server.control(Method::POST, ADVANCE, &to).await;
    let executed =
        json!([{"at": "2026-03-12T10:00:00.300Z", "kind": "order.process", "subject": id}]);
    let expected = json!({"clock": "live", "now": "2026-03-12T10:00:01.000Z",
        "executed": executed, "waiting": []});
    assert_eq!(result, expected);
    let repeated = server.control(Method::POST, ADVANCE, &to).await;
    assert_eq!(
        repeated["executed"],
        json!([]),
        "the clock is already at this time"
    );
    let by = json!({"account": "live", "by": "1m 30s"});
    let result = server.control(Method::POST, ADVANCE, &by).await;
    assert_eq!(result["now"], "2026-03-12T10:01:31.000Z");
}

#[tokio::test]
async fn advance_to_invalid_instant_is_refused_and_creates_no_own_clock() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    server.get("live", "/api/v2/orders").await;
    let instant = "send an instant such as 2026-03-12T10:00:00.000Z, or next";
    let later = "send a later instant, at most 100 years ahead";
    for (body, code, message, hint) in [
        (
            json!({"to": "2026-03-12T09:59:59.999Z"}),
            "bad_instant",
            "to: cannot advance to 2026-03-12T09:59:59.999Z, as the clock shows 2026-03-12T10:00:00.000Z",
            later,
        ),
        (
            json!({"to": "9999-01-01T00:00:00Z"}),
            "bad_instant",
            "to: cannot advance to 9999-01-01T00:00:00Z, as the clock shows 2026-03-12T10:00:00.000Z",
            later,
        ),
        (
            json!({"to": "next week"}),
            "bad_instant",
            "to: invalid instant next week",
            instant,
        ),
        (
            json!({"by": 1, "to": T0}),
            "bad_body",
            "by and to are both set",
            "send one of them",
        ),
        (
            json!({}),
            "bad_body",
            "by or to is missing",
            "send one of them, such as {\"by\": \"10s\"}",
        ),
    ] {
        let mut body = body;
        body["account"] = json!("live");
        let response = server
            .send(Method::POST, ADVANCE, &[], body.to_string())
            .await;
        let error = json!({"code": code, "message": message, "hint": hint});
        assert_eq!(
            (response.status, response.json()),
            (400, json!({"error": error}))
        );
    }
    assert_eq!(clock(&server, "live").await["isDefault"], true);
}

#[tokio::test]
async fn advance_lists_orders_that_wait_for_client_actions() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let body = |key: &str| json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    let (upload, _) = server.create_detection("live", &body("upload")).await;
    let confirm = server
        .upload_detection("live", &body("confirm"), picture())
        .await;
    for processing in [json!("hold"), json!({"polls": 1})] {
        let rule = json!({"account": "live", "times": 1, "then": {"processing": processing}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
    }
    let release = server
        .confirm_detection("live", &body("release"), picture())
        .await;
    let poll = server
        .confirm_detection("live", &body("poll"), picture())
        .await;
    server
        .confirm_detection("live", &body("done"), picture())
        .await;
    let (other, _) = server.create_detection("other", &body("other")).await;
    let waiting = |kind: &str, id: &str| json!({"kind": kind, "subject": id, "at": null});
    let of_live = [
        waiting("order.upload", &upload),
        waiting("order.confirm", &confirm),
        waiting("order.release", &release),
        waiting("order.poll", &poll),
    ];
    let all = of_live
        .iter()
        .cloned()
        .chain([waiting("order.upload", &other)]);
    let result = server
        .control(Method::POST, ADVANCE, &json!({"by": "10s"}))
        .await;
    assert_eq!(result["clock"], "default");
    assert_eq!(result["waiting"], all.collect::<Value>());
    let live = json!({"account": "live", "by": 0});
    let result = server.control(Method::POST, ADVANCE, &live).await;
    assert_eq!(
        (&result["clock"], &result["waiting"]),
        (&json!("live"), &json!(of_live))
    );
    let result = server
        .control(Method::POST, ADVANCE, &json!({"by": 0}))
        .await;
    assert_eq!(
        result["waiting"],
        json!([waiting("order.upload", &other)]),
        "live has its own clock"
    );
}
