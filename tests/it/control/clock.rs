//! Clocks: read, frozen, set, running, advanced, jumping.

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

fn ms(of: &Value) -> i64 {
    let instant: jiff::Timestamp = of["now"].as_str().expect("a text").parse().expect("ISO");
    instant.as_millisecond()
}

#[tokio::test]
async fn the_default_clock_is_the_real_time() {
    let server = TestServer::start().await;
    let before = real_now().ms();
    let read = server
        .control(Method::GET, "/_mock/clock", &json!({}))
        .await;
    let after = real_now().ms();
    assert!((before..=after).contains(&ms(&read)), "{read}");
    assert_eq!(
        read,
        json!({"now": read["now"], "mode": "running", "offsetMs": 0, "isDefault": true, "next": null})
    );
    let account = clock(&server, "live").await;
    assert_eq!(
        account,
        json!({"accountKnown": false, "now": account["now"], "mode": "running", "offsetMs": 0,
            "isDefault": true, "next": null}),
        "an account without a clock of its own follows the default one"
    );
}

#[tokio::test]
async fn a_frozen_clock_stays_until_it_is_set() {
    let server = TestServer::start().await;
    let set = json!({"account": "live", "mode": "frozen", "now": T0});
    let set = server.control(Method::PUT, "/_mock/clock", &set).await;
    let shown = |of: &Value, now: &str| {
        let expected = json!({"now": now, "mode": "frozen", "offsetMs": of["offsetMs"],
            "isDefault": false, "next": null});
        let mut of = of.clone();
        of.as_object_mut().expect("a clock").remove("accountKnown");
        assert_eq!(of, expected);
        assert!(of["offsetMs"].is_i64(), "{of}");
    };
    shown(&set, T0);
    for _ in 0..3 {
        shown(&clock(&server, "live").await, T0);
    }
    let later = json!({"account": "live", "mode": "frozen", "now": "2026-03-12T19:00:00+09:00"});
    let later = server.control(Method::PUT, "/_mock/clock", &later).await;
    shown(&later, T0);
    let same = json!({"account": "live", "mode": "frozen"});
    let same = server.control(Method::PUT, "/_mock/clock", &same).await;
    shown(&same, T0);
    assert_eq!(clock(&server, "other").await["mode"], "running");
}

#[tokio::test]
async fn a_clock_runs_on_from_the_instant_it_is_set_to() {
    let server = TestServer::start_frozen("live").await;
    let set = json!({"account": "live", "mode": "running", "now": "2030-01-01T00:00:00.000Z"});
    let set = server.control(Method::PUT, "/_mock/clock", &set).await;
    let read = clock(&server, "live").await;
    assert!(ms(&set) >= 1_893_456_000_000, "{set}");
    assert!(ms(&read) >= ms(&set), "{read} {set}");
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
    assert!(created.as_millisecond() >= ms(&set), "{order}");
}

#[tokio::test]
async fn advance_takes_a_duration_or_milliseconds_of_an_account_or_of_the_default_clock() {
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
        let done = server
            .control(Method::POST, "/_mock/clock/advance", &body)
            .await;
        let clock = body["account"].as_str().unwrap_or("default");
        assert_eq!(done["clock"], clock, "{body}");
        assert_eq!(done["now"], now, "{body}");
        assert_eq!(
            (&done["executed"], &done["waiting"]),
            (&json!([]), &json!([]))
        );
    }
    let other = clock(&server, "other").await;
    assert_eq!(other["now"], "2026-03-13T12:01:01.500Z", "the default one");
    assert_eq!(
        clock(&server, "live").await["now"],
        "2026-03-13T13:01:00.501Z"
    );
}

#[tokio::test]
async fn advance_runs_each_piece_at_its_due_time_in_order_and_what_it_brings_about() {
    let (server, receiver) = (
        TestServer::start_frozen("live").await,
        Receiver::with_replies([Reply::Status(500), Reply::Status(200), Reply::Status(500)]).await,
    );
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = |key: &str| json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    let first = server
        .confirm_detection("live", &body("1"), picture())
        .await;
    server.advance("live", "PT0.1S").await;
    let second = server
        .confirm_detection("live", &body("2"), picture())
        .await;
    let done = server
        .control(
            Method::POST,
            "/_mock/clock/advance",
            &json!({"account": "live", "by": "P8D"}),
        )
        .await;
    let line =
        |at: &str, kind: &str, subject: &str| json!({"at": at, "kind": kind, "subject": subject});
    let deliver = |at: &str| {
        line(
            &format!("2026-03-12T10:00:{at}Z"),
            "webhook.deliver",
            &webhook,
        )
    };
    let process =
        |at: &str, id: &str| line(&format!("2026-03-12T10:00:{at}Z"), "order.process", id);
    let expected = json!({"clock": "live", "now": "2026-03-20T10:00:00.100Z", "waiting": [], "executed": [
        process("00.300", &first),
        deliver("00.300"),
        process("00.400", &second),
        deliver("00.400"),
        deliver("01.300"),
        deliver("03.300"),
        line("2026-03-19T10:00:00.000Z", "order.expire", &first),
        line("2026-03-19T10:00:00.100Z", "order.expire", &second),
    ]});
    let expected_count = receiver.count();
    assert_eq!(done, expected, "{expected_count} messages");
    receiver.messages(4).await;
}

#[tokio::test]
async fn two_accounts_keep_times_of_their_own_side_by_side() {
    let server = TestServer::start().await;
    let set = |account: &str, now: &str| json!({"account": account, "mode": "frozen", "now": now});
    for (account, now) in [("one", T0), ("two", "2020-01-01T00:00:00.000Z")] {
        let set = set(account, now);
        server.control(Method::PUT, "/_mock/clock", &set).await;
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
async fn the_default_clock_carries_all_that_follow_it_and_none_that_has_left_it() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let mut ids = Vec::new();
    for key in ["one", "two", "left"] {
        ids.push(server.confirm_detection(key, &body, picture()).await);
    }
    server.freeze("left").await;
    let by = json!({"by": "PT1S"});
    let done = server
        .control(Method::POST, "/_mock/clock/advance", &by)
        .await;
    let line = |id: &str| json!({"at": "2026-03-12T10:00:00.300Z", "kind": "order.process", "subject": id});
    let expected = json!({"clock": "default", "now": "2026-03-12T10:00:01.000Z", "waiting": [],
            "executed": [line(&ids[0]), line(&ids[1])]});
    assert_eq!(done, expected);
    assert_eq!(
        server.get_order("left", &ids[2]).await["status"],
        "inProgress"
    );
    assert_eq!(server.advance("left", "PT1S").await, ["order.process"]);
    assert_eq!(
        server.get_order("left", &ids[2]).await["status"],
        "complete"
    );
}
