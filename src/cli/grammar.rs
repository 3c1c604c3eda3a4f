//! Grammar of the command line: commands, and the settings of the server.

use clap::{Parser, Subcommand};

use crate::cli::commands::{ClientCommand, ServerArgs};
use crate::settings::Config;

/// A self-hosted mock of two image APIs, BIZ MORI and Undetectable AI, for integration tests.
#[derive(Debug, Parser)]
#[command(name = "stuntdouble", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub config: Config,
}

/// Command of the program. The server starts if no command is given.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server (the default)
    Serve(Box<Config>),
    /// Print BIZ MORI's signature of a webhook body; the body is read from standard input
    Sign {
        /// Secret of the webhook, `whsec_` included
        #[arg(long)]
        secret: String,
    },
    /// Check the signature of a webhook body; the body is read from standard input; exit code 0 if
    /// the signature is valid, else 1
    Verify {
        /// Secret of the webhook, `whsec_` included
        #[arg(long)]
        secret: String,
        /// Value of the header `X-MoriBiz-Signature`
        #[arg(long)]
        signature: String,
    },
    /// Open the dashboard of a running server in the browser, or print its URL if there is no browser
    Open {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Print the licenses of stuntdouble and of all software in it
    Licenses,
    #[command(flatten)]
    Client(ClientCommand),
}
