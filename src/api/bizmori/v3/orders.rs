//! Orders are read.

use axum::extract::State;

use super::find_own_order;
use super::wire::OrderDetailV3;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::{RenderContext, outcome_of_order};
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::{AppState, OnResponseSent, Origin, PathParam, RequestContext, X_MOCK_OUTCOME};

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&context, &account, &order_id).await?;
    let (order, hold) = context.orders.record_poll(&account, order).await?;
    let Origin(origin) = Origin::resolve(&context, &request).await?;
    let view = RenderContext::of(&context, &account, &origin);
    let uploads = UploadUrls::new(&context, &account, origin.clone());
    let mut response = data_response(OrderDetailV3::of(&order, view, &uploads));
    OnResponseSent::attach(&mut response, hold);
    if let Some(outcome) = outcome_of_order(&order) {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    Ok(response)
}
