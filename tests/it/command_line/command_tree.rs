//! Commands, control operations and the table of `src/cli/README.md` match each other.

use std::collections::BTreeSet;

use clap::{Arg, Command, CommandFactory, Parser};
use stuntdouble::api::control::routes;
use stuntdouble::cli::client::{ApiCall, call};
use stuntdouble::cli::grammar::{Cli, Command as CliCommand};

use crate::readme::assert_table;

/// Every command with its arguments, and the route that it calls.
const COMMAND_ROUTES: &[(&str, &str)] = &[
    ("health", "GET /_mock/health"),
    ("info", "GET /_mock/info"),
    ("operations", "GET /_mock/operations"),
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
    ("rules set 1 {}", "PUT /_mock/rules/{id}"),
    ("rules delete 1", "DELETE /_mock/rules/{id}"),
    ("rules clear", "DELETE /_mock/rules"),
    ("requests", "GET /_mock/requests"),
    ("requests show a 1", "GET /_mock/requests/{account}/{seq}"),
    ("requests verify --count 1", "POST /_mock/requests/verify"),
    ("requests clear", "DELETE /_mock/requests"),
    ("jobs", "GET /_mock/jobs"),
    ("webhooks", "GET /_mock/webhooks"),
    ("events", "GET /_mock/events"),
    ("deliveries", "GET /_mock/deliveries"),
    ("deliveries resend 1", "POST /_mock/deliveries/{id}/resend"),
    ("orders", "GET /_mock/orders"),
    ("orders show 1", "GET /_mock/orders/{id}"),
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
    ("fixtures export a", "GET /_mock/fixtures"),
    ("fixtures load -", "PUT /_mock/fixtures"),
    // Commands that make no call of the control plane.
    ("open", ""),
    ("sign --secret a", ""),
    ("verify --secret a --signature b", ""),
    ("licenses", ""),
];
/// Operations without a command: the dashboard, the OpenAPI documents and the page that shows them, the
/// certificate for TLS clients, the bytes of files, and the URL that webhooks call.
const OPERATIONS_WITHOUT_COMMAND: [&str; 8] = [
    "control.getDashboard",
    "control.getDashboardFile",
    "control.openapi",
    "control.docs",
    "control.docsFile",
    "control.getCa",
    "control.getBlob",
    "control.postToInbox",
];

fn words(line: &str) -> Vec<&str> {
    ["stuntdouble"].into_iter().chain(line.split(' ')).collect()
}

/// Returns the name of a command: `rules add`.
fn name(line: &str) -> String {
    let matches = Cli::command().get_matches_from(words(line));
    let mut names = Vec::new();
    let mut subcommand = matches.subcommand();
    while let Some((name, matches)) = subcommand {
        names.push(name);
        subcommand = matches.subcommand();
    }
    names.join(" ")
}

/// Returns all commands except `serve`, with their names.
fn commands() -> Vec<(String, Command)> {
    fn collect(parent: &str, command: &Command, found: &mut Vec<(String, Command)>) {
        for verb in command.get_subcommands() {
            let name = format!("{parent} {}", verb.get_name());
            if !verb.is_subcommand_required_set() {
                found.push((name.trim_start().to_owned(), verb.clone()));
            }
            collect(&name, verb, found);
        }
    }
    let mut found = Vec::new();
    collect("", &Cli::command(), &mut found);
    found.retain(|(name, _)| name != "serve");
    found
}

fn matches_template(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let expected = template.split('/');
    let actual = path.split('/');
    expected.clone().count() == actual.clone().count()
        && expected
            .zip(actual)
            .all(|(expected, actual)| expected == actual || expected.starts_with('{'))
}

#[test]
fn every_command_calls_its_route() {
    let named: BTreeSet<String> = COMMAND_ROUTES.iter().map(|(line, _)| name(line)).collect();
    let all = commands().into_iter().map(|(name, _)| name);
    assert_eq!(named, all.collect());
    for &(line, route) in COMMAND_ROUTES {
        let Some(CliCommand::Client(command)) = Cli::parse_from(words(line)).command else {
            assert_eq!(route, "", "{line} calls no server");
            continue;
        };
        let ApiCall { method, path, .. } = call(&command, &|_| Ok(Vec::new())).expect("a call");
        let (expected, template) = route.split_once(' ').expect("a method and a path");
        assert_eq!(method, expected, "{line}");
        assert!(matches_template(template, &path), "{line}: {path}");
    }
}

#[test]
fn every_control_operation_has_a_command() {
    let operations: Vec<_> = routes(None).operations();
    for operation in &operations {
        let has_command = COMMAND_ROUTES.iter().any(|(_, route)| {
            let (method, path) = route.split_once(' ').unwrap_or_default();
            operation.method == method && matches_template(operation.path, path)
        });
        let (name, path) = (operation.name, operation.path);
        assert_ne!(
            has_command,
            OPERATIONS_WITHOUT_COMMAND.contains(&name),
            "{name}: {path}"
        );
    }
    for &(line, route) in COMMAND_ROUTES {
        let (method, path) = route.split_once(' ').unwrap_or_default();
        let is_operation = operations
            .iter()
            .any(|it| it.method == method && matches_template(it.path, path));
        assert!(is_operation || route.is_empty(), "{line}: {route}");
    }
}

#[test]
fn help_hides_secrets_of_the_environment() {
    fn check(command: &Command, checked: &mut BTreeSet<String>) {
        let is_secret = |arg: &&Arg| {
            let variable = arg.get_env().unwrap_or_default().to_string_lossy();
            ["SECRET", "TOKEN"].iter().any(|it| variable.contains(it))
        };
        for argument in command.get_arguments().filter(is_secret) {
            assert!(argument.is_hide_env_values_set(), "{argument}");
            checked.insert(argument.get_id().to_string());
        }
        for verb in command.get_subcommands() {
            check(verb, checked);
        }
    }
    let mut checked = BTreeSet::new();
    check(&Cli::command(), &mut checked);
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

/// Returns an argument as in a usage line.
fn usage(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let value = argument
        .get_value_names()
        .filter(|_| takes_value)
        .and_then(|names| names.first())
        .map(ToString::to_string);
    let text = match (argument.get_long(), value) {
        (None, value) => value.unwrap_or_else(|| argument.get_id().to_string().to_uppercase()),
        (Some(long), None) => format!("--{long}"),
        (Some(long), Some(value)) => format!("--{long} {value}"),
    };
    if argument.is_required_set() {
        text
    } else {
        format!("[{text}]")
    }
}

#[test]
fn readme_table_of_commands_matches_the_program() {
    let rows = commands().into_iter().map(|(command, program)| {
        let arguments = program.get_arguments().filter(|it| !it.is_global_set());
        let words: Vec<_> = std::iter::once(command.clone())
            .chain(arguments.map(usage))
            .collect();
        let usage_line = words.join(" ");
        let route = COMMAND_ROUTES
            .iter()
            .find(|(line, _)| name(line) == command);
        let route_cell = match route {
            None | Some((_, "")) => String::new(),
            Some((_, route)) => format!("`{route}` "),
        };
        let about = program.get_about().expect("a description");
        format!("| `{usage_line}` | {about} | {route_cell}|")
    });
    let rows: Vec<String> = rows.collect();
    assert_table("src/cli/README.md", "Commands", "| `", &rows);
}
