//! Commands for clocks, accounts, rules, resets and fixtures.

use super::{CommandOutput, compact, get_text, outputs_of_failure, run_against, stdout_of};
use crate::support::{Receiver, Reply, T0, TestServer, picture};
use serde_json::{Value, json};

/// Replaces the offset of a frozen clock, which depends on the real time.
fn without_offset(text: &str) -> String {
    let (begin, rest) = text.split_once("\"offsetMs\": ").expect("an offset");
    let (offset, end) = rest.split_once(",\n").expect("an end of line");
    assert!(offset.parse::<i64>().is_ok(), "{offset}");
    format!("{begin}\"offsetMs\": *,\n{end}")
}

#[tokio::test]
async fn health_of_running_server_prints_ok() {
    let server = TestServer::start().await;
    let version = env!("CARGO_PKG_VERSION");
    let healthy = format!("{{\n  \"status\": \"ok\",\n  \"version\": \"{version}\"\n}}\n");
    assert_eq!(stdout_of(&server, &["health"]).await, healthy);
    let port = server.origin.rsplit(':').next().expect("a port");
    let variables = [("STUNTDOUBLE_PORT", port)];
    let by_port = super::run_program(&variables, &["health"], "").await;
    assert_eq!((by_port.code, by_port.out), (Some(0), healthy));
}

#[tokio::test]
async fn set_clock_prints_it_and_show_prints_it_again() {
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
    let after_set = stdout_of(&server, &[&set[..], &["--account", "live"]].concat()).await;
    let first_use = frozen.replacen('{', "{\n  \"accountKnown\": false,", 1);
    assert_eq!(without_offset(&after_set), first_use);
    let printed = stdout_of(&server, &["clock", "--account", "live"]).await;
    assert_eq!(without_offset(&printed), frozen);
    let default = stdout_of(&server, &["clock"]).await;
    assert!(
        default.contains("\"mode\": \"running\",\n  \"offsetMs\": 0,\n"),
        "{default}"
    );
}

#[tokio::test]
async fn advance_prints_the_jobs_that_ran() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let advanced = stdout_of(&server, &["advance", "PT1S", "--account", "live"]).await;
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
    assert_eq!(advanced, expected);
    let advanced = stdout_of(&server, &["advance", "1500", "--account", "live"]).await;
    let expected = "{\n  \"clock\": \"live\",\n  \"now\": \"2026-03-12T10:00:02.500Z\",\n  \"executed\": [],\n  \"waiting\": []\n}\n";
    assert_eq!(advanced, expected);
    let next = stdout_of(&server, &["advance", "next", "--account", "live"]).await;
    assert!(next.contains("\"kind\": \"order.expire\""), "{next}");
}

#[tokio::test]
async fn advance_to_an_instant_prints_it() {
    let server = TestServer::start_frozen("live").await;
    let to = [
        "advance",
        "--to",
        "2026-03-12T10:00:03Z",
        "--account",
        "live",
    ];
    let expected = "{\n  \"clock\": \"live\",\n  \"now\": \"2026-03-12T10:00:03.000Z\",\n  \"executed\": [],\n  \"waiting\": []\n}\n";
    assert_eq!(stdout_of(&server, &to).await, expected);
}

#[tokio::test]
async fn drain_with_pending_work_prints_it_and_fails() {
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
    let (out, err) = outputs_of_failure(&server, &["drain", "--timeout-ms", "1"]).await;
    let (_, rest) = out.split_once("\"at\": \"").expect("a due time");
    let at = rest.split('"').next().expect("an instant");
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
    assert_eq!(out, waiting);
    let expected = format!("stuntdouble: webhook.deliver {webhook} has not ended\n");
    assert_eq!(err, expected);
    let other = ["drain", "--timeout-ms", "1", "--account", "other"];
    let unknown = idle.replacen('{', "{\n  \"accountKnown\": false,", 1);
    assert_eq!(stdout_of(&server, &other).await, unknown);
    let counts = stdout_of(&server, &["reset", "--account", "live"]).await;
    assert!(counts.contains("\"orders\": 1,\n"), "{counts}");
    assert_eq!(stdout_of(&server, &["drain"]).await, idle);
}

#[tokio::test]
async fn set_show_and_delete_account_prints_its_settings() {
    let server = TestServer::start().await;
    let account = r#"{
  "key": "a/b",
  "hash": "c14cddc0",
  "createdAt": "CREATED_AT",
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
    let shown: serde_json::Value = serde_json::from_str(&set).expect("JSON");
    let created_at = shown["createdAt"].as_str().expect("an instant");
    let account = account.replace("CREATED_AT", created_at);
    assert_eq!(set, account);
    assert_eq!(
        stdout_of(&server, &["accounts", "show", "a/b"]).await,
        account
    );
    let unset = stdout_of(&server, &["account", "set", "a/b"]).await;
    let defaults = account
        .replace("free", "unlimited")
        .replace(r#""credits": 2"#, r#""credits": null"#);
    assert_eq!(unset, defaults);
    let from_stdin = run_against(&server, &["account", "set", "a/b", "-"], settings).await;
    assert_eq!(
        (from_stdin.code, from_stdin.out.as_str()),
        (Some(0), account.as_str())
    );
    let listing = stdout_of(&server, &["accounts"]).await;
    assert_eq!(
        compact(&listing),
        get_text(&server, "/_mock/accounts").await
    );
    assert_eq!(stdout_of(&server, &["accounts", "delete", "a/b"]).await, "");
    let none = "{\n  \"accounts\": [],\n  \"next\": null\n}\n";
    assert_eq!(stdout_of(&server, &["accounts"]).await, none);
}

#[tokio::test]
async fn add_list_delete_and_clear_rules_changes_the_listing() {
    let server = TestServer::start().await;
    let then = r#"{"then": {"respond": {"status": 503, "body": {"b":1.50,"a":2}}}}"#;
    stdout_of(&server, &["accounts", "set", "live"]).await;
    let created = stdout_of(&server, &["rules", "add", then, "--account", "live"]).await;
    let listing = stdout_of(&server, &["rules"]).await;
    assert_eq!(compact(&listing), get_text(&server, "/_mock/rules").await);
    assert_eq!(
        compact(&listing),
        format!("{{\"rules\":[{}],\"next\":null}}", compact(&created))
    );
    for field in [
        "  \"id\": 1,\n",
        "  \"account\": \"live\",\n",
        "\"b\": 1.50,\n",
    ] {
        assert!(created.contains(field), "{field}: {created}");
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
    let remaining = stdout_of(&server, &["rules"]).await;
    assert!(
        remaining.contains("\"b\"") && !remaining.contains("\"a\""),
        "{remaining}"
    );
    assert_eq!(stdout_of(&server, &["rules", "clear"]).await, "");
    assert_eq!(stdout_of(&server, &["rules"]).await, none);
}

#[tokio::test]
async fn reset_of_one_or_all_accounts_prints_counts() {
    let server = TestServer::start().await;
    for key in ["a", "b", "c"] {
        stdout_of(&server, &["accounts", "set", key]).await;
    }
    let counts = stdout_of(&server, &["reset", "--account", "b"]).await;
    assert!(counts.starts_with("{\n  \"accounts\": 1,\n"), "{counts}");
    let remaining = stdout_of(&server, &["accounts"]).await;
    assert!(
        remaining.contains("\"a\"") && !remaining.contains("\"b\""),
        "{remaining}"
    );
    let counts = stdout_of(&server, &["reset"]).await;
    assert!(counts.starts_with("{\n  \"accounts\": 2,\n"), "{counts}");
    let none = "{\n  \"accounts\": [],\n  \"next\": null\n}\n";
    assert_eq!(stdout_of(&server, &["accounts"]).await, none);
}

#[tokio::test]
async fn load_fixtures_with_file_paths_sends_the_files() {
    let server = TestServer::start().await;
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example.json");
    stdout_of(&server, &["fixtures", "load", example]).await;
    let text = get_text(&server, "/_mock/orders?account=sk_live_example").await;
    let listing: Value = serde_json::from_str(&text).expect("JSON");
    let orders = listing["orders"].as_array().expect("a list");
    let mut files: Vec<String> = orders
        .iter()
        .map(|order| {
            let name = order["fileNames"][0].as_str().expect("a text");
            let status = order["status"].as_str().expect("a text");
            format!("{name} {status}")
        })
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "late.jpg failed",
            "old.jpg expired",
            "raccoon.jpg complete",
            "raccoon.jpg complete"
        ]
    );
}

#[tokio::test]
async fn load_fixtures_with_missing_file_names_it_and_sends_nothing() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a directory");
    let document = folder.path().join("a.json");
    let text = r#"{"accounts": [{"key": "a"}], "orders": [{"account": "a",
        "operation": "undetectable.detect", "files": [{"fileName": "a.jpg", "path": "b.jpg"}]}]}"#;
    std::fs::write(&document, text).expect("a file");
    let document = document.to_str().expect("UTF-8");
    let (out, err) = outputs_of_failure(&server, &["fixtures", "load", document]).await;
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
        get_text(&server, "/_mock/accounts").await,
        r#"{"accounts":[],"next":null}"#
    );
}
