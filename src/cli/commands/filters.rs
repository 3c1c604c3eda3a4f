//! What is meant, and what is listed of it.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// The account that is meant.
#[derive(Debug, Clone, Args)]
pub struct AccountArg {
    /// The account's key
    #[arg(
        id = "account",
        long = "account",
        value_name = "KEY",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub key: Option<String>,
}

/// Page of a listing, by number.
#[derive(Debug, Clone, Args)]
pub struct PageArgs {
    /// Entries on a page; 100 if not given, 1000 at most
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u64>,
    /// The `next` of the page before; the first page if not given
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
}

/// What requests are like.
#[derive(Debug, Clone, Args)]
pub struct RequestFilterArgs {
    /// Only those of such an operation, such as `'bizmori.*'`
    #[arg(long, value_name = "GLOB")]
    pub operation: Option<String>,
    /// Only those of that method
    #[arg(long)]
    pub method: Option<String>,
    /// Only those to such a path
    #[arg(long, value_name = "GLOB")]
    pub path: Option<String>,
    /// Only those that were answered so: a status such as 404, or a class such as `4xx`
    #[arg(long)]
    pub status: Option<String>,
}

/// Which requests are listed.
#[derive(Debug, Clone, Args)]
pub struct RequestList {
    #[command(flatten)]
    pub of: AccountArg,
    #[command(flatten)]
    pub like: RequestFilterArgs,
    /// Only those after the account's request of that number
    #[arg(long, value_name = "SEQ", requires = "account")]
    pub since: Option<u64>,
    /// The last so many; 100 if not given, 10000 at most
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u64>,
}

/// Which attempts are listed.
#[derive(Debug, Clone, Args)]
pub struct DeliveryList {
    #[command(flatten)]
    pub of: AccountArg,
    /// Only those to that webhook
    #[arg(long, value_name = "ID")]
    pub webhook_id: Option<String>,
    /// Only those of such an event, such as `order.aiDetection.completed`
    #[arg(long, value_name = "TYPE")]
    pub event_type: Option<String>,
    #[command(flatten)]
    pub page: PageArgs,
}

/// Which orders and documents are listed.
#[derive(Debug, Clone, Args)]
pub struct OrderList {
    #[command(flatten)]
    pub of: AccountArg,
    /// Only those of that vendor, `bizmori` or `undetectable`
    #[arg(long)]
    pub vendor: Option<String>,
    #[command(flatten)]
    pub page: PageArgs,
}
