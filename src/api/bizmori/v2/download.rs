//! What was made is downloaded, v2; and which orders have anything to download.

use axum::extract::State;

use super::auth::AuthenticatedAccount;
use super::error::{ApiError, ErrorCode};
use super::orders::find_own_order;
use super::wire::DownloadUrl;
use super::{BizmoriResult, data_response};
use crate::http::{AppState, Origin, PathParam, RequestContext};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::work::{Outcome, Outputs, Work};
use crate::services::presigned_urls::GET_URL_TTL_S;

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&context, &account, &order_id, ErrorCode::OrderNotFound).await?;
    let outputs = completed_outputs(&order)?;
    let Some(key) = &outputs.download else {
        let line = if order.test {
            format!("order {order_id} was made with a test key, which has no files")
        } else {
            format!("order {order_id} has handed over its outputs, and keeps none")
        };
        return Err(ApiError::new(ErrorCode::ProcessedFileNotFound, line));
    };
    let Origin(origin) = Origin::resolve(&context, &request).await?;
    let name = match order.output_specs().as_slice() {
        [cut] => cut.file.name.clone(),
        _ => format!("{}.zip", order.name),
    };
    let now = account.now();
    let links = &context.links;
    let url = links.download_url(&origin, Vendor::Bizmori, key, &name, now, GET_URL_TTL_S);
    Ok(data_response(DownloadUrl {
        url: url.clone(),
        download_url: url,
        expires_in: GET_URL_TTL_S,
    }))
}

/// What the order has made.
///
/// # Errors
/// If orders of its type make nothing, it has expired, or it is not complete; in this order.
pub fn completed_outputs(order: &Order) -> Result<&Outputs, ApiError> {
    let refused = |code, line: &str| Err(ApiError::new(code, format!("order {} {line}", order.id)));
    match (&order.work, &order.state) {
        (
            Work::AiDetection { .. } | Work::WatermarkExtract | Work::Document(_) | Work::Bulk(_),
            _,
        ) => refused(
            ErrorCode::OrderTypeCantDownload,
            "looks at a file: it makes none",
        ),
        (_, OrderState::Expired { .. }) => refused(ErrorCode::OrderExpired, "has expired"),
        (
            _,
            OrderState::Complete {
                outcome: Outcome::Outputs(outputs),
                ..
            },
        ) => Ok(outputs),
        (_, state) => refused(
            ErrorCode::OrderNotCompleted,
            &format!("is {}", state.status()),
        ),
    }
}
