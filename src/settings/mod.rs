//! Every setting: its meaning, its default, its flag and its variable. `stuntdouble --help` prints
//! the doc comments of these files.

mod connections;
mod control;
mod engine;
mod environment;
mod journal;
mod logs;
mod orders;
mod outbound;
mod storage;
mod tls;
mod undetectable;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, ValueEnum};

pub use connections::ConnectionSettings;
pub use control::ControlSettings;
pub use engine::EngineSettings;
pub use environment::Environment;
pub use journal::JournalSettings;
pub use orders::OrderSettings;
pub use outbound::OutboundSettings;
pub use storage::StorageSettings;
pub use tls::TlsSettings;
pub use undetectable::{AnalysisFinalStatus, TimingProfile, UndetectableSettings};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// What a key is that nobody set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyMode {
    /// An account like any other, made at its first use
    Open,
    /// Refused
    Strict,
}

/// The server's settings.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address to listen on; 0.0.0.0 is every IPv4 address of this machine, and :: every address, IPv4
    /// and IPv6
    #[arg(
        long,
        env = "STUNTDOUBLE_HOST",
        default_value = "127.0.0.1",
        value_name = "ADDRESS"
    )]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "STUNTDOUBLE_PORT", default_value_t = 8080)]
    pub port: u16,
    #[command(flatten)]
    pub tls: TlsSettings,
    /// Directory that keeps all state, for one server at a time; a temporary one, gone at exit, if
    /// not set
    #[arg(long, env = "STUNTDOUBLE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Directory that keeps all state if something is mounted there and --data-dir is not set; the
    /// container image has /data
    #[arg(long, env = "STUNTDOUBLE_DATA_MOUNT", value_name = "DIR", hide = true)]
    pub data_mount: Option<PathBuf>,
    /// JSON document of the accounts, webhooks, rules and finished orders that are set up before it
    /// serves
    #[arg(long, env = "STUNTDOUBLE_FIXTURES", value_name = "FILE")]
    pub fixtures: Option<PathBuf>,
    /// Origin of the URLs handed out, such as `http://mock:8080`; that of the request if not set
    #[arg(long, env = "STUNTDOUBLE_PUBLIC_URL", value_name = "URL", value_parser = origin)]
    pub public_url: Option<String>,
    /// Believe X-Forwarded-Proto and X-Forwarded-Host when making URLs
    #[arg(long, env = "STUNTDOUBLE_TRUST_FORWARDED", value_parser = FalseyValueParser::new())]
    pub trust_forwarded: bool,
    /// Judge presigned URLs by the host they arrive with too, as S3 does
    #[arg(long, env = "STUNTDOUBLE_STRICT_HOST", value_parser = FalseyValueParser::new())]
    pub strict_host: bool,
    /// What an API key is that nobody set up
    #[arg(long, env = "STUNTDOUBLE_MODE", value_enum, default_value = "open")]
    pub mode: KeyMode,
    /// Seed of all chance: the same seed and the same calls give the same ids and secrets
    #[arg(long, env = "STUNTDOUBLE_SEED", default_value = "stuntdouble")]
    pub seed: String,
    /// Log format
    #[arg(
        long,
        env = "STUNTDOUBLE_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Log level: error, warn, info, debug (a line for each request), trace or off; or tracing's
    /// directives, such as `info,hyper=debug`
    #[arg(
        long,
        env = "STUNTDOUBLE_LOG",
        default_value = "info",
        value_name = "FILTER",
        value_parser = logs::filter
    )]
    pub log: String,

    #[command(flatten)]
    pub orders: OrderSettings,
    #[command(flatten)]
    pub undetectable: UndetectableSettings,
    #[command(flatten)]
    pub storage: StorageSettings,
    #[command(flatten)]
    pub engine: EngineSettings,
    #[command(flatten)]
    pub outbound: OutboundSettings,
    #[command(flatten)]
    pub journal: JournalSettings,
    #[command(flatten)]
    pub control: ControlSettings,
    #[command(flatten)]
    pub connections: ConnectionSettings,
}

impl Config {
    /// The settings as they are when nothing is said, whatever the environment says.
    ///
    /// # Panics
    /// Never: the defaults above parse.
    #[must_use]
    pub fn defaults() -> Self {
        #[derive(Parser)]
        struct Bare {
            #[command(flatten)]
            config: Config,
        }
        use clap::{CommandFactory, FromArgMatches};
        let command = Bare::command().mut_args(|argument| argument.env(None::<&str>));
        let matches = command.get_matches_from(["stuntdouble"]);
        Bare::from_arg_matches(&matches).map_or_else(|error| error.exit(), |bare| bare.config)
    }
}

fn origin(text: &str) -> Result<String, String> {
    let parsed = url::Url::parse(text).map_err(|error| error.to_string())?;
    let bare = matches!(parsed.scheme(), "http" | "https")
        && parsed.path() == "/"
        && parsed.query().is_none()
        && parsed.has_host();
    let message = "give scheme, host and port alone, such as http://mock:8080";
    if bare {
        Ok(parsed.origin().ascii_serialization())
    } else {
        Err(message.to_owned())
    }
}
