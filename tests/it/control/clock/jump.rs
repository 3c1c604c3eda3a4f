//! Mode `jump`: what is waited for comes at once, in order, at its own time.

use reqwest::Method;
use serde_json::{Value, json};

use super::{clock, ms};
use crate::support::{Receiver, Reply, T0, TestServer, picture};

/// The clock runs too: what is told of an instant may be so much later.
const RUN_MS: i64 = 60_000;

async fn jump(server: &TestServer, account: Option<&str>) -> Value {
    let mut set = json!({"mode": "jump", "now": T0});
    if let Some(account) = account {
        set["account"] = json!(account);
    }
    server.control(Method::PUT, "/_mock/clock", &set).await
}

fn instant(text: &Value) -> i64 {
    ms(&json!({"now": text}))
}

/// That instant was told, or one that the clock ran to meanwhile.
fn near(response_body: &Value, wanted: &str) {
    let late = instant(response_body) - instant(&json!(wanted));
    assert!((0..RUN_MS).contains(&late), "{response_body} for {wanted}");
}

#[tokio::test]
async fn a_whole_ladder_of_retries_comes_at_once_each_attempt_at_its_time() {
    let server = TestServer::start().await;
    let receiver = Receiver::with_replies([Reply::Status(500); 6]).await;
    let set = jump(&server, Some("live")).await;
    near(&set["now"], T0);
    assert_eq!(
        set,
        json!({"accountKnown": false, "now": set["now"], "mode": "jump",
            "offsetMs": set["offsetMs"], "isDefault": false, "next": null})
    );
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.drain("live").await;
    assert_eq!(receiver.count(), 7);
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    let path = "/_mock/deliveries?account=live";
    let response_body = server.control(Method::GET, path, &json!({})).await;
    let deliveries = response_body["deliveries"].as_array().expect("a list");
    assert_eq!(deliveries.len(), 7);
    for (delivery, at) in deliveries.iter().zip([
        "2026-03-12T10:00:00.300Z",
        "2026-03-12T10:00:01.300Z",
        "2026-03-12T10:00:03.300Z",
        "2026-03-12T10:00:07.300Z",
        "2026-03-12T10:30:07.300Z",
        "2026-03-12T12:30:07.300Z",
        "2026-03-12T16:30:07.300Z",
    ]) {
        near(&delivery["at"], at);
    }
    let now = clock(&server, "live").await;
    near(&now["now"], "2026-03-12T16:30:07.300Z");
    assert_eq!(now["mode"], "jump", "it jumps on");
}

#[tokio::test]
async fn nothing_is_leapt_to_that_nobody_waits_for_and_all_of_it_ends_on_the_way() {
    let server = TestServer::start().await;
    jump(&server, Some("live")).await;
    let files = json!([{"fileName": "never.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "upload", "files": files});
    let response = server.post("live", "/api/v3/orders/wtr-embed", &body).await;
    let unfinished = response.json()["data"]["orderId"].take();
    let detail = format!(
        "/api/v3/orders/{}",
        unfinished.as_str().expect("a text of digits")
    );
    server.drain("live").await;
    near(&clock(&server, "live").await["now"], T0);
    let pending = server.get("live", &detail).await.json();
    assert_eq!(pending["data"]["status"], "pending");

    let slow = json!({"processing": {"delayMs": 86_400_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &slow)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.drain("live").await;
    let order = server.get_order("live", &id).await;
    assert_eq!(order["status"], "complete");
    near(&order["updatedAt"], "2026-03-13T10:00:00.000Z");
    let failed = server.get("live", &detail).await.json();
    assert_eq!(failed["data"]["status"], "failed");
    near(&failed["data"]["updatedAt"], "2026-03-12T22:00:00.000Z");
}

#[tokio::test]
async fn an_order_that_starts_by_its_upload_is_leapt_to_as_well() {
    let server = TestServer::start().await;
    jump(&server, Some("live")).await;
    let slow = json!({"processing": {"delayMs": 86_400_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &slow)
        .await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "upload", "files": files});
    let response = server.post("live", "/api/v3/orders/wtr-embed", &body).await;
    let response = response.json();
    let (id, url) = (
        &response["data"]["orderId"],
        &response["data"]["files"][0]["uploadUrl"],
    );
    server.put(url.as_str().expect("a URL"), picture()).await;
    server.drain("live").await;
    let detail = format!("/api/v3/orders/{}", id.as_str().expect("an id"));
    let order = server.get("live", &detail).await.json();
    assert_eq!(order["data"]["status"], "complete");
    near(&order["data"]["updatedAt"], "2026-03-13T10:00:00.000Z");
}

#[tokio::test]
async fn what_is_held_is_not_leapt_to_until_it_is_let_go() {
    let server = TestServer::start().await;
    jump(&server, Some("live")).await;
    let rule = json!({"account": "live", "when": {"operation": "bizmori.createAiDetection"},
        "then": {"processing": "hold"}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let drain = json!({"account": "live", "timeoutMs": 200}).to_string();
    let held = server.send(Method::POST, "/_mock/drain", &[], drain).await;
    assert_eq!(held.status, 408, "{}", held.text());
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    let path = format!("/_mock/orders/{id}/complete");
    server.control(Method::POST, &path, &json!({})).await;
    server.drain("live").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    near(&clock(&server, "live").await["now"], T0);
}

#[tokio::test]
async fn the_default_clock_jumps_for_all_that_follow_it() {
    let server = TestServer::start().await;
    server.freeze("left").await;
    jump(&server, None).await;
    let slow = json!({"processing": {"delayMs": 3_600_000}});
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let mut ids = Vec::new();
    for key in ["one", "two", "left"] {
        let path = format!("/_mock/accounts/{key}");
        server.control(Method::PUT, &path, &slow).await;
        ids.push(server.confirm_detection(key, &body, picture()).await);
    }
    for key in ["one", "two"] {
        server.drain(key).await;
    }
    let all = json!({"timeoutMs": 20_000}).to_string();
    let all = server.send(Method::POST, "/_mock/drain", &[], all).await;
    let error = all.json()["error"].take();
    assert_eq!((all.status, &error["code"]), (409, &json!("clock_frozen")));
    let hint = r#"POST /_mock/clock/advance {"account":"left","by":3600000}"#;
    assert_eq!(error["hint"], hint, "no other work is left");
    assert_eq!(server.get_order("one", &ids[0]).await["status"], "complete");
    assert_eq!(server.get_order("two", &ids[1]).await["status"], "complete");
    assert_eq!(
        server.get_order("left", &ids[2]).await["status"],
        "inProgress"
    );
    assert_eq!(clock(&server, "left").await["now"], T0);
}

#[tokio::test]
async fn a_clock_that_is_stopped_jumps_no_more_and_may_be_advanced() {
    let server = TestServer::start().await;
    jump(&server, Some("live")).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let freeze = json!({"account": "live", "mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let id = server.confirm_detection("live", &body, picture()).await;
    let drain = json!({"account": "live"}).to_string();
    let frozen = server.send(Method::POST, "/_mock/drain", &[], drain).await;
    assert_eq!(frozen.status, 409, "{}", frozen.text());
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    jump(&server, Some("live")).await;
    let by = json!({"account": "live", "by": "P8D"});
    let done = server
        .control(Method::POST, "/_mock/clock/advance", &by)
        .await;
    near(&done["now"], "2026-03-20T10:00:00.000Z");
    let expired = server.get("live", &format!("/api/v2/orders/{id}")).await;
    assert_eq!(expired.json()["data"]["status"], "expired");
}

/// An order that is due in a day, and waits for nothing any more.
async fn due_in_a_day(server: &TestServer, key: &str) -> String {
    let slow = json!({"processing": {"delayMs": 86_400_000}});
    let path = "/_mock/accounts/live";
    server.control(Method::PUT, path, &slow).await;
    let body = json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await
}

#[tokio::test]
async fn leap_while_a_client_owes_an_upload_waits_for_it() {
    let server = TestServer::start().await;
    jump(&server, Some("live")).await;
    let presign = [("apikey", "live")];
    let path = "/get-presigned-url?file_name=a.jpg&expiration=3600";
    for attempt in 0.. {
        let began = std::time::Instant::now();
        let body = json!({"idempotencyKey": format!("owed {attempt}"), "fileName": "a_ai.jpg"});
        let (_, url) = server.create_detection("live", &body).await;
        let place = server.send(Method::GET, path, &presign, "").await.json();
        let file_url = place["presigned_url"].as_str().expect("a URL").to_owned();
        let due = due_in_a_day(&server, &format!("due {attempt}")).await;
        let mut statuses = Vec::new();
        for url in [&url, &file_url] {
            // The clock would leap meanwhile, were it not held.
            for _ in 0..20 {
                clock(&server, "live").await;
            }
            let response = server.send(Method::PUT, url, &[], picture()).await;
            statuses.push(response.status);
        }
        // The rule holds for 5 s of real time, which a busy machine may need for less than this.
        if began.elapsed() >= std::time::Duration::from_secs(5) {
            server.drain("live").await;
            continue;
        }
        assert_eq!(statuses, [200, 200]);
        server.drain("live").await;
        let order = server.get_order("live", &due).await;
        assert_eq!(order["status"], "complete");
        return;
    }
}

#[tokio::test]
async fn leap_while_an_upload_stays_away_comes_without_it() {
    let server = TestServer::start().await;
    jump(&server, Some("live")).await;
    let body = json!({"idempotencyKey": "never", "fileName": "a_ai.jpg"});
    server.create_detection("live", &body).await;
    let due = due_in_a_day(&server, "due").await;
    server.drain("live").await;
    let order = server.get_order("live", &due).await;
    assert_eq!(order["status"], "complete");
    near(&order["updatedAt"], "2026-03-13T10:00:00.000Z");
}
