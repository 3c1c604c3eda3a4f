//! Flags, variables and operations that the documents mention exist in the program.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};
use stuntdouble::app::operations;
use stuntdouble::cli::grammar::Cli;

use super::document::Document;

/// Flags of Docker, cargo and this project's programs, as they are mentioned in prose.
const OTHER_FLAGS: [&str; 10] = [
    "--add-host",
    "--cacert",
    "--clients",
    "--env",
    "--memory",
    "--seconds",
    "--server",
    "--tmpfs",
    "--user",
    "--volume",
];
/// Variables that are not settings: examples of Kubernetes' variables, and `STUNTDOUBLE_…`.
const OTHER_VARIABLES: [&str; 1] = ["STUNTDOUBLE_"];

fn collect(command: &Command, flags: &mut BTreeSet<String>, variables: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        flags.extend(argument.get_long().map(|flag| format!("--{flag}")));
        let variable = argument.get_env();
        variables.extend(variable.map(|name| name.to_string_lossy().into_owned()));
    }
    for verb in command.get_subcommands() {
        collect(verb, flags, variables);
    }
}

/// Returns the code spans in the prose of a document.
fn spans(document: &Document) -> Vec<&str> {
    let prose = document.lines().filter(|(is_code, _)| !is_code);
    let spans = prose.flat_map(|(_, line)| line.split('`').skip(1).step_by(2));
    spans.collect()
}

/// Returns the longest prefix of `text` whose letters pass.
fn prefix(text: &str, is_letter: impl Fn(char) -> bool) -> &str {
    let end = text.find(|letter| !is_letter(letter));
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn flags_and_variables_exist() {
    let (mut flags, mut variables) = (BTreeSet::new(), BTreeSet::new());
    collect(&Cli::command(), &mut flags, &mut variables);
    flags.extend(OTHER_FLAGS.map(str::to_owned));
    flags.extend(["--version", "--help"].map(str::to_owned));
    variables.extend(OTHER_VARIABLES.map(str::to_owned));
    let is_flag_letter = |it: char| it.is_ascii_alphanumeric() || it == '-';
    let is_name_letter = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
    let mut unknown = Vec::new();
    for document in Document::all() {
        let path = &document.path;
        for span in spans(&document) {
            let flag = prefix(span, is_flag_letter);
            if span.starts_with("--") && !flags.contains(flag) {
                unknown.push(format!("{path}: {flag}"));
            }
        }
        for (at, _) in document.text.match_indices("STUNTDOUBLE_") {
            let name = prefix(&document.text[at..], is_name_letter);
            if !variables.contains(name) {
                unknown.push(format!("{path}: {name}"));
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn documents_mention_only_existing_operations() {
    let operations = operations();
    let names: BTreeSet<&str> = operations.iter().map(|it| it.name).collect();
    let prefixes: BTreeSet<&str> = (names.iter())
        .filter_map(|name| name.split('.').next())
        .collect();
    for document in Document::all() {
        for span in spans(&document) {
            let is_name = span.split_once('.').is_some_and(|(prefix, name)| {
                prefixes.contains(prefix) && name.chars().all(char::is_alphabetic)
            });
            assert!(
                !is_name || names.contains(span),
                "{}: {span}",
                document.path
            );
        }
    }
}
