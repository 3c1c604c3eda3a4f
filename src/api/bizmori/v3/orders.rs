//! Detail of an order.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;

use super::wire::OrderDetailV3;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::openapi::{describe_data, with_key_errors};
use crate::api::bizmori::orders;
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::{RenderContext, describe_outcome_header, outcome_header};
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, OnResponseSent, Origin, PathParam, RequestContext, Routes, Services, X_MOCK_OUTCOME,
};
use crate::model::order::Order;
use crate::services::accounts::Account;

const ORDER_ID_DIGITS_MAX: usize = 20;

/// Adds the operation that reads an order.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "bizmori.getOrderV3",
            Method::GET,
            "/api/v3/orders/{orderId}",
            get,
        )
        .docs(describe)
}

/// Returns the order `order_id` of `account`. Another account's order is not found, as an unknown one.
///
/// # Errors
/// Returns `VALIDATION_FAILED` if `order_id` is malformed, `ORDER_NOT_FOUND` if the account has no such
/// order.
pub async fn find_own_order(
    state: &Services,
    account: &Account,
    order_id: &str,
) -> Result<Arc<Order>, ApiError> {
    let is_digits = order_id.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || !(1..=ORDER_ID_DIGITS_MAX).contains(&order_id.len()) {
        let message =
            format!("orderId: expected 1 to {ORDER_ID_DIGITS_MAX} digits, got {order_id}");
        return Err(ApiError::invalid(message));
    }
    orders::find_own_order(state, account, order_id, ErrorCode::OrderNotFound).await
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get an order",
            "Has the same keys for every type of order, also for orders that v2 created.",
        )
        .describe_param("orderId", "Id of an order: 1 to 20 digits.");
    let doc = describe_outcome_header(describe_data::<OrderDetailV3>(doc, "The order."));
    with_key_errors(doc, &[ErrorCode::OrderNotFound])
}

async fn get(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&state, &account, &order_id).await?;
    let (order, claim) = state.orders.record_poll(&account, order).await?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let context = RenderContext::new(&state, &account, &origin);
    let uploads = UploadUrls::new(&state, &account, &origin);
    let mut response = data_response(OrderDetailV3::new(&order, context, &uploads));
    OnResponseSent::attach(&mut response, claim);
    if let Some(outcome) = outcome_header(&order) {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    Ok(response)
}
