//! Download of the outputs of an order.

use axum::extract::State;
use axum::http::Method;

use super::orders::find_own_order;
use super::wire::{DownloadFile, DownloadUrlsV3};
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::openapi::{describe_data, with_key_errors};
use crate::api::bizmori::orders::{
    DOWNLOAD_ERRORS, completed_outputs, order_expired, outputs_delivered,
};
use crate::api::bizmori::test_samples;
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Origin, PathParam, RequestContext, Routes, Services};
use crate::model::order::{Order, Vendor};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use crate::services::orders::ArchiveOutcome;
use crate::services::presigned_urls::GET_URL_TTL_S;

/// Adds the download of outputs.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "bizmori.downloadOrderV3",
            Method::GET,
            "/api/v3/orders/{orderId}/download",
            get,
        )
        .docs(describe)
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get download URLs",
            "The outputs of an order, each one and all in a ZIP. Test keys get sample files.",
        )
        .describe_param("orderId", "Id of an order.");
    let doc = describe_data::<DownloadUrlsV3>(doc, "Signed URLs.");
    with_key_errors(doc, &DOWNLOAD_ERRORS)
}

async fn get(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&state, &account, &order_id).await?;
    let outputs = completed_outputs(&order)?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let now = account.now();
    let expires_s = expires_in_s(&order, now);
    if order.test {
        let download = test_download(&state, &order, &origin, now, expires_s);
        return Ok(data_response(download));
    }
    let download_url = |key: &str, file_name: &str| {
        let presigned_urls = &state.presigned_urls;
        presigned_urls.download_url(&origin, Vendor::Bizmori, key, file_name, now, expires_s)
    };
    let outputs_with_keys = order.output_specs().into_iter().zip(&outputs.keys);
    let files: Vec<_> = outputs_with_keys
        .map(|(output, key)| DownloadFile {
            file_id: output.output_id().to_string(),
            download_url: download_url(key, &output.file.name),
        })
        .collect();
    let archive_url = match files.as_slice() {
        [] => return Err(outputs_delivered()),
        [only] => only.download_url.clone(),
        _ => {
            let key = archive_key(&state, &account, &order, &outputs.keys).await?;
            download_url(&key, &format!("{}.zip", order.name))
        }
    };
    Ok(data_response(DownloadUrlsV3 {
        archive_url,
        files,
        expires_in_seconds: expires_s,
    }))
}

/// Returns the key of the ZIP of an order's outputs, creating the ZIP if it does not exist.
async fn archive_key(
    state: &Services,
    account: &Account,
    order: &Order,
    output_keys: &[String],
) -> Result<String, ApiError> {
    let archive = state.orders.output_archive(account, order, output_keys);
    match archive.await? {
        ArchiveOutcome::Ready { key } => Ok(key),
        ArchiveOutcome::Expired => Err(order_expired(&order.id)),
        ArchiveOutcome::OutputMissing => Err(ApiError::new(
            ErrorCode::ProcessedFileNotFound,
            format!("order {}: an output is no longer stored", order.id),
        )),
    }
}

/// Returns the lifetime of download URLs: an hour, or the time left until the order expires.
fn expires_in_s(order: &Order, now: Timestamp) -> u32 {
    let left_s = order.expires_at().since_ms(now) / 1_000;
    u32::try_from(left_s.max(1))
        .unwrap_or(GET_URL_TTL_S)
        .min(GET_URL_TTL_S)
}

/// Returns URLs of samples in place of the outputs of a test order.
fn test_download(
    state: &Services,
    order: &Order,
    origin: &str,
    now: Timestamp,
    expires_s: u32,
) -> DownloadUrlsV3 {
    let expires_at = now.plus_ms(i64::from(expires_s) * 1_000);
    let secret = &state.config.storage.s3_secret;
    let url = |index| test_samples::url(secret, origin, &order.id, index, expires_at);
    let outputs = order.output_specs();
    let files = outputs
        .iter()
        .enumerate()
        .map(|(index, output)| DownloadFile {
            file_id: output.output_id().to_string(),
            download_url: url(index),
        });
    let archive_index = if outputs.len() == 1 { 0 } else { outputs.len() };
    DownloadUrlsV3 {
        archive_url: url(archive_index),
        files: files.collect(),
        expires_in_seconds: expires_s,
    }
}
