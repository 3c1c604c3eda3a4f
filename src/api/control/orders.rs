//! Orders and documents: listed, and brought to their end.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, ControlJson};
use super::listing::{self, PageParams, describe_page, next_of};
use super::named_account::{AccountKey, NamedAccount, Scope};
use super::openapi::{STORE_ERRORS, account, error_responses};
use super::query::ControlQuery;
use super::rules::check::outcome::{check_code, outcome};
use super::rules::wire::OutcomeSpec;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{AppState, Json, OnResponseSent, PathParam, Services};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::rule::{self, ProcessingMode};
use crate::platform::clock::iso;
use crate::services::accounts::Account;
use crate::services::orders::{Listed, ManualEnd, ManualEndError};

const END_ERRORS: [(u16, &str); 5] = [
    (400, "bad_rule"),
    (400, "unfit_outcome"),
    (404, "unknown_order"),
    (409, "order_ended"),
    (409, "files_missing"),
];

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Orders")]
struct OrderPage {
    /// The newest last.
    orders: Vec<OrderView>,
    /// The `after` of the page of older ones; null on the last one.
    next: Option<String>,
}

/// An order, or a document.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Order")]
struct OrderView {
    id: String,
    /// The key.
    account: String,
    #[schemars(extend("enum" = ["bizmori", "undetectable"]))]
    vendor: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    status: &'static str,
    name: String,
    file_names: Vec<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    /// How long a rule has it in progress: `{"ms"}`, `{"polls"}` that are left, or `hold`.
    #[schemars(with = "Option<serde_json::Value>")]
    processing: Option<ProcessingMode>,
    /// What it failed with.
    failure: Option<FailureView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
struct FailureView {
    code: String,
    message: String,
}

impl OrderView {
    /// None: its account's life has just ended.
    fn of(state: &Services, order: &Order) -> Option<Self> {
        let failure = match &order.state {
            OrderState::Failed { failure, .. } => Some(FailureView {
                code: failure.code.clone(),
                message: failure.message.clone(),
            }),
            _ => None,
        };
        Some(Self {
            id: order.id.clone(),
            account: state.accounts.by_id(order.account)?.key.clone(),
            vendor: order.vendor.name(),
            kind: order.work.name(),
            status: order.state.status(),
            name: order.name.clone(),
            file_names: order.files.iter().map(|file| file.name.clone()).collect(),
            created_at: iso(order.created_at),
            updated_at: iso(order.updated_at),
            expires_at: iso(order.expires_at()),
            processing: order.processing,
            failure,
        })
    }
}

pub fn describe_list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let vendor = Param {
        name: "vendor",
        required: false,
        schema: serde_json::json!({"type": "string"}),
    };
    let described = described
        .summary(
            "Orders and documents",
            "Of both vendors. The first page has the newest ones; on each page the newest is last.",
        )
        .query_params(listing::describe_params([account(), vendor]))
        .describe_param("account", "Only those of that key.")
        .describe_param("vendor", "`bizmori` or `undetectable`.")
        .response::<OrderPage>(200, "The orders.");
    error_responses(
        describe_page(described),
        &[&[(400, "bad_query")], &STORE_ERRORS],
    )
}

pub async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = ControlQuery::parse(query.as_deref(), &["vendor", "limit", "after"])?;
    let page = PageParams::read(&query)?;
    let vendor_of = |value: String| {
        let found = Vendor::ALL.into_iter().find(|it| it.name() == value);
        let hint = "there is: bizmori, undetectable";
        found.ok_or_else(|| {
            ApiError::bad_request("bad_query", format!("vendor: {value} is none"), hint)
        })
    };
    let vendor = query.text("vendor").map(vendor_of).transpose()?;
    let scope = named.scope(&context);
    if let Scope::Unknown = scope {
        let (orders, next) = (Vec::new(), None);
        return Ok(Json(OrderPage { orders, next }).into_response());
    }
    let account = scope.account().map(|account| account.id);
    let listed = Listed { account, vendor };
    let span = context.orders.span(listed, page.after, page.limit).await?;
    let frame = OrderPage {
        orders: Vec::new(),
        next: next_of(span),
    };
    let orders = Arc::clone(&context.orders);
    let read = move |range, limit| {
        let orders = Arc::clone(&orders);
        async move { orders.in_span(listed, range, limit).await }
    };
    let show = move |order: Arc<Order>| OrderView::of(&context, &order);
    listing::span_response(&frame, "orders", span, read, show).await
}

pub fn describe_complete(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Complete an order",
            "Its work is done now, whatever held it. What comes out may be said, as in a rule's \
             `outcome`; else it is what would have come out.",
        )
        .describe_param("id", "Of an order or a document.")
        .json_body::<OutcomeSpec>(false)
        .response::<OrderView>(200, "The order.");
    error_responses(described, &[&END_ERRORS, &STORE_ERRORS])
}

pub async fn complete(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    ControlJson(body): ControlJson<OutcomeSpec>,
) -> Result<Response, ApiError> {
    let outcome = if body.is_empty() {
        None
    } else {
        Some(outcome(body, "")?)
    };
    let how = match outcome {
        Some(failed @ rule::ForcedOutcome::Failed { .. }) => ManualEnd::Fail(failed),
        outcome => ManualEnd::Complete(outcome),
    };
    end_order(&context, &named, &id, how).await
}

/// How it fails; both may be left out.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailOrder {
    /// The key: only an order of that account is failed.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    /// The vendor's code.
    error_code: Option<String>,
    error_message: Option<String>,
}

pub fn describe_fail(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Fail an order",
            "It has failed now, whatever it waited for.",
        )
        .describe_param("id", "Of an order or a document.")
        .json_body::<FailOrder>(false)
        .response::<OrderView>(200, "The order.");
    error_responses(described, &[&END_ERRORS, &STORE_ERRORS])
}

pub async fn fail(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    ControlJson(body): ControlJson<FailOrder>,
) -> Result<Response, ApiError> {
    let sent = OutcomeSpec {
        status: Some("failed".to_owned()),
        error_code: body.error_code,
        error_message: body.error_message,
        ..OutcomeSpec::default()
    };
    let failed = outcome(sent, "")?;
    end_order(&context, &named, &id, ManualEnd::Fail(failed)).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {
    /// The key: only an order of that account is expired.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

pub fn describe_expire(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Expire an order",
            "Its retention has passed now, and its files are gone.",
        )
        .describe_param("id", "Of an order or a document.")
        .json_body::<EmptyBody>(false)
        .response::<OrderView>(200, "The order.");
    error_responses(described, &[&END_ERRORS, &STORE_ERRORS])
}

pub async fn expire(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    ControlJson(EmptyBody { .. }): ControlJson<EmptyBody>,
) -> Result<Response, ApiError> {
    end_order(&context, &named, &id, ManualEnd::Expire).await
}

/// Brings an order of the named account to its end.
async fn end_order(
    state: &Services,
    named: &NamedAccount,
    id: &str,
    end: ManualEnd,
) -> Result<Response, ApiError> {
    let unknown = || unknown_order(named, id);
    let order = state.db.order(id).await?.ok_or_else(unknown)?;
    let account = state.accounts.by_id(order.account);
    let is_of_scope = |account: &Arc<Account>| named.scope(state).includes(account);
    account.filter(is_of_scope).ok_or_else(unknown)?;
    if let ManualEnd::Fail(outcome) = &end {
        check_code(outcome, &[order.vendor], "")?;
    }
    let ended = state.orders.force_end(id, end).await;
    let (order, hold) = ended.map_err(|error| match error {
        ManualEndError::NotFound => unknown(),
        ManualEndError::AlreadyEnded(status) => ApiError::conflict(
            "order_ended",
            format!("order {id} is {status}"),
            "only orders that are pending or in progress come to another end",
        ),
        ManualEndError::UploadsPending(files) => ApiError::conflict(
            "files_missing",
            format!("order {id} is pending: {files} files are still to be uploaded"),
            "upload them, or have it fail with POST /_mock/orders/{id}/fail",
        ),
        ManualEndError::OutcomeNotApplicable => ApiError::bad_request(
            "unfit_outcome",
            format!("order {id} does not come to such an outcome"),
            "probability goes with detections, finalResult and analysis with documents, watermarkText with extractions, detectionStatus with those of v3",
        ),
        ManualEndError::Internal(error) => error.into(),
    })?;
    let shown = OrderView::of(state, &order).ok_or_else(unknown)?;
    let mut response = Json(shown).into_response();
    OnResponseSent::attach(&mut response, Some(hold));
    Ok(response)
}

fn unknown_order(named: &NamedAccount, id: &str) -> ApiError {
    let message = match named.key() {
        Some(key) => format!("no order {id} of account {key}"),
        None => format!("no order {id}"),
    };
    let hint = "GET /_mock/orders lists those there are";
    ApiError::not_found("unknown_order", message, hint)
}
