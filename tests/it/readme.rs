//! The README is true: its quick start runs as it stands, its table of settings is the program's.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Arg, CommandFactory};
use stuntdouble::config::Cli;

use crate::support::{Stunt, fixture};

const README: &str = include_str!("../../README.md");
/// What the quick start's first line says, and the only thing that is replaced in it.
const ORIGIN: &str = "http://localhost:8080";
/// The headers of PNG and JPEG files.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// The README from that heading up to the next of its level.
fn chapter(heading: &str) -> &'static str {
    let level = heading.split(' ').next().unwrap_or_default();
    let begins = format!("\n{heading}\n");
    let (_, rest) = README
        .split_once(&begins)
        .unwrap_or_else(|| panic!("no chapter {heading}"));
    rest.split(&format!("\n{level} ")).next().unwrap_or(rest)
}

/// The shell blocks of a chapter, in order, as one script.
fn script(chapter: &str) -> String {
    let blocks = chapter.split("\n```sh\n").skip(1);
    blocks
        .filter_map(|block| block.split("\n```").next())
        .fold(String::new(), |script, block| script + block + "\n")
}

/// The rest of the last line that begins so.
fn said<'o>(output: &'o str, begins: &str) -> &'o str {
    let line = output
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(begins));
    line.unwrap_or_else(|| panic!("nothing begins with {begins:?} in:\n{output}"))
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn the_quick_start_runs_as_it_stands() {
    let stunt = Stunt::start().await;
    let script = script(chapter("## Quick start"));
    let settled = format!("export STUNTDOUBLE={ORIGIN}\n");
    assert_eq!(
        script.matches(ORIGIN).count(),
        1,
        "one place says where the server is"
    );
    assert!(script.starts_with(&settled), "{script}");
    let script = script.replacen(ORIGIN, &stunt.origin, 1);
    let kept = tempfile::tempdir().expect("a directory");
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TMPDIR", kept.path())
        .env("no_proxy", "*");
    let ran = tokio::task::spawn_blocking(move || shell.output())
        .await
        .expect("no panic");
    let ran = ran.expect("bash runs");
    let output = String::from_utf8(ran.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}\n{output}\n{errors}", ran.status);

    assert!(
        said(&output, "webhook: signature verified ").contains(r#""probability":0.04"#),
        "{output}"
    );
    assert_eq!(said(&output, "the order is "), "complete, probability 0.04");
    assert!(read(said(&output, "heatmap: ")).starts_with(PNG));
    let protected = read(said(&output, "protected: "));
    assert!(protected.starts_with(JPEG) && protected != fixture("photo.jpg"));
    assert_eq!(
        said(&output, "the document is "),
        "done, result 98, AI Generated"
    );
    assert!(read(said(&output, "activation map: ")).starts_with(PNG));
    let credits = r#"{"baseCredits":9999,"boostCredits":1000,"credits":10999}"#;
    assert_eq!(output.lines().last(), Some(credits));
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
