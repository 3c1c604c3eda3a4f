//! Settings of the server: meaning, default, flag and environment variable of each.
//!
//! `stuntdouble --help` prints the doc comments of the fields.

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

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Plain text for people
    Text,
    /// One JSON object per line
    Json,
}

/// Treatment of an API key that was not set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyMode {
    /// Accepted; its account is created at the first use
    Open,
    /// Refused
    Strict,
}

/// The server's settings.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address to listen on; 0.0.0.0 stands for all IPv4 addresses of this machine, :: for all IPv4
    /// and IPv6 addresses
    #[arg(
        long,
        env = "STUNTDOUBLE_HOST",
        default_value = "127.0.0.1",
        value_name = "ADDRESS"
    )]
    pub host: IpAddr,
    /// Port to listen on; 0 picks a free port
    #[arg(long, env = "STUNTDOUBLE_PORT", default_value_t = 8080)]
    pub port: u16,
    #[command(flatten)]
    pub tls: TlsSettings,
    /// Directory that holds all state, for one server at a time; if not set, a temporary directory
    /// that is removed at exit
    #[arg(long, env = "STUNTDOUBLE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Directory that holds all state if a volume is mounted there and --data-dir is not set; /data
    /// in the container image
    #[arg(long, env = "STUNTDOUBLE_DATA_MOUNT", value_name = "DIR", hide = true)]
    pub data_mount: Option<PathBuf>,
    /// JSON document with accounts, webhooks, rules and finished orders to set up before the server
    /// accepts requests
    #[arg(long, env = "STUNTDOUBLE_FIXTURES", value_name = "FILE")]
    pub fixtures: Option<PathBuf>,
    /// Origin of the URLs in responses, such as `http://mock:8080`; if not set, the origin of the
    /// request
    #[arg(long, env = "STUNTDOUBLE_PUBLIC_URL", value_name = "URL", value_parser = origin)]
    pub public_url: Option<String>,
    /// Use X-Forwarded-Proto and X-Forwarded-Host for the URLs in responses
    #[arg(long, env = "STUNTDOUBLE_TRUST_FORWARDED", value_parser = FalseyValueParser::new())]
    pub trust_forwarded: bool,
    /// Require a presigned URL to be called by the host for which it was signed, as S3 does
    #[arg(long, env = "STUNTDOUBLE_STRICT_HOST", value_parser = FalseyValueParser::new())]
    pub strict_host: bool,
    /// Treatment of an API key that was not set up
    #[arg(long, env = "STUNTDOUBLE_MODE", value_enum, default_value = "open")]
    pub mode: KeyMode,
    /// Seed of all random values: the same seed and the same calls give the same ids and secrets
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
    /// Log level: error, warn, info, debug (one line per request), trace or off; or directives of
    /// tracing, such as `info,hyper=debug`
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
    /// Returns the default settings. The environment has no influence.
    ///
    /// Exits the process if a default does not parse, which would be a mistake in the program.
    #[must_use]
    pub fn defaults() -> Self {
        #[derive(Parser)]
        struct SettingsParser {
            #[command(flatten)]
            config: Config,
        }
        use clap::{CommandFactory, FromArgMatches};
        let command = SettingsParser::command().mut_args(|argument| argument.env(None::<&str>));
        let matches = command.get_matches_from(["stuntdouble"]);
        SettingsParser::from_arg_matches(&matches)
            .map_or_else(|error| error.exit(), |parser| parser.config)
    }
}

/// Parses the origin of an HTTP URL. A path, a query or another scheme is an error.
fn origin(text: &str) -> Result<String, String> {
    let malformed = || "expected scheme, host and port alone, such as http://mock:8080".to_owned();
    let parsed = url::Url::parse(text).map_err(|_| malformed())?;
    let is_origin = matches!(parsed.scheme(), "http" | "https")
        && parsed.path() == "/"
        && parsed.query().is_none()
        && parsed.has_host();
    if is_origin {
        Ok(parsed.origin().ascii_serialization())
    } else {
        Err(malformed())
    }
}
