//! Requests, deliveries, orders and the inbox.

use reqwest::Method;
use serde_json::{Value, json};

use super::{as_sent, not_done, sent_request, stdout_of};
use crate::support::{Receiver, Reply, T0, TestServer, picture};

const CREATE: &str = "bizmori.createAiDetection";

/// The cursor of the next page.
fn next_of(listed: &str) -> String {
    let listed: Value = serde_json::from_str(listed).expect("JSON");
    listed["next"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn requests_are_listed_as_the_server_tells_of_them() {
    let server = TestServer::start_frozen("live").await;
    server.get("live", "/api/v2/orders/42").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.create_detection("live", &body).await;
    server.get("live", "/api/v2/orders").await;
    let all = sent_request(&server, "/_mock/requests").await;
    for (arguments, query) in [
        (vec![], ""),
        (vec!["--account", "live"], "?account=live"),
        (
            vec!["--operation", CREATE],
            "?operation=bizmori.createAiDetection",
        ),
        (vec!["--status", "404"], "?status=404"),
        (vec!["--limit", "1"], "?limit=1"),
        (vec!["--path", "*/42"], "?path=*/42"),
        (
            vec![
                "--account",
                "live",
                "--since",
                "1",
                "--method",
                "get",
                "--path",
                "/api/*",
            ],
            "?account=live&since=1&method=GET&path=%2Fapi%2F*",
        ),
    ] {
        let shown = stdout_of(&server, &[&["requests"][..], &arguments].concat()).await;
        let message = sent_request(&server, &format!("/_mock/requests{query}")).await;
        assert!(message.contains(r#""path":"/api/"#), "{query}: {message}");
        let is_of_all = ["", "?account=live"].contains(&query);
        assert_eq!(message == all, is_of_all, "{query}");
        assert_eq!(as_sent(&shown), message, "{query}");
    }
    let clear = ["requests", "clear", "--account", "live"];
    assert_eq!(stdout_of(&server, &clear).await, "");
    let none = "{\n  \"requests\": [],\n  \"evicted\": 0\n}\n";
    assert_eq!(stdout_of(&server, &["requests"]).await, none);
}

#[tokio::test]
async fn verified_requests_are_a_success_and_others_a_failure_with_near_misses() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.create_detection("live", &body).await;
    let verify = [
        "requests",
        "verify",
        "--account",
        "live",
        "--operation",
        CREATE,
    ];
    let once = [
        &verify[..],
        &[
            "--file-name",
            "*.jpg",
            "--header",
            "content-type=*json",
            "--count",
            "1",
        ],
    ];
    let ok = "{\n  \"ok\": true,\n  \"count\": 1\n}\n";
    assert_eq!(stdout_of(&server, &once.concat()).await, ok);
    let some = [
        "--min",
        "1",
        "--timeout-ms",
        "600000",
        "--body",
        r#"{"idempotencyKey": "a"}"#,
    ];
    assert_eq!(stdout_of(&server, &[&verify[..], &some].concat()).await, ok);

    let other = ["--max", "3", "--min", "1", "--status", "201"];
    let (shown, line) = not_done(&server, &[&verify[..], &other].concat()).await;
    let listed = sent_request(&server, "/_mock/requests?account=live").await;
    let request = listed.strip_prefix(r#"{"requests":["#);
    let request = request.and_then(|rest| rest.strip_suffix(r#"],"evicted":0}"#));
    let difference = r#""differences":["status: 200, wanted 201"]"#;
    let near = format!(
        r#"{{"request":{},{difference}}}"#,
        request.expect("one request")
    );
    let missed = format!(r#"{{"ok":false,"count":0,"nearMisses":[{near}]}}"#);
    assert_eq!(as_sent(&shown), missed);
    assert_eq!(
        line,
        "stuntdouble: expected 1 to 3 matching requests, got 0\n"
    );
}

#[tokio::test]
async fn deliveries_are_listed_and_one_is_sent_once_more() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(503)]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT0.3S").await;
    let list =
        async |query: &str| sent_request(&server, &format!("/_mock/deliveries{query}")).await;

    let shown = stdout_of(&server, &["deliveries", "--account", "live"]).await;
    let message = list("?account=live").await;
    assert_eq!(as_sent(&shown), message);
    let message: Value = serde_json::from_str(&message).expect("JSON");
    let id = message["deliveries"][0]["id"].to_string();

    let resent = stdout_of(&server, &["deliveries", "resend", &id]).await;
    receiver.messages(2).await;
    let newest = ["deliveries", "--limit", "1", "--webhook-id", &webhook];
    let newest = stdout_of(&server, &newest).await;
    let (entry, next) = (as_sent(&resent), next_of(&newest));
    assert_eq!(
        as_sent(&newest),
        format!(r#"{{"deliveries":[{entry}],"next":"{next}"}}"#)
    );
    assert!(
        resent.contains("\"deliveryStatus\": \"SENT\",\n"),
        "{resent}"
    );
    let none = "{\n  \"deliveries\": [],\n  \"next\": null\n}\n";
    let failed = "order.aiDetection.failed";
    assert_eq!(
        stdout_of(&server, &["deliveries", "--event-type", failed]).await,
        none
    );
}

#[tokio::test]
async fn orders_are_listed_and_brought_to_their_end() {
    let server = TestServer::start_frozen("live").await;
    let rule = json!({"account": "live", "then": {"processing": "hold"}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let mut ids = Vec::new();
    for key in ["a", "b", "c"] {
        let body = json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
        ids.push(server.confirm_detection("live", &body, picture()).await);
    }
    let complete = ["orders", "complete", &ids[0], r#"{"probability": 0.62}"#];
    let completed = stdout_of(&server, &complete).await;
    let expected = format!(
        r#"{{
  "id": "{}",
  "account": "live",
  "vendor": "bizmori",
  "type": "aiDetection",
  "status": "complete",
  "name": "ai_detection_2026-03-12",
  "fileNames": [
    "a_ai.jpg"
  ],
  "createdAt": "{T0}",
  "updatedAt": "{T0}",
  "expiresAt": "2026-03-19T10:00:00.000Z",
  "processing": null,
  "failure": null
}}
"#,
        ids[0]
    );
    assert_eq!(completed, expected);
    let code = r#"{"errorCode": "AI_DETECTION_TIMEOUT"}"#;
    let failed = stdout_of(&server, &["orders", "fail", &ids[1], code]).await;
    assert!(
        failed.contains("\"code\": \"AI_DETECTION_TIMEOUT\",\n"),
        "{failed}"
    );
    let expired = stdout_of(&server, &["order", "expire", &ids[2]]).await;
    assert!(expired.contains("\"status\": \"expired\",\n"), "{expired}");

    let list = ["orders", "--account", "live", "--vendor", "bizmori"];
    let ended = [completed, failed, expired].map(|shown| as_sent(&shown));
    let listed = stdout_of(&server, &list).await;
    assert_eq!(
        as_sent(&listed),
        format!(r#"{{"orders":[{}],"next":null}}"#, ended.join(","))
    );
    let newest = stdout_of(&server, &["orders", "--limit", "1"]).await;
    let next = next_of(&newest);
    let expected = format!(r#"{{"orders":[{}],"next":"{next}"}}"#, ended[2]);
    assert_eq!(as_sent(&newest), expected);
    let older = stdout_of(&server, &["orders", "--limit", "1", "--after", &next]).await;
    let next = next_of(&older);
    let expected = format!(r#"{{"orders":[{}],"next":"{next}"}}"#, ended[1]);
    assert_eq!(as_sent(&older), expected);
}

#[tokio::test]
async fn an_inbox_is_set_up_listed_read_and_removed() {
    let server = TestServer::start_frozen("live").await;
    let script = r#"{"statuses": [503]}"#;
    let set = stdout_of(
        &server,
        &["inbox", "set", "a b", script, "--account", "live"],
    )
    .await;
    let expected = r#"{
  "name": "a b",
  "account": "live",
  "statuses": [
    503
  ],
  "delayMs": 0,
  "secret": null,
  "messages": 0,
  "evicted": 0
}
"#;
    assert_eq!(set, expected);
    let none = "{\n  \"messages\": [],\n  \"evicted\": 0\n}\n";
    assert_eq!(
        stdout_of(&server, &["inbox", "messages", "a b"]).await,
        none
    );
    let (shown, line) = not_done(&server, &["inbox", "messages", "a b", "--min", "1"]).await;
    assert_eq!(shown, none);
    assert_eq!(line, "stuntdouble: expected 1 messages, got 0\n");

    let posted = server
        .send(Method::POST, "/_mock/inbox/a%20b", &[], "hello")
        .await;
    assert_eq!(posted.status, 503);
    let wait = [
        "inbox",
        "messages",
        "a b",
        "--min",
        "1",
        "--timeout-ms",
        "600000",
    ];
    let came = stdout_of(&server, &wait).await;
    assert_eq!(
        as_sent(&came),
        sent_request(&server, "/_mock/inbox/a%20b/messages").await
    );
    assert!(came.contains("\"body\": \"hello\",\n"), "{came}");
    let listed = stdout_of(&server, &["inbox", "--account", "live"]).await;
    assert_eq!(
        as_sent(&listed),
        sent_request(&server, "/_mock/inbox?account=live").await
    );
    let other = ["inbox", "delete", "a b", "--account", "other"];
    assert_eq!(stdout_of(&server, &other).await, "");
    assert_ne!(
        stdout_of(&server, &["inbox", "messages", "a b"]).await,
        none
    );
    assert_eq!(stdout_of(&server, &["inbox", "delete", "a b"]).await, "");
    assert_eq!(
        stdout_of(&server, &["inbox", "messages", "a b"]).await,
        none
    );
}
