//! `POST /bulk-upload` and `POST /bulk-upload/query`: the pictures of a ZIP, queued as one
//! document.

mod entries;
mod wire;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::body::{self, JsonValueBody};
use super::error::{ApiError, ErrorCode};
use super::fields::FieldReader;
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::{UndetectableResult, auth, detect, find, source_file};
use crate::engine::InputFile;
use crate::engine::archive::ZipError;
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, Json, OnResponseSent, Origin, RequestContext, Services, X_MOCK_OUTCOME,
};
use crate::model::bulk::Bulk;
use crate::model::order::{Order, OrderState};
use crate::model::work::{BulkResult, Outcome, Work};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::UploadedFile;
use crate::storage::db::StoreError;
pub use wire::mean_result;

const ZIP_BYTES_MAX: u64 = 100 * 1_024 * 1_024;
const IMAGES_MAX: usize = 50;
/// With all that is skipped.
const ENTRIES_MAX: usize = 1_000;
/// So many skipped entries are named where nothing else is in a ZIP.
const SKIPPED_LOGGED_MAX: usize = 4;

/// What is refused for what is asked to be queued.
const BULK_ERRORS: [ErrorCode; 8] = [
    ErrorCode::FileMetadata,
    ErrorCode::InputUrlEmpty,
    ErrorCode::InvalidHost,
    ErrorCode::NoValidImages,
    ErrorCode::NotEnoughCredits,
    ErrorCode::NotZip,
    ErrorCode::TooManyFiles,
    ErrorCode::ZipTooLarge,
];

/// A body that was read; where it did not fit, its fields say so.
struct BulkRequest {
    key: Option<String>,
    url: String,
}

impl BulkRequest {
    fn parse(fields: &mut FieldReader) -> Self {
        let key = fields.key();
        let url = fields.required_text("url");
        // These change nothing, for items have neither, but must fit.
        fields.flag_or("generate_preview", false);
        fields.flag_or("generate_analysis_details", false);
        detect::read_model(fields);
        Self { key, url }
    }

    fn validate(&self) -> Result<(), ApiError> {
        source_file::check_url(&self.url)?;
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8_lossy();
        if path.to_ascii_lowercase().ends_with(".zip") {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::NotZip,
            "url: does not end in .zip",
        ))
    }
}

pub fn describe_upload(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Look at the pictures of a ZIP",
            "Queues the pictures of a ZIP that was uploaded, 50 at most, each for a credit; \
             `/bulk-upload/query` tells what comes of them, and what was skipped.",
        )
        .body_fields(FieldReader::describe_fields(BulkRequest::parse))
        .describe_param("key", "The API key.")
        .describe_param(
            "url",
            "Any URL that ends in the `file_path` of an upload, a ZIP.",
        )
        .response::<wire::BulkQueued<'static>>(200, "They are queued.");
    let groups: [&[ErrorCode]; 4] = [
        &auth::AUTH_ERRORS,
        &body::BODY_ERRORS,
        &BULK_ERRORS,
        &INTERNAL_ERRORS,
    ];
    with_errors(described, &groups)
}

pub async fn upload(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    request: RequestContext,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let mut fields = FieldReader::of_body(&body);
    let parsed = BulkRequest::parse(&mut fields);
    let account = auth::authenticate_key(&context, "key", parsed.key.as_deref(), &entry).await;
    fields.finish()?;
    let account = account?;
    parsed.validate()?;
    let zip = source_file::source_file(&context, &account, &parsed.url, |_| Ok(())).await?;
    let queued = queue(&context, &account, &request, &zip).await;
    source_file::discard_if_refused(&context, &zip, queued).await
}

/// Queues the pictures of a ZIP.
async fn queue(
    context: &AppState,
    account: &Arc<Account>,
    request: &RequestContext,
    zip: &UploadedFile,
) -> UndetectableResult {
    let bulk = read_archive(context, &zip.upload.name, zip.content.clone()).await?;
    let Origin(origin) = Origin::resolve(context, request).await?;
    let credits = u32::try_from(bulk.queued.len()).unwrap_or(u32::MAX);
    let (operation, work) = ("undetectable.bulkUpload", Work::Bulk(bulk));
    let new = source_file::new_order(operation, account, origin, zip, work, credits);
    let created = context.orders.create(account, new).await?;
    Ok(Json(wire::BulkQueued::of(&created.order, credits)).into_response())
}

/// What in the ZIP is judged and what is not; of its pictures nothing is read yet.
async fn read_archive(state: &Services, name: &str, zip: InputFile) -> Result<Bulk, ApiError> {
    let bytes = zip.bytes;
    let refused = |code, line: &str| Err(ApiError::new(code, format!("{name}: {line}")));
    if bytes > ZIP_BYTES_MAX {
        let line = format!("{bytes} bytes, {ZIP_BYTES_MAX} at most are taken");
        return refused(ErrorCode::ZipTooLarge, &line);
    }
    let entries = match state.engine.entries(zip, ENTRIES_MAX).await {
        Ok(entries) => entries,
        Err(ZipError::Invalid(line)) => return refused(ErrorCode::NotZip, &line),
        Err(ZipError::TooManyEntries) => {
            let line = format!("more than {ENTRIES_MAX} entries");
            return refused(ErrorCode::TooManyFiles, &line);
        }
        Err(ZipError::Io(error)) => return Err(StoreError::broken(error).into()),
    };
    let bulk = entries::classify_entries(entries);
    match bulk.queued.len() {
        0 => {
            let value = bulk.skipped.iter().take(SKIPPED_LOGGED_MAX);
            let value: Vec<String> = value.map(wire::skip_message).collect();
            let line = if value.is_empty() {
                "is empty".to_owned()
            } else {
                value.join("; ")
            };
            refused(ErrorCode::NoValidImages, &line)
        }
        count if count > IMAGES_MAX => {
            let line = format!("{count} images, {IMAGES_MAX} at most are taken");
            refused(ErrorCode::TooManyFiles, &line)
        }
        _ => Ok(bulk),
    }
}

pub fn describe_query(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "How a bulk stands",
            "Free, and without a key. Asked until `status` is `done` or `failed`.",
        )
        .body_fields(FieldReader::describe_fields(find::read))
        .describe_param("id", "The bulk's.")
        .response::<Option<wire::BulkDocument<'static>>>(
            200,
            "The bulk; null where no document has the id.",
        )
        .with_header(
            200,
            "X-Mock-Outcome",
            false,
            "What settled the first of its pictures, where anything has.",
            &json!({"type": "string"}),
        );
    with_errors(
        described,
        &[&body::BODY_ERRORS, &[ErrorCode::NotBulk], &INTERNAL_ERRORS],
    )
}

pub async fn query(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let Some((account, order)) = find::find(&context, &body, &entry).await? else {
        return Ok(Json(None::<wire::BulkDocument<'_>>).into_response());
    };
    let Work::Bulk(bulk) = &order.work else {
        let why = format!(
            "id: document {} is of a single image; /query tells of it",
            order.id
        );
        return Err(ApiError::new(ErrorCode::NotBulk, why));
    };
    let (order, hold) = context
        .orders
        .record_poll(&account, Arc::clone(&order))
        .await?;
    let (now, steps) = (
        account.now(),
        context.orders.document_timing(&account, &order),
    );
    let status = match &order.state {
        state if steps.is_analyzing(state, now) => "analyzing",
        OrderState::Pending | OrderState::InProgress { .. } => "pending",
        _ => match order.outcome() {
            Some(Outcome::Bulk(found)) => {
                let document = wire::BulkDocument::done(&order, bulk, found);
                return Ok(with_outcome_header(&order, found, Json(document)));
            }
            _ => "failed",
        },
    };
    let mut reply = Json(wire::BulkDocument::unsettled(&order, bulk, status)).into_response();
    OnResponseSent::attach(&mut reply, hold);
    Ok(reply)
}

/// An answer on a bulk that is done, with what settled its pictures.
pub fn with_outcome_header(
    order: &Order,
    found: &BulkResult,
    reply: impl IntoResponse,
) -> Response {
    let mut response = reply.into_response();
    if let Work::Bulk(bulk) = &order.work
        && let Some(outcome) = wire::outcome_of_bulk(bulk, found)
    {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    response
}
