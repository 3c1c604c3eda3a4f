//! Loading of settings: a flag takes precedence over its variable, and a variable over the default.
//!
//! The command line is parsed alone first, so that its errors and `--help` do not depend on the
//! environment. Variables of flags that are not given are then appended as flags, and everything is
//! parsed again. Therefore a value has one meaning in both places, and an error of the second pass
//! is an error of a variable, which the message names.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, Error, FromArgMatches as _};

use crate::cli::grammar::Cli;
use crate::settings::Environment;

/// Size limit of a file with a secret. A larger file is taken for a mistake, such as a device.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Parsed command line, with the settings of the environment.
#[derive(Debug)]
pub struct LoadedCli {
    pub cli: Cli,
    /// Warnings about settings of the server, one line each.
    pub warnings: Vec<String>,
}

/// Flag that is appended for a variable or for a file with a secret.
struct InjectedFlag {
    flag: OsString,
    /// Variable or flag that an error names.
    origin: String,
    argument: Arg,
}

/// Loads the settings of this process. Exits if they are invalid, or after help was printed.
#[must_use]
pub fn load() -> LoadedCli {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    parse(&arguments, &Environment::from_process()).unwrap_or_else(|error| error.exit())
}

/// Parses `arguments`, which start with the program's name, and adds the settings of `environment`.
///
/// # Errors
/// Returns an error if a value is invalid, or help or the version is requested.
pub fn parse(arguments: &[OsString], environment: &Environment) -> Result<LoadedCli, Error> {
    let described = Cli::command();
    let command = without_variables(Cli::command());
    let first_pass = command.clone().try_get_matches_from(arguments);
    let first_matches = first_pass.map_err(|error| match error.kind() {
        // Only the command with its variables can show them in the help.
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let shown = described.clone().try_get_matches_from(arguments);
            shown.err().unwrap_or(error)
        }
        _ => error,
    })?;
    let (path, chosen_matches) = chosen_command(&first_matches);
    let injected = injected_flags(&described, &path, chosen_matches, environment)
        .map_err(|line| described.clone().error(ErrorKind::ValueValidation, line))?;
    let flags = injected.iter().map(|it| it.flag.clone());
    let second_pass = command
        .clone()
        .try_get_matches_from(with_flags(arguments, flags));
    let matches = second_pass.map_err(|error| {
        let culprit = injected.iter().find_map(|it| {
            let alone = with_flags(arguments, [it.flag.clone()]);
            let error = command.clone().try_get_matches_from(alone).err()?;
            Some(variable_message(&error, it))
        });
        culprit.map_or(error, |line| {
            described.clone().error(ErrorKind::ValueValidation, line)
        })
    })?;
    let mut warnings = Vec::new();
    if path.is_empty() || path == ["serve"] {
        warnings = environment.warnings(&variables(&described));
        warnings.extend(unused_settings(chosen_command(&matches).1));
    }
    let cli = Cli::from_arg_matches(&matches)?;
    Ok(LoadedCli { cli, warnings })
}

/// Removes the variables of all arguments.
fn without_variables(command: Command) -> Command {
    let command = command.mut_args(|argument| argument.env(None::<&str>));
    command.mut_subcommands(without_variables)
}

/// Returns the names of the chosen subcommand, outermost first, and its matches.
fn chosen_command(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, below)) = matches.subcommand() {
        path.push(name);
        matches = below;
    }
    (path, matches)
}

/// Returns `arguments` with `flags` inserted at the end, or before the first `--`.
fn with_flags(arguments: &[OsString], flags: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let end = arguments.iter().position(|argument| argument == "--");
    let (before, after) = arguments.split_at(end.unwrap_or(arguments.len()));
    let before = before.iter().cloned();
    before.chain(flags).chain(after.iter().cloned()).collect()
}

/// Returns the names of all variables, including the variables of subcommands.
fn variables(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(variable);
    let below = command.get_subcommands().flat_map(variables);
    own.chain(below).collect()
}

fn variable(argument: &Arg) -> Option<String> {
    Some(argument.get_env()?.to_str()?.to_owned())
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    let is_known = matches.try_contains_id(id).is_ok();
    is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Returns the flags to append for the subcommand `path`: flags for variables and for files with
/// secrets.
///
/// # Errors
/// Returns one line that names the variable or the flag.
fn injected_flags(
    described: &Command,
    path: &[&str],
    matches: &ArgMatches,
    environment: &Environment,
) -> Result<Vec<InjectedFlag>, String> {
    let mut arguments: Vec<Arg> = Vec::new();
    let mut level = described;
    if path.is_empty() {
        arguments.extend(level.get_arguments().cloned());
    }
    for name in path {
        let below = level.find_subcommand(name);
        level = below.ok_or_else(|| format!("no command {name}"))?;
        arguments.extend(level.get_arguments().cloned());
    }
    let mut injected = Vec::new();
    for argument in &arguments {
        let Some(variable) = variable(argument) else {
            continue;
        };
        let id = argument.get_id().as_str();
        let file = arguments
            .iter()
            .find(|it| *it.get_id() == format!("{id}_file"));
        if let Some(file) = file
            && let Some((origin, path)) = secret_file(argument, file, matches, environment)?
        {
            let secret = read_secret(&path).map_err(|reason| format!("{origin}: {reason}"))?;
            let origin = format!("{origin}: {}", path.display());
            injected.extend(flag(argument, secret.as_ref(), &origin)?);
        } else if !is_given(matches, id)
            && let Some((name, value)) = environment.get(&variable)
        {
            injected.extend(flag(argument, value, name)?);
        }
    }
    Ok(injected)
}

/// Returns `argument` as a flag with `value`. `None` for a switch that `value` turns off.
fn flag(argument: &Arg, value: &OsStr, origin: &str) -> Result<Option<InjectedFlag>, String> {
    let mut flag = OsString::from("--");
    flag.push(argument.get_long().unwrap_or_default());
    let injected = |flag| InjectedFlag {
        flag,
        origin: origin.to_owned(),
        argument: argument.clone(),
    };
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        let none = Command::new("");
        let is_on = BoolishValueParser::new().parse_ref(&none, None, value);
        let shown = value.to_string_lossy();
        let is_on = is_on
            .map_err(|_| format!("{origin}: invalid value '{shown}': expected true or false"))?;
        return Ok(is_on.then(|| injected(flag)));
    }
    flag.push("=");
    flag.push(value);
    Ok(Some(injected(flag)))
}

/// Returns the path of the file with the secret `argument`, and the flag or variable that names the
/// file. `None` if no file is named, or a flag gives the secret itself.
///
/// # Errors
/// Returns an error if two flags or two variables give both the secret and the file.
fn secret_file(
    argument: &Arg,
    file: &Arg,
    matches: &ArgMatches,
    environment: &Environment,
) -> Result<Option<(String, PathBuf)>, String> {
    let ids = [argument, file].map(|it| it.get_id().as_str());
    let both = |one: &str, other: &str| Err(format!("{one} and {other} are both set; set one"));
    let long = |argument: &Arg| format!("--{}", argument.get_long().unwrap_or_default());
    match ids.map(|id| is_given(matches, id)) {
        [true, true] => both(&long(argument), &long(file)),
        [true, false] => Ok(None),
        [false, true] => {
            let path = matches.get_one::<PathBuf>(ids[1]);
            Ok(path.map(|path| (long(file), path.clone())))
        }
        [false, false] => {
            let names = [argument, file].map(|it| variable(it).unwrap_or_default());
            match [&names[0], &names[1]].map(|name| environment.get(name)) {
                [Some((one, _)), Some((other, _))] => both(one, other),
                [None, Some((name, path))] => Ok(Some((name.to_owned(), path.into()))),
                _ => Ok(None),
            }
        }
    }
}

/// Returns the content of a file without the line break at its end.
fn read_secret(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let mut text = String::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
    let bytes = read.map_err(|error| format!("cannot read {shown}: {error}"))?;
    if bytes as u64 > SECRET_BYTES_MAX {
        return Err(format!("{shown} has more than {SECRET_BYTES_MAX} bytes"));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let secret = line.strip_suffix('\r').unwrap_or(line);
    if secret.is_empty() {
        return Err(format!("{shown} is empty"));
    }
    Ok(secret.to_owned())
}

/// Returns the message of `error` with the variable's name in place of the flag's.
fn variable_message(error: &Error, injected: &InjectedFlag) -> String {
    let InjectedFlag {
        origin, argument, ..
    } = injected;
    if argument.is_hide_env_values_set() {
        let reason = std::error::Error::source(error)
            .map_or_else(|| "invalid value".to_owned(), ToString::to_string);
        return format!("{origin}: {reason}");
    }
    let rendered = error.render().to_string();
    let message = rendered
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let for_flag = error
        .get(ContextKind::InvalidArg)
        .map_or(String::new(), |flag| format!(" for '{flag}'"));
    format!("{origin}: {}", message.replacen(&for_flag, "", 1))
}

/// Returns a warning for each TLS flag that is given while TLS is off.
fn unused_settings(matches: &ArgMatches) -> Vec<String> {
    if matches.get_flag("tls") {
        return Vec::new();
    }
    let provided = [("tls_names", "--tls-name"), ("tls_port", "--tls-port")]
        .into_iter()
        .filter(|(id, _)| is_given(matches, id));
    provided
        .map(|(_, flag)| format!("{flag} has no effect without --tls (STUNTDOUBLE_TLS=true)"))
        .collect()
}

#[cfg(test)]
mod tests;
