//! Commands for requests, deliveries, orders and inboxes.

use reqwest::Method;
use serde_json::{Value, json};

use super::{compact, get_text, outputs_of_failure, stdout_of};
use crate::support::{Receiver, Reply, T0, TestServer, picture};

const CREATE: &str = "bizmori.createAiDetection";

/// Returns the cursor of the next page.
fn next_of(listing: &str) -> String {
    let listing: Value = serde_json::from_str(listing).expect("JSON");
    listing["next"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn list_requests_with_filters_prints_the_filtered_listing() {
    let server = TestServer::start_frozen("live").await;
    server.get("live", "/api/v2/orders/42").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.create_detection("live", &body).await;
    server.get("live", "/api/v2/orders").await;
    let all = get_text(&server, "/_mock/requests").await;
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
        let printed = stdout_of(&server, &[&["requests"][..], &arguments].concat()).await;
        let expected = get_text(&server, &format!("/_mock/requests{query}")).await;
        assert!(expected.contains(r#""path":"/api/"#), "{query}: {expected}");
        let matches_all = ["", "?account=live"].contains(&query);
        assert_eq!(expected == all, matches_all, "{query}");
        assert_eq!(compact(&printed), expected, "{query}");
    }
    let clear = ["requests", "clear", "--account", "live"];
    assert_eq!(stdout_of(&server, &clear).await, "");
    let none = "{\n  \"requests\": [],\n  \"evicted\": 0\n}\n";
    assert_eq!(stdout_of(&server, &["requests"]).await, none);
}

#[tokio::test]
async fn verify_requests_exits_with_0_or_prints_near_misses() {
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
    let (out, err) = outputs_of_failure(&server, &[&verify[..], &other].concat()).await;
    let listing = get_text(&server, "/_mock/requests?account=live").await;
    let request = listing
        .strip_prefix(r#"{"requests":["#)
        .and_then(|rest| rest.strip_suffix(r#"],"evicted":0}"#));
    let difference = r#""differences":["status: expected 201, got 200"]"#;
    let near_miss = format!(
        r#"{{"request":{},{difference}}}"#,
        request.expect("one request")
    );
    let failure = format!(r#"{{"ok":false,"count":0,"nearMisses":[{near_miss}]}}"#);
    assert_eq!(compact(&out), failure);
    assert_eq!(
        err,
        "stuntdouble: 0 such requests were made, wanted 1 to 3\n"
    );
}

#[tokio::test]
async fn list_and_resend_deliveries_prints_them() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(503)]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT0.3S").await;
    let list = async |query: &str| get_text(&server, &format!("/_mock/deliveries{query}")).await;

    let printed = stdout_of(&server, &["deliveries", "--account", "live"]).await;
    let text = list("?account=live").await;
    assert_eq!(compact(&printed), text);
    let listing: Value = serde_json::from_str(&text).expect("JSON");
    let id = listing["deliveries"][0]["id"].to_string();

    let resent = stdout_of(&server, &["deliveries", "resend", &id]).await;
    receiver.messages(2).await;
    let list_newest = ["deliveries", "--limit", "1", "--webhook-id", &webhook];
    let newest = stdout_of(&server, &list_newest).await;
    let entry = compact(&resent);
    let next = next_of(&newest);
    assert_eq!(
        compact(&newest),
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
async fn complete_fail_expire_and_list_orders_prints_them() {
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
    let ended = [completed, failed, expired].map(|printed| compact(&printed));
    let listing = stdout_of(&server, &list).await;
    assert_eq!(
        compact(&listing),
        format!(r#"{{"orders":[{}],"next":null}}"#, ended.join(","))
    );
    let newest = stdout_of(&server, &["orders", "--limit", "1"]).await;
    let next = next_of(&newest);
    let expected = format!(r#"{{"orders":[{}],"next":"{next}"}}"#, ended[2]);
    assert_eq!(compact(&newest), expected);
    let older = stdout_of(&server, &["orders", "--limit", "1", "--after", &next]).await;
    let next = next_of(&older);
    let expected = format!(r#"{{"orders":[{}],"next":"{next}"}}"#, ended[1]);
    assert_eq!(compact(&older), expected);
}

#[tokio::test]
async fn set_list_read_and_delete_inbox_prints_it() {
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
    let (out, err) = outputs_of_failure(&server, &["inbox", "messages", "a b", "--min", "1"]).await;
    assert_eq!(out, none);
    assert_eq!(err, "stuntdouble: 0 messages came, 1 are wanted\n");

    let response = server
        .send(Method::POST, "/_mock/inbox/a%20b", &[], "hello")
        .await;
    assert_eq!(response.status, 503);
    let wait = [
        "inbox",
        "messages",
        "a b",
        "--min",
        "1",
        "--timeout-ms",
        "600000",
    ];
    let messages = stdout_of(&server, &wait).await;
    assert_eq!(
        compact(&messages),
        get_text(&server, "/_mock/inbox/a%20b/messages").await
    );
    assert!(messages.contains("\"body\": \"hello\",\n"), "{messages}");
    let listing = stdout_of(&server, &["inbox", "--account", "live"]).await;
    assert_eq!(
        compact(&listing),
        get_text(&server, "/_mock/inbox?account=live").await
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
