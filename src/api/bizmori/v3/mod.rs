//! BIZ MORI's API v3: one shape for every order type, whichever version made the order.

mod create;
mod download;
mod read;
mod reports;
mod wire;

use std::sync::Arc;

use axum::http::Method;

use super::error::{ApiError, ErrorCode};
use super::fixtures;
use crate::http::{Routes, Services};
use crate::model::order::{Order, Vendor};
use crate::model::rule::ResultKind;
use crate::services::accounts::Account;

const ORDER_ID_DIGITS_MAX: usize = 20;

/// Adds the operations of v3.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "bizmori.createWatermarkEmbedV3",
            Method::POST,
            "/api/v3/orders/wtr-embed",
            create::watermark_embed,
        )
        .produces(ResultKind::Outputs)
        .fixture_builder(fixtures::watermark_embed_v3)
        .on(
            "bizmori.createWatermarkExtractV3",
            Method::POST,
            "/api/v3/orders/wtr-extract",
            create::watermark_extract,
        )
        .produces(ResultKind::ExtractionV3)
        .fixture_builder(fixtures::watermark_extract_v3)
        .on(
            "bizmori.getOrderV3",
            Method::GET,
            "/api/v3/orders/{orderId}",
            read::get,
        )
        .on(
            "bizmori.downloadOrderV3",
            Method::GET,
            "/api/v3/orders/{orderId}/download",
            download::get,
        )
        .on(
            "bizmori.createReport",
            Method::POST,
            "/api/v3/orders/{orderId}/reports",
            reports::create,
        )
        .produces(ResultKind::Report)
        .on(
            "bizmori.getReport",
            Method::GET,
            "/api/v3/orders/{orderId}/reports/{locale}",
            reports::get,
        )
}

/// The account's order of that id; another key's is as good as none.
async fn find_own_order(
    state: &Services,
    account: &Account,
    order_id: &str,
) -> Result<Arc<Order>, ApiError> {
    let digits = order_id.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !(1..=ORDER_ID_DIGITS_MAX).contains(&order_id.len()) {
        let line = format!("orderId: {order_id} is not 1 to {ORDER_ID_DIGITS_MAX} digits");
        return Err(ApiError::invalid(line));
    }
    let found = state.orders.find(Vendor::Bizmori, order_id).await?;
    let found = found.filter(|order| order.account == account.id);
    let line = || format!("this key has no order {order_id}");
    found.ok_or_else(|| ApiError::new(ErrorCode::OrderNotFound, line()))
}
