//! One order with all that is known about it: files, outputs, outcome, history, requests, deliveries.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::clock::kind;
use super::super::deliveries::{self, AttemptView};
use super::super::error::ControlError;
use super::super::error_code::ControlErrorCode;
use super::super::named_account::NamedAccount;
use super::super::openapi::{account_param, describe_errors};
use super::super::query::ControlQuery;
use super::outcome::OutcomeView;
use super::{OrderView, find_order, unknown_order};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, PathParam, Services};
use crate::model::bulk::Bulk;
use crate::model::order::{ApiVersion, Order, OrderState};
use crate::model::picture::FileKind;
use crate::model::work::{Outcome, Work};
use crate::platform::clock::iso;
use crate::services::accounts::Account;
use crate::services::journal::RequestQuery;
use crate::services::orders::{InspectedFile, InspectedOutput, OutputKind};

/// Order with all that is known about it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrderDetail")]
struct OrderDetailView {
    #[serde(flatten)]
    order: OrderView,
    /// Version of the API that created the order. Null if the vendor has one version only.
    #[schemars(extend("enum" = ["v2", "v3", null]))]
    api: Option<&'static str>,
    /// Outcome, also of a failed order. Null until the order has ended.
    outcome: Option<OutcomeView>,
    /// Files. Of a bulk, the ZIP file and then its entries.
    files: Vec<FileView>,
    /// Stored outputs. Empty once the order has expired.
    outputs: Vec<OutputView>,
    /// States that the order has entered, the creation first.
    history: Vec<StateChangeView>,
    /// Next job or webhook attempt.
    next: Option<NextJobView>,
    /// Numbers of the account's recorded requests about the order, oldest first.
    requests: Vec<u64>,
    /// Attempts at the deliveries of the order's event, newest last.
    deliveries: Vec<AttemptView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrderFile")]
struct FileView {
    name: String,
    /// Size. Null until the file is uploaded or fetched.
    bytes: Option<u64>,
    content_type: Option<String>,
    /// Width in pixels, if the first bytes of the file have it.
    width: Option<u32>,
    height: Option<u32>,
    /// Id of the bytes for `GET /_mock/blobs/{id}`. Null if they are not stored.
    blob: Option<String>,
    /// Watermark texts to embed. Empty for other work.
    watermarks: Vec<String>,
    /// Outcome of a picture in a bulk.
    result: Option<OutcomeView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrderOutput")]
struct OutputView {
    name: String,
    #[schemars(extend("enum" = OutputKind::ALL.map(OutputKind::name)))]
    kind: &'static str,
    /// Index in `files`. Null if the output is not made from one file.
    file: Option<usize>,
    bytes: u64,
    content_type: Option<String>,
    /// Id of the bytes for `GET /_mock/blobs/{id}`.
    blob: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrderStateChange")]
struct StateChangeView {
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Null for the creation.
    #[schemars(extend("enum" = ["pending", "inProgress", "complete", "failed", "expired", null]))]
    from: Option<String>,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    to: String,
    /// Name of the operation, or kind of the job, that caused the change.
    by: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrderNextDue")]
struct NextJobView {
    #[schemars(extend("format" = "date-time"))]
    at: String,
    #[schemars(schema_with = "kind")]
    kind: &'static str,
}

impl From<InspectedFile> for FileView {
    fn from(file: InspectedFile) -> Self {
        let (width, height) = file.sides_px.unzip();
        Self {
            name: file.name,
            bytes: file.bytes,
            content_type: file.content_type,
            width,
            height,
            blob: file.blob,
            watermarks: file.watermark_texts,
            result: None,
        }
    }
}

impl From<InspectedOutput> for OutputView {
    fn from(output: InspectedOutput) -> Self {
        Self {
            name: output.name,
            kind: output.kind.name(),
            file: output.file,
            bytes: output.bytes,
            content_type: output.content_type,
            blob: output.blob,
        }
    }
}

pub fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get an order",
            "Returns the order with its files, outputs, outcome and history, with what is due next, and \
             with the requests and webhook deliveries about it.",
        )
        .query_params(vec![account_param()])
        .describe_param("id", "Id of an order or a document.")
        .describe_param(
            "account",
            "Key of the account. Orders of other accounts count as unknown.",
        )
        .response::<OrderDetailView>(200, "Order.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::UnknownOrder,
        ],
    )
}

pub async fn get(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    let (order, account) = find_order(&state, &named, &id).await?;
    let view = OrderView::new(&state, &order).ok_or_else(|| unknown_order(&named, &id))?;
    let inspected = state.orders.inspect_files(&order).await?;
    let mut files: Vec<_> = inspected.into_iter().map(FileView::from).collect();
    if let Work::Bulk(bulk) = &order.work {
        files.extend(entries(bulk, order.outcome()));
    }
    let outputs = state.orders.inspect_outputs(&order).await?;
    let next = state.orders.next_due(&account, &order).await?;
    let detail = OrderDetailView {
        api: api_name(&order),
        outcome: OutcomeView::new(&order),
        files,
        outputs: outputs.into_iter().map(OutputView::from).collect(),
        history: history(&order),
        next: next.map(|(at, kind)| NextJobView {
            at: iso(at),
            kind: kind.name(),
        }),
        requests: requests_about(&state, &account, &order),
        deliveries: deliveries::of_order(&state, &account, &order.id).await?,
        order: view,
    };
    Ok(Json(detail).into_response())
}

/// Returns the version of the API that created the order. `None` if the vendor has one version only.
fn api_name(order: &Order) -> Option<&'static str> {
    match (&order.work, order.api) {
        (Work::Document(_) | Work::Bulk(_), _) => None,
        (_, ApiVersion::V2) => Some("v2"),
        (_, ApiVersion::V3) => Some("v3"),
    }
}

/// Returns the entries of a bulk's ZIP file: the queued ones with their results, then the skipped ones.
fn entries(bulk: &Bulk, outcome: Option<&Outcome>) -> Vec<FileView> {
    let items = match outcome {
        Some(Outcome::Bulk(result)) => result.items.as_slice(),
        _ => &[],
    };
    let entry = |name: &str, bytes, result| FileView {
        name: name.to_owned(),
        bytes,
        content_type: FileKind::of_name(name).map(|kind| kind.media_type().to_owned()),
        width: None,
        height: None,
        blob: None,
        watermarks: Vec::new(),
        result,
    };
    let queued = bulk.queued.iter().enumerate().map(|(index, queued)| {
        let result = items.get(index).map(OutcomeView::from_item);
        entry(&queued.name, Some(queued.location.bytes), result)
    });
    let skipped = bulk.skipped.iter().map(|skipped| {
        let reason = skipped.reason;
        entry(&skipped.name, None, Some(OutcomeView::Skipped { reason }))
    });
    queued.chain(skipped).collect()
}

fn history(order: &Order) -> Vec<StateChangeView> {
    let mut from = None;
    let mut changes = Vec::with_capacity(order.history.len());
    for change in &order.history {
        let to = change.to().to_owned();
        changes.push(StateChangeView {
            at: iso(change.at()),
            from: from.replace(to.clone()),
            to,
            by: change.by().to_owned(),
        });
    }
    changes
}

/// Returns the numbers of the account's recorded requests about the order.
fn requests_about(state: &Services, account: &Account, order: &Order) -> Vec<u64> {
    let query = RequestQuery {
        account: Some(account.key.clone()),
        order_id: Some(order.id.clone()),
        limit: usize::MAX,
        ..RequestQuery::default()
    };
    let (exchanges, _) = state.journal.list(&query);
    exchanges.iter().map(|exchange| exchange.seq()).collect()
}
