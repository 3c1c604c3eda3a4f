//! Advance: days of work in one call, each piece at its own due time.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::clock;
use crate::support::{Receiver, Reply, Stunt, T0, picture, raw};

const ADVANCE: &str = "/_mock/clock/advance";

#[tokio::test]
async fn seven_days_run_a_failing_webhook_and_an_unfinished_upload_each_at_its_own_time() {
    let (stunt, receiver) = (
        Stunt::frozen("live").await,
        Receiver::answering([Reply::Status(500); 14]).await,
    );
    let (webhook, _) = stunt.webhook("live", &receiver.url).await;
    let files = json!([{"fileName": "never.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "upload", "files": files});
    let made = stunt
        .post("live", "/api/v3/orders/wtr-embed", &body)
        .await
        .json();
    let unfinished = made["data"]["orderId"].as_str().expect("an id");
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let order = stunt.confirmed("live", &body, picture()).await;
    let advance = json!({"account": "live", "by": "P7D"});
    let done = stunt.control(Method::POST, ADVANCE, &advance).await;
    let line = |at: &str, kind: &str, subject: &str| json!({"at": format!("2026-03-{at}Z"), "kind": kind, "subject": subject});
    let delivered = |at: &str| line(at, "webhook.deliver", &webhook);
    let expected = json!({"now": "2026-03-19T10:00:00.000Z", "ran": [
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
    let stunt = Stunt::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    stunt.control(Method::PUT, "/_mock/clock", &freeze).await;
    let advance = json!({"account": "live", "by": "PT1H"});
    let advance = || stunt.control(Method::POST, ADVANCE, &advance);
    tokio::join!(
        advance(),
        advance(),
        advance(),
        advance(),
        advance(),
        advance()
    );
    assert_eq!(
        clock(&stunt, "live").await["now"],
        "2026-03-12T16:00:00.000Z"
    );
    assert_eq!(clock(&stunt, "other").await["now"], T0);
}

#[tokio::test]
async fn an_advance_whose_client_hangs_up_is_carried_through() {
    let (stunt, receiver) = (
        Stunt::frozen("live").await,
        Receiver::answering([Reply::Status(500); 3]).await,
    );
    stunt.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    stunt.confirmed("live", &body, picture()).await;
    let advance = json!({"account": "live", "by": "P7D"}).to_string();
    let mut stream = raw::connect(&stunt.origin).await;
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
    let after = stunt.control(Method::POST, ADVANCE, &after).await;
    assert_eq!(after, json!({"now": "2026-03-19T10:00:00.000Z", "ran": []}));
}

#[tokio::test]
async fn looking_at_a_clock_and_draining_make_no_account() {
    let stunt = Stunt::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    stunt.control(Method::PUT, "/_mock/clock", &freeze).await;
    assert_eq!(clock(&stunt, "nobody").await["now"], T0);
    stunt.drain("nobody").await;
    let accounts = stunt.send(Method::GET, "/_mock/accounts", &[], "").await;
    assert_eq!(accounts.json(), json!({"accounts": []}));
    let other = stunt.send(Method::GET, "/_mock/clock?key=live", &[], "");
    let expected: Value = json!({"error": {
        "code": "bad_query",
        "message": "no parameter key",
        "hint": "there is: account",
    }});
    let other = other.await;
    assert_eq!((other.status, other.json()), (400, expected));
}
