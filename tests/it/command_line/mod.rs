//! The command line: the real program asks the real server, and what it says is compared whole.

mod command_tree;
mod control;
mod errors;
mod fixtures;
mod inspect;
mod licenses;
mod settings;
mod snapshots;

use std::io::Write;
use std::process::{Command, Stdio};

use reqwest::Method;

use crate::support::TestServer;

/// What the program said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct CommandOutput {
    code: Option<i32>,
    out: String,
    err: String,
}

/// What the program says with those arguments, that input, and the variables of a server there.
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
    let ran = tokio::task::spawn_blocking(move || {
        let mut child = program.spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("written");
        drop(stdin);
        child.wait_with_output().expect("an end")
    });
    let ran = ran.await.expect("no panic");
    CommandOutput {
        code: ran.status.code(),
        out: String::from_utf8(ran.stdout).expect("UTF-8"),
        err: String::from_utf8(ran.stderr).expect("UTF-8"),
    }
}

async fn run_against(server: &TestServer, arguments: &[&str], input: &str) -> CommandOutput {
    run_program(&[("STUNTDOUBLE_URL", &server.origin)], arguments, input).await
}

/// What it shows where all goes well, nothing being wrong to tell of.
async fn stdout_of(server: &TestServer, arguments: &[&str]) -> String {
    let output = run_against(server, arguments, "").await;
    assert_eq!(
        (output.code, output.err.as_str()),
        (Some(0), ""),
        "{output:?}"
    );
    output.out
}

/// What it shows and what it says where not.
async fn not_done(server: &TestServer, arguments: &[&str]) -> (String, String) {
    let output = run_against(server, arguments, "").await;
    assert_eq!(output.code, Some(1), "{output:?}");
    (output.out, output.err)
}

/// What is shown, as the server sends it: without the blanks between its tokens.
fn as_sent(shown: &str) -> String {
    assert!(shown.ends_with('\n'), "{shown:?}");
    let lines = shown.lines().map(str::trim_start);
    lines.map(|line| line.replacen("\": ", "\":", 1)).collect()
}

/// What the server answers to a GET of that path.
async fn sent_request(server: &TestServer, path: &str) -> String {
    server.send(Method::GET, path, &[], "").await.text()
}
