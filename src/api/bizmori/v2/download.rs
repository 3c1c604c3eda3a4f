//! Download of the outputs of an order.

use axum::extract::State;
use axum::http::Method;

use super::wire::DownloadUrl;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::openapi::{describe_data, with_key_errors};
use crate::api::bizmori::orders::{
    DOWNLOAD_ERRORS, completed_outputs, find_own_order, outputs_delivered,
};
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Origin, PathParam, RequestContext, Routes};
use crate::model::order::Vendor;
use crate::services::presigned_urls::GET_URL_TTL_S;

/// Adds the download of outputs.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "bizmori.downloadOrder",
            Method::GET,
            "/api/v2/orders/{orderId}/download",
            get,
        )
        .docs(describe)
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get download URLs",
            "The outputs of an order: one file, or a ZIP of several. Test keys get no file.",
        )
        .describe_param("orderId", "Id of an order.");
    let doc = describe_data::<DownloadUrl>(doc, "Signed URLs.");
    with_key_errors(doc, &DOWNLOAD_ERRORS)
}

async fn get(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&state, &account, &order_id, ErrorCode::OrderNotFound).await?;
    let outputs = completed_outputs(&order)?;
    let Some(key) = &outputs.download else {
        return Err(if order.test {
            let message = format!("order {order_id} is a test order: test keys get no result file");
            ApiError::new(ErrorCode::ProcessedFileNotFound, message)
        } else {
            outputs_delivered()
        });
    };
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let file_name = match order.output_specs().as_slice() {
        [output] => output.file.name.clone(),
        _ => format!("{}.zip", order.name),
    };
    let url = state.presigned_urls.download_url(
        &origin,
        Vendor::Bizmori,
        key,
        &file_name,
        account.now(),
        GET_URL_TTL_S,
    );
    Ok(data_response(DownloadUrl {
        url: url.clone(),
        download_url: url,
        expires_in: GET_URL_TTL_S,
    }))
}
