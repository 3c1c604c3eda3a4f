//! Time, accounts and rules.

use super::{CommandOutput, as_sent, not_done, run_against, sent_request, stdout_of};
use crate::support::{Receiver, Reply, T0, TestServer, picture};
use serde_json::{Value, json};

/// The text with the offset of a clock that stands still replaced: the real time has its part in it.
fn without_offset(text: &str) -> String {
    let (begin, rest) = text.split_once("\"offsetMs\": ").expect("an offset");
    let (offset, end) = rest.split_once(",\n").expect("a line's end");
    assert!(offset.parse::<i64>().is_ok(), "{offset}");
    format!("{begin}\"offsetMs\": *,\n{end}")
}

#[tokio::test]
async fn a_server_that_serves_is_healthy() {
    let server = TestServer::start().await;
    let version = env!("CARGO_PKG_VERSION");
    let shown = format!("{{\n  \"status\": \"ok\",\n  \"version\": \"{version}\"\n}}\n");
    assert_eq!(stdout_of(&server, &["health"]).await, shown);
    let port = server.origin.rsplit(':').next().expect("a port");
    let variables = [("STUNTDOUBLE_PORT", port)];
    let by_port = super::run_program(&variables, &["health"], "").await;
    assert_eq!((by_port.code, by_port.out), (Some(0), shown));
}

#[tokio::test]
async fn a_clock_is_set_and_shown() {
    let server = TestServer::start().await;
    let frozen = r#"{
  "now": "2026-03-12T10:00:00.000Z",
  "mode": "frozen",
  "offsetMs": *,
  "isDefault": false,
  "next": null
}
"#;
    let set = ["clock", "set", "--mode", "frozen", "--now", T0];
    let set = stdout_of(&server, &[&set[..], &["--account", "live"]].concat()).await;
    let first_use = frozen.replacen('{', "{\n  \"accountKnown\": false,", 1);
    assert_eq!(without_offset(&set), first_use);
    let shown = stdout_of(&server, &["clock", "--account", "live"]).await;
    assert_eq!(without_offset(&shown), frozen);
    let default = stdout_of(&server, &["clock"]).await;
    assert!(
        default.contains("\"mode\": \"running\",\n  \"offsetMs\": 0,\n"),
        "{default}"
    );
}

#[tokio::test]
async fn a_clock_is_moved_on_and_what_ran_is_shown() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let moved = stdout_of(&server, &["advance", "PT1S", "--account", "live"]).await;
    let expected = format!(
        r#"{{
  "clock": "live",
  "now": "2026-03-12T10:00:01.000Z",
  "executed": [
    {{
      "at": "2026-03-12T10:00:00.300Z",
      "kind": "order.process",
      "subject": "{id}"
    }}
  ],
  "waiting": []
}}
"#
    );
    assert_eq!(moved, expected);
    let moved = stdout_of(&server, &["advance", "1500", "--account", "live"]).await;
    let at = |now: &str| {
        format!(
            "{{\n  \"clock\": \"live\",\n  \"now\": \"2026-03-12T{now}Z\",\n  \"executed\": [],\n  \"waiting\": []\n}}\n"
        )
    };
    assert_eq!(moved, at("10:00:02.500"));
    let to = [
        "advance",
        "--to",
        "2026-03-12T10:00:03Z",
        "--account",
        "live",
    ];
    assert_eq!(stdout_of(&server, &to).await, at("10:00:03.000"));
}

#[tokio::test]
async fn what_waits_is_shown_and_is_a_failure() {
    let server = TestServer::with_config(|config| {
        config.orders.processing_ms = 0;
        config.outbound.webhook_timeout_ms = 600_000;
    })
    .await;
    let idle = "{\n  \"idle\": true,\n  \"next\": null\n}\n";
    assert_eq!(stdout_of(&server, &["drain"]).await, idle);
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    let (shown, line) = not_done(&server, &["drain", "--timeout-ms", "1"]).await;
    let (_, at) = shown.split_once("\"at\": \"").expect("a due time");
    let at = at.split('"').next().expect("an instant");
    let waiting = format!(
        r#"{{
  "idle": false,
  "waiting": [
    {{
      "kind": "webhook.deliver",
      "subject": "{webhook}",
      "at": "{at}"
    }}
  ]
}}
"#
    );
    assert_eq!(shown, waiting);
    let expected = format!("stuntdouble: webhook.deliver {webhook} has not ended\n");
    assert_eq!(line, expected);
    let other = ["drain", "--timeout-ms", "1", "--account", "other"];
    let unknown = idle.replacen('{', "{\n  \"accountKnown\": false,", 1);
    assert_eq!(stdout_of(&server, &other).await, unknown);
    let went = stdout_of(&server, &["reset", "--account", "live"]).await;
    assert!(went.contains("\"orders\": 1,\n"), "{went}");
    assert_eq!(stdout_of(&server, &["drain"]).await, idle);
}

#[tokio::test]
async fn an_account_is_set_up_shown_and_removed() {
    let server = TestServer::start().await;
    let account = r#"{
  "key": "a/b",
  "plan": "free",
  "requestsPerMinute": null,
  "credits": 2,
  "retentionDays": null,
  "state": "active",
  "revision": null,
  "processing": null
}
"#;
    let settings = r#"{"plan": "free", "credits": 2}"#;
    let set = stdout_of(&server, &["accounts", "set", "a/b", settings]).await;
    assert_eq!(set, account);
    assert_eq!(
        stdout_of(&server, &["accounts", "show", "a/b"]).await,
        account
    );
    let unset = stdout_of(&server, &["account", "set", "a/b"]).await;
    let defaults = account.replace("free", "unlimited").replace('2', "null");
    assert_eq!(unset, defaults);
    let read = run_against(&server, &["account", "set", "a/b", "-"], settings).await;
    assert_eq!((read.code, read.out.as_str()), (Some(0), account));
    let listed = stdout_of(&server, &["accounts"]).await;
    assert_eq!(
        as_sent(&listed),
        sent_request(&server, "/_mock/accounts").await
    );
    assert_eq!(stdout_of(&server, &["accounts", "delete", "a/b"]).await, "");
    let none = "{\n  \"accounts\": [],\n  \"next\": null\n}\n";
    assert_eq!(stdout_of(&server, &["accounts"]).await, none);
}

#[tokio::test]
async fn rules_are_added_listed_and_removed() {
    let server = TestServer::start().await;
    let then = r#"{"then": {"respond": {"status": 503, "body": {"b":1.50,"a":2}}}}"#;
    stdout_of(&server, &["accounts", "set", "live"]).await;
    let created = stdout_of(&server, &["rules", "add", then, "--account", "live"]).await;
    let listed = stdout_of(&server, &["rules"]).await;
    assert_eq!(
        as_sent(&listed),
        sent_request(&server, "/_mock/rules").await
    );
    assert_eq!(
        as_sent(&listed),
        format!("{{\"rules\":[{}],\"next\":null}}", as_sent(&created))
    );
    for stored in [
        "  \"id\": 1,\n",
        "  \"account\": \"live\",\n",
        "\"b\": 1.50,\n",
    ] {
        assert!(created.contains(stored), "{stored}: {created}");
    }
    let none = "{\n  \"rules\": [],\n  \"next\": null\n}\n";
    let others = stdout_of(&server, &["rules", "--account", "other"]).await;
    assert_eq!(
        others,
        none.replacen('{', "{\n  \"accountKnown\": false,", 1)
    );
    assert_eq!(stdout_of(&server, &["rules", "delete", "1"]).await, "");
    assert_eq!(stdout_of(&server, &["rules"]).await, none);

    for key in ["a", "b"] {
        let rule = format!(r#"{{"account": "{key}", "then": {{"delayMs": 1}}}}"#);
        let CommandOutput { code, err, .. } =
            run_against(&server, &["rules", "add", "-"], &rule).await;
        assert_eq!((code, err), (Some(0), String::new()));
    }
    assert_eq!(
        stdout_of(&server, &["rules", "clear", "--account", "a"]).await,
        ""
    );
    let left = stdout_of(&server, &["rules"]).await;
    assert!(left.contains("\"b\"") && !left.contains("\"a\""), "{left}");
    assert_eq!(stdout_of(&server, &["rules", "clear"]).await, "");
    assert_eq!(stdout_of(&server, &["rules"]).await, none);
}

#[tokio::test]
async fn a_reset_is_of_one_account_or_of_everything() {
    let server = TestServer::start().await;
    for key in ["a", "b", "c"] {
        stdout_of(&server, &["accounts", "set", key]).await;
    }
    let went = stdout_of(&server, &["reset", "--account", "b"]).await;
    assert!(went.starts_with("{\n  \"accounts\": 1,\n"), "{went}");
    let left = stdout_of(&server, &["accounts"]).await;
    assert!(left.contains("\"a\"") && !left.contains("\"b\""), "{left}");
    let went = stdout_of(&server, &["reset"]).await;
    assert!(went.starts_with("{\n  \"accounts\": 2,\n"), "{went}");
    let none = "{\n  \"accounts\": [],\n  \"next\": null\n}\n";
    assert_eq!(stdout_of(&server, &["accounts"]).await, none);
}

#[tokio::test]
async fn load_fixtures_reads_the_files_that_the_document_names() {
    let server = TestServer::start().await;
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example.json");
    stdout_of(&server, &["fixtures", "load", example]).await;
    let listed = sent_request(&server, "/_mock/orders?account=sk_live_example").await;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let orders = listed["orders"].as_array().expect("a list");
    let shown = orders.iter().map(|order| {
        let (name, status) = (&order["fileNames"][0], &order["status"]);
        format!(
            "{} {}",
            name.as_str().expect("a text"),
            status.as_str().expect("a text")
        )
    });
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "late.jpg failed",
            "old.jpg expired",
            "raccoon.jpg complete",
            "raccoon.jpg complete"
        ]
    );
}

#[tokio::test]
async fn load_fixtures_with_a_missing_file_names_it_and_sends_nothing() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a directory");
    let document = folder.path().join("a.json");
    let text = r#"{"accounts": [{"key": "a"}], "orders": [{"account": "a",
        "operation": "undetectable.detect", "files": [{"fileName": "a.jpg", "path": "b.jpg"}]}]}"#;
    std::fs::write(&document, text).expect("written");
    let document = document.to_str().expect("UTF-8");
    let (out, err) = not_done(&server, &["fixtures", "load", document]).await;
    let missing = folder.path().join("b.jpg");
    assert_eq!(out, "");
    assert_eq!(
        err,
        format!(
            "stuntdouble: cannot read {} (orders[0].files[0].path): No such file or directory (os error 2)\n",
            missing.display()
        )
    );
    assert_eq!(
        sent_request(&server, "/_mock/accounts").await,
        r#"{"accounts":[],"next":null}"#
    );
}
