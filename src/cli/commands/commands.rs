//! What is done with what the control plane has.

use std::path::{Path, PathBuf};

use clap::builder::{NonEmptyStringValueParser, PathBufValueParser, TypedValueParser};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{AccountArg, RequestFilterArgs};

/// Where bytes to be sent come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonSource {
    /// They were given as an argument.
    Given(String),
    File(PathBuf),
    /// Standard input, whole.
    Stdin,
}

impl JsonSource {
    fn inline_or_stdin(text: String) -> Self {
        if text == "-" {
            Self::Stdin
        } else {
            Self::Given(text)
        }
    }

    /// Returns the folder to which paths in the bytes are relative: the file's, else the working
    /// directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::Given(_) | Self::Stdin => Path::new(""),
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

/// What a path can name.
fn name(text: &str) -> Result<String, String> {
    match text {
        "" => Err("it is empty".to_owned()),
        "." | ".." => Err("that is a step in a path, and no name in one".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// How a clock goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClockModeArg {
    /// On, as the real time does
    Running,
    /// By advance alone
    Frozen,
    /// To the next due instant, whenever nothing is under way
    Jump,
}

impl ClockModeArg {
    /// The control plane's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Frozen => "frozen",
            Self::Jump => "jump",
        }
    }
}

/// Verbs of clocks.
#[derive(Debug, Clone, Subcommand)]
pub enum ClockCommand {
    /// Set an account's clock; without --account, the default clock
    Set {
        /// How it goes from now on
        #[arg(long, value_enum)]
        mode: ClockModeArg,
        /// Where it is set to, such as `2026-03-12T10:00:00Z`; it stays where it is if not given
        #[arg(long, value_name = "INSTANT")]
        now: Option<String>,
        #[command(flatten)]
        of: AccountArg,
    },
}

/// Verbs of accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum AccountsCommand {
    /// Show how an account is set up
    Show {
        #[arg(value_parser = name)]
        key: String,
    },
    /// Set an account up; what the JSON leaves out goes to its default
    Set {
        #[arg(value_parser = name)]
        key: String,
        /// Such as `'{"plan": "free", "credits": 2}'`; `-` reads it from standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
    },
    /// Remove an account with all that it owns
    Delete {
        #[arg(value_parser = name)]
        key: String,
    },
}

/// Verbs of rules.
#[derive(Debug, Clone, Subcommand)]
pub enum RulesCommand {
    /// Make a rule, and show it with its id
    Add {
        /// Such as `'{"then": {"delayMs": 250}}'`; `-` reads it from standard input
        #[arg(value_parser = json())]
        json: JsonSource,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Remove a rule; with --account, only if it names that account
    Delete {
        #[arg(value_parser = name)]
        id: String,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Remove the rules that name an account; without --account, all
    Clear {
        #[command(flatten)]
        of: AccountArg,
    },
}

/// Verbs of requests.
#[derive(Debug, Clone, Subcommand)]
pub enum RequestsCommand {
    /// Show a request of an account, by the number in its `X-Mock-Request`
    Show {
        #[arg(value_parser = name)]
        key: String,
        seq: u64,
    },
    /// Count the requests that are so; exit code 0 if there are as many as wanted, 1 if not, with
    /// those that came nearest
    Verify(Box<VerifyArgs>),
    /// Forget an account's requests; without --account, all
    Clear {
        #[command(flatten)]
        of: AccountArg,
    },
}

/// What requests are counted, and how many there should be.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("wanted").required(true).multiple(true).args(["count", "min", "max"]))]
pub struct VerifyArgs {
    #[command(flatten)]
    pub of: AccountArg,
    #[command(flatten)]
    pub like: RequestFilterArgs,
    /// Only those with such a file name, anywhere in the body or the query
    #[arg(long, value_name = "GLOB")]
    pub file_name: Option<String>,
    /// Only those with that parameter in their query; may be given several times
    #[arg(long, value_name = "NAME=GLOB", value_parser = pair)]
    pub query: Vec<(String, String)>,
    /// Only those with that header; may be given several times
    #[arg(long, value_name = "NAME=GLOB", value_parser = pair)]
    pub header: Vec<(String, String)>,
    /// Only those whose JSON body has at least that; `-` reads it from standard input
    #[arg(long, value_name = "JSON", value_parser = json())]
    pub body: Option<JsonSource>,
    /// Exactly so many
    #[arg(long, conflicts_with_all = ["min", "max"])]
    pub count: Option<u64>,
    /// So many at least
    #[arg(long, value_name = "COUNT")]
    pub min: Option<u64>,
    /// So many at most
    #[arg(long, value_name = "COUNT")]
    pub max: Option<u64>,
    /// How long it waits until there are; there are now or not, if not given
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u64>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give NAME=GLOB")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Verbs of deliveries.
#[derive(Debug, Clone, Subcommand)]
pub enum DeliveriesCommand {
    /// Send a delivery once more, and show that attempt; with --account, only one of that account
    Resend {
        #[arg(value_parser = name)]
        id: String,
        #[command(flatten)]
        of: AccountArg,
    },
}

/// Verbs of orders and documents.
#[derive(Debug, Clone, Subcommand)]
pub enum OrdersCommand {
    /// Have an order's work done now, whatever held it
    Complete {
        #[arg(value_parser = name)]
        id: String,
        /// What comes out, such as `'{"probability": 0.62}'`; `-` reads it from standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Have an order fail now, whatever it waited for
    Fail {
        #[arg(value_parser = name)]
        id: String,
        /// Such as `'{"errorCode": "AI_DETECTION_TIMEOUT"}'`; `-` reads it from standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Have an order's retention pass now; its files are gone
    Expire {
        #[arg(value_parser = name)]
        id: String,
        #[command(flatten)]
        of: AccountArg,
    },
}

/// Verbs of the inbox.
#[derive(Debug, Clone, Subcommand)]
pub enum InboxCommand {
    /// Show the messages of an inbox, once there are enough; exit code 1 if there are not in time
    Messages {
        #[arg(value_parser = name)]
        name: String,
        /// Number of messages that it waits for; 0 if not given
        #[arg(long, value_name = "COUNT")]
        min: Option<u64>,
        /// How long it waits for them; 0 if not given, 600000 at most
        #[arg(long, value_name = "MS")]
        timeout_ms: Option<u64>,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Make an inbox anew; without --account, the only one of that name
    Set {
        #[arg(value_parser = name)]
        name: String,
        /// Such as `'{"statuses": [500, 500], "delayMs": 250}'`; `-` reads it from standard input
        #[arg(value_parser = json())]
        json: Option<JsonSource>,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Remove an inbox with all that is in it; without --account, the only one of that name
    Delete {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        of: AccountArg,
    },
}

/// Verbs of snapshots.
#[derive(Debug, Clone, Subcommand)]
pub enum SnapshotsCommand {
    /// Keep an account's state as it is now; without --account, that of everything
    Take {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Make everything, or the account, again as it was when the snapshot was taken
    Restore {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        of: AccountArg,
    },
    /// Remove an account's snapshot; without --account, that of everything
    Delete {
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        of: AccountArg,
    },
}

/// Verbs of fixtures.
#[derive(Debug, Clone, Subcommand)]
pub enum FixturesCommand {
    /// Load accounts, webhooks, rules and finished orders from one document of JSON
    ///
    /// Files that the document names are read here, and sent within it.
    Load {
        /// The document; `-` reads standard input
        #[arg(value_parser = file())]
        file: JsonSource,
    },
}
