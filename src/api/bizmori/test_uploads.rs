//! Where test keys upload: the body is read, counted and thrown away.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;

use super::error::{ApiError, ErrorCode};
use super::token::{Purpose, Token};
use crate::http::{AppState, BodyError, OnResponseSent, PathParam};
use crate::model::order::Vendor;
use crate::model::time::Timestamp;

/// 50 MiB.
const BODY_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// An hour.
const UPLOAD_URL_TTL_MS: i64 = 3_600_000;

/// What a token follows in a URL's path.
pub const TEST_UPLOAD_PATH_PREFIX: &str = "/api/v2/test-uploads/";

/// Where file `index` of a test order is uploaded, from `now` for an hour.
pub fn url(secret: &str, origin: &str, order_id: &str, index: usize, now: Timestamp) -> String {
    let token = Token {
        order_id,
        index,
        expires_at: now.plus_ms(UPLOAD_URL_TTL_MS),
    };
    let token = token.sign(secret, Purpose::Upload);
    format!("{origin}{TEST_UPLOAD_PATH_PREFIX}{token}")
}

pub async fn put(
    State(context): State<AppState>,
    PathParam(token): PathParam,
    mut body: Body,
) -> Result<Response, ApiError> {
    let forbidden = |line: &str| ApiError::new(ErrorCode::AuthForbidden, line);
    let token = Token::parse(&context.config.storage.s3_secret, Purpose::Upload, &token)
        .ok_or_else(|| forbidden("the token is not one of ours"))?;
    let found = context.orders.find(Vendor::Bizmori, token.order_id).await?;
    let not_found = || ApiError::new(ErrorCode::OrderNotFound, "the order of this token is gone");
    let order = found.ok_or_else(not_found)?;
    let account = context
        .accounts
        .by_id(order.account)
        .ok_or_else(not_found)?;
    let file = order.files.get(token.index).ok_or_else(not_found)?;
    if account.now() > token.expires_at {
        return Err(forbidden("the token has expired by the account's clock"));
    }
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
            let line = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            return Err(ApiError::new(ErrorCode::TestUploadTooLarge, line));
        }
    }
    let hold = context
        .orders
        .record_upload(account.id, &order.id, &file.key, bytes)
        .await?;
    let mut reply = StatusCode::OK.into_response();
    OnResponseSent::attach(&mut reply, hold);
    Ok(reply)
}
