//! Rules that answer requests, and delay them.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{ORDERS, busy, hits, response_of, rule, rules};
use crate::support::{TestServer, picture, raw};

#[tokio::test]
async fn an_operation_of_each_front_door_is_answered_by_a_rule_and_no_other_is() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection("live", &body).await;
    for (operation, method, path) in [
        ("bizmori.listWebhooks", Method::GET, ORDERS),
        ("undetectable.detect", Method::POST, "/detect"),
        ("undetectable.health", Method::GET, "/health"),
        ("storage.put", Method::PUT, upload.as_str()),
    ] {
        let then = json!({"respond": {"status": 503, "headers": {"Retry-After": "7"}, "body": {"of": operation}}});
        let body = json!({"name": "busy", "when": {"operation": operation}, "then": then});
        let id = rule(&server, &body).await;
        let headers = [("authorization", "Bearer live"), ("apikey", "live")];
        let headers = if operation == "storage.put" {
            &headers[..0]
        } else {
            &headers[..]
        };
        let response = server.send(method.clone(), path, headers, picture()).await;
        let expected = (
            503,
            format!(r#"{{"of":"{operation}"}}"#),
            "application/json".to_owned(),
            format!("rule {id} (busy)"),
        );
        assert_eq!(response_of(&response), expected);
        assert_eq!(response.header("retry-after"), "7");
        let other = server.get("live", "/api/v2/orders/1").await;
        other.assert_refused(404, "ORDER_NOT_FOUND", "order 1 not found");
        let path_of_rule = format!("/_mock/rules/{id}");
        server
            .control(Method::DELETE, &path_of_rule, &json!({}))
            .await;
        let after = server.send(method, path, headers, picture()).await;
        assert_ne!(after.status, 503, "{operation}");
    }
}

#[tokio::test]
async fn a_body_is_sent_as_it_was_written() {
    let server = TestServer::start().await;
    for (body, sent, media_type) in [
        (
            r#"{"b": 1.0, "a": [ ]}"#,
            r#"{"b": 1.0, "a": [ ]}"#,
            "application/json",
        ),
        ("null", "null", "application/json"),
        (
            "12345678901234567890123",
            "12345678901234567890123",
            "application/json",
        ),
        (r#""plain \u00e9""#, "plain é", "text/plain; charset=utf-8"),
        (r#""""#, "", "text/plain; charset=utf-8"),
    ] {
        let text = format!(r#"{{"then": {{"respond": {{"status": 200, "body": {body}}}}}}}"#);
        let response = server.send(Method::POST, "/_mock/rules", &[], text).await;
        assert_eq!(response.status, 201, "{}", response.text());
        let id = response.json()["id"].as_i64().expect("an id");
        let reply = server.get("live", ORDERS).await;
        let why = format!("rule {id}");
        let expected = (200, sent.to_owned(), media_type.to_owned(), why);
        assert_eq!(response_of(&reply), expected);
        server
            .control(Method::DELETE, "/_mock/rules", &json!({}))
            .await;
    }
    let then = json!({"respond": {"status": 418, "headers": {"content-type": "text/html", "x-y": "z"}, "body": "<p>"}});
    rule(&server, &json!({"then": then})).await;
    let reply = server.get("live", ORDERS).await;
    assert_eq!(
        (reply.header("content-type"), reply.header("x-y")),
        ("text/html", "z")
    );
    assert_eq!((reply.status, reply.text()), (418, "<p>".to_owned()));
}

#[tokio::test]
async fn an_answer_without_a_body_has_none() {
    let server = TestServer::start().await;
    rule(&server, &json!({"then": busy(204)})).await;
    let response = server.get("live", ORDERS).await;
    assert_eq!(
        response_of(&response),
        (204, String::new(), String::new(), "rule 1".to_owned())
    );
}

#[tokio::test]
async fn what_is_no_operation_is_ruled_by_its_path_and_the_control_plane_never_is() {
    let server = TestServer::start().await;
    rule(&server, &json!({"then": busy(503)})).await;
    for path in ["/api/v9/new", "/nothing", "/_s3/", "/health"] {
        assert_eq!(server.get("live", path).await.status, 503, "{path}");
    }
    assert_eq!(server.post("live", "/health", &json!({})).await.status, 503);
    for (path, status) in [
        ("/_mock/health", 200),
        ("/_mock/clock?account=live", 200),
        ("/_mock/nothing", 404),
        ("/_mock/", 404),
        ("/_mock", 404),
    ] {
        assert_eq!(server.get("live", path).await.status, status, "{path}");
    }
    assert_eq!(hits(&server).await, [5]);
}

#[tokio::test]
async fn a_ruled_upload_stores_nothing_and_its_client_can_go_on() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, upload) = server.create_detection("live", &body).await;
    let once = json!({"when": {"operation": "storage.put"}, "times": 1, "then": busy(500)});
    rule(&server, &once).await;
    let refused = server
        .send(Method::PUT, &upload, &[], vec![0; 8 * 1024 * 1024])
        .await;
    assert_eq!(refused.status, 500);
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let early = server
        .post("live", "/api/v2/orders/ai-detection/confirm", &confirm)
        .await;
    let why = format!("order {id} is pending: 0 of 1 files uploaded");
    early.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &why);
    server.put(&upload, picture()).await;
    server.confirm("live", &id).await;
}

#[tokio::test]
async fn a_delay_is_waited_for_and_then_all_is_as_ever() {
    let server = TestServer::start_frozen("live").await;
    let slow = json!({"when": {"operation": "bizmori.listWebhooks"}, "then": {"delayMs": 150}});
    rule(&server, &slow).await;
    let began = std::time::Instant::now();
    let response = server.get("live", ORDERS).await;
    assert!(began.elapsed().as_millis() >= 150);
    assert_eq!(
        (response.status, response.header("x-mock-reason")),
        (200, "")
    );
    let both = json!({"when": {"operation": "bizmori.getWebhook"}, "then": {"delayMs": 150, "respond": {"status": 503}}});
    rule(&server, &both).await;
    let began = std::time::Instant::now();
    let response = server.get("live", &format!("{ORDERS}/1")).await;
    assert!(began.elapsed().as_millis() >= 150);
    assert_eq!(response.status, 503);
    assert_eq!(hits(&server).await, [1, 1]);
}

#[tokio::test]
async fn delayed_request_of_an_account_that_is_deleted_meanwhile_is_answered_for_a_new_account() {
    let server = TestServer::start().await;
    let webhooks = "/api/v2/orders/webhooks";
    let slow = json!({"when": {"operation": "bizmori.createWebhook"}, "then": {"delayMs": 1_000}});
    rule(&server, &slow).await;
    let delete_account = async {
        while hits(&server).await != [1] {
            tokio::task::yield_now().await;
        }
        let path = "/_mock/accounts/live";
        server.control(Method::DELETE, path, &json!({})).await
    };
    let webhook = json!({"url": "http://127.0.0.1:1/"});
    let create_webhook = server.post("live", webhooks, &webhook);
    let (response, _) = tokio::join!(create_webhook, delete_account);
    assert_eq!(response.status, 200, "{}", response.text());
    let listed = server.get("live", webhooks).await.json();
    assert_eq!(listed["data"]["pagination"]["total"], 1, "{listed}");
}

#[tokio::test]
async fn a_delay_ends_when_its_client_goes() {
    let server = TestServer::start().await;
    rule(&server, &json!({"then": {"delayMs": 600_000}})).await;
    let mut client = raw::connect(&server.origin).await;
    let head = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(head).await.expect("it is read");
    while hits(&server).await != [1] {
        tokio::task::yield_now().await;
    }
    drop(client);
    assert!(server.shuts_down_cleanly().await);
}

#[tokio::test]
async fn the_number_of_a_ruled_request_is_its_accounts() {
    let server = TestServer::start().await;
    rule(&server, &json!({"then": busy(503)})).await;
    let (detect, query) = (json!({"key": "b", "url": "u"}), json!({"id": "none"}));
    let json = [("content-type", "application/json")];
    let numbers = async |method: Method, path: &str, headers: &[(&str, &str)], body: &Value| {
        let response = server.send(method, path, headers, body.to_string()).await;
        response.header("x-mock-request").to_owned()
    };
    let a = [("authorization", "Bearer a")];
    assert_eq!(numbers(Method::GET, ORDERS, &a, &Value::Null).await, "1");
    assert_eq!(numbers(Method::GET, ORDERS, &a, &Value::Null).await, "2");
    assert_eq!(numbers(Method::POST, "/detect", &json, &detect).await, "1");
    let b = [("apikey", "b")];
    assert_eq!(numbers(Method::GET, "/health", &b, &Value::Null).await, "2");
    let unowned = numbers(Method::POST, "/query", &json, &query).await;
    assert_ne!(unowned, "3");
    let keys: Vec<_> = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await["accounts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|account| account["key"].clone())
        .collect();
    assert_eq!(
        keys,
        [json!("a"), json!("b")],
        "made as they would have been"
    );
    assert_eq!(rules(&server, "").await.len(), 1);
}
