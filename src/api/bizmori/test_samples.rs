//! Sample files, which stand for what the orders of test keys would have made.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio_util::io::ReaderStream;

use super::download::completed_outputs;
use super::error::{ApiError, ErrorCode};
use super::token::{Purpose, SAMPLES_PATH, Token};
use crate::http::{AppState, PathParam, Services};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::report::Locale;
use crate::model::time::Timestamp;
use crate::services::orders::report_name;
use crate::services::presigned_urls::attachment;

/// Where the sample of a test order's output `index` is read until `expires_at`; behind the last
/// of them comes the ZIP of all.
pub fn url(
    secret: &str,
    origin: &str,
    order_id: &str,
    index: usize,
    expires_at: Timestamp,
) -> String {
    let token = Token {
        order_id,
        index,
        expires_at,
    };
    let token = token.sign(secret, Purpose::Sample);
    format!("{origin}{SAMPLES_PATH}{token}")
}

/// Returns where the report on a test order is downloaded until `expires_at`.
pub fn report_url(
    secret: &str,
    origin: &str,
    order_id: &str,
    locale: Locale,
    expires_at: Timestamp,
) -> String {
    let token = Token {
        order_id,
        index: locale.index(),
        expires_at,
    };
    let token = token.sign(secret, Purpose::Report);
    format!("{origin}{SAMPLES_PATH}{token}")
}

pub async fn get(
    State(context): State<AppState>,
    PathParam(token): PathParam,
) -> Result<Response, ApiError> {
    let forbidden = |line: &str| ApiError::new(ErrorCode::AuthForbidden, line);
    let secret = &context.config.storage.s3_secret;
    let read = |purpose| Token::parse(secret, purpose, &token).map(|token| (purpose, token));
    let (purpose, token) = read(Purpose::Sample)
        .or_else(|| read(Purpose::Report))
        .ok_or_else(|| forbidden("the token is not one of ours"))?;
    let found = context.orders.find(Vendor::Bizmori, token.order_id).await?;
    let not_found = || ApiError::new(ErrorCode::OrderNotFound, "the order of this token is gone");
    let order = found.ok_or_else(not_found)?;
    let account = context
        .accounts
        .by_id(order.account)
        .ok_or_else(not_found)?;
    if account.now() > token.expires_at {
        return Err(forbidden("the token has expired by the account's clock"));
    }
    if purpose == Purpose::Report {
        return report(&context, &order, token.index).await;
    }
    completed_outputs(&order)?;
    let sample = context.orders.sample(&order, token.index).await?;
    let sample = sample.ok_or_else(|| {
        let line = format!("order {} has no output {}", order.id, token.index);
        ApiError::new(ErrorCode::ProcessedFileNotFound, line)
    })?;
    let body = Body::from_stream(ReaderStream::new(sample.file));
    let content_type = [(CONTENT_TYPE, sample.media_type)];
    Ok((content_type, body).into_response())
}

/// Answers with the sample of a report in the language of that index.
async fn report(state: &Services, order: &Order, index: usize) -> Result<Response, ApiError> {
    if matches!(order.state, OrderState::Expired { .. }) {
        let line = format!("order {} has expired", order.id);
        return Err(ApiError::new(ErrorCode::OrderExpired, line));
    }
    let locale = Locale::ALL.get(index).copied().unwrap_or_default();
    let pdf = state.orders.sample_report(order, locale).await?;
    let pdf = pdf.ok_or_else(|| {
        let line = format!("order {} has no report in {}", order.id, locale.tag());
        ApiError::new(ErrorCode::ReportNotFound, line)
    })?;
    let headers = [
        (CONTENT_TYPE, "application/pdf".to_owned()),
        (CONTENT_DISPOSITION, attachment(&report_name(order, locale))),
    ];
    Ok((headers, pdf).into_response())
}
