//! The commands, the control plane's operations and the table of `src/cli/README.md` agree.

use std::collections::BTreeSet;

use clap::{Arg, Command, CommandFactory, Parser};
use stuntdouble::api::control::routes;
use stuntdouble::cli::client::{ApiCall, call};
use stuntdouble::cli::grammar::{Cli, Command as Said};

use crate::readme::assert_table;

/// Every command, as it is called, and the route that it reaches.
const REACHED: [(&str, &str); 37] = [
    ("health", "GET /_mock/health"),
    ("metrics", "GET /_mock/metrics"),
    ("reset", "POST /_mock/reset"),
    ("clock", "GET /_mock/clock"),
    ("clock set --mode frozen", "PUT /_mock/clock"),
    ("advance 1", "POST /_mock/clock/advance"),
    ("drain", "POST /_mock/drain"),
    ("accounts", "GET /_mock/accounts"),
    ("accounts show a", "GET /_mock/accounts/{key}"),
    ("accounts set a", "PUT /_mock/accounts/{key}"),
    ("accounts delete a", "DELETE /_mock/accounts/{key}"),
    ("rules", "GET /_mock/rules"),
    ("rules add {}", "POST /_mock/rules"),
    ("rules delete 1", "DELETE /_mock/rules/{id}"),
    ("rules clear", "DELETE /_mock/rules"),
    ("requests", "GET /_mock/requests"),
    ("requests show a 1", "GET /_mock/requests/{account}/{seq}"),
    ("requests verify --count 1", "POST /_mock/requests/verify"),
    ("requests clear", "DELETE /_mock/requests"),
    ("deliveries", "GET /_mock/deliveries"),
    ("deliveries resend 1", "POST /_mock/deliveries/{id}/resend"),
    ("orders", "GET /_mock/orders"),
    ("orders complete 1", "POST /_mock/orders/{id}/complete"),
    ("orders fail 1", "POST /_mock/orders/{id}/fail"),
    ("orders expire 1", "POST /_mock/orders/{id}/expire"),
    ("inbox", "GET /_mock/inbox"),
    ("inbox messages a", "GET /_mock/inbox/{name}/messages"),
    ("inbox set a", "PUT /_mock/inbox/{name}"),
    ("inbox delete a", "DELETE /_mock/inbox/{name}"),
    ("snapshots", "GET /_mock/snapshots"),
    ("snapshots take a", "PUT /_mock/snapshots/{name}"),
    (
        "snapshots restore a",
        "POST /_mock/snapshots/{name}/restore",
    ),
    ("snapshots delete a", "DELETE /_mock/snapshots/{name}"),
    ("fixtures load -", "PUT /_mock/fixtures"),
    // These ask nobody.
    ("sign --secret a", ""),
    ("verify --secret a --signature b", ""),
    ("licenses", ""),
];
/// Operations that no command reaches: one describes the routes to programs, one is a file for clients
/// of TLS, one is what a webhook calls.
const UNREACHED: [&str; 3] = ["control.openapi", "control.getCa", "control.postToInbox"];

fn words(line: &str) -> Vec<&str> {
    ["stuntdouble"].into_iter().chain(line.split(' ')).collect()
}

/// The names of a command's nouns and verbs: `rules add`.
fn name(line: &str) -> String {
    let matches = Cli::command().get_matches_from(words(line));
    let mut names = Vec::new();
    let mut below = matches.subcommand();
    while let Some((name, matches)) = below {
        names.push(name);
        below = matches.subcommand();
    }
    names.join(" ")
}

/// All commands that may be called, by name, but for `serve`.
fn commands() -> Vec<(String, Command)> {
    fn below(named: &str, command: &Command, found: &mut Vec<(String, Command)>) {
        for verb in command.get_subcommands() {
            let name = format!("{named} {}", verb.get_name());
            if !verb.is_subcommand_required_set() {
                found.push((name.trim_start().to_owned(), verb.clone()));
            }
            below(&name, verb, found);
        }
    }
    let mut found = Vec::new();
    below("", &Cli::command(), &mut found);
    found.retain(|(name, _)| name != "serve");
    found
}

fn is_at(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (steps, stated) = (template.split('/'), path.split('/'));
    steps.clone().count() == stated.clone().count()
        && steps
            .zip(stated)
            .all(|(step, stated)| step == stated || step.starts_with('{'))
}

#[test]
fn every_command_is_a_call_of_its_route() {
    let named: BTreeSet<String> = REACHED.iter().map(|(line, _)| name(line)).collect();
    let all = commands().into_iter().map(|(name, _)| name);
    assert_eq!(named, all.collect());
    for (line, route) in REACHED {
        let Some(Said::Client(command)) = Cli::parse_from(words(line)).command else {
            assert_eq!(route, "", "{line} asks nobody");
            continue;
        };
        let ApiCall { method, path, .. } = call(&command, &|_| Ok(Vec::new())).expect("a call");
        let (expected, template) = route.split_once(' ').expect("a method and a path");
        assert_eq!(method, expected, "{line}");
        assert!(is_at(template, &path), "{line}: {path}");
    }
}

#[test]
fn every_operation_of_the_control_plane_has_its_command() {
    let operations: Vec<_> = routes(None).operations();
    for operation in &operations {
        let is_reached = REACHED.iter().any(|(_, route)| {
            let (method, path) = route.split_once(' ').unwrap_or_default();
            operation.method == method && is_at(operation.path, path)
        });
        let (name, path) = (operation.name, operation.path);
        assert_ne!(is_reached, UNREACHED.contains(&name), "{name}: {path}");
    }
    for (line, route) in REACHED {
        let (method, path) = route.split_once(' ').unwrap_or_default();
        let mut there = operations.iter();
        let is_there = there.any(|it| it.method == method && is_at(it.path, path));
        assert!(is_there || route.is_empty(), "{line}: {route}");
    }
}

#[test]
fn help_tells_no_secret_of_the_environments() {
    fn below(command: &Command, checked: &mut BTreeSet<String>) {
        let is_secret = |arg: &&Arg| {
            let variable = arg.get_env().unwrap_or_default().to_string_lossy();
            ["SECRET", "TOKEN"].iter().any(|it| variable.contains(it))
        };
        for argument in command.get_arguments().filter(is_secret) {
            assert!(argument.is_hide_env_values_set(), "{argument}");
            checked.insert(argument.get_id().to_string());
        }
        for verb in command.get_subcommands() {
            below(verb, checked);
        }
    }
    let mut checked = BTreeSet::new();
    below(&Cli::command(), &mut checked);
    let known = [
        "control_token",
        "control_token_file",
        "s3_secret",
        "s3_secret_file",
        "token",
        "token_file",
    ];
    assert_eq!(checked, known.map(str::to_owned).into());
}

/// An argument, as a usage line has it.
fn usage(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().filter(|_| takes_value);
    let value = value
        .and_then(|names| names.first())
        .map(ToString::to_string);
    let message = match (argument.get_long(), value) {
        (None, value) => value.unwrap_or_else(|| argument.get_id().to_string().to_uppercase()),
        (Some(long), None) => format!("--{long}"),
        (Some(long), Some(value)) => format!("--{long} {value}"),
    };
    if argument.is_required_set() {
        message
    } else {
        format!("[{message}]")
    }
}

#[test]
fn documented_commands_are_those_of_the_program() {
    let rows = commands().into_iter().map(|(command, program)| {
        let arguments = program.get_arguments().filter(|it| !it.is_global_set());
        let words = std::iter::once(command.clone()).chain(arguments.map(usage));
        let words = words.collect::<Vec<_>>().join(" ");
        let mut found = REACHED.iter().filter(|(line, _)| name(line) == command);
        let route = found.next().map_or("", |(_, route)| route);
        let route = match route {
            "" => String::new(),
            route => format!("`{route}` "),
        };
        let about = program.get_about().expect("words");
        format!("| `{words}` | {about} | {route}|")
    });
    let rows: Vec<String> = rows.collect();
    assert_table("src/cli/README.md", "Commands", "| `", &rows);
}
