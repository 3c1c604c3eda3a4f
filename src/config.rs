//! Every setting: its meaning, its default, its flag and its variable. `stuntdouble --help`
//! prints this file's words; nothing else reads arguments or the environment.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::{FalseyValueParser, PossibleValue};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::account::Revision;

/// A self-hosted mock of two image APIs, BIZ MORI and Undetectable AI, for integration tests.
#[derive(Debug, Parser)]
#[command(name = "stuntdouble", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Config,
}

/// What to do; `serve` where nothing is said.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server (the default)
    Serve(Box<Config>),
    /// Ask a running server whether it serves; exit code 0 if it does, for container health checks
    Health {
        /// Where it listens
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// The port on this machine, where no --url is given
        #[arg(long, env = "STUNTDOUBLE_PORT", default_value_t = 8080)]
        port: u16,
    },
}

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
pub enum Mode {
    /// An account like any other, made at its first use
    Open,
    /// Refused
    Strict,
}

impl ValueEnum for Revision {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::V2026_03, Self::V2026_10]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::V2026_03 => "Before the changes of October 2026",
            Self::V2026_10 => "With them",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// The server's settings.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Address to listen on
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
    /// Directory that keeps all state, for one server at a time; a temporary one, gone at exit, if
    /// not set
    #[arg(long, env = "STUNTDOUBLE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
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
    pub mode: Mode,
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
    /// Log filter: error, warn, info, debug (a line for each request), or tracing's directives
    #[arg(
        long,
        env = "STUNTDOUBLE_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub log: String,

    /// The vendor's API as of that date
    #[arg(
        long,
        env = "STUNTDOUBLE_REVISION",
        value_enum,
        default_value = "2026-03"
    )]
    pub revision: Revision,
    /// BIZ MORI: milliseconds an order is processed
    #[arg(
        long,
        env = "STUNTDOUBLE_PROCESSING_MS",
        default_value_t = 300,
        value_name = "MS"
    )]
    pub processing_ms: u32,
    /// Up to so many milliseconds more, drawn for each order
    #[arg(
        long,
        env = "STUNTDOUBLE_JITTER_MS",
        default_value_t = 0,
        value_name = "MS"
    )]
    pub jitter_ms: u32,
    /// BIZ MORI: milliseconds an order of a test key is processed
    #[arg(
        long,
        env = "STUNTDOUBLE_TEST_PROCESSING_MS",
        default_value_t = 5_000,
        value_name = "MS"
    )]
    pub test_processing_ms: u32,
    /// BIZ MORI: seconds an AI detection's upload URL lives; 600 if not set, 3600 in revision
    /// 2026-10
    #[arg(
        long,
        env = "STUNTDOUBLE_AI_DETECTION_UPLOAD_S",
        value_parser = clap::value_parser!(u32).range(1..=604_800),
        value_name = "S"
    )]
    pub ai_detection_upload_s: Option<u32>,
    /// BIZ MORI: seconds any other order's upload URL lives
    #[arg(
        long,
        env = "STUNTDOUBLE_UPLOAD_S",
        value_parser = clap::value_parser!(u32).range(1..=604_800),
        default_value_t = 3_600,
        value_name = "S"
    )]
    pub upload_s: u32,
    /// BIZ MORI: seconds a v3 order's upload URL lives
    #[arg(
        long,
        env = "STUNTDOUBLE_V3_UPLOAD_S",
        value_parser = clap::value_parser!(u32).range(1..=604_800),
        default_value_t = 900,
        value_name = "S"
    )]
    pub v3_upload_s: u32,
    /// BIZ MORI: days until an order expires
    #[arg(
        long,
        env = "STUNTDOUBLE_RETENTION_DAYS",
        value_parser = clap::value_parser!(u32).range(1..),
        default_value_t = 7,
        value_name = "DAYS"
    )]
    pub retention_days: u32,
    /// BIZ MORI: download originalFileUrl for real; without it a sample picture stands for it
    #[arg(long, env = "STUNTDOUBLE_FETCH", value_parser = FalseyValueParser::new())]
    pub fetch: bool,

    /// Undetectable: milliseconds a document is pending
    #[arg(
        long,
        env = "STUNTDOUBLE_DETECT_PENDING_MS",
        default_value_t = 100,
        value_name = "MS"
    )]
    pub detect_pending_ms: u32,
    /// Undetectable: milliseconds until a document is done
    #[arg(
        long,
        env = "STUNTDOUBLE_DETECT_DONE_MS",
        default_value_t = 300,
        value_name = "MS"
    )]
    pub detect_done_ms: u32,
    /// Undetectable: milliseconds from done to the heatmap
    #[arg(
        long,
        env = "STUNTDOUBLE_HEATMAP_MS",
        default_value_t = 200,
        value_name = "MS"
    )]
    pub heatmap_ms: u32,
    /// Undetectable: milliseconds from done to the analysis
    #[arg(
        long,
        env = "STUNTDOUBLE_ANALYSIS_MS",
        default_value_t = 400,
        value_name = "MS"
    )]
    pub analysis_ms: u32,
    /// Undetectable: whether an analysis is made where the request does not say
    #[arg(
        long,
        env = "STUNTDOUBLE_ANALYSIS_DEFAULT",
        default_value_t = true,
        action = clap::ArgAction::Set,
        value_name = "BOOL"
    )]
    pub analysis_default: bool,
    /// Undetectable: give `analysis_result_status` and `analysis_result` beside the plural names
    #[arg(long, env = "STUNTDOUBLE_SINGULAR_ANALYSIS", value_parser = FalseyValueParser::new())]
    pub singular_analysis: bool,
    /// Undetectable: leave detection step 2, the generators' watermarks, out
    #[arg(long, env = "BYPASS_OCR", value_parser = FalseyValueParser::new())]
    pub bypass_ocr: bool,

    /// Access key id of the presigned URLs; an S3 client may sign with it too
    #[arg(
        long,
        env = "STUNTDOUBLE_S3_KEY_ID",
        default_value = "STUNTDOUBLEACCESSKEY",
        value_name = "ID"
    )]
    pub s3_key_id: String,
    /// Its secret
    #[arg(
        long,
        env = "STUNTDOUBLE_S3_SECRET",
        default_value = "stuntdouble/secret/access/key/for/tests",
        value_name = "SECRET"
    )]
    pub s3_secret: String,
    /// Region of the presigned URLs
    #[arg(
        long,
        env = "STUNTDOUBLE_S3_REGION",
        default_value = "us-east-1",
        value_name = "REGION"
    )]
    pub s3_region: String,
    /// Largest object taken, in bytes
    #[arg(
        long,
        env = "STUNTDOUBLE_OBJECT_BYTES_MAX",
        default_value_t = 5_368_709_120,
        value_name = "BYTES"
    )]
    pub object_bytes_max: u64,

    /// Milliseconds a webhook's receiver has to answer 2xx
    #[arg(
        long,
        env = "STUNTDOUBLE_WEBHOOK_TIMEOUT_MS",
        default_value_t = 5_000,
        value_name = "MS"
    )]
    pub webhook_timeout_ms: u32,
    /// Call public addresses too; without it only loopback and private ones are called
    #[arg(long, env = "STUNTDOUBLE_ALLOW_PUBLIC", value_parser = FalseyValueParser::new())]
    pub allow_public: bool,
}

impl Config {
    /// Seconds an AI detection's upload URL lives.
    #[must_use]
    pub fn ai_detection_upload_s(&self, revision: Revision) -> u32 {
        let by_default = match revision {
            Revision::V2026_03 => 600,
            Revision::V2026_10 => 3_600,
        };
        self.ai_detection_upload_s.unwrap_or(by_default)
    }

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
    let said = "give scheme, host and port alone, such as http://mock:8080";
    if bare {
        Ok(parsed.origin().ascii_serialization())
    } else {
        Err(said.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_kept_for_a_day_at_least() {
        let parse = |days| Cli::try_parse_from(["stuntdouble", "--retention-days", days]);
        let refused = parse("0").expect_err("no retention").to_string();
        assert!(refused.contains("0 is not in 1.."), "{refused}");
        assert_eq!(parse("1").expect("a day").serve.retention_days, 1);
    }
}
