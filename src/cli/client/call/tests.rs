use clap::Parser;

use super::*;
use crate::cli::grammar::{Cli, Command};

/// Reads a source as its own name.
fn read_stub(source: &JsonSource) -> Result<Vec<u8>, String> {
    Ok(match source {
        JsonSource::Inline(text) => text.clone().into_bytes(),
        JsonSource::File(path) if path.ends_with("missing") => {
            return Err("no such file".to_owned());
        }
        JsonSource::File(path) => format!("in {}", path.display()).into_bytes(),
        JsonSource::Stdin => b"[1]".to_vec(),
    })
}

/// Returns method, path and body of the call that a command makes.
fn request_of(arguments: &[&str]) -> String {
    let all = ["stuntdouble"].iter().chain(arguments);
    let cli = Cli::try_parse_from(all).unwrap_or_else(|error| panic!("{error}"));
    let Some(Command::Client(command)) = cli.command else {
        panic!("{arguments:?} makes no call");
    };
    match call(&command, &read_stub) {
        Ok(ApiCall { method, path, body }) => {
            let body = body.map(|body| format!(" {}", String::from_utf8_lossy(&body)));
            format!("{method} {path}{}", body.unwrap_or_default())
        }
        Err(line) => line,
    }
}

/// Returns the call of a command line whose words are separated by blanks.
fn request_of_line(line: &str) -> String {
    request_of(&line.split(' ').collect::<Vec<_>>())
}

#[test]
fn clock_commands_call_their_routes() {
    for (command, call) in [
        ("health", "GET /_mock/health"),
        ("reset", "POST /_mock/reset {}"),
        ("reset --account a", r#"POST /_mock/reset {"account":"a"}"#),
        ("clock", "GET /_mock/clock"),
        ("clock --account a&b", "GET /_mock/clock?account=a%26b"),
        (
            "clock set --mode running",
            r#"PUT /_mock/clock {"mode":"running"}"#,
        ),
        (
            "clock set --mode frozen --now 2026-03-12 --account a",
            r#"PUT /_mock/clock {"account":"a","mode":"frozen","now":"2026-03-12"}"#,
        ),
        (
            "clock set --mode jump",
            r#"PUT /_mock/clock {"mode":"jump"}"#,
        ),
        ("advance 1500", r#"POST /_mock/clock/advance {"by":1500}"#),
        (
            "advance PT1M --account a",
            r#"POST /_mock/clock/advance {"account":"a","by":"PT1M"}"#,
        ),
        (
            "advance 99999999999999999999",
            r#"POST /_mock/clock/advance {"by":"99999999999999999999"}"#,
        ),
        (
            "advance --to 2026-03-12T10:00:00Z",
            r#"POST /_mock/clock/advance {"to":"2026-03-12T10:00:00Z"}"#,
        ),
        ("drain", "POST /_mock/drain {}"),
        (
            "drain --timeout-ms 5 --account a",
            r#"POST /_mock/drain {"account":"a","timeoutMs":5}"#,
        ),
    ] {
        assert_eq!(request_of_line(command), call);
    }
}

#[test]
fn account_and_rule_commands_call_their_routes() {
    for (command, call) in [
        ("accounts", "GET /_mock/accounts"),
        ("accounts show a", "GET /_mock/accounts/a"),
        ("account set a", "PUT /_mock/accounts/a {}"),
        ("account set a -", "PUT /_mock/accounts/a [1]"),
        (
            r#"accounts set a {"b":1}"#,
            r#"PUT /_mock/accounts/a {"b":1}"#,
        ),
        ("accounts delete a", "DELETE /_mock/accounts/a"),
        ("rules", "GET /_mock/rules"),
        ("rules --account a", "GET /_mock/rules?account=a"),
        ("rules add {}", "POST /_mock/rules {}"),
        ("rule add -", "POST /_mock/rules [1]"),
        (
            "rules add {} --account a",
            r#"POST /_mock/rules {"account":"a"}"#,
        ),
        ("rules set 3 -", "PUT /_mock/rules/3 [1]"),
        (
            r#"rules set 3 {"b":1} --account a"#,
            r#"PUT /_mock/rules/3 {"account":"a","b":1}"#,
        ),
        ("rules delete 3", "DELETE /_mock/rules/3"),
        (
            "rules delete 3 --account a",
            "DELETE /_mock/rules/3?account=a",
        ),
        ("rules clear", "DELETE /_mock/rules"),
        ("rules clear --account a", "DELETE /_mock/rules?account=a"),
    ] {
        assert_eq!(request_of_line(command), call);
    }
}

#[test]
fn request_commands_call_their_routes() {
    for (command, call) in [
        ("requests", "GET /_mock/requests"),
        (
            "requests --account a --operation b.* --method put --path /c/* --status 503 --since 4 --limit 5",
            "GET /_mock/requests?account=a&operation=b.*&method=put&path=%2Fc%2F*&status=503&since=4&limit=5",
        ),
        ("requests --status 4xx", "GET /_mock/requests?status=4xx"),
        ("requests show a/b 7", "GET /_mock/requests/a%2Fb/7"),
        ("requests clear", "DELETE /_mock/requests"),
        (
            "requests clear --account a",
            "DELETE /_mock/requests?account=a",
        ),
        (
            "requests verify --count 0",
            r#"POST /_mock/requests/verify {"count":0}"#,
        ),
        (
            "requests verify --min 1 --timeout-ms 9 --status 5xx",
            r#"POST /_mock/requests/verify {"count":{"min":1},"timeoutMs":9,"when":{"status":"5xx"}}"#,
        ),
        (
            "requests verify --account a --operation b --method c --path d --status 201 --max 2",
            r#"POST /_mock/requests/verify {"account":"a","count":{"max":2},"when":{"method":"c","operation":"b","path":"d","status":201}}"#,
        ),
        (
            "requests verify --count 1 --file-name *.jpg --query a=b=c --query d=* --header e=f --body -",
            r#"POST /_mock/requests/verify {"count":1,"when":{"body":[1],"fileName":"*.jpg","headers":{"e":"f"},"query":{"a":"b=c","d":"*"}}}"#,
        ),
        (
            "requests verify --count 1 --body {",
            "--body: invalid JSON: EOF while parsing an object at line 1 column 1",
        ),
    ] {
        assert_eq!(request_of_line(command), call);
    }
}

#[test]
fn delivery_order_inbox_and_snapshot_commands_call_their_routes() {
    for (command, call) in [
        ("deliveries", "GET /_mock/deliveries"),
        (
            "deliveries --account a --webhook-id 1 --event-type b --limit 2",
            "GET /_mock/deliveries?account=a&webhookId=1&eventType=b&limit=2",
        ),
        ("delivery resend 7", "POST /_mock/deliveries/7/resend {}"),
        (
            "delivery resend 7 --account a",
            r#"POST /_mock/deliveries/7/resend {"account":"a"}"#,
        ),
        (
            "orders --account a --vendor bizmori --limit 2",
            "GET /_mock/orders?account=a&vendor=bizmori&limit=2",
        ),
        (
            "orders --limit 2 --after 7",
            "GET /_mock/orders?limit=2&after=7",
        ),
        ("deliveries --after 7", "GET /_mock/deliveries?after=7"),
        (
            "accounts --limit 2 --after a/b",
            "GET /_mock/accounts?limit=2&after=a%2Fb",
        ),
        (
            "rules --account a --limit 2 --after 7",
            "GET /_mock/rules?account=a&limit=2&after=7",
        ),
        ("order complete 7", "POST /_mock/orders/7/complete {}"),
        (
            r#"orders complete 7 {"a":1}"#,
            r#"POST /_mock/orders/7/complete {"a":1}"#,
        ),
        ("orders fail 7 -", "POST /_mock/orders/7/fail [1]"),
        ("orders expire 7", "POST /_mock/orders/7/expire {}"),
        (
            "orders fail 7 --account a",
            r#"POST /_mock/orders/7/fail {"account":"a"}"#,
        ),
        (
            "orders expire 7 --account a",
            r#"POST /_mock/orders/7/expire {"account":"a"}"#,
        ),
        ("inbox", "GET /_mock/inbox"),
        (
            "inboxes --account a --limit 2",
            "GET /_mock/inbox?account=a&limit=2",
        ),
        ("inbox messages a", "GET /_mock/inbox/a/messages"),
        (
            "inbox messages a --min 1 --timeout-ms 2 --account b",
            "GET /_mock/inbox/a/messages?account=b&min=1&timeoutMs=2",
        ),
        ("inbox set a", "PUT /_mock/inbox/a {}"),
        (
            r#"inbox set a {"statuses":[500]} --account b"#,
            r#"PUT /_mock/inbox/a {"account":"b","statuses":[500]}"#,
        ),
        ("inbox delete a", "DELETE /_mock/inbox/a"),
        (
            "inbox delete a --account b",
            "DELETE /_mock/inbox/a?account=b",
        ),
        ("snapshots", "GET /_mock/snapshots"),
        ("snapshots --account a", "GET /_mock/snapshots?account=a"),
        (
            "snapshot delete a --account b",
            "DELETE /_mock/snapshots/a?account=b",
        ),
        ("snapshot take a", "PUT /_mock/snapshots/a {}"),
        (
            "snapshot take a --account b",
            r#"PUT /_mock/snapshots/a {"account":"b"}"#,
        ),
        ("snapshot restore a", "POST /_mock/snapshots/a/restore {}"),
        (
            "snapshot restore a --account b",
            r#"POST /_mock/snapshots/a/restore {"account":"b"}"#,
        ),
        ("snapshot delete a", "DELETE /_mock/snapshots/a"),
        ("fixtures load -", "PUT /_mock/fixtures [1]"),
        ("fixtures load a.json", "PUT /_mock/fixtures in a.json"),
        ("fixtures load missing", "no such file"),
    ] {
        assert_eq!(request_of_line(command), call);
    }
}

#[test]
fn names_are_encoded_as_one_path_segment() {
    let request = request_of(&["accounts", "show", "a/b?c#d%2F é"]);
    assert_eq!(request, "GET /_mock/accounts/a%2Fb%3Fc%23d%252F%20%C3%A9");
    for name in ["", ".", ".."] {
        let parsed = Cli::try_parse_from(["stuntdouble", "rules", "delete", name]);
        assert!(parsed.is_err(), "{name:?} is accepted");
    }
}

#[test]
fn with_account_inserts_the_field_and_changes_nothing_else() {
    let with = |json: &str, key: &str| {
        let account = AccountArg {
            key: Some(key.to_owned()),
        };
        String::from_utf8(with_account(json.into(), &account)).expect("UTF-8")
    };
    assert_eq!(with("{}", "a"), r#"{"account":"a"}"#);
    assert_eq!(with(" { } ", "a"), r#"{"account":"a" } "#);
    assert_eq!(with("\n{\"z\": 1.0}", "\""), r#"{"account":"\"","z": 1.0}"#);
    assert_eq!(with("[]", "a"), "[]", "the server reports the error");
}
