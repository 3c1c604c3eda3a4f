//! Options that select accounts, pages and entries of lists.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

/// Option that names an account.
#[derive(Debug, Clone, Args)]
pub struct AccountArg {
    /// Key of the account
    #[arg(
        id = "account",
        long = "account",
        value_name = "KEY",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub key: Option<String>,
}

/// Options that select a page of a list.
#[derive(Debug, Clone, Args)]
pub struct PageArgs {
    /// Entries on a page; 100 if not given, at most 1000
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u64>,
    /// Value of `next` of the previous page; if not given, the first page
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
}

/// Options that select requests by their properties.
#[derive(Debug, Clone, Args)]
pub struct RequestFilterArgs {
    /// Only requests to a matching operation, such as `'bizmori.*'`
    #[arg(long, value_name = "GLOB")]
    pub operation: Option<String>,
    /// Only requests with a matching method
    #[arg(long)]
    pub method: Option<String>,
    /// Only requests to a matching path
    #[arg(long, value_name = "GLOB")]
    pub path: Option<String>,
    /// Only requests with this response status: a status such as 404, or a class such as `4xx`
    #[arg(long)]
    pub status: Option<String>,
}

/// Options that select the requests to list.
#[derive(Debug, Clone, Args)]
pub struct RequestList {
    #[command(flatten)]
    pub account: AccountArg,
    #[command(flatten)]
    pub filter: RequestFilterArgs,
    /// Only requests of the account after the one with this number
    #[arg(long, value_name = "SEQ", requires = "account")]
    pub since: Option<u64>,
    /// Number of requests to list; 100 if not given, at most 10000
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u64>,
}

/// Options that select the entries of an account, and a page of them.
#[derive(Debug, Clone, Args)]
pub struct AccountList {
    #[command(flatten)]
    pub account: AccountArg,
    #[command(flatten)]
    pub page: PageArgs,
}

/// Options that select the delivery attempts to list.
#[derive(Debug, Clone, Args)]
pub struct DeliveryList {
    #[command(flatten)]
    pub account: AccountArg,
    /// Only attempts for this webhook
    #[arg(long, value_name = "ID")]
    pub webhook_id: Option<String>,
    /// Only attempts for this type of event, such as `order.aiDetection.completed`
    #[arg(long, value_name = "TYPE")]
    pub event_type: Option<String>,
    /// Only attempts for the event of this order
    #[arg(long, value_name = "ID")]
    pub order_id: Option<String>,
    #[command(flatten)]
    pub page: PageArgs,
}

/// Options that select the orders and documents to list.
#[derive(Debug, Clone, Args)]
pub struct OrderList {
    #[command(flatten)]
    pub account: AccountArg,
    /// Only orders of this vendor, such as `bizmori`
    #[arg(long)]
    pub vendor: Option<String>,
    #[command(flatten)]
    pub page: PageArgs,
}
