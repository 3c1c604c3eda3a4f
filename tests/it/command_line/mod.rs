//! Commands of the real program against a real server. Complete outputs are compared.

mod command_tree;
mod control;
mod errors;
mod fixtures;
mod inspect;
mod licenses;
mod open;
mod settings;
mod snapshots;

use std::io::Write;
use std::process::{Command, Stdio};

use reqwest::Method;

use crate::support::TestServer;

/// Exit code and output of the program.
#[derive(Debug, PartialEq, Eq)]
struct CommandOutput {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program with environment variables, arguments and standard input.
async fn run_program(variables: &[(&str, &str)], arguments: &[&str], input: &str) -> CommandOutput {
    let mut program = Command::new(env!("CARGO_BIN_EXE_stuntdouble"));
    program
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let mut child = program.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin
            .write_all(input.as_bytes())
            .expect("the program reads its input");
        drop(stdin);
        child.wait_with_output().expect("an output")
    });
    let output = run.await.expect("no panic");
    CommandOutput {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

async fn run_against(server: &TestServer, arguments: &[&str], input: &str) -> CommandOutput {
    run_program(&[("STUNTDOUBLE_URL", &server.origin)], arguments, input).await
}

/// Runs a command that must succeed without errors. Returns its standard output.
async fn stdout_of(server: &TestServer, arguments: &[&str]) -> String {
    let output = run_against(server, arguments, "").await;
    assert_eq!(
        (output.code, output.err.as_str()),
        (Some(0), ""),
        "{output:?}"
    );
    output.out
}

/// Runs a command that must exit with code 1. Returns its standard output and standard error.
async fn outputs_of_failure(server: &TestServer, arguments: &[&str]) -> (String, String) {
    let output = run_against(server, arguments, "").await;
    assert_eq!(output.code, Some(1), "{output:?}");
    (output.out, output.err)
}

/// Converts indented JSON to the compact JSON that the server sends.
fn compact(printed: &str) -> String {
    assert!(printed.ends_with('\n'), "{printed:?}");
    let lines = printed.lines().map(str::trim_start);
    lines.map(|line| line.replacen("\": ", "\":", 1)).collect()
}

/// Returns the body that the server sends for a GET.
async fn get_text(server: &TestServer, path: &str) -> String {
    server.send(Method::GET, path, &[], "").await.text()
}
