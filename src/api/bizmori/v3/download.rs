//! What was made is downloaded.

use axum::extract::State;

use super::find_own_order;
use super::wire::{DownloadFile, DownloadUrlsV3};
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::download::completed_outputs;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::test_samples;
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::{AppState, Origin, PathParam, RequestContext, Services};
use crate::model::order::{Order, Vendor};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use crate::services::orders::ArchiveOutcome;
use crate::services::presigned_urls::GET_URL_TTL_S;

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&context, &account, &order_id).await?;
    let outputs = completed_outputs(&order)?;
    let Origin(origin) = Origin::resolve(&context, &request).await?;
    let now = account.now();
    let expires_s = seconds_left(&order, now);
    if order.test {
        return Ok(data_response(test_download(
            &context, &order, &origin, now, expires_s,
        )));
    }
    let save = |key: &str, name: &str| {
        let links = &context.links;
        links.download_url(&origin, Vendor::Bizmori, key, name, now, expires_s)
    };
    let files = order.output_specs().into_iter().zip(&outputs.keys);
    let files: Vec<_> = files
        .map(|(cut, key)| DownloadFile {
            file_id: cut.output_id().to_string(),
            download_url: save(key, &cut.file.name),
        })
        .collect();
    let archive_url = match files.as_slice() {
        [] => {
            let line = format!("order {order_id} has handed over its outputs, and keeps none");
            return Err(ApiError::new(ErrorCode::ProcessedFileNotFound, line));
        }
        [only] => only.download_url.clone(),
        _ => {
            let key = archive_key(&context, &account, &order, &outputs.keys).await?;
            save(&key, &format!("{}.zip", order.name))
        }
    };
    Ok(data_response(DownloadUrlsV3 {
        archive_url,
        files,
        expires_in_seconds: expires_s,
    }))
}

/// Returns the key of the ZIP of an order's outputs, which is made if it is not there yet.
async fn archive_key(
    state: &Services,
    account: &Account,
    order: &Order,
    outputs: &[String],
) -> Result<String, ApiError> {
    let (code, line) = match state.orders.output_archive(account, order, outputs).await? {
        ArchiveOutcome::Ready { key } => return Ok(key),
        ArchiveOutcome::Expired => (ErrorCode::OrderExpired, " has expired"),
        ArchiveOutcome::OutputMissing => (ErrorCode::ProcessedFileNotFound, ": an output is gone"),
    };
    Err(ApiError::new(code, format!("order {}{line}", order.id)))
}

/// An hour, or what is left until the order expires.
fn seconds_left(order: &Order, now: Timestamp) -> u32 {
    let left_s = order.expires_at().since_ms(now) / 1_000;
    u32::try_from(left_s.max(1))
        .unwrap_or(GET_URL_TTL_S)
        .min(GET_URL_TTL_S)
}

/// Sample files stand for the outputs of a test order.
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
    let cuts = order.output_specs();
    let files = cuts.iter().enumerate().map(|(index, cut)| DownloadFile {
        file_id: cut.output_id().to_string(),
        download_url: url(index),
    });
    DownloadUrlsV3 {
        archive_url: url(if cuts.len() == 1 { 0 } else { cuts.len() }),
        files: files.collect(),
        expires_in_seconds: expires_s,
    }
}
