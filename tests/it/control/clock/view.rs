//! Clocks as they are shown, advances to an instant, and what clients then still owe.

use reqwest::Method;
use serde_json::{Value, json};

use super::clock;
use crate::support::{T0, TestServer, picture};

const ADVANCE: &str = "/_mock/clock/advance";

#[tokio::test]
async fn a_clock_shows_whose_it_is_and_what_is_due_next() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    let set = server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let offset = set["offsetMs"].clone();
    let expected = json!({"now": T0, "mode": "frozen", "offsetMs": offset, "isDefault": true,
        "next": null});
    assert_eq!(set, expected);
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let next = json!({"at": "2026-03-12T10:00:00.300Z", "kind": "order.process", "subject": id});
    let shown = clock(&server, "live").await;
    assert_eq!((&shown["isDefault"], &shown["next"]), (&json!(true), &next));
    server.get("other", "/api/v2/orders").await;
    let other = clock(&server, "other").await;
    assert_eq!(
        (&other["isDefault"], &other["next"]),
        (&json!(true), &Value::Null)
    );
    let default = server
        .control(Method::GET, "/_mock/clock", &json!({}))
        .await;
    assert_eq!(default["next"], next, "of all that follow it");
    server.freeze("live").await;
    let own = clock(&server, "live").await;
    assert_eq!((&own["isDefault"], &own["next"]), (&json!(false), &next));
    let default = server
        .control(Method::GET, "/_mock/clock", &json!({}))
        .await;
    assert_eq!(default["next"], Value::Null, "the account has left it");
    let unknown = clock(&server, "nobody").await;
    let (is_default, known) = (&unknown["isDefault"], &unknown["accountKnown"]);
    assert_eq!((is_default, known), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn advance_to_an_instant_runs_all_that_is_due_by_then() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let to = json!({"account": "live", "to": "2026-03-12T19:00:01+09:00"});
    let done = server.control(Method::POST, ADVANCE, &to).await;
    let executed =
        json!([{"at": "2026-03-12T10:00:00.300Z", "kind": "order.process", "subject": id}]);
    let expected = json!({"clock": "live", "now": "2026-03-12T10:00:01.000Z",
        "executed": executed, "waiting": []});
    assert_eq!(done, expected);
    let there = server.control(Method::POST, ADVANCE, &to).await;
    assert_eq!(there["executed"], json!([]), "it is there already");
    let by = json!({"account": "live", "by": "1m 30s"});
    let done = server.control(Method::POST, ADVANCE, &by).await;
    assert_eq!(done["now"], "2026-03-12T10:01:31.000Z");
}

#[tokio::test]
async fn advance_to_nowhere_is_refused_and_gives_no_account_a_clock() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    server.get("live", "/api/v2/orders").await;
    let instant = "send an instant such as 2026-03-12T10:00:00.000Z";
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
async fn advance_names_what_clients_owe_the_orders_of_its_clock() {
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
    let owed = |kind: &str, id: &str| json!({"kind": kind, "subject": id, "at": null});
    let mine = [
        owed("order.upload", &upload),
        owed("order.confirm", &confirm),
        owed("order.release", &release),
        owed("order.poll", &poll),
    ];
    let all = mine.iter().cloned().chain([owed("order.upload", &other)]);
    let done = server
        .control(Method::POST, ADVANCE, &json!({"by": "10s"}))
        .await;
    assert_eq!(done["clock"], "default");
    assert_eq!(done["waiting"], all.collect::<Value>());
    let live = json!({"account": "live", "by": 0});
    let done = server.control(Method::POST, ADVANCE, &live).await;
    assert_eq!(
        (&done["clock"], &done["waiting"]),
        (&json!("live"), &json!(mine))
    );
    let done = server
        .control(Method::POST, ADVANCE, &json!({"by": 0}))
        .await;
    assert_eq!(
        done["waiting"],
        json!([owed("order.upload", &other)]),
        "it has left"
    );
}
