//! Uploads of test keys: the body is read, counted and discarded.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use http_body_util::BodyExt;

use super::BizmoriResult;
use super::error::{ApiError, ErrorCode};
use super::openapi::with_errors;
use super::token::{Purpose, Token, UPLOADS_PATH_PREFIX};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, BodyError, OnResponseSent, PathParam, Routes};
use crate::model::order::Vendor;
use crate::model::time::Timestamp;
use crate::services::journal::JournalEntry;

const OPERATION: &str = "bizmori.putTestUpload";
/// 50 MiB.
const BODY_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// One hour.
const UPLOAD_URL_TTL_MS: i64 = 3_600_000;

/// Adds the upload of files of test orders.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            OPERATION,
            Method::PUT,
            "/api/v2/test-uploads/{signedToken}",
            put,
        )
        .docs(describe)
}

/// Returns the upload URL of file `index` of a test order. Valid for an hour from `now`.
pub fn url(secret: &str, origin: &str, order_id: &str, index: usize, now: Timestamp) -> String {
    let token = Token {
        order_id,
        index,
        expires_at: now.plus_ms(UPLOAD_URL_TTL_MS),
    };
    let signed_token = token.sign(secret, Purpose::Upload);
    format!("{origin}{UPLOADS_PATH_PREFIX}{signed_token}")
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Upload a file of a test order",
            "Upload URL of test keys. The body is counted and discarded.",
        )
        .describe_param("signedToken", "Token of the upload URL.")
        .binary_body()
        .empty_response(200, "Uploaded.");
    with_errors(
        doc,
        &[ErrorCode::OrderNotFound, ErrorCode::TestUploadTooLarge],
    )
}

async fn put(
    State(state): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    PathParam(token): PathParam,
    body: Body,
) -> BizmoriResult {
    let token = Token::parse(&state.config.storage.s3_secret, Purpose::Upload, &token)
        .ok_or_else(ApiError::invalid_token)?;
    let order = state
        .orders
        .find(Vendor::Bizmori, token.order_id)
        .await?
        .ok_or_else(ApiError::token_order_deleted)?;
    let account = state
        .accounts
        .by_id(order.account)
        .ok_or_else(ApiError::token_order_deleted)?;
    entry.set_order(&order.id);
    let file = order
        .files
        .get(token.index)
        .ok_or_else(ApiError::token_order_deleted)?;
    if account.now() > token.expires_at {
        return Err(ApiError::token_expired());
    }
    let bytes = count_bytes(body).await?;
    let claim = state
        .orders
        .record_upload(account.id, &order.id, &file.key, bytes, OPERATION)
        .await?;
    let mut response = StatusCode::OK.into_response();
    OnResponseSent::attach(&mut response, claim);
    Ok(response)
}

/// Reads and discards a body, and returns its length.
///
/// # Errors
/// Returns `TEST_UPLOAD_TOO_LARGE` if the body exceeds [`BODY_BYTES_MAX`].
async fn count_bytes(mut body: Body) -> Result<u64, ApiError> {
    let mut bytes = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let error: &(dyn std::error::Error + 'static) = &error;
            BodyError::from(error)
        })?;
        bytes += frame
            .data_ref()
            .map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        if bytes > BODY_BYTES_MAX {
            let message = format!("body: exceeds {BODY_BYTES_MAX} bytes");
            return Err(ApiError::new(ErrorCode::TestUploadTooLarge, message));
        }
    }
    Ok(bytes)
}
