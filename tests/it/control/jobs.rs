//! Listing of jobs, and the advance to the next one.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, Reply, TestServer, picture};

async fn list(server: &TestServer, query: &str) -> Value {
    let path = format!("/_mock/jobs{query}");
    server.control(Method::GET, &path, &json!({})).await
}

async fn advance_to_next(server: &TestServer, key: &str) -> Value {
    let body = json!({"account": key, "to": "next"});
    let path = "/_mock/clock/advance";
    server.control(Method::POST, path, &body).await
}

#[tokio::test]
async fn jobs_are_listed_by_due_time_with_their_order() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let job = |at: &str, kind: &str, subject: &str| {
        json!({
            "at": format!("2026-03-{at}Z"),
            "kind": kind,
            "subject": subject,
            "account": "live",
            "clock": "live",
            "orderId": id,
            "isRunning": false,
        })
    };
    let expiry = job("19T10:00:00.000", "order.expire", &id);
    let process = job("12T10:00:00.300", "order.process", &id);
    let expected = json!({"jobs": [process, expiry], "next": null});
    assert_eq!(list(&server, "?account=live").await, expected);
    assert_eq!(list(&server, "").await, expected);
    server.advance("live", "PT1S").await;
    let retry = job("12T10:00:01.300", "webhook.deliver", &webhook);
    let expected = json!({"jobs": [retry, expiry], "next": null});
    assert_eq!(list(&server, "?account=live").await, expected);

    let first = list(&server, "?account=live&limit=1").await;
    assert_eq!(first["jobs"], json!([retry]));
    let after = first["next"].as_str().expect("a cursor");
    let second = list(&server, &format!("?account=live&limit=1&after={after}")).await;
    assert_eq!(second, json!({"jobs": [expiry], "next": null}));
    let unknown = json!({"accountKnown": false, "jobs": [], "next": null});
    assert_eq!(list(&server, "?account=nobody").await, unknown);
    for query in ["?after=x", "?after=1", "?after=a.b", "?limit=0", "?x=1"] {
        let path = format!("/_mock/jobs{query}");
        let response = server.send(Method::GET, &path, &[], "").await;
        assert_eq!(response.status, 400, "{query}");
    }
}

#[tokio::test]
async fn jobs_of_the_default_clock_and_of_uploads_say_so() {
    let server = TestServer::start().await;
    let headers = [("apikey", "live")];
    let path = "/get-presigned-url?file_name=a.jpg";
    server.send(Method::GET, path, &headers, "").await;
    let jobs = list(&server, "").await["jobs"].take();
    let [job] = jobs.as_array().expect("jobs").as_slice() else {
        panic!("{jobs}")
    };
    let fields = ["kind", "clock", "account", "orderId", "isRunning"].map(|name| &job[name]);
    let expected = json!(["upload.expire", "default", "live", null, false]);
    assert_eq!(json!(fields), expected);
}

#[tokio::test]
async fn job_of_an_attempt_in_flight_is_running() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let complete = format!("/_mock/orders/{id}/complete");
    server.control(Method::POST, &complete, &json!({})).await;
    receiver.messages(1).await;
    let jobs = list(&server, "?account=live").await["jobs"].take();
    let first = &jobs[0];
    let expected = json!(["webhook.deliver", webhook, id, true]);
    let fields = ["kind", "subject", "orderId", "isRunning"].map(|name| &first[name]);
    assert_eq!(json!(fields), expected);
    assert_eq!(jobs[1]["isRunning"], false);
}

#[tokio::test]
async fn advance_to_next_runs_the_next_job_and_stays_if_there_is_none() {
    let server = TestServer::start_frozen("live").await;
    let idle = json!({
        "clock": "live",
        "now": "2026-03-12T10:00:00.000Z",
        "executed": [],
        "waiting": [],
    });
    assert_eq!(advance_to_next(&server, "live").await, idle);
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    for (now, kind) in [
        ("2026-03-12T10:00:00.300Z", "order.process"),
        ("2026-03-19T10:00:00.000Z", "order.expire"),
    ] {
        let expected = json!({
            "clock": "live",
            "now": now,
            "executed": [{"at": now, "kind": kind, "subject": id}],
            "waiting": [],
        });
        assert_eq!(advance_to_next(&server, "live").await, expected);
    }
    let last = json!({
        "clock": "live",
        "now": "2026-03-19T10:00:00.000Z",
        "executed": [],
        "waiting": [],
    });
    assert_eq!(advance_to_next(&server, "live").await, last);
}

#[tokio::test]
async fn advance_to_a_misspelt_next_answers_bad_instant() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"account": "live", "to": "nxt"}).to_string();
    let path = "/_mock/clock/advance";
    let response = server.send(Method::POST, path, &[], body).await;
    let error = response.json()["error"].take();
    let expected = json!({
        "code": "bad_instant",
        "message": "to: invalid instant nxt",
        "hint": "send an instant such as 2026-03-12T10:00:00.000Z, or next",
    });
    assert_eq!((response.status, error), (400, expected));
}
