//! The tables of the documents are those of the program: operations, settings, error codes.
//!
//! `BLESS_README=1 cargo test --test it` rewrites the tables of settings and commands, and the sample of a
//! log.

use std::collections::BTreeSet;

use clap::{Arg, CommandFactory};
use serde_json::Value;
use stuntdouble::app::operations;
use stuntdouble::cli::grammar::Cli;

use super::document::{Document, root};
use crate::support::TestServer;

const BIZMORI: &str = "src/api/bizmori/README.md";
const UNDETECTABLE: &str = "src/api/undetectable/README.md";
const S3: &str = "src/api/s3/README.md";
const CONTROL: &str = "src/api/control/README.md";
/// Codes of the control plane that no operation's description has: a body beside the error, a fault,
/// and no operation at all.
const UNDESCRIBED: [&str; 2] = ["clock_frozen", "unknown_route"];

/// Asserts that the rows below the heading that begin so are `expected`. With `BLESS_README` set, writes
/// `expected` into the document instead.
pub fn assert_table(path: &str, chapter: &str, begin: &str, expected: &[String]) {
    let document = Document::read(path);
    let rows = document.rows(chapter, begin);
    if std::env::var_os("BLESS_README").is_some() && rows != expected {
        let text = document
            .text
            .replacen(&rows.join("\n"), &expected.join("\n"), 1);
        std::fs::write(root().join(path), text).expect("a writable document");
        return;
    }
    assert_eq!(
        rows.join("\n"),
        expected.join("\n"),
        "{path}, {chapter}: BLESS_README=1 rewrites this table"
    );
}

/// Replaces the block of that language in the section by `text`, if `BLESS_README` is set.
pub fn bless_block(path: &str, heading: &str, language: &str, text: &str) {
    if std::env::var_os("BLESS_README").is_none() {
        return;
    }
    let document = Document::read(path);
    let section = document.section(heading);
    let block = section.blocks(language).next().expect("a block");
    let blessed = document.text.replacen(block, &format!("{text}\n"), 1);
    std::fs::write(root().join(path), blessed).expect("a writable document");
}

/// Splits a row into its first cell, without its code marks, and the rest.
fn cells(row: &str) -> (&str, &str) {
    let cells = row
        .strip_prefix("| `")
        .and_then(|row| row.split_once("` | "));
    cells.unwrap_or_else(|| panic!("{row} does not begin with code"))
}

/// Returns the rows of a table of codes, sorted by code: code and the remaining cells.
fn code_rows<'d>(document: &'d Document, chapter: &str) -> Vec<(&'d str, &'d str)> {
    let rows: Vec<_> = document
        .rows(chapter, "| `")
        .into_iter()
        .map(cells)
        .filter(|(_, rest)| rest.starts_with(|first: char| first.is_ascii_digit() || first == '*'))
        .collect();
    assert!(
        rows.is_sorted_by(|(one, _), (next, _)| one < next),
        "{rows:?}"
    );
    rows
}

fn assert_status(rows: &[(&str, &str)], code: &str, status: u16) {
    let row = rows.iter().find(|(name, _)| *name == code);
    let (_, rest) = row.unwrap_or_else(|| panic!("no row for {code}"));
    assert!(rest.starts_with(&status.to_string()), "{code}: {status}");
}

#[test]
fn operations_are_those_of_the_program() {
    for (prefix, path, chapter) in [
        ("bizmori.", BIZMORI, "Operations"),
        ("undetectable.", UNDETECTABLE, "Operations"),
        ("storage.", S3, "Operations"),
        ("control.", CONTROL, "Operations"),
    ] {
        let document = Document::read(path);
        let rows: BTreeSet<String> = document
            .rows(chapter, &format!("| `{prefix}"))
            .into_iter()
            .map(|row| row.splitn(4, " | ").take(2).collect::<Vec<_>>().join(" | "))
            .collect();
        let expected: BTreeSet<String> = operations()
            .iter()
            .filter(|operation| operation.name.starts_with(prefix))
            .map(|it| format!("| `{}` | `{} {}`", it.name, it.method, it.path))
            .collect();
        assert_eq!(rows, expected, "{path}");
    }
}

#[test]
fn bizmori_codes_have_the_statuses_of_the_program() {
    let document = Document::read(BIZMORI);
    let rows = code_rows(&document, "Error codes");
    for code in stuntdouble::api::bizmori::ErrorCode::ALL {
        let json = serde_json::to_value(code).expect("JSON");
        assert_status(
            &rows,
            json.as_str().expect("a word"),
            code.status().as_u16(),
        );
    }
}

#[test]
fn undetectable_messages_are_those_of_the_program() {
    let document = Document::read(UNDETECTABLE);
    let rows = code_rows(&document, "Error messages");
    assert_eq!(
        rows.len(),
        stuntdouble::api::undetectable::ErrorCode::ALL.len()
    );
    for code in stuntdouble::api::undetectable::ErrorCode::ALL {
        assert_status(&rows, code.message(), code.status().as_u16());
    }
}

#[tokio::test]
async fn control_codes_are_those_of_the_description() {
    fn collect(json: &Value, codes: &mut BTreeSet<String>) {
        match json {
            Value::Object(fields) => {
                let code = fields.get("code").and_then(|code| code["enum"].as_array());
                let values = code.into_iter().flatten().filter_map(Value::as_str);
                codes.extend(values.map(str::to_owned));
                fields.values().for_each(|value| collect(value, codes));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, codes)),
            _ => {}
        }
    }
    let server = TestServer::start().await;
    let description = server.send(reqwest::Method::GET, "/_mock/openapi/control.json", &[], "");
    let mut expected: BTreeSet<String> = UNDESCRIBED.map(str::to_owned).into();
    collect(&description.await.json(), &mut expected);
    let document = Document::read(CONTROL);
    let rows: BTreeSet<String> = code_rows(&document, "Error codes")
        .into_iter()
        .map(|(code, _)| code.to_owned())
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn s3_codes_are_in_the_program() {
    fn collect(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, text);
            } else if path.extension().is_some_and(|it| it == "rs") {
                *text += &std::fs::read_to_string(path).expect("a file");
            }
        }
    }
    let mut source = String::new();
    collect(&root().join("src/api/s3"), &mut source);
    let document = Document::read(S3);
    for (code, _) in code_rows(&document, "Error codes") {
        assert!(source.contains(&format!("\"{code}\"")), "{code}");
    }
}

#[test]
fn settings_are_those_of_the_program() {
    let program = Cli::command();
    let rows: Vec<String> = program.get_arguments().map(setting_row).collect();
    assert_table("src/cli/README.md", "Settings", "| `--", &rows);
}

/// Returns `| flag | variable | default | meaning |` of a setting, as clap has them.
fn setting_row(setting: &Arg) -> String {
    let flag = setting.get_long().expect("every setting has a flag");
    let takes_value = setting.get_action().takes_values();
    let value = setting.get_value_names().and_then(|names| names.first());
    let flag = match value.filter(|_| takes_value) {
        Some(value) => format!("--{flag} {value}"),
        None => format!("--{flag}"),
    };
    let variable = setting.get_env().expect("every setting has a variable");
    let default = setting
        .get_default_values()
        .first()
        .filter(|_| takes_value)
        .map_or(String::new(), |default| {
            format!("`{}` ", default.to_string_lossy())
        });
    let help = setting.get_help().expect("every setting has a help text");
    let possible_values = setting.get_possible_values();
    let values = possible_values.iter().filter_map(|value| {
        let value_help = value.get_help()?.to_string();
        let (first, rest) = value_help.split_at_checked(1)?;
        Some(format!(
            "; `{}`: {}{rest}",
            value.get_name(),
            first.to_lowercase()
        ))
    });
    let meaning: String = std::iter::once(help.to_string()).chain(values).collect();
    let variable = variable.to_string_lossy();
    format!("| `{flag}` | `{variable}` | {default}| {meaning} |")
}
