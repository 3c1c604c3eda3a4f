//! Verbs of the commands, and the sources of the JSON that they send.

use std::path::{Path, PathBuf};

use clap::builder::{NonEmptyStringValueParser, PathBufValueParser, TypedValueParser};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{AccountArg, RequestFilterArgs};

/// Source of the bytes to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonSource {
    /// Text of an argument.
    Inline(String),
    File(PathBuf),
    /// Standard input, up to its end.
    Stdin,
}

impl JsonSource {
    fn inline_or_stdin(text: String) -> Self {
        if text == "-" {
            Self::Stdin
        } else {
            Self::Inline(text)
        }
    }

    /// Returns the folder to which paths in the bytes are relative: the file's, else the working
    /// directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::Inline(_) | Self::Stdin => Path::new(""),
        }
    }

    fn file(path: PathBuf) -> Self {
        if path.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::File(path)
        }
    }
}

fn json() -> impl TypedValueParser<Value = JsonSource> {
    NonEmptyStringValueParser::new().map(JsonSource::inline_or_stdin)
}

fn file() -> impl TypedValueParser<Value = JsonSource> {
    PathBufValueParser::new().map(JsonSource::file)
}

/// Parses a name that becomes one segment of a path.
fn name(text: &str) -> Result<String, String> {
    match text {
        "" => Err("the name is empty".to_owned()),
        "." | ".." => {
            Err("'.' and '..' cannot be names, as they have a meaning in paths".to_owned())
        }
        text => Ok(text.to_owned()),
    }
}

/// Mode of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClockModeArg {
    /// Runs at the pace of the real time
    Running,
    /// Moves only when it is advanced
    Frozen,
    /// Runs, and leaps to the next due job whenever nothing is in flight
    Jump,
}

impl ClockModeArg {
    /// Returns the name of the mode in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Frozen => "frozen",
            Self::Jump => "jump",
        }
    }
}

/// Commands for clocks.
#[derive(Debug, Clone, Subcommand)]
pub enum ClockCommand {
    /// Set the clock of an account; without --account, the default clock
    Set {
        /// Mode of the clock from now on
        #[arg(long, value_enum)]
        mode: ClockModeArg,
        /// Instant to set, such as `2026-03-12T10:00:00Z`; if not given, the instant stays
        #[arg(long, value_name = "INSTANT")]
        now: Option<String>,
        #[command(flatten)]
        account: AccountArg,
    },
}

/// Commands for accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum AccountsCommand {
    /// Show the settings of an account
    Show {
        #[arg(value_parser = name)]
        key: String,
    },
    /// Set up an account; fields that the JSON leaves out get their defaults
    Set {
        #[arg(value_parser = name)]
        key: String,
        /// Settings, such as `'{"plan": "free", "credits": 2}'`; `-` reads standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
    },
    /// Delete an account and all that it owns
    Delete {
        #[arg(value_parser = name)]
        key: String,
    },
}

/// Commands for rules.
#[derive(Debug, Clone, Subcommand)]
pub enum RulesCommand {
    /// Add a rule and show it with its id
    Add {
        /// Rule, such as `'{"then": {"delayMs": 250}}'`; `-` reads standard input
        #[arg(value_parser = json())]
        json: JsonSource,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Replace a rule, keeping its id, account and hit count; `"enabled": false` disables it
    Set {
        #[arg(value_parser = name)]
        id: String,
        /// Rule, such as `'{"enabled": false, "then": {"delayMs": 250}}'`; `-` reads standard input
        #[arg(value_parser = json())]
        json: JsonSource,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Delete a rule; with --account, only if it names that account
    Delete {
        #[arg(value_parser = name)]
        id: String,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Delete all rules; with --account, only those that name the account
    Clear {
        #[command(flatten)]
        account: AccountArg,
    },
}

/// Commands for requests.
#[derive(Debug, Clone, Subcommand)]
pub enum RequestsCommand {
    /// Show one request of an account by its number, which is in `X-Mock-Request`
    Show {
        #[arg(value_parser = name)]
        key: String,
        seq: u64,
    },
    /// Count matching requests; exit code 0 if the count is as expected, else 1 with the nearest
    /// misses
    Verify(Box<VerifyArgs>),
    /// Delete all recorded requests; with --account, only those of the account
    Clear {
        #[command(flatten)]
        account: AccountArg,
    },
}

/// Criteria of the requests to count, and the expected count.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("expected_count").required(true).multiple(true).args(["count", "min", "max"]))]
pub struct VerifyArgs {
    #[command(flatten)]
    pub account: AccountArg,
    #[command(flatten)]
    pub filter: RequestFilterArgs,
    /// Only requests with a matching file name anywhere in the body or the query
    #[arg(long, value_name = "GLOB")]
    pub file_name: Option<String>,
    /// Only requests with a matching query parameter; may be repeated
    #[arg(long, value_name = "NAME=GLOB", value_parser = pair)]
    pub query: Vec<(String, String)>,
    /// Only requests with a matching header; may be repeated
    #[arg(long, value_name = "NAME=GLOB", value_parser = pair)]
    pub header: Vec<(String, String)>,
    /// Only requests whose JSON body contains this JSON; `-` reads standard input
    #[arg(long, value_name = "JSON", value_parser = json())]
    pub body: Option<JsonSource>,
    /// Exact count
    #[arg(long, conflicts_with_all = ["min", "max"])]
    pub count: Option<u64>,
    /// Minimum count
    #[arg(long, value_name = "COUNT")]
    pub min: Option<u64>,
    /// Maximum count
    #[arg(long, value_name = "COUNT")]
    pub max: Option<u64>,
    /// Milliseconds to wait for the expected count; if not given, count once
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u64>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=GLOB")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Commands for webhook deliveries.
#[derive(Debug, Clone, Subcommand)]
pub enum DeliveriesCommand {
    /// Send a delivery again and show the attempt; with --account, only if it is of that account
    Resend {
        #[arg(value_parser = name)]
        id: String,
        #[command(flatten)]
        account: AccountArg,
    },
}

/// Commands for orders and documents.
#[derive(Debug, Clone, Subcommand)]
pub enum OrdersCommand {
    /// Show an order with its files, outputs, outcome, history, requests and deliveries
    Show {
        #[arg(value_parser = name)]
        id: String,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Complete an order now, even if a rule holds it
    Complete {
        #[arg(value_parser = name)]
        id: String,
        /// Outcome, such as `'{"probability": 0.62}'`; `-` reads standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Fail an order now
    Fail {
        #[arg(value_parser = name)]
        id: String,
        /// Failure, such as `'{"errorCode": "AI_DETECTION_TIMEOUT"}'`; `-` reads standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Expire an order now and delete its files
    Expire {
        #[arg(value_parser = name)]
        id: String,
        #[command(flatten)]
        account: AccountArg,
    },
}

/// Commands for inboxes.
#[derive(Debug, Clone, Subcommand)]
pub enum InboxCommand {
    /// Wait for messages of an inbox and show them; exit code 1 on a timeout
    Messages {
        #[arg(value_parser = name)]
        name: String,
        /// Number of messages to wait for; 0 if not given
        #[arg(long, value_name = "COUNT")]
        min: Option<u64>,
        /// Timeout in milliseconds; 0 if not given, at most 600000
        #[arg(long, value_name = "MS")]
        timeout_ms: Option<u64>,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Set up an inbox, emptying it; without --account, the only inbox of that name
    Set {
        #[arg(value_parser = name)]
        name: String,
        /// Settings, such as `'{"statuses": [500, 500], "delayMs": 250}'`; `-` reads standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Delete an inbox and its messages; without --account, the only inbox of that name
    Delete {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        account: AccountArg,
    },
}

/// Commands for snapshots.
#[derive(Debug, Clone, Subcommand)]
pub enum SnapshotsCommand {
    /// Take a snapshot of all state; with --account, only of the account
    Take {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Restore all state from a snapshot; with --account, only the account
    Restore {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Delete a snapshot of all state; with --account, the snapshot of the account
    Delete {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        account: AccountArg,
    },
}

/// Commands for fixtures.
#[derive(Debug, Clone, Subcommand)]
pub enum FixturesCommand {
    /// Load accounts, webhooks, rules and finished orders from a JSON document
    ///
    /// Files that the document names are read on this machine and sent within the document.
    Load {
        /// Path of the document; `-` reads standard input
        #[arg(value_parser = file())]
        file: JsonSource,
    },
    /// Print an account with its webhooks, rules and finished orders as a document to load
    Export {
        #[arg(value_parser = name)]
        key: String,
    },
}
