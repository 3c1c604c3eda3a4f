//! Sample files: downloads in place of the outputs and reports of test orders, which have no files.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::Method;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use tokio_util::io::ReaderStream;

use super::BizmoriResult;
use super::error::{ApiError, ErrorCode};
use super::openapi::with_errors;
use super::orders::{DOWNLOAD_ERRORS, completed_outputs, order_expired};
use super::token::{Purpose, SAMPLES_PATH_PREFIX, Token};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, PathParam, Routes, Services};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::report::Locale;
use crate::model::time::Timestamp;
use crate::services::journal::JournalEntry;
use crate::services::orders::report_name;
use crate::services::presigned_urls::attachment;

/// Adds the download of samples.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "bizmori.getTestSample",
            Method::GET,
            "/api/v2/test-samples/{signedToken}",
            get,
        )
        .docs(describe)
}

/// Returns the URL of the sample of output `index` of a test order. The index after the last output
/// returns the URL of the ZIP of all outputs.
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
    signed_url(secret, origin, token, Purpose::Sample)
}

/// Returns the URL of the report on a test order in `locale`.
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
    signed_url(secret, origin, token, Purpose::Report)
}

fn signed_url(secret: &str, origin: &str, token: Token<'_>, purpose: Purpose) -> String {
    format!(
        "{origin}{SAMPLES_PATH_PREFIX}{}",
        token.sign(secret, purpose)
    )
}

/// Media types of samples.
const MEDIA_TYPES: [&str; 7] = [
    "application/pdf",
    "application/zip",
    "image/bmp",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
];

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Download a sample",
            "Download URL of test keys: a sample in place of an output or a report.",
        )
        .describe_param("signedToken", "Token of the download URL.")
        .binary_response(200, "The sample.", &MEDIA_TYPES);
    with_errors(
        doc,
        &[&DOWNLOAD_ERRORS[..], &[ErrorCode::ReportNotFound]].concat(),
    )
}

async fn get(
    State(state): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    PathParam(token): PathParam,
) -> BizmoriResult {
    let secret = &state.config.storage.s3_secret;
    let parse = |purpose| Token::parse(secret, purpose, &token).map(|token| (purpose, token));
    let (purpose, token) = parse(Purpose::Sample)
        .or_else(|| parse(Purpose::Report))
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
    if account.now() > token.expires_at {
        return Err(ApiError::token_expired());
    }
    if purpose == Purpose::Report {
        return sample_report(&state, &order, token.index).await;
    }
    completed_outputs(&order)?;
    let stored = state.orders.sample(&order, token.index).await?;
    let sample = stored.ok_or_else(|| {
        let message = format!("order {} has no output {}", order.id, token.index);
        ApiError::new(ErrorCode::ProcessedFileNotFound, message)
    })?;
    let body = Body::from_stream(ReaderStream::new(sample.file));
    let content_type = [(CONTENT_TYPE, sample.media_type)];
    Ok((content_type, body).into_response())
}

/// Responds with the sample of a report. `index` is the index of its locale.
async fn sample_report(state: &Services, order: &Order, index: usize) -> BizmoriResult {
    if matches!(order.state, OrderState::Expired { .. }) {
        return Err(order_expired(&order.id));
    }
    let locale = Locale::ALL.get(index).copied().unwrap_or_default();
    let report = state.orders.sample_report(order, locale).await?;
    let pdf = report.ok_or_else(|| {
        let message = format!("order {} has no report in {}", order.id, locale.tag());
        ApiError::new(ErrorCode::ReportNotFound, message)
    })?;
    let headers = [
        (CONTENT_TYPE, "application/pdf".to_owned()),
        (CONTENT_DISPOSITION, attachment(&report_name(order, locale))),
    ];
    Ok((headers, pdf).into_response())
}
