//! Lookups of orders that v2 and v3 share.

use std::sync::Arc;

use super::error::{ApiError, ErrorCode};
use crate::http::Services;
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::work::{Outcome, Outputs, Work};
use crate::services::accounts::Account;

/// Errors of downloads.
pub const DOWNLOAD_ERRORS: [ErrorCode; 5] = [
    ErrorCode::OrderExpired,
    ErrorCode::OrderNotCompleted,
    ErrorCode::OrderNotFound,
    ErrorCode::OrderTypeCantDownload,
    ErrorCode::ProcessedFileNotFound,
];

/// Returns the order `order_id` of `account`.
///
/// # Errors
/// Returns `ORDER_NOT_FOUND` if there is no such order, `not_owner` if the order belongs to another
/// account.
pub async fn find_own_order(
    state: &Services,
    account: &Account,
    order_id: &str,
    not_owner: ErrorCode,
) -> Result<Arc<Order>, ApiError> {
    let stored = state.orders.find(Vendor::Bizmori, order_id).await?;
    let order = stored.ok_or_else(|| {
        ApiError::new(
            ErrorCode::OrderNotFound,
            format!("order {order_id} not found"),
        )
    })?;
    if order.account == account.id {
        return Ok(order);
    }
    let message = format!("order {order_id} belongs to another API key");
    Err(ApiError::new(not_owner, message))
}

/// Returns the outputs of a complete order.
///
/// # Errors
/// Checks in the vendor's order: `ORDER_TYPE_CANT_DOWNLOAD`, `ORDER_EXPIRED`, `ORDER_NOT_COMPLETED`.
pub fn completed_outputs(order: &Order) -> Result<&Outputs, ApiError> {
    match order.work {
        Work::AiDetection { .. } | Work::WatermarkExtract | Work::Document(_) | Work::Bulk(_) => {
            return Err(ApiError::new(
                ErrorCode::OrderTypeCantDownload,
                format!(
                    "orders of type {} produce no downloadable files",
                    order.work.name()
                ),
            ));
        }
        Work::AntiAi { .. } | Work::WatermarkEmbed => {}
    }
    match &order.state {
        OrderState::Expired { .. } => Err(order_expired(&order.id)),
        OrderState::Complete {
            outcome: Outcome::Outputs(outputs),
            ..
        } => Ok(outputs),
        state => Err(ApiError::new(
            ErrorCode::OrderNotCompleted,
            format!(
                "order {} is {}, expected complete",
                order.id,
                state.status()
            ),
        )),
    }
}

/// Error of a download whose outputs were delivered to the client's storage and are not stored here.
pub fn outputs_delivered() -> ApiError {
    ApiError::new(
        ErrorCode::ProcessedFileNotFound,
        "outputs were delivered to outputTargets (zero copy); nothing to download",
    )
}

/// Error of a request for files of an order past its retention.
pub fn order_expired(order_id: &str) -> ApiError {
    ApiError::new(
        ErrorCode::OrderExpired,
        format!("order {order_id} has expired"),
    )
}
