//! Information for people and for the dashboard: the server's state in numbers, and the names of all
//! operations.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ControlError;
use super::is_control_operation;
use super::named_account::{NamedAccount, Scope};
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Operation, Routes, Services};
use crate::model::rule::OutboundCall;
use crate::model::webhook::DeliveryStatus;
use crate::platform::clock::{self, iso};
use crate::platform::memory_limit;
use crate::settings::KeyMode;

/// Name of the server's own calls in [`OperationView`].
const OUTBOUND: &str = "outbound";

/// Adds the routes of information.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.getInfo", Method::GET, "/_mock/info", info)
        .docs(describe_info)
        .on(
            "control.listOperations",
            Method::GET,
            "/_mock/operations",
            operations,
        )
        .docs(describe_operations)
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Info")]
struct InfoView {
    version: &'static str,
    /// Revision of the latest change. The stream of events can start after it.
    revision: u64,
    /// Start of the server, in real time.
    #[schemars(extend("format" = "date-time"))]
    started_at: String,
    uptime_ms: i64,
    /// Treatment of keys that were not set up.
    #[schemars(extend("enum" = ["open", "strict"]))]
    mode: String,
    data_directory: String,
    /// True if the data directory is removed at exit.
    is_temporary: bool,
    memory: MemoryView,
    journal: JournalView,
    orders: OrderCountsView,
    deliveries: DeliveryCountsView,
    accounts: usize,
    rules: usize,
    /// Open streams of events.
    streams: usize,
}

/// Memory of the process.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "InfoMemory")]
struct MemoryView {
    /// Null if the system does not say.
    resident_bytes: Option<u64>,
    /// Memory that the process may use. Null if the system does not say.
    limit_bytes: Option<u64>,
}

/// Recorded requests of all accounts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "InfoJournal")]
struct JournalView {
    requests: usize,
    /// Approximate size of the requests.
    bytes: usize,
    /// Maximum number of requests of an account. 0: no requests are recorded.
    requests_max: usize,
    bytes_max: usize,
    /// Requests that are no longer kept.
    evicted: u64,
}

/// Orders and documents by status.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "InfoOrders")]
struct OrderCountsView {
    pending: u64,
    in_progress: u64,
    complete: u64,
    failed: u64,
    expired: u64,
}

/// Webhook deliveries that were not delivered, by status.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "InfoDeliveries")]
struct DeliveryCountsView {
    pending: u64,
    retrying: u64,
    failed: u64,
}

fn describe_info(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get information",
            "Version, uptime, settings and numbers of the running server. With `account`, `orders` and \
             `deliveries` are those of the account.",
        )
        .query_params(vec![account_param()])
        .describe_param("account", "Only orders and deliveries of this account.")
        .response::<InfoView>(200, "The server at present.");
    describe_errors(doc, &[])
}

async fn info(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    let (orders, deliveries) = match named.scope(&state) {
        Scope::All => state.db.status_counts(None).await?,
        Scope::Account(account) => state.db.status_counts(Some(account.id)).await?,
        Scope::Unknown => Default::default(),
    };
    let started_at = state.metrics.started_at();
    let view = InfoView {
        version: env!("CARGO_PKG_VERSION"),
        revision: state.changes.revision(),
        started_at: iso(started_at),
        uptime_ms: clock::real_now().since_ms(started_at),
        mode: mode_name(state.config.mode),
        data_directory: state.data_dir.to_string_lossy().into_owned(),
        is_temporary: state.is_data_dir_temporary,
        memory: MemoryView {
            resident_bytes: memory_limit::resident_bytes(),
            limit_bytes: memory_limit::process_bytes(),
        },
        journal: journal_view(&state),
        orders: order_counts(&orders),
        deliveries: delivery_counts(&deliveries),
        accounts: state.accounts.count(),
        rules: state.rules.list(None).len(),
        streams: state.changes.readers(),
    };
    Ok(Json(view).into_response())
}

/// Returns the name of the mode as the setting `--mode` takes it.
fn mode_name(mode: KeyMode) -> String {
    let value = mode.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn journal_view(state: &Services) -> JournalView {
    let (requests, bytes) = state.journal.size();
    JournalView {
        requests,
        bytes,
        requests_max: state.config.journal.journal_requests_max,
        bytes_max: state.config.journal.journal_bytes_max,
        evicted: state.journal.evicted(None),
    }
}

fn order_counts(counts: &BTreeMap<String, u64>) -> OrderCountsView {
    let count = |status| counts.get(status).copied().unwrap_or_default();
    OrderCountsView {
        pending: count("pending"),
        in_progress: count("inProgress"),
        complete: count("complete"),
        failed: count("failed"),
        expired: count("expired"),
    }
}

fn delivery_counts(counts: &BTreeMap<String, u64>) -> DeliveryCountsView {
    let count = |status: DeliveryStatus| counts.get(status.name()).copied().unwrap_or_default();
    DeliveryCountsView {
        pending: count(DeliveryStatus::Pending),
        retrying: count(DeliveryStatus::Retrying),
        failed: count(DeliveryStatus::Failed),
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Operations")]
struct OperationsView {
    operations: Vec<OperationView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Operation")]
struct OperationView {
    name: &'static str,
    /// Null for the server's own calls.
    method: Option<String>,
    /// Path with its parameters in braces. Null for the server's own calls.
    path: Option<&'static str>,
    /// API of the operation. `outbound` for the server's own calls.
    #[schemars(extend("enum" = ["bizmori", "undetectable", "storage", "control", "outbound"]))]
    api: &'static str,
    /// True if rules can act on the operation.
    rules: bool,
}

impl From<&Operation> for OperationView {
    fn from(operation: &Operation) -> Self {
        Self {
            name: operation.name,
            method: Some(operation.method.to_string()),
            path: Some(operation.path),
            api: operation.name.split('.').next().unwrap_or_default(),
            rules: !is_control_operation(operation),
        }
    }
}

impl From<OutboundCall> for OperationView {
    fn from(call: OutboundCall) -> Self {
        Self {
            name: call.operation(),
            method: None,
            path: None,
            api: OUTBOUND,
            rules: true,
        }
    }
}

fn describe_operations(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "List operations",
            "Every operation of every API, and the server's own calls, with the names that rules and the \
             journal use.",
        )
        .query_params(vec![account_param()])
        .describe_param("account", "Changes nothing.")
        .response::<OperationsView>(200, "All operations.");
    describe_errors(doc, &[])
}

async fn operations(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    let own = state.operations.iter().map(OperationView::from);
    let outbound = OutboundCall::ALL.map(OperationView::from);
    let operations = own.chain(outbound).collect();
    Ok(Json(OperationsView { operations }).into_response())
}
