//! `drain` waits until orders, reports and webhooks have ended.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, Reply, T0, TestServer, picture};

async fn post_drain(server: &TestServer, body: &Value) -> (u16, Value) {
    let response = server
        .send(Method::POST, "/_mock/drain", &[], body.to_string())
        .await;
    (response.status, response.json())
}

/// Creates a detection whose processing a rule controls by `processing`. Returns its id.
async fn hold_order(server: &TestServer, key: &str, processing: &Value) -> String {
    let rule = json!({"account": key, "then": {"processing": processing}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let body = json!({"idempotencyKey": "held", "fileName": "a_ai.jpg"});
    server.confirm_detection(key, &body, picture()).await
}

fn idle_response(next: &Value) -> (u16, Value) {
    (200, json!({"idle": true, "next": next}))
}

#[tokio::test]
async fn drain_frozen_clock_with_later_work_names_the_advance_that_runs_it() {
    let server = TestServer::start_frozen("live").await;
    assert_eq!(
        post_drain(&server, &json!({})).await,
        idle_response(&Value::Null)
    );
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let waiting =
        json!([{"kind": "order.process", "subject": id, "at": "2026-03-12T10:00:00.300Z"}]);
    let frozen = |hint: &str| {
        let error = json!({
            "code": "clock_frozen",
            "message": "the clock of live is frozen, and work is due later by it",
            "hint": format!("POST /_mock/clock/advance {hint}"),
        });
        (409, json!({"error": error, "waiting": waiting}))
    };
    let hint = r#"{"account":"live","by":300}"#;
    // It does not wait: a frozen clock never reaches the due time.
    for body in [
        json!({"account": "live", "timeoutMs": 600_000}),
        json!({"account": "live", "timeoutMs": 0}),
        json!({"timeoutMs": 600_000}),
    ] {
        assert_eq!(post_drain(&server, &body).await, frozen(hint), "{body}");
    }
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    let advance: Value = serde_json::from_str(hint).expect("JSON");
    let path = "/_mock/clock/advance";
    server.control(Method::POST, path, &advance).await;
    let expire = json!({"at": "2026-03-19T10:00:00.000Z", "kind": "order.expire", "subject": id});
    let live = json!({"account": "live"});
    assert_eq!(post_drain(&server, &live).await, idle_response(&expire));
    assert_eq!(
        post_drain(&server, &json!({})).await,
        idle_response(&expire),
        "all accounts"
    );
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}

#[tokio::test]
async fn drain_frozen_default_clock_names_its_advance() {
    let server = TestServer::start().await;
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let hint = async |body: &Value| post_drain(&server, body).await.1["error"]["hint"].take();
    let all = "POST /_mock/clock/advance {\"by\":300}";
    assert_eq!(hint(&json!({})).await, all);
    let one = "POST /_mock/clock/advance {\"account\":\"live\",\"by\":300}";
    assert_eq!(hint(&json!({"account": "live"})).await, one);
    assert_eq!(
        post_drain(&server, &json!({"account": "other"})).await.1["idle"],
        true,
        "another account does not wait for it"
    );
}

#[tokio::test]
async fn drain_running_clock_waits_for_orders_and_their_webhooks() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 50).await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        ids.push(server.confirm_detection("live", &body, picture()).await);
    }
    server.drain("live").await;
    assert_eq!(receiver.count(), 20);
    for id in ids {
        assert_eq!(server.get_order("live", &id).await["status"], "complete");
    }
}

#[tokio::test]
async fn drain_with_report_in_progress_waits_for_it() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 50).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.drain("live").await;
    let path = format!("/api/v3/orders/{id}/reports");
    let response = server
        .post("live", &path, &json!({"locale": "ko-KR"}))
        .await;
    assert_eq!(response.status, 202, "{}", response.text());
    server.drain("live").await;
    let report = server.get("live", &format!("{path}/ko-KR")).await.json();
    assert_eq!(report["data"]["status"], "completed", "{report}");
}

#[tokio::test]
async fn drain_with_retry_due_after_timeout_answers_it_as_next() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 0).await;
    let receiver = Receiver::with_replies([Reply::Status(500); 9]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    // The retries after 1, 2 and 4 s have run. The next one is due half an hour later.
    receiver.messages(1).await;
    server.advance("live", "PT10S").await;
    receiver.messages(4).await;
    let (status, result) =
        post_drain(&server, &json!({"account": "live", "timeoutMs": 60_000})).await;
    assert_eq!((status, &result["idle"]), (200, &json!(true)));
    assert_eq!(result["next"]["kind"], "webhook.deliver");
    assert_eq!(result["next"]["subject"], webhook);
    let no_timeout = json!({"account": "live", "timeoutMs": 0});
    assert_eq!(post_drain(&server, &no_timeout).await.0, 200);
}

#[tokio::test]
async fn drain_with_order_due_after_timeout_names_the_order() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 3_600_000).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let (status, result) = post_drain(&server, &json!({"account": "live", "timeoutMs": 1})).await;
    assert_eq!(status, 408, "an order in progress is not idle: {result}");
    assert_eq!(result["idle"], false);
    assert_eq!(result["waiting"][0]["kind"], "order.process");
    assert_eq!(result["waiting"][0]["subject"], id);
}

#[tokio::test]
async fn drain_with_held_order_waits_until_it_is_released() {
    for (processing, kind) in [
        (json!("hold"), "order.release"),
        (json!({"polls": 2}), "order.poll"),
    ] {
        for is_frozen in [true, false] {
            let server = TestServer::start().await;
            if is_frozen {
                server.freeze("live").await;
            }
            let id = hold_order(&server, "live", &processing).await;
            let waiting = json!([{"kind": kind, "subject": id, "at": null}]);
            let expected = json!({"idle": false, "waiting": waiting});
            for body in [
                json!({"account": "live", "timeoutMs": 1}),
                json!({"timeoutMs": 1}),
            ] {
                assert_eq!(post_drain(&server, &body).await, (408, expected.clone()));
            }
            let other = json!({"account": "other", "timeoutMs": 1});
            assert_eq!(post_drain(&server, &other).await.0, 200);
            let live = json!({"account": "live", "timeoutMs": 20_000});
            let drained = post_drain(&server, &live);
            let release = async {
                let path = format!("/_mock/orders/{id}/complete");
                server.control(Method::POST, &path, &json!({})).await
            };
            let ((status, result), _) = tokio::join!(drained, release);
            assert_eq!((status, &result["idle"]), (200, &json!(true)), "{result}");
            assert_eq!(server.get_order("live", &id).await["status"], "complete");
        }
    }
}

#[tokio::test]
async fn drain_with_delivery_in_flight_names_the_webhook() {
    let server = TestServer::with_config(|config| {
        config.orders.processing_ms = 0;
        config.outbound.webhook_timeout_ms = 600_000;
    })
    .await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    for body in [
        json!({"account": "live", "timeoutMs": 1}),
        json!({"account": "live", "timeoutMs": 0}),
        json!({"timeoutMs": 1}),
    ] {
        let (status, result) = post_drain(&server, &body).await;
        assert_eq!((status, &result["idle"]), (408, &json!(false)), "{body}");
        let waiting = result["waiting"].as_array().expect("a list");
        assert_eq!(waiting.len(), 1, "{result}");
        assert_eq!(waiting[0]["kind"], "webhook.deliver");
        assert_eq!(waiting[0]["subject"], webhook);
        assert!(waiting[0]["at"].is_string());
    }
    let other = json!({"account": "other", "timeoutMs": 1});
    let mut expected = idle_response(&Value::Null);
    expected.1["accountKnown"] = json!(false);
    assert_eq!(
        post_drain(&server, &other).await,
        expected,
        "another account does not wait for it"
    );
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "live"}))
        .await;
    server.drain("live").await;
}

#[tokio::test]
async fn drain_during_advance_waits_for_its_end() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::holding().await;
    server.webhook("live", &receiver.url).await;
    for n in 0..2 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        server.confirm_detection("live", &body, picture()).await;
    }
    let by = json!({"account": "live", "by": "1s"});
    let path = "/_mock/clock/advance";
    let advanced = server.control(Method::POST, path, &by);
    let live = json!({"account": "live", "timeoutMs": 20_000});
    let drained = async {
        receiver.messages(1).await;
        let drained = post_drain(&server, &live);
        let release = async { receiver.release(2) };
        tokio::join!(drained, release).0
    };
    let (advanced, (status, result)) = tokio::join!(advanced, drained);
    assert_eq!(advanced["executed"].as_array().map(Vec::len), Some(4));
    assert_eq!((status, &result["idle"]), (200, &json!(true)), "{result}");
}
