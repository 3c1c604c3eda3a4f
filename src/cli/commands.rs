//! Commands that call a running server. Each command is one call of the control plane.
//!
//! A noun is named after its route and lists or shows entries; a verb after the noun acts on one of
//! them. Commands about time or about the whole server are verbs of their own.

mod filters;
mod subcommands;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

pub use filters::{
    AccountArg, AccountList, DeliveryList, OrderList, PageArgs, RequestFilterArgs, RequestList,
};
pub use subcommands::{
    AccountsCommand, ClockCommand, ClockModeArg, DeliveriesCommand, FixturesCommand, InboxCommand,
    JsonSource, OrdersCommand, RequestsCommand, RulesCommand, SnapshotsCommand, VerifyArgs,
};

const SERVER_HEADING: &str = "Server options";

/// Commands that call a running server.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientCommand {
    /// Check that the server is up; exit code 0 if it responds within 2 seconds
    Health {
        /// Health check of the container image: check the server at --host and --port, ignoring
        /// `STUNTDOUBLE_URL`; wait up to 10 s for a response; in a container older than 5 s, keep
        /// checking for 10 s
        #[arg(long)]
        watch: bool,
        /// Address that the server in this container listens on; for --watch
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
    /// Show version, uptime, data directory, memory and numbers of orders and deliveries; with
    /// --account, orders and deliveries of the account
    Info {
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the operations of all APIs, and whether rules can act on them
    Operations {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show the metrics in the text format of Prometheus
    Metrics {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Reset the server; with --account, delete only the account and all that it owns
    Reset {
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show or set the clock of an account; without --account, the default clock
    #[command(args_conflicts_with_subcommands = true)]
    Clock {
        #[command(subcommand)]
        command: Option<ClockCommand>,
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Advance the clock of an account and show the executed jobs; without --account, the default
    /// clock
    #[command(group = ArgGroup::new("step").required(true).args(["by", "to"]))]
    Advance {
        /// Milliseconds, a duration such as `10s`, `PT5M` or `P7D`, or `next`: to the next due job
        by: Option<String>,
        /// Target instant, such as `2026-03-12T10:00:00Z`
        #[arg(long, value_name = "INSTANT")]
        to: Option<String>,
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Wait until no order, report or webhook is in progress or due; without --account, of all
    /// accounts; exit code 1 on a timeout
    Drain {
        /// Timeout in milliseconds; 10000 if not given, at most 600000
        #[arg(long, value_name = "MS")]
        timeout_ms: Option<u64>,
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List accounts; show, set up or delete one
    #[command(visible_alias = "account", args_conflicts_with_subcommands = true)]
    Accounts {
        #[command(subcommand)]
        command: Option<AccountsCommand>,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List rules; add, set or delete one, or clear them; with --account, only those that name the
    /// account
    #[command(visible_alias = "rule", args_conflicts_with_subcommands = true)]
    Rules {
        #[command(subcommand)]
        command: Option<RulesCommand>,
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List recorded requests, newest last; show one, verify or clear them
    #[command(visible_alias = "request", args_conflicts_with_subcommands = true)]
    Requests {
        #[command(subcommand)]
        command: Option<RequestsCommand>,
        #[command(flatten)]
        list: RequestList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the jobs that are due or running, earliest first
    #[command(visible_alias = "job")]
    Jobs {
        #[command(flatten)]
        list: AccountList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the webhooks that are registered, newest last
    #[command(visible_alias = "webhook")]
    Webhooks {
        #[command(flatten)]
        list: AccountList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show what changes as it happens, one line of JSON for each event, until the server stops
    Events {
        /// Revision after which to start; if not given, the last one
        #[arg(long, value_name = "REVISION")]
        since: Option<u64>,
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the delivery attempts of webhooks, newest last; resend a delivery
    #[command(visible_alias = "delivery", args_conflicts_with_subcommands = true)]
    Deliveries {
        #[command(subcommand)]
        command: Option<DeliveriesCommand>,
        #[command(flatten)]
        list: DeliveryList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List orders and documents, newest last; show, complete, fail or expire one
    #[command(visible_alias = "order", args_conflicts_with_subcommands = true)]
    Orders {
        #[command(subcommand)]
        command: Option<OrdersCommand>,
        #[command(flatten)]
        list: OrderList,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List inboxes, which receive webhooks at `/_mock/inbox/NAME`; set up, read or delete one
    #[command(visible_alias = "inboxes", args_conflicts_with_subcommands = true)]
    Inbox {
        #[command(subcommand)]
        command: Option<InboxCommand>,
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List snapshots; take, restore or delete one; with --account, only those of the account
    #[command(visible_alias = "snapshot", args_conflicts_with_subcommands = true)]
    Snapshots {
        #[command(subcommand)]
        command: Option<SnapshotsCommand>,
        #[command(flatten)]
        account: AccountArg,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Load fixtures; export an account as fixtures
    Fixtures {
        #[command(subcommand)]
        command: FixturesCommand,
        #[command(flatten)]
        server: ServerArgs,
    },
}

impl ClientCommand {
    /// Returns the options that name the server.
    #[must_use]
    pub fn server(&self) -> &ServerArgs {
        match self {
            Self::Health { server, .. }
            | Self::Info { server, .. }
            | Self::Operations { server }
            | Self::Metrics { server }
            | Self::Reset { server, .. }
            | Self::Clock { server, .. }
            | Self::Advance { server, .. }
            | Self::Drain { server, .. }
            | Self::Accounts { server, .. }
            | Self::Rules { server, .. }
            | Self::Requests { server, .. }
            | Self::Jobs { server, .. }
            | Self::Webhooks { server, .. }
            | Self::Events { server, .. }
            | Self::Deliveries { server, .. }
            | Self::Orders { server, .. }
            | Self::Inbox { server, .. }
            | Self::Snapshots { server, .. }
            | Self::Fixtures { server, .. } => server,
        }
    }
}

/// Address and credentials of the server.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Base URL of the server, such as `http://mock:8080`
    #[arg(
        long,
        env = "STUNTDOUBLE_URL",
        global = true,
        help_heading = SERVER_HEADING,
        value_name = "URL",
        value_parser = parse_base_url
    )]
    url: Option<String>,
    /// Port of a local server, if no URL is given
    #[arg(
        long,
        env = "STUNTDOUBLE_PORT",
        global = true,
        help_heading = SERVER_HEADING,
        default_value_t = 8080
    )]
    port: u16,
    /// Control token of the server, if it requires one
    #[arg(
        long,
        env = "STUNTDOUBLE_CONTROL_TOKEN",
        hide_env_values = true,
        global = true,
        help_heading = SERVER_HEADING
    )]
    token: Option<String>,
    /// File with the control token
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
    /// Returns the port of a server on this machine.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL to which the paths of calls are appended.
    #[must_use]
    pub fn base_url(&self) -> String {
        // An empty variable counts as not set.
        let url = self.url.as_deref().filter(|url| !url.is_empty());
        url.map_or_else(
            || format!("http://127.0.0.1:{}", self.port),
            |url| url.trim_end_matches('/').to_owned(),
        )
    }

    /// Returns the control token. `None` if it is not set or empty.
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
    fn base_url_is_the_url_else_the_port_on_this_machine() {
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
    fn empty_token_counts_as_not_set() {
        let token = |token| server(&["--token", token])?.token().map(str::to_owned);
        assert_eq!(token(""), None);
        assert_eq!(token("a"), Some("a".to_owned()));
    }
}
