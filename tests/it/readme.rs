//! The README is true: its quick start, its recipes and its examples run as they stand, its tables
//! are the program's.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Arg, CommandFactory};
use stuntdouble::cli::grammar::Cli;

use crate::support::{TestServer, fixture};

const README: &str = include_str!("../../README.md");
/// What the quick start's first line says, and the only thing that is replaced in it.
const ORIGIN: &str = "http://localhost:8080";
/// The headers of PNG and JPEG files.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// The README from that heading up to the next of its level, or of chapters.
fn chapter(heading: &str) -> &'static str {
    let level = heading.split(' ').next().unwrap_or_default();
    let begins = format!("\n{heading}\n");
    let (_, rest) = README
        .split_once(&begins)
        .unwrap_or_else(|| panic!("no chapter {heading}"));
    let rest = rest.split("\n## ").next().unwrap_or(rest);
    rest.split(&format!("\n{level} ")).next().unwrap_or(rest)
}

/// The blocks of a chapter that are in that language, in order.
fn blocks<'c>(chapter: &'c str, language: &str) -> Vec<&'c str> {
    // Between fences there is a block and prose by turns.
    let inside = chapter.split("\n```").skip(1).step_by(2);
    let split = inside.filter_map(|block| block.split_once('\n'));
    split
        .filter(|(of, _)| *of == language)
        .map(|(_, block)| block)
        .collect()
}

/// The shell blocks of a chapter as one script.
fn script(chapter: &str) -> String {
    let blocks = blocks(chapter, "sh");
    blocks
        .iter()
        .fold(String::new(), |script, block| script + block + "\n")
}

/// What pasting that says, the server being this one. Panics unless all of it succeeds.
async fn run(server: &TestServer, kept_path: &Path, script: &str) -> String {
    let summary = format!("export STUNTDOUBLE={ORIGIN}\n");
    assert!(script.starts_with(&summary), "{script}");
    assert_eq!(
        script.matches(ORIGIN).count(),
        1,
        "one place says where the server is"
    );
    let script = script.replacen(ORIGIN, &server.origin, 1);
    let program = Path::new(env!("CARGO_BIN_EXE_stuntdouble"));
    let beside = program.parent().expect("a folder").display();
    let elsewhere = std::env::var("PATH").unwrap_or_default();
    let path = format!("{beside}:{elsewhere}");
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TMPDIR", kept_path)
        .env("PATH", path)
        .env("no_proxy", "*");
    let ran = tokio::task::spawn_blocking(move || shell.output())
        .await
        .expect("no panic");
    let ran = ran.expect("bash runs");
    let output = String::from_utf8(ran.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}\n{output}\n{errors}", ran.status);
    output
}

/// What pasting a chapter after the quick start's first block says.
async fn run_after_the_start(server: &TestServer, kept_path: &Path, chapter: &str) -> String {
    let start = blocks(self::chapter("## Quick start"), "sh");
    let script = format!("{}\n{}", start[0], script(chapter));
    run(server, kept_path, &script).await
}

/// Every line that a recipe shows was said, but for those that leave something out.
fn assert_shown(recipe: &str, output: &str) {
    for shown in blocks(recipe, "").iter().flat_map(|block| block.lines()) {
        let is_said = output.lines().any(|line| line == shown);
        assert!(is_said || shown.contains('…'), "{shown}\n{output}");
    }
}

/// The rest of the last line that begins so.
fn text_after<'o>(output: &'o str, begins: &str) -> &'o str {
    let line = output
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(begins));
    line.unwrap_or_else(|| panic!("nothing begins with {begins:?} in:\n{output}"))
}

fn read_file(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn the_quick_start_runs_as_it_stands() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let output = run(&server, data_dir.path(), &script(chapter("## Quick start"))).await;

    assert!(
        text_after(&output, "webhook: signature verified ").contains(r#""probability":0.04"#),
        "{output}"
    );
    assert_eq!(
        text_after(&output, "the order is "),
        "complete, probability 0.04"
    );
    assert!(read_file(text_after(&output, "heatmap: ")).starts_with(PNG));
    let protected = read_file(text_after(&output, "protected: "));
    assert!(protected.starts_with(JPEG) && protected != fixture("photo.jpg"));
    assert_eq!(
        text_after(&output, "the document is "),
        "done, result 98.0, AI Generated"
    );
    assert!(read_file(text_after(&output, "activation map: ")).starts_with(PNG));
    let credits = r#"{"baseCredits":9999,"boostCredits":1000,"credits":10999}"#;
    assert_eq!(output.lines().last(), Some(credits));
}

#[tokio::test]
async fn recipes_say_what_they_show() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    for heading in [
        "### Make the third detection time out",
        "### Receive a webhook without a server",
        "### See a webhook retried after two hours, now",
        "### Two tests in parallel",
        "### Assert what my code sent",
        "### Begin with orders that are done",
    ] {
        let recipe = chapter(heading);
        assert!(!blocks(recipe, "").is_empty(), "{heading} shows something");
        let output = run_after_the_start(&server, data_dir.path(), recipe).await;
        assert_shown(recipe, &output);
    }
}

#[tokio::test]
async fn the_end_of_the_v2_watermark_routes_is_rehearsed() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let recipe = chapter("### Rehearse the end of the v2 watermark routes");
    let output = run_after_the_start(&server, data_dir.path(), recipe).await;
    assert_shown(recipe, &output);
    assert_eq!(text_after(&output, "deprecation: "), "true");
    assert_eq!(
        text_after(&output, "sunset: "),
        "Fri, 09 Oct 2026 00:00:00 GMT"
    );
    assert_eq!(
        text_after(&output, "link: "),
        r#"</api/v3/orders/wtr-embed>; rel="successor-version""#
    );
    assert_eq!(text_after(&output, "made by v2: "), "pending");
    assert_eq!(text_after(&output, "HTTP/1.1 "), "410 Gone");
    assert_eq!(
        text_after(&output, "the v2 order is "),
        "failed, WATERMARK_V2_API_SUNSET"
    );
    assert_eq!(text_after(&output, "the v3 order is "), "complete");
}

#[tokio::test]
async fn a_watermark_is_found_again() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let recipe = chapter("### A watermark, there and back");
    let output = run_after_the_start(&server, data_dir.path(), recipe).await;
    assert_shown(recipe, &output);
    assert_eq!(
        text_after(&output, "watermark "),
        "detected: Judy Weggelaar"
    );
    let marked = read_file(text_after(&output, "marked: "));
    assert!(marked.starts_with(JPEG) && marked != fixture("photo.jpg"));
}

#[tokio::test]
async fn a_picture_is_protected_by_url() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let recipe = chapter("### Anti-AI by URL");
    let output = run_after_the_start(&server, data_dir.path(), recipe).await;
    assert_shown(recipe, &output);
    assert!(read_file(text_after(&output, "poster: ")).starts_with(PNG));
}

#[tokio::test]
async fn a_report_is_made() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let recipe = chapter("### A report as a PDF");
    let output = run_after_the_start(&server, data_dir.path(), recipe).await;
    assert_shown(recipe, &output);
    assert!(output.contains(r#""status":"queued""#), "{output}");
    assert!(read_file(text_after(&output, "the report is completed: ")).starts_with(b"%PDF-"));
}

#[tokio::test]
async fn a_zip_of_pictures_is_judged() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let recipe = chapter("### A ZIP of pictures");
    let output = run_after_the_start(&server, data_dir.path(), recipe).await;
    assert_shown(recipe, &output);
    for item in [r#""filename": "fox_ai.jpg""#, r#""final_result": "Real""#] {
        assert!(output.contains(item), "{item}: {output}");
    }
}

#[tokio::test]
async fn the_command_line_steers_as_it_shows() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let recipe = chapter("## Command line");
    let output = run_after_the_start(&server, data_dir.path(), recipe).await;
    assert_shown(recipe, &output);
}

#[tokio::test]
async fn a_client_whose_host_is_fixed_is_led_here() {
    let server = TestServer::with_config(|config| {
        config.tls.tls = true;
        config.tls.tls_port = 0;
    })
    .await;
    let data_dir = tempfile::tempdir().expect("a directory");
    let recipe = chapter("## Clients whose host is fixed");
    let address = server.tls.expect("it listens by TLS").to_string();
    let here = recipe.replacen("localhost:8443", &address, 1);
    assert_ne!(recipe, here);
    let output = run_after_the_start(&server, data_dir.path(), &here).await;
    assert_shown(recipe, &output);
}

#[tokio::test]
async fn the_examples_of_the_control_plane_are_taken() {
    let server = TestServer::start().await;
    let data_dir = tempfile::tempdir().expect("a directory");
    for (heading, marks) in [
        ("### Keys: each is a world of its own", r#""delayMs":60000"#),
        ("### Snapshots", r#""name":"begin""#),
        ("### Clock", r#"{"idle":true,"next":null}"#),
        ("### Rules", r#""outcome":{"probability":0.62}"#),
        ("### BIZ MORI's codes", "AI_DETECTION_TIMEOUT"),
    ] {
        let output = run_after_the_start(&server, data_dir.path(), chapter(heading)).await;
        assert!(output.contains(marks), "{heading}: {output}");
        assert!(!output.contains(r#""error":"#), "{heading}: {output}");
    }
}

/// The rows of a chapter's table that is sorted by its first column, each of it and its second.
fn rows(heading: &str) -> Vec<(&'static str, &'static str)> {
    let rows: Vec<(&str, &str)> = chapter(heading)
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .collect();
    assert!(
        rows.is_sorted_by(|(one, _), (next, _)| one < next),
        "{rows:?}"
    );
    rows
}

fn assert_row(rows: &[(&str, &str)], name: &str, status: u16) {
    let row = rows.iter().find(|(code, _)| *code == name);
    let (_, rest) = row.unwrap_or_else(|| panic!("no row of {name}"));
    assert!(rest.starts_with(&status.to_string()), "{name}: {status}");
}

#[test]
fn the_codes_stand_in_order_with_the_statuses_of_the_program() {
    let rows = rows("### BIZ MORI's codes");
    for code in stuntdouble::api::bizmori::ErrorCode::ALL {
        let json = serde_json::to_value(code).expect("JSON");
        let name = json.as_str().expect("a word");
        assert_row(&rows, name, code.status().as_u16());
    }
}

#[test]
fn so_do_the_messages() {
    let rows = rows("### Undetectable's messages");
    assert_eq!(
        rows.len(),
        stuntdouble::api::undetectable::ErrorCode::ALL.len()
    );
    for code in stuntdouble::api::undetectable::ErrorCode::ALL {
        assert_row(&rows, code.message(), code.status().as_u16());
    }
}

#[test]
fn the_table_of_settings_is_that_of_the_program() {
    let table: Vec<&str> = chapter("### Settings")
        .lines()
        .filter(|line| line.starts_with("| `--"))
        .collect();
    let program = Cli::command();
    let rows: Vec<String> = program.get_arguments().map(row).collect();
    assert_eq!(table.join("\n"), rows.join("\n"));
}

/// `| flag | variable | default | meaning |`, as clap has them.
fn row(setting: &Arg) -> String {
    let flag = format!(
        "--{}",
        setting.get_long().expect("every setting has a flag")
    );
    let takes_value = setting.get_action().takes_values();
    let value = setting
        .get_value_names()
        .filter(|_| takes_value)
        .and_then(|names| names.first());
    let flag = value.map_or(flag.clone(), |value| format!("{flag} {value}"));
    let variable = setting
        .get_env()
        .expect("every setting has a variable")
        .to_string_lossy();
    let default = setting.get_default_values().first().filter(|_| takes_value);
    let default = default.map_or(String::new(), |default| {
        format!("`{}`", default.to_string_lossy())
    });
    let help = setting.get_help();
    let help = help.expect("every setting says what it is").to_string();
    let values = setting.get_possible_values();
    let values = values.iter().filter_map(|value| {
        let help = lower(&value.get_help()?.to_string());
        Some(format!("; `{}`: {help}", value.get_name()))
    });
    let meaning: String = std::iter::once(help).chain(values).collect();
    format!("| `{flag}` | `{variable}` | {default} | {meaning} |").replace("|  |", "| |")
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

#[test]
fn the_files_of_suites_with_testcontainers_are_shown_as_they_are() {
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/testcontainers");
    for (language, file) in [
        ("rust", "rust/tests/pictures/stuntdouble.rs"),
        ("python", "python/conftest.py"),
        ("js", "node/stuntdouble.js"),
    ] {
        let file = std::fs::read_to_string(suites.join(file)).expect("a file of a suite");
        let shown = blocks(chapter("### Testcontainers"), language);
        assert_eq!(shown, [file.trim_end()], "{language}");
    }
}

#[test]
fn every_chapter_the_readme_links_to_is_there() {
    let anchor = |heading: &str| {
        let stored = heading.chars().filter_map(|letter| match letter {
            ' ' => Some('-'),
            letter => (letter.is_alphanumeric() || letter == '-').then_some(letter),
        });
        stored.collect::<String>().to_lowercase()
    };
    let headings: Vec<String> = README
        .lines()
        .filter(|line| line.starts_with("##"))
        .map(|line| anchor(line.trim_start_matches('#').trim_start()))
        .collect();
    let links = README.split("](#").skip(1);
    for link in links.filter_map(|rest| rest.split(')').next()) {
        assert!(headings.iter().any(|heading| heading == link), "#{link}");
    }
}

#[test]
fn every_file_the_readme_links_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let links = README
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let missing: Vec<PathBuf> = links
        .filter(|link| !link.starts_with('#') && !link.contains("://"))
        .map(|link| root.join(link.split('#').next().unwrap_or(link)))
        .filter(|path| !path.exists())
        .collect();
    assert_eq!(missing, Vec::<PathBuf>::new());
}
