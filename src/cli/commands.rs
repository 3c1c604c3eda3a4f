//! The commands that ask a running server: each is one call of its control plane.
//!
//! One scheme for all: a noun is that of its route; alone it lists or shows, and a verb behind it
//! acts. What is about time or everything is a verb of its own.

mod commands;
mod filters;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

pub use commands::{
    AccountsCommand, ClockCommand, ClockModeArg, DeliveriesCommand, FixturesCommand, InboxCommand,
    JsonSource, OrdersCommand, RequestsCommand, RulesCommand, SnapshotsCommand, VerifyArgs,
};
pub use filters::{AccountArg, DeliveryList, OrderList, PageArgs, RequestFilterArgs, RequestList};

const SERVER_HEADING: &str = "Where the server is";

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientCommand {
    /// Ask whether it serves; exit code 0 if it does within 2 seconds
    Health {
        /// Watch the server in this container, as the image's health check does: at --host and
        /// --port, whatever `STUNTDOUBLE_URL` says; waits 10 s for an answer, and in a container older
        /// than 5 s goes on checking for 10 s
        #[arg(long)]
        watch: bool,
        /// Address that the server in this container listens on, for --watch
        #[arg(
            long,
            env = "STUNTDOUBLE_HOST",
            default_value = "127.0.0.1",
            value_name = "ADDRESS",
            help_heading = SERVER_HEADING
        )]
        host: IpAddr,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show what is counted and what there is, as Prometheus reads it
    Metrics {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Make an account as fresh, with all that it owns; without --account, everything
    Reset {
        #[command(flatten)]
        of: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show an account's clock, or set it; without --account, the default clock
    #[command(args_conflicts_with_subcommands = true)]
    Clock {
        #[command(subcommand)]
        verb: Option<ClockCommand>,
        #[command(flatten)]
        of: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Move a clock on, and show what was executed on the way; without --account, the default clock
    #[command(group = ArgGroup::new("step").required(true).args(["by", "to"]))]
    Advance {
        /// Milliseconds, or a duration such as `10s`, `PT5M` or `P7D`
        by: Option<String>,
        /// An instant, such as `2026-03-12T10:00:00Z`
        #[arg(long, value_name = "INSTANT")]
        to: Option<String>,
        #[command(flatten)]
        of: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Wait until every order, report and webhook has ended, of all accounts without --account; exit
    /// code 1 if one has not
    Drain {
        /// How long it waits; 10000 if not given, 600000 at most
        #[arg(long, value_name = "MS")]
        timeout_ms: Option<u64>,
        #[command(flatten)]
        of: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the accounts; show, set up or delete one
    #[command(visible_alias = "account", args_conflicts_with_subcommands = true)]
    Accounts {
        #[command(subcommand)]
        verb: Option<AccountsCommand>,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the rules that name an account, or all; add, delete or clear some
    #[command(visible_alias = "rule", args_conflicts_with_subcommands = true)]
    Rules {
        #[command(subcommand)]
        verb: Option<RulesCommand>,
        #[command(flatten)]
        of: AccountArg,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List what was asked and answered, the newest last; show one request, verify or clear them
    #[command(visible_alias = "request", args_conflicts_with_subcommands = true)]
    Requests {
        #[command(subcommand)]
        verb: Option<RequestsCommand>,
        #[command(flatten)]
        list: RequestList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List every attempt at a webhook, the newest last; resend one
    #[command(visible_alias = "delivery", args_conflicts_with_subcommands = true)]
    Deliveries {
        #[command(subcommand)]
        verb: Option<DeliveriesCommand>,
        #[command(flatten)]
        list: DeliveryList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List orders and documents, the newest last; complete, fail or expire one
    #[command(visible_alias = "order", args_conflicts_with_subcommands = true)]
    Orders {
        #[command(subcommand)]
        verb: Option<OrdersCommand>,
        #[command(flatten)]
        list: OrderList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the inboxes, receivers of webhooks at `/_mock/inbox/NAME`; set one up, read or delete it
    #[command(visible_alias = "inboxes", args_conflicts_with_subcommands = true)]
    Inbox {
        #[command(subcommand)]
        verb: Option<InboxCommand>,
        #[command(flatten)]
        of: AccountArg,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List an account's snapshots, or all; take, restore or delete one
    #[command(visible_alias = "snapshot", args_conflicts_with_subcommands = true)]
    Snapshots {
        #[command(subcommand)]
        verb: Option<SnapshotsCommand>,
        #[command(flatten)]
        of: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Load what tests begin with
    Fixtures {
        #[command(subcommand)]
        verb: FixturesCommand,
        #[command(flatten)]
        server: ServerArgs,
    },
}

impl ClientCommand {
    /// Whom it asks.
    #[must_use]
    pub fn server(&self) -> &ServerArgs {
        match self {
            Self::Health { server, .. }
            | Self::Metrics { server }
            | Self::Reset { server, .. }
            | Self::Clock { server, .. }
            | Self::Advance { server, .. }
            | Self::Drain { server, .. }
            | Self::Accounts { server, .. }
            | Self::Rules { server, .. }
            | Self::Requests { server, .. }
            | Self::Deliveries { server, .. }
            | Self::Orders { server, .. }
            | Self::Inbox { server, .. }
            | Self::Snapshots { server, .. }
            | Self::Fixtures { server, .. } => server,
        }
    }
}

/// Where the server is, and what it wants to be shown.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Where it listens, such as `http://mock:8080`
    #[arg(
        long,
        env = "STUNTDOUBLE_URL",
        global = true,
        help_heading = SERVER_HEADING,
        value_name = "URL",
        value_parser = parse_base_url
    )]
    url: Option<String>,
    /// Its port on this machine, where no URL is given
    #[arg(
        long,
        env = "STUNTDOUBLE_PORT",
        global = true,
        help_heading = SERVER_HEADING,
        default_value_t = 8080
    )]
    port: u16,
    /// Its control token, if it has one
    #[arg(
        long,
        env = "STUNTDOUBLE_CONTROL_TOKEN",
        hide_env_values = true,
        global = true,
        help_heading = SERVER_HEADING
    )]
    token: Option<String>,
    /// File that holds its control token
    #[arg(
        long,
        env = "STUNTDOUBLE_CONTROL_TOKEN_FILE",
        hide_env_values = true,
        global = true,
        help_heading = SERVER_HEADING,
        value_name = "FILE"
    )]
    token_file: Option<PathBuf>,
}

impl ServerArgs {
    /// The server's port on this machine.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the paths of its calls are appended to.
    #[must_use]
    pub fn base_url(&self) -> String {
        // A variable that is set to nothing says nothing.
        let url = self.url.as_deref().filter(|url| !url.is_empty());
        url.map_or_else(
            || format!("http://127.0.0.1:{}", self.port),
            |url| url.trim_end_matches('/').to_owned(),
        )
    }

    /// What it is shown.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| !token.is_empty())
    }
}

fn parse_base_url(text: &str) -> Result<String, String> {
    let parsed = url::Url::parse(text).ok();
    let fits = |url: &url::Url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    };
    if text.is_empty() || parsed.as_ref().is_some_and(fits) {
        Ok(text.to_owned())
    } else {
        Err("give scheme, host and port, such as http://mock:8080".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::grammar::{Cli, Command};

    fn server(arguments: &[&str]) -> Option<ServerArgs> {
        let all = ["stuntdouble", "health"].iter().chain(arguments);
        match Cli::try_parse_from(all).ok()?.command {
            Some(Command::Client(command)) => Some(command.server().clone()),
            _ => None,
        }
    }

    #[test]
    fn a_server_is_where_its_url_or_its_port_says() {
        let base = |arguments: &[&str]| server(arguments).map(|server| server.base_url());
        let here = Some("http://127.0.0.1:9".to_owned());
        assert_eq!(base(&["--url", "", "--port", "9"]), here);
        let there = Some("https://a/b".to_owned());
        assert_eq!(base(&["--url", "https://a/b/", "--port", "9"]), there);
        for wrong in [
            "a:80",
            "a",
            "ftp://a",
            "http://",
            "http://a?b",
            "http://a#b",
        ] {
            assert_eq!(base(&["--url", wrong]), None, "{wrong}");
        }
    }

    #[test]
    fn an_empty_token_is_none() {
        let token = |token| server(&["--token", token])?.token().map(str::to_owned);
        assert_eq!(token(""), None);
        assert_eq!(token("a"), Some("a".to_owned()));
    }
}
