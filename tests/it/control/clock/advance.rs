//! `advance` runs days of work in one call, each job at its due time.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::clock;
use crate::support::{Receiver, Reply, T0, TestServer, picture, raw};

const ADVANCE: &str = "/_mock/clock/advance";

#[tokio::test]
async fn advance_seven_days_runs_retries_and_upload_expiry_at_their_due_times() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500); 14]).await;
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
    let result = server.control(Method::POST, ADVANCE, &advance).await;
    let job = |at: &str, kind: &str, subject: &str| json!({"at": format!("2026-03-{at}Z"), "kind": kind, "subject": subject});
    let delivered = |at: &str| job(at, "webhook.deliver", &webhook);
    let expected = json!({"clock": "live", "now": "2026-03-19T10:00:00.000Z", "waiting": [], "executed": [
        job("12T10:00:00.300", "order.process", &order),
        delivered("12T10:00:00.300"),
        delivered("12T10:00:01.300"),
        delivered("12T10:00:03.300"),
        delivered("12T10:00:07.300"),
        delivered("12T10:30:07.300"),
        delivered("12T12:30:07.300"),
        delivered("12T16:30:07.300"),
        job("12T22:00:00.000", "order.expireUploads", unfinished),
        delivered("12T22:00:00.000"),
        delivered("12T22:00:01.000"),
        delivered("12T22:00:03.000"),
        delivered("12T22:00:07.000"),
        delivered("12T22:30:07.000"),
        delivered("13T00:30:07.000"),
        delivered("13T04:30:07.000"),
        job("19T10:00:00.000", "order.expire", unfinished),
        job("19T10:00:00.000", "order.expire", &order),
    ]});
    assert_eq!(result, expected);
    assert_eq!(
        receiver.count(),
        14,
        "all attempts are sent before advance responds"
    );
}

#[tokio::test]
async fn advance_concurrently_on_first_use_moves_the_clock_each_time() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let body = json!({"account": "live", "by": "PT1H"});
    let advance = || server.control(Method::POST, ADVANCE, &body);
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
async fn advance_after_client_hangs_up_runs_to_completion() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500); 3]).await;
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
        .expect("the server reads the request");
    receiver.messages(1).await;
    drop(stream);
    receiver.messages(4).await;
    let by_zero = json!({"account": "live", "by": 0});
    let after = server.control(Method::POST, ADVANCE, &by_zero).await;
    assert_eq!(
        after,
        json!({"clock": "live", "now": "2026-03-19T10:00:00.000Z", "executed": [], "waiting": []})
    );
}

#[tokio::test]
async fn get_clock_and_drain_of_unknown_key_create_no_account() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    assert_eq!(clock(&server, "nobody").await["now"], T0);
    server.drain("nobody").await;
    let accounts = server.send(Method::GET, "/_mock/accounts", &[], "").await;
    assert_eq!(accounts.json(), json!({"accounts": [], "next": null}));
    let refused = server
        .send(Method::GET, "/_mock/clock?key=live", &[], "")
        .await;
    let expected: Value = json!({"error": {
        "code": "bad_query",
        "message": "no parameter key",
        "hint": "there is: account",
    }});
    assert_eq!((refused.status, refused.json()), (400, expected));
}

/// Moves the default clock until the account no longer follows it.
async fn wait_for_own_clock(server: &TestServer, key: &str) {
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
async fn advance_while_worker_runs_a_job_waits_and_reports_it_first() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 0).await;
    let receiver = Receiver::holding().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let order = server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    let by = json!({"account": "live", "by": "P8D"});
    let advance = server.control(Method::POST, ADVANCE, &by);
    let release = async {
        wait_for_own_clock(&server, "live").await;
        receiver.release(1);
    };
    let (result, ()) = tokio::join!(advance, release);
    let expected = json!([
        {"at": T0, "kind": "webhook.deliver", "subject": webhook},
        {"at": "2026-03-19T10:00:00.000Z", "kind": "order.expire", "subject": order},
    ]);
    assert_eq!(result["executed"], expected);
}

#[tokio::test]
async fn advance_while_an_earlier_job_is_created_runs_it_before_later_jobs() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::holding().await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let order = async |key: &str, delay_ms: u32| {
        let settings = json!({"processing": {"delayMs": delay_ms}});
        let path = "/_mock/accounts/live";
        server.control(Method::PUT, path, &settings).await;
        let body = json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
        server.confirm_detection("live", &body, picture()).await
    };
    let first = order("first", 10_000).await;
    let last = order("last", 3_600_000).await;
    let by = json!({"account": "live", "by": "PT2H"});
    let advance = server.control(Method::POST, ADVANCE, &by);
    let create = async {
        receiver.messages(1).await;
        let created = order("between", 30_000).await;
        receiver.release(3);
        created
    };
    let (result, between) = tokio::join!(advance, create);
    let job = |at: &str, kind: &str, subject: &str| json!({"at": format!("2026-03-12T{at}.000Z"), "kind": kind, "subject": subject});
    let expected = json!([
        job("10:00:10", "order.process", &first),
        job("10:00:10", "webhook.deliver", &webhook),
        job("10:00:40", "order.process", &between),
        job("10:00:40", "webhook.deliver", &webhook),
        job("11:00:00", "order.process", &last),
        job("11:00:00", "webhook.deliver", &webhook),
    ]);
    assert_eq!(result["executed"], expected);
}

#[tokio::test]
async fn set_clock_without_instant_during_advance_keeps_the_end_of_the_advance() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::holding().await;
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let by = json!({"account": "live", "by": "P7D"});
    let advance = server.control(Method::POST, ADVANCE, &by);
    let set = async {
        receiver.messages(1).await;
        let freeze = json!({"account": "live", "mode": "frozen"});
        let set = server.control(Method::PUT, "/_mock/clock", &freeze);
        let release = async {
            // Gives the server time to receive the PUT before the advance ends.
            for _ in 0..20 {
                clock(&server, "live").await;
            }
            receiver.release(1);
        };
        tokio::join!(set, release).0
    };
    let (result, set) = tokio::join!(advance, set);
    assert_eq!(result["now"], "2026-03-19T10:00:00.000Z");
    assert_eq!(set["now"], result["now"]);
    assert_eq!(clock(&server, "live").await["now"], result["now"]);
}

/// Orders fall due by a running clock while the clock is advanced. Each job runs once, in the
/// worker or in an advance, and an advance reports its jobs in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn advance_beside_a_busy_worker_reports_jobs_in_order_and_once() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 2).await;
    let orders = async {
        for n in 0..60 {
            let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
            server.confirm_detection("live", &body, picture()).await;
        }
    };
    let advances = async {
        let mut subjects = Vec::new();
        for _ in 0..60 {
            let by = json!({"account": "live", "by": 3});
            let result = server.control(Method::POST, ADVANCE, &by).await;
            let jobs = result["executed"].as_array().expect("a list").clone();
            let at = |job: &Value| job["at"].as_str().expect("a text").to_owned();
            assert!(jobs.iter().map(at).is_sorted(), "{jobs:?}");
            let subject = |job: &Value| job["subject"].as_str().expect("a text").to_owned();
            subjects.extend(jobs.iter().map(subject));
        }
        subjects
    };
    let ((), mut subjects) = tokio::join!(orders, advances);
    server.drain("live").await;
    let count = subjects.len();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), count, "no order is processed twice");
}
