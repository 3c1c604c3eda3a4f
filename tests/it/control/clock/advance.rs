//! Advance: days of work in one call, each piece at its own due time.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::clock;
use crate::support::{Receiver, Reply, T0, TestServer, picture, raw};

const ADVANCE: &str = "/_mock/clock/advance";

#[tokio::test]
async fn seven_days_run_a_failing_webhook_and_an_unfinished_upload_each_at_its_own_time() {
    let (server, receiver) = (
        TestServer::start_frozen("live").await,
        Receiver::with_replies([Reply::Status(500); 14]).await,
    );
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let files = json!([{"fileName": "never.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "upload", "files": files});
    let created = server
        .post("live", "/api/v3/orders/wtr-embed", &body)
        .await
        .json();
    let unfinished = created["data"]["orderId"].as_str().expect("an id");
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let order = server.confirm_detection("live", &body, picture()).await;
    let advance = json!({"account": "live", "by": "P7D"});
    let done = server.control(Method::POST, ADVANCE, &advance).await;
    let line = |at: &str, kind: &str, subject: &str| json!({"at": format!("2026-03-{at}Z"), "kind": kind, "subject": subject});
    let delivered = |at: &str| line(at, "webhook.deliver", &webhook);
    let expected = json!({"clock": "live", "now": "2026-03-19T10:00:00.000Z", "waiting": [], "executed": [
        line("12T10:00:00.300", "order.process", &order),
        delivered("12T10:00:00.300"),
        delivered("12T10:00:01.300"),
        delivered("12T10:00:03.300"),
        delivered("12T10:00:07.300"),
        delivered("12T10:30:07.300"),
        delivered("12T12:30:07.300"),
        delivered("12T16:30:07.300"),
        line("12T22:00:00.000", "order.expireUploads", unfinished),
        delivered("12T22:00:00.000"),
        delivered("12T22:00:01.000"),
        delivered("12T22:00:03.000"),
        delivered("12T22:00:07.000"),
        delivered("12T22:30:07.000"),
        delivered("13T00:30:07.000"),
        delivered("13T04:30:07.000"),
        line("19T10:00:00.000", "order.expire", unfinished),
        line("19T10:00:00.000", "order.expire", &order),
    ]});
    assert_eq!(done, expected);
    assert_eq!(receiver.count(), 14, "each was sent before it answered");
}

#[tokio::test]
async fn first_advances_at_once_each_move_the_clock() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let advance = json!({"account": "live", "by": "PT1H"});
    let advance = || server.control(Method::POST, ADVANCE, &advance);
    tokio::join!(
        advance(),
        advance(),
        advance(),
        advance(),
        advance(),
        advance()
    );
    assert_eq!(
        clock(&server, "live").await["now"],
        "2026-03-12T16:00:00.000Z"
    );
    assert_eq!(clock(&server, "other").await["now"], T0);
}

#[tokio::test]
async fn an_advance_whose_client_hangs_up_is_carried_through() {
    let (server, receiver) = (
        TestServer::start_frozen("live").await,
        Receiver::with_replies([Reply::Status(500); 3]).await,
    );
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let advance = json!({"account": "live", "by": "P7D"}).to_string();
    let mut stream = raw::connect(&server.origin).await;
    let length = advance.len();
    let request =
        format!("POST {ADVANCE} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{advance}");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is read");
    receiver.messages(1).await;
    drop(stream);
    receiver.messages(4).await;
    let after = json!({"account": "live", "by": 0});
    let after = server.control(Method::POST, ADVANCE, &after).await;
    assert_eq!(
        after,
        json!({"clock": "live", "now": "2026-03-19T10:00:00.000Z", "executed": [], "waiting": []})
    );
}

#[tokio::test]
async fn looking_at_a_clock_and_draining_make_no_account() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    assert_eq!(clock(&server, "nobody").await["now"], T0);
    server.drain("nobody").await;
    let accounts = server.send(Method::GET, "/_mock/accounts", &[], "").await;
    assert_eq!(accounts.json(), json!({"accounts": [], "next": null}));
    let other = server.send(Method::GET, "/_mock/clock?key=live", &[], "");
    let expected: Value = json!({"error": {
        "code": "bad_query",
        "message": "unknown parameter key",
        "hint": "valid parameters: account",
    }});
    let other = other.await;
    assert_eq!((other.status, other.json()), (400, expected));
}

/// Waits until the account has a clock of its own, by moving the default clock on.
async fn own_clock_of(server: &TestServer, key: &str) {
    for ms in 0.. {
        let now = format!("2026-03-12T11:00:{:02}.{:03}Z", ms / 1_000, ms % 1_000);
        let set = json!({"mode": "frozen", "now": now});
        server.control(Method::PUT, "/_mock/clock", &set).await;
        if clock(server, key).await["now"] != json!(now) {
            return;
        }
    }
}

#[tokio::test]
async fn advance_while_the_worker_runs_a_job_waits_for_it_and_reports_it_first() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 0).await;
    let receiver = Receiver::holding().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let order = server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    let advance = json!({"account": "live", "by": "P8D"});
    let advance = server.control(Method::POST, ADVANCE, &advance);
    let release = async {
        own_clock_of(&server, "live").await;
        receiver.release(1);
    };
    let (done, ()) = tokio::join!(advance, release);
    let expected = json!([
        {"at": T0, "kind": "webhook.deliver", "subject": webhook},
        {"at": "2026-03-19T10:00:00.000Z", "kind": "order.expire", "subject": order},
    ]);
    assert_eq!(done["executed"], expected);
}

#[tokio::test]
async fn advance_while_an_earlier_job_is_created_runs_it_before_the_later_ones() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::holding().await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let order = async |key: &str, delay_ms: u32| {
        let set = json!({"processing": {"delayMs": delay_ms}});
        let path = "/_mock/accounts/live";
        server.control(Method::PUT, path, &set).await;
        let body = json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
        server.confirm_detection("live", &body, picture()).await
    };
    let (first, last) = (order("first", 10_000).await, order("last", 3_600_000).await);
    let advance = json!({"account": "live", "by": "PT2H"});
    let advance = server.control(Method::POST, ADVANCE, &advance);
    let create = async {
        receiver.messages(1).await;
        let created = order("between", 30_000).await;
        receiver.release(3);
        created
    };
    let (done, between) = tokio::join!(advance, create);
    let line = |at: &str, kind: &str, subject: &str| json!({"at": format!("2026-03-12T{at}.000Z"), "kind": kind, "subject": subject});
    let expected = json!([
        line("10:00:10", "order.process", &first),
        line("10:00:10", "webhook.deliver", &webhook),
        line("10:00:40", "order.process", &between),
        line("10:00:40", "webhook.deliver", &webhook),
        line("11:00:00", "order.process", &last),
        line("11:00:00", "webhook.deliver", &webhook),
    ]);
    assert_eq!(done["executed"], expected);
}

#[tokio::test]
async fn set_clock_without_an_instant_during_an_advance_keeps_where_the_advance_ends() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::holding().await;
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let advance = json!({"account": "live", "by": "P7D"});
    let advance = server.control(Method::POST, ADVANCE, &advance);
    let set = async {
        receiver.messages(1).await;
        let set = json!({"account": "live", "mode": "frozen"});
        let set = server.control(Method::PUT, "/_mock/clock", &set);
        let release = async {
            // The other call is sent meanwhile.
            for _ in 0..20 {
                clock(&server, "live").await;
            }
            receiver.release(1);
        };
        tokio::join!(set, release).0
    };
    let (done, set) = tokio::join!(advance, set);
    assert_eq!(done["now"], "2026-03-19T10:00:00.000Z");
    assert_eq!(set["now"], done["now"]);
    assert_eq!(clock(&server, "live").await["now"], done["now"]);
}

/// Orders fall due by a running clock while it is advanced: each job is run once, by the worker or
/// by an advance, and an advance reports its own in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn advance_beside_a_busy_worker_reports_in_order_and_no_job_twice() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 2).await;
    let orders = async {
        for n in 0..60 {
            let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
            server.confirm_detection("live", &body, picture()).await;
        }
    };
    let advances = async {
        let mut ran = Vec::new();
        for _ in 0..60 {
            let by = json!({"account": "live", "by": 3});
            let done = server.control(Method::POST, ADVANCE, &by).await;
            let lines = done["executed"].as_array().expect("a list").clone();
            let at = |line: &Value| line["at"].as_str().expect("a text").to_owned();
            assert!(lines.iter().map(at).is_sorted(), "{lines:?}");
            let subject = |line: &Value| line["subject"].as_str().expect("a text").to_owned();
            ran.extend(lines.iter().map(subject));
        }
        ran
    };
    let ((), mut ran) = tokio::join!(orders, advances);
    server.drain("live").await;
    let count = ran.len();
    ran.sort();
    ran.dedup();
    assert_eq!(ran.len(), count, "no order is processed twice");
}
