//! Failures of commands: errors of the server, invalid input, and servers that cannot be reached.

use super::{CommandOutput, outputs_of_failure, run_against, run_program};
use crate::support::{Receiver, Reply, TestServer};

/// Returns the expected standard output and standard error of a failure.
fn expected_failure(line: &str) -> (String, String) {
    (String::new(), format!("stuntdouble: {line}\n"))
}

#[tokio::test]
async fn refuse_command_prints_message_and_hint_of_the_server() {
    let server = TestServer::start().await;
    let shapes = "(GET /_mock/openapi/control.json describes the fields and their types)";
    let step = "(send milliseconds such as 1500, or a duration such as 10s, PT5M or P7D, without months and years and of at most 100 years)";
    for (arguments, line) in [
        (
            &["accounts", "show", "nobody"][..],
            "no account nobody (an account is created by its first use, or by PUT /_mock/accounts/{key})",
        ),
        (
            &["accounts", "set", "live", r#"{"plan": "gold"}"#],
            &format!(
                "plan: unknown variant `gold`, expected one of `unlimited`, `free`, `pro`, `enterprise` at line 1 column 15 {shapes}"
            ),
        ),
        (
            &["clock", "set", "--mode", "frozen", "--now", "soon"],
            "now: invalid instant soon (send an instant such as 2026-03-12T10:00:00.000Z)",
        ),
        (
            &["advance", "soon"],
            &format!(r#"by: invalid duration "soon" {step}"#),
        ),
        (
            &["advance", "99999999999999999999"],
            &format!(r#"by: invalid duration "99999999999999999999" {step}"#),
        ),
        (
            &["rules", "add", "{}"],
            &format!("missing field `then` at line 1 column 2 {shapes}"),
        ),
        (
            &[
                "rules",
                "add",
                r#"{"account": "a", "then": {}}"#,
                "--account",
                "b",
            ],
            &format!("duplicate field `account` at line 1 column 24 {shapes}"),
        ),
        (
            &["rules", "delete", "7"],
            "no rule 7 (GET /_mock/rules lists all rules)",
        ),
        (
            &["deliveries", "resend", "7"],
            "no delivery 7 (GET /_mock/deliveries lists deliveries; those of a deleted webhook cannot be resent)",
        ),
        (
            &["orders", "expire", "7"],
            "no order 7 (GET /_mock/orders lists all orders)",
        ),
        (
            &["orders", "--vendor", "other"],
            "vendor: unknown vendor other (valid values: bizmori, undetectable)",
        ),
        (
            &["inbox", "set", "a", r#"{"statuses": [100]}"#],
            "statuses: expected 200 to 599, got 100 (use 200 to 599)",
        ),
        (
            &["inbox", "messages", "a", "--min", "1001"],
            "min: expected at most 1000, got 1001 (an inbox keeps at most 1000 messages)",
        ),
        (
            &["requests", "verify", "--min", "2", "--max", "1"],
            "count: min is greater than max (set min to at most max)",
        ),
    ] {
        assert_eq!(
            outputs_of_failure(&server, arguments).await,
            expected_failure(line),
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn read_invalid_input_fails_before_sending() {
    let server = TestServer::start().await;
    let missing = "cannot read /nowhere/a.json: No such file or directory (os error 2)";
    let load = ["fixtures", "load", "/nowhere/a.json"];
    assert_eq!(
        outputs_of_failure(&server, &load).await,
        expected_failure(missing)
    );
    let verify = ["requests", "verify", "--count", "1", "--body", "-"];
    let output = run_against(&server, &verify, "[").await;
    let line = "--body: invalid JSON: EOF while parsing a list at line 1 column 1";
    assert_eq!(
        (output.code, (output.out, output.err)),
        (Some(1), expected_failure(line))
    );
}

#[tokio::test]
async fn call_without_valid_token_fails_and_names_the_setting() {
    let server =
        TestServer::with_config(|config| config.control.control_token = Some("s3cret".to_owned()))
            .await;
    let line =
        "the control token is missing or wrong (set it with --token or STUNTDOUBLE_CONTROL_TOKEN)";
    for arguments in [&["rules"][..], &["rules", "--token", "other"]] {
        assert_eq!(
            outputs_of_failure(&server, arguments).await,
            expected_failure(line),
            "{arguments:?}"
        );
    }
    // The health check of a container needs no token.
    assert_eq!(run_against(&server, &["health"], "").await.code, Some(0));
    let no_rules = "{\n  \"rules\": [],\n  \"next\": null\n}\n".to_owned();
    let success = CommandOutput {
        code: Some(0),
        out: no_rules,
        err: String::new(),
    };
    let by_flag = run_against(&server, &["rules", "--token", "s3cret"], "").await;
    assert_eq!(by_flag, success);
    let variables = [
        ("STUNTDOUBLE_URL", &*server.origin),
        ("CONTROL_TOKEN", "s3cret"),
    ];
    assert_eq!(run_program(&variables, &["rules"], "").await, success);
}

#[tokio::test]
async fn call_unreachable_server_names_its_address() {
    let unreachable = "Connection refused (os error 111) (is the server running? set its address with --url or --port)";
    for (arguments, variable, origin) in [
        (&["health", "--port", "1"][..], "", "http://127.0.0.1:1"),
        (
            &["rules", "--url", "http://127.0.0.1:2/"],
            "",
            "http://127.0.0.1:2",
        ),
        (&["reset"], "http://127.0.0.1:3", "http://127.0.0.1:3"),
    ] {
        let output = run_program(&[("STUNTDOUBLE_URL", variable)], arguments, "").await;
        let line = expected_failure(&format!("cannot connect to {origin}: {unreachable}"));
        assert_eq!((output.code, (output.out, output.err)), (Some(1), line));
    }
}

#[tokio::test]
async fn call_another_server_fails_with_its_status() {
    let receiver = Receiver::with_replies([Reply::Status(404), Reply::Redirect]).await;
    let other = receiver.url.trim_end_matches("/hook");
    for status in [404, 307] {
        let output = run_program(&[("STUNTDOUBLE_URL", other)], &["clock"], "").await;
        let line = expected_failure(&format!(
            "{other}/_mock/clock responded with {status}, but not as a stuntdouble server does (is the address right? set it with --url or --port)"
        ));
        assert_eq!((output.code, (output.out, output.err)), (Some(1), line));
    }
}

#[tokio::test]
async fn health_of_silent_server_fails() {
    let receiver = Receiver::with_replies([Reply::Silence, Reply::Reset]).await;
    let silent = receiver.url.trim_end_matches("/hook");
    for _ in 0..2 {
        let output = run_program(&[("STUNTDOUBLE_URL", silent)], &["health"], "").await;
        let prefix =
            format!("stuntdouble: no response from {silent}: error sending request for url");
        assert!(output.err.starts_with(&prefix), "{}", output.err);
        assert_eq!(
            (output.code, output.out.as_str(), output.err.lines().count()),
            (Some(1), "", 1)
        );
    }
}

#[tokio::test]
async fn parse_invalid_arguments_exits_with_code_2() {
    let server = TestServer::start().await;
    for (arguments, prefix) in [
        (
            &["nothing"][..],
            "error: unrecognized subcommand 'nothing'\n",
        ),
        (
            &["accounts", "delete", ".."],
            "error: invalid value '..' for '<KEY>': '.' and '..' cannot be names, as they have a meaning in paths\n",
        ),
        (
            &["accounts", "delete", ""],
            "error: invalid value '' for '<KEY>': the name is empty\n",
        ),
        (
            &["reset", "--account", ""],
            "error: a value is required for '--account <KEY>' but none was supplied\n",
        ),
        (
            &["rules", "--account", "a", "clear"],
            "error: the subcommand 'clear' cannot be used with '--account <KEY>'\n",
        ),
        (
            &["clock", "set", "--mode", "stopped"],
            "error: invalid value 'stopped' for '--mode <MODE>'\n  [possible values: running, frozen, jump]\n",
        ),
        (
            &["health", "--url", "localhost:8080"],
            "error: invalid value 'localhost:8080' for '--url <URL>': give scheme, host and port, such as http://mock:8080\n",
        ),
        (
            &["requests", "verify"],
            "error: the following required arguments were not provided:\n  <--count <COUNT>|--min <COUNT>|--max <COUNT>>\n",
        ),
    ] {
        let output = run_against(&server, arguments, "").await;
        assert_eq!((output.code, output.out.as_str()), (Some(2), ""));
        assert!(output.err.starts_with(prefix), "{}", output.err);
    }
}
