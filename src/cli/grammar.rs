//! The command line: its commands, and the settings of the server.

use clap::{Parser, Subcommand};

use crate::cli::commands::ClientCommand;
use crate::settings::Config;

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

/// Command of the command line; `serve` if none is given.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "a process has one command")]
pub enum Command {
    /// Start the server (the default)
    Serve(Box<Config>),
    /// Print the signature that BIZ MORI gives a webhook's body, which is read from standard input
    Sign {
        /// The webhook's secret, `whsec_` included
        #[arg(long)]
        secret: String,
    },
    /// Check the signature of a webhook's body, which is read from standard input; exit code 0 if it
    /// is right, 1 if not
    Verify {
        /// The webhook's secret, `whsec_` included
        #[arg(long)]
        secret: String,
        /// Value of the header `X-MoriBiz-Signature`
        #[arg(long)]
        signature: String,
    },
    /// Print the licenses of stuntdouble and of all software in it
    Licenses,
    #[command(flatten)]
    Client(ClientCommand),
}
