//! Orders of v2: confirmed, read, given new upload URLs.

use std::sync::Arc;

use axum::extract::State;

use super::auth::AuthenticatedAccount;
use super::error::{ApiError, ErrorCode};
use super::request::{Confirm, JsonBody};
use super::uploads::UploadUrls;
use super::wire::{Confirmed, OrderDetail, Refreshed, RenderContext, outcome_of_order};
use super::{BizmoriResult, data_response};
use crate::http::{
    AppState, OnResponseSent, Origin, PathParam, RequestContext, Services, X_MOCK_OUTCOME,
};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::work::Work;
use crate::services::accounts::Account;

pub async fn confirm_anti_ai(
    State(context): State<AppState>,
    caller: AuthenticatedAccount,
    JsonBody(body): JsonBody<Confirm>,
) -> BizmoriResult {
    confirm(&context, caller, body, |work| {
        matches!(work, Work::AntiAi { .. })
    })
    .await
}

pub async fn confirm_ai_detection(
    State(context): State<AppState>,
    caller: AuthenticatedAccount,
    JsonBody(body): JsonBody<Confirm>,
) -> BizmoriResult {
    confirm(&context, caller, body, |work| {
        matches!(work, Work::AiDetection { .. })
    })
    .await
}

async fn confirm(
    state: &Services,
    AuthenticatedAccount(account): AuthenticatedAccount,
    body: Confirm,
    of_type: fn(&Work) -> bool,
) -> BizmoriResult {
    let key = body.key()?;
    let started = state
        .orders
        .confirm(&account, Vendor::Bizmori, &body.order_id, &key, |order| {
            of_type(&order.work)
        });
    let started = started.await?;
    let status = started.order.state.status();
    let mut response = data_response(Confirmed {
        order_id: started.order.id.clone(),
        status,
    });
    OnResponseSent::attach(&mut response, started.claim);
    Ok(response)
}

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&context, &account, &order_id, ErrorCode::OrderNotOwner).await?;
    let (order, hold) = context.orders.record_poll(&account, order).await?;
    let Origin(origin) = Origin::resolve(&context, &request_context).await?;
    let view = RenderContext::of(&context, &account, &origin);
    let mut response = data_response(OrderDetail::of(&order, view));
    OnResponseSent::attach(&mut response, hold);
    if let Some(outcome) = outcome_of_order(&order) {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    Ok(response)
}

/// The account's order of that id; another key's is refused with the code `foreign`.
pub async fn find_own_order(
    state: &Services,
    account: &Account,
    order_id: &str,
    foreign: ErrorCode,
) -> Result<Arc<Order>, ApiError> {
    let found = state.orders.find(Vendor::Bizmori, order_id).await?;
    let missing = || {
        ApiError::new(
            ErrorCode::OrderNotFound,
            format!("there is no order {order_id}"),
        )
    };
    let order = found.ok_or_else(missing)?;
    if order.account == account.id {
        return Ok(order);
    }
    let line = format!("order {order_id} is another key's");
    Err(ApiError::new(foreign, line))
}

pub async fn refresh_urls(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&context, &account, &order_id, ErrorCode::OrderNotOwner).await?;
    if order.state != OrderState::Pending {
        let line = format!("order {order_id} is {}", order.state.status());
        return Err(ApiError::new(ErrorCode::OrderNotPending, line));
    }
    let Origin(origin) = Origin::resolve(&context, &request_context).await?;
    let uploads = UploadUrls::new(&context, &account, origin);
    Ok(data_response(Refreshed::of(&order, |index| {
        uploads.url(&order, index)
    })))
}
