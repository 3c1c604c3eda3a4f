//! Clocks: default and own ones, frozen, running, advanced and jumping.

mod advance;
mod jump;
mod view;

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::platform::clock::real_now;

use crate::support::{Receiver, Reply, T0, TestServer, picture};

async fn clock(server: &TestServer, account: &str) -> Value {
    let path = format!("/_mock/clock?account={account}");
    server.control(Method::GET, &path, &json!({})).await
}

/// Returns the instant of a clock in milliseconds.
fn now_ms(clock: &Value) -> i64 {
    let instant: jiff::Timestamp = clock["now"].as_str().expect("a text").parse().expect("ISO");
    instant.as_millisecond()
}

#[tokio::test]
async fn get_default_clock_answers_the_real_time() {
    let server = TestServer::start().await;
    let before = real_now().ms();
    let read = server
        .control(Method::GET, "/_mock/clock", &json!({}))
        .await;
    let after = real_now().ms();
    assert!((before..=after).contains(&now_ms(&read)), "{read}");
    assert_eq!(
        read,
        json!({"now": read["now"], "mode": "running", "offsetMs": 0, "isDefault": true, "next": null})
    );
    let account = clock(&server, "live").await;
    assert_eq!(
        account,
        json!({"accountKnown": false, "now": account["now"], "mode": "running", "offsetMs": 0,
            "isDefault": true, "next": null}),
        "an account without its own clock follows the default clock"
    );
}

#[tokio::test]
async fn freeze_clock_keeps_its_instant_until_set_again() {
    let server = TestServer::start().await;
    let put = async |body: Value| server.control(Method::PUT, "/_mock/clock", &body).await;
    let assert_frozen_at_t0 = |clock: &Value| {
        let expected = json!({"now": T0, "mode": "frozen", "offsetMs": clock["offsetMs"],
            "isDefault": false, "next": null});
        let mut actual = clock.clone();
        let fields = actual.as_object_mut().expect("a clock");
        fields.remove("accountKnown");
        assert_eq!(actual, expected);
        assert!(clock["offsetMs"].is_i64(), "{clock}");
    };
    let set = put(json!({"account": "live", "mode": "frozen", "now": T0})).await;
    assert_frozen_at_t0(&set);
    for _ in 0..3 {
        assert_frozen_at_t0(&clock(&server, "live").await);
    }
    let same_instant = "2026-03-12T19:00:00+09:00";
    let set = put(json!({"account": "live", "mode": "frozen", "now": same_instant})).await;
    assert_frozen_at_t0(&set);
    let set_again = put(json!({"account": "live", "mode": "frozen"})).await;
    assert_frozen_at_t0(&set_again);
    assert_eq!(clock(&server, "other").await["mode"], "running");
}

#[tokio::test]
async fn set_running_clock_to_an_instant_continues_from_it() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"account": "live", "mode": "running", "now": "2030-01-01T00:00:00.000Z"});
    let set = server.control(Method::PUT, "/_mock/clock", &body).await;
    let read = clock(&server, "live").await;
    assert!(now_ms(&set) >= 1_893_456_000_000, "{set}");
    assert!(now_ms(&read) >= now_ms(&set), "{read} {set}");
    assert_eq!(read["offsetMs"], set["offsetMs"]);
    assert_eq!(read["mode"], "running");
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let order = server.get_order("live", &id).await;
    assert_eq!(order["status"], "complete");
    let created: jiff::Timestamp = order["createdAt"]
        .as_str()
        .expect("a text")
        .parse()
        .expect("ISO");
    assert!(created.as_millisecond() >= now_ms(&set), "{order}");
}

#[tokio::test]
async fn advance_by_duration_or_milliseconds_moves_own_or_default_clock() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    for (body, now) in [
        (json!({"by": "PT1M"}), "2026-03-12T10:01:00.000Z"),
        (json!({"by": 500}), "2026-03-12T10:01:00.500Z"),
        (json!({"by": 0}), "2026-03-12T10:01:00.500Z"),
        (json!({"by": "P1DT2H"}), "2026-03-13T12:01:00.500Z"),
        (
            json!({"by": "PT1H", "account": "live"}),
            "2026-03-13T13:01:00.500Z",
        ),
        (
            json!({"by": "PT0.001S", "account": "live"}),
            "2026-03-13T13:01:00.501Z",
        ),
        (json!({"by": "PT1S"}), "2026-03-13T12:01:01.500Z"),
    ] {
        let result = server
            .control(Method::POST, "/_mock/clock/advance", &body)
            .await;
        let clock = body["account"].as_str().unwrap_or("default");
        assert_eq!(result["clock"], clock, "{body}");
        assert_eq!(result["now"], now, "{body}");
        assert_eq!(
            (&result["executed"], &result["waiting"]),
            (&json!([]), &json!([]))
        );
    }
    let other = clock(&server, "other").await;
    assert_eq!(
        other["now"], "2026-03-13T12:01:01.500Z",
        "the default clock"
    );
    assert_eq!(
        clock(&server, "live").await["now"],
        "2026-03-13T13:01:00.501Z"
    );
}

#[tokio::test]
async fn advance_runs_jobs_and_their_follow_ups_in_order_of_due_time() {
    let server = TestServer::start_frozen("live").await;
    let replies = [500, 200, 500].map(Reply::Status);
    let receiver = Receiver::with_replies(replies).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = |key: &str| json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    let first = server
        .confirm_detection("live", &body("1"), picture())
        .await;
    server.advance("live", "PT0.1S").await;
    let second = server
        .confirm_detection("live", &body("2"), picture())
        .await;
    let result = server
        .control(
            Method::POST,
            "/_mock/clock/advance",
            &json!({"account": "live", "by": "P8D"}),
        )
        .await;
    let job =
        |at: &str, kind: &str, subject: &str| json!({"at": at, "kind": kind, "subject": subject});
    let deliver = |at: &str| {
        job(
            &format!("2026-03-12T10:00:{at}Z"),
            "webhook.deliver",
            &webhook,
        )
    };
    let process = |at: &str, id: &str| job(&format!("2026-03-12T10:00:{at}Z"), "order.process", id);
    let expected = json!({"clock": "live", "now": "2026-03-20T10:00:00.100Z", "waiting": [], "executed": [
        process("00.300", &first),
        deliver("00.300"),
        process("00.400", &second),
        deliver("00.400"),
        deliver("01.300"),
        deliver("03.300"),
        job("2026-03-19T10:00:00.000Z", "order.expire", &first),
        job("2026-03-19T10:00:00.100Z", "order.expire", &second),
    ]});
    let message_count = receiver.count();
    assert_eq!(result, expected, "{message_count} messages");
    receiver.messages(4).await;
}

#[tokio::test]
async fn freeze_two_accounts_keeps_their_times_independent() {
    let server = TestServer::start().await;
    for (account, now) in [("one", T0), ("two", "2020-01-01T00:00:00.000Z")] {
        let freeze = json!({"account": account, "mode": "frozen", "now": now});
        server.control(Method::PUT, "/_mock/clock", &freeze).await;
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let one = server.confirm_detection("one", &body, picture()).await;
    let two = server.confirm_detection("two", &body, picture()).await;
    assert_eq!(server.advance("one", "PT1S").await, ["order.process"]);
    let state = async |key: &str, id: &str| {
        let order = server.get_order(key, id).await;
        (order["status"].clone(), order["updatedAt"].clone())
    };
    assert_eq!(
        state("one", &one).await,
        (json!("complete"), json!("2026-03-12T10:00:00.300Z"))
    );
    assert_eq!(
        state("two", &two).await,
        (json!("inProgress"), json!("2020-01-01T00:00:00.000Z"))
    );
    assert_eq!(server.advance("two", "PT1S").await, ["order.process"]);
    assert_eq!(
        state("two", &two).await,
        (json!("complete"), json!("2020-01-01T00:00:00.300Z"))
    );
    assert_eq!(
        clock(&server, "one").await["now"],
        "2026-03-12T10:00:01.000Z"
    );
}

#[tokio::test]
async fn advance_default_clock_runs_jobs_of_accounts_without_own_clock() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let mut ids = Vec::new();
    for key in ["one", "two", "own"] {
        ids.push(server.confirm_detection(key, &body, picture()).await);
    }
    server.freeze("own").await;
    let by = json!({"by": "PT1S"});
    let result = server
        .control(Method::POST, "/_mock/clock/advance", &by)
        .await;
    let processed = |id: &str| json!({"at": "2026-03-12T10:00:00.300Z", "kind": "order.process", "subject": id});
    let expected = json!({"clock": "default", "now": "2026-03-12T10:00:01.000Z", "waiting": [],
            "executed": [processed(&ids[0]), processed(&ids[1])]});
    assert_eq!(result, expected);
    assert_eq!(
        server.get_order("own", &ids[2]).await["status"],
        "inProgress"
    );
    assert_eq!(server.advance("own", "PT1S").await, ["order.process"]);
    assert_eq!(server.get_order("own", &ids[2]).await["status"], "complete");
}
