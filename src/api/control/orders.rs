//! Orders and documents: list, show, complete, fail and expire.

mod detail;
mod outcome;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ControlError, ControlJson};
use super::error_code::ControlErrorCode;
use super::listing::{self, PageParams, describe_page, next_of};
use super::named_account::{AccountKey, NamedAccount, Scope};
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use super::rules::check::outcome::{check_code, outcome as check_outcome};
use super::rules::wire::OutcomeSpec;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{AppState, Json, OnResponseSent, PathParam, Routes, Services};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::rule::{self, ProcessingMode};
use crate::platform::clock::iso;
use crate::services::accounts::Account;
use crate::services::orders::{ListingScope, ManualEnd, ManualEndError};

/// Names of the operations that end orders.
const COMPLETE_ORDER: &str = "control.completeOrder";
const FAIL_ORDER: &str = "control.failOrder";
const EXPIRE_ORDER: &str = "control.expireOrder";

/// Adds the routes of orders.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.listOrders", Method::GET, "/_mock/orders", list)
        .docs(describe_list)
        .on(
            "control.getOrder",
            Method::GET,
            "/_mock/orders/{id}",
            detail::get,
        )
        .docs(detail::describe)
        .on(
            COMPLETE_ORDER,
            Method::POST,
            "/_mock/orders/{id}/complete",
            complete,
        )
        .docs(describe_complete)
        .on(FAIL_ORDER, Method::POST, "/_mock/orders/{id}/fail", fail)
        .docs(describe_fail)
        .on(
            EXPIRE_ORDER,
            Method::POST,
            "/_mock/orders/{id}/expire",
            expire,
        )
        .docs(describe_expire)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Orders")]
struct OrderPage {
    /// Orders, newest last.
    orders: Vec<OrderView>,
    /// Value of `after` for the page of older orders. Null on the last page.
    next: Option<String>,
}

/// Order or document.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Order")]
struct OrderView {
    id: String,
    /// Key of the account.
    account: String,
    #[schemars(extend("enum" = Vendor::ALL.map(Vendor::name)))]
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
    /// Processing that a rule sets: `{"ms"}`, `{"polls"}` with the remaining reads, or `hold`.
    #[schemars(with = "Option<serde_json::Value>")]
    processing: Option<ProcessingMode>,
    /// Failure. Null unless the order failed.
    failure: Option<FailureView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
struct FailureView {
    code: String,
    message: String,
}

impl OrderView {
    /// Returns the view of an order. `None` if its account has just been deleted.
    fn new(state: &Services, order: &Order) -> Option<Self> {
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

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let vendor = Param {
        name: "vendor",
        required: false,
        schema: serde_json::json!({"type": "string"}),
    };
    let doc = doc
        .summary(
            "List orders and documents",
            "Of all vendors. The first page has the newest orders; on each page the newest is last.",
        )
        .query_params(listing::describe_params([account_param(), vendor]))
        .describe_param("account", "Only orders of the account with this key.")
        .describe_param("vendor", "Only orders of this vendor.")
        .response::<OrderPage>(200, "Page of orders.");
    describe_errors(describe_page(doc), &[ControlErrorCode::AccountGone])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["vendor", "limit", "after"])?;
    let page = PageParams::read(&query)?;
    let vendor_of = |value: String| {
        Vendor::from_name(&value).ok_or_else(|| {
            let hint = format!("valid values: {}", Vendor::ALL.map(Vendor::name).join(", "));
            ControlError::new(
                ControlErrorCode::BadQuery,
                format!("vendor: unknown vendor {value}"),
                hint,
            )
        })
    };
    let vendor = query.text("vendor").map(vendor_of).transpose()?;
    let scope = named.scope(&state);
    if let Scope::Unknown = scope {
        let (orders, next) = (Vec::new(), None);
        return Ok(Json(OrderPage { orders, next }).into_response());
    }
    let account = scope.account().map(|account| account.id);
    let scope = ListingScope { account, vendor };
    let span = state.orders.span(scope, page.after, page.limit).await?;
    let frame = OrderPage {
        orders: Vec::new(),
        next: next_of(span),
    };
    let orders = Arc::clone(&state.orders);
    let read = move |range, limit| {
        let orders = Arc::clone(&orders);
        async move { orders.in_span(scope, range, limit).await }
    };
    let show = move |order: Arc<Order>| OrderView::new(&state, &order);
    listing::span_response(&frame, "orders", span, read, show).await
}

fn describe_complete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Complete an order",
            "Completes the order now, even if a rule holds it. The body can set the outcome, as in a \
             rule's `outcome`. Otherwise the outcome is the usual one.",
        )
        .describe_param("id", "Id of an order or a document.")
        .json_body::<OutcomeSpec>(false)
        .response::<OrderView>(200, "Order after the change.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::BadRule,
            ControlErrorCode::FilesMissing,
            ControlErrorCode::OrderAlreadyEnded,
            ControlErrorCode::OutcomeNotApplicable,
            ControlErrorCode::UnknownOrder,
        ],
    )
}

async fn complete(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    ControlJson(body): ControlJson<OutcomeSpec>,
) -> Result<Response, ControlError> {
    let outcome = if body.is_empty() {
        None
    } else {
        Some(check_outcome(body, "")?)
    };
    let end = match outcome {
        Some(failed @ rule::ForcedOutcome::Failed { .. }) => ManualEnd::Fail(failed),
        outcome => ManualEnd::Complete(outcome),
    };
    end_order(&state, &named, &id, end, COMPLETE_ORDER).await
}

/// Failure of an order. Both fields are optional.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailOrder {
    /// Key of the account. Orders of other accounts count as unknown.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    /// Error code of the vendor.
    error_code: Option<String>,
    error_message: Option<String>,
}

fn describe_fail(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Fail an order",
            "Fails the order now, even if it waits for an upload.",
        )
        .describe_param("id", "Id of an order or a document.")
        .json_body::<FailOrder>(false)
        .response::<OrderView>(200, "Order after the change.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::BadRule,
            ControlErrorCode::OrderAlreadyEnded,
            ControlErrorCode::OutcomeNotApplicable,
            ControlErrorCode::UnknownOrder,
        ],
    )
}

async fn fail(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    ControlJson(body): ControlJson<FailOrder>,
) -> Result<Response, ControlError> {
    let spec = OutcomeSpec {
        status: Some("failed".to_owned()),
        error_code: body.error_code,
        error_message: body.error_message,
        ..OutcomeSpec::default()
    };
    let failed = check_outcome(spec, "")?;
    end_order(&state, &named, &id, ManualEnd::Fail(failed), FAIL_ORDER).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpireOrder {
    /// Key of the account. Orders of other accounts count as unknown.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

fn describe_expire(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Expire an order",
            "Ends the retention of the order now and deletes its files.",
        )
        .describe_param("id", "Id of an order or a document.")
        .json_body::<ExpireOrder>(false)
        .response::<OrderView>(200, "Order after the change.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::OrderAlreadyEnded,
            ControlErrorCode::UnknownOrder,
        ],
    )
}

async fn expire(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    ControlJson(ExpireOrder { .. }): ControlJson<ExpireOrder>,
) -> Result<Response, ControlError> {
    end_order(&state, &named, &id, ManualEnd::Expire, EXPIRE_ORDER).await
}

/// Returns an order and its account.
///
/// # Errors
/// Returns an error if there is no such order, or if it belongs to another account than the named one.
async fn find_order(
    state: &Services,
    named: &NamedAccount,
    id: &str,
) -> Result<(Arc<Order>, Arc<Account>), ControlError> {
    let unknown_error = || unknown_order(named, id);
    let order = state.db.order(id).await?.ok_or_else(unknown_error)?;
    let account = state.accounts.by_id(order.account);
    let is_of_scope = |account: &Arc<Account>| named.scope(state).includes(account);
    let account = account.filter(is_of_scope).ok_or_else(unknown_error)?;
    Ok((order, account))
}

/// Ends an order, if it belongs to the named account.
async fn end_order(
    state: &Services,
    named: &NamedAccount,
    id: &str,
    end: ManualEnd,
    operation: &'static str,
) -> Result<Response, ControlError> {
    let unknown_error = || unknown_order(named, id);
    let (order, _) = find_order(state, named, id).await?;
    if let ManualEnd::Fail(outcome) = &end {
        check_code(outcome, &state.vendors, &[order.vendor], "")?;
    }
    let ended = state.orders.force_end(id, end, operation).await;
    let (order, hold) = ended.map_err(|error| match error {
        ManualEndError::NotFound => unknown_error(),
        ManualEndError::AlreadyEnded(status) => ControlError::new(
            ControlErrorCode::OrderAlreadyEnded,
            format!("order {id} is {status}"),
            "only orders that are pending or in progress can be ended",
        ),
        ManualEndError::UploadsPending(files) => ControlError::new(
            ControlErrorCode::FilesMissing,
            format!("order {id} is pending: {files} files are still to be uploaded"),
            "upload the files, or fail the order with POST /_mock/orders/{id}/fail",
        ),
        ManualEndError::OutcomeNotApplicable => ControlError::new(
            ControlErrorCode::OutcomeNotApplicable,
            format!("outcome not supported by order {id}"),
            "use probability with detections, finalResult and analysis with documents, watermarkText with extractions, detectionStatus with v3 extractions",
        ),
        ManualEndError::Internal(error) => error.into(),
    })?;
    let order = OrderView::new(state, &order).ok_or_else(unknown_error)?;
    let mut response = Json(order).into_response();
    OnResponseSent::attach(&mut response, Some(hold));
    Ok(response)
}

fn unknown_order(named: &NamedAccount, id: &str) -> ControlError {
    let message = match named.key() {
        Some(key) => format!("no order {id} of account {key}"),
        None => format!("no order {id}"),
    };
    let hint = "GET /_mock/orders lists all orders";
    ControlError::new(ControlErrorCode::UnknownOrder, message, hint)
}
