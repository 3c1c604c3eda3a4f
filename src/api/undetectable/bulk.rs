//! `POST /bulk-upload` and `POST /bulk-upload/query`: the images of a ZIP, queued as one document.

mod entries;
mod wire;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::accept::accepts_json;
use super::auth::{AUTH_ERRORS, Authenticator};
use super::body::{BODY_ERRORS, JsonValueBody};
use super::document::{find_document, read_id};
use super::error::{ApiError, ErrorCode};
use super::fields::FieldReader;
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::{UndetectableResult, detect, source_file};
use crate::engine::InputFile;
use crate::engine::archive::ZipError;
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, Json, OnResponseSent, Origin, RequestContext, Routes, Services, X_MOCK_OUTCOME,
};
use crate::model::bulk::Bulk;
use crate::model::order::{Order, OrderState};
use crate::model::rule::ResultKind;
use crate::model::work::{BulkResult, Outcome, Work};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::UploadedFile;
use crate::storage::db::InternalError;
pub use wire::mean_result;

const UPLOAD_OPERATION: &str = "undetectable.bulkUpload";

const ZIP_BYTES_MAX: u64 = 100 * 1_024 * 1_024;
const IMAGES_MAX: usize = 50;
/// Entries of a ZIP, skipped ones included.
const ENTRIES_MAX: usize = 1_000;
/// Skipped entries that the error of a ZIP without images names.
const SKIPPED_LOGGED_MAX: usize = 4;

const UPLOAD_ERRORS: [ErrorCode; 8] = [
    ErrorCode::FileMetadata,
    ErrorCode::InputUrlEmpty,
    ErrorCode::InvalidHost,
    ErrorCode::NoValidImages,
    ErrorCode::NotEnoughCredits,
    ErrorCode::NotZip,
    ErrorCode::TooManyFiles,
    ErrorCode::ZipTooLarge,
];

/// Adds the operations on bulk uploads.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            UPLOAD_OPERATION,
            Method::POST,
            "/bulk-upload",
            accepts_json(upload),
        )
        .produces(ResultKind::BulkItems)
        .docs(describe_upload)
        .on(
            "undetectable.queryBulkUpload",
            Method::POST,
            "/bulk-upload/query",
            accepts_json(query),
        )
        .docs(describe_query)
}

/// Fields of the body. Invalid fields are errors of the [`FieldReader`], and read as missing here.
struct BulkRequest {
    key: Option<String>,
    url: String,
}

impl BulkRequest {
    fn parse(fields: &mut FieldReader) -> Self {
        let key = fields.key();
        let url = fields.required_text("url");
        // Items have neither preview nor analysis, but the fields are validated.
        fields.flag_or("generate_preview", false);
        fields.flag_or("generate_analysis_details", false);
        detect::read_model(fields);
        Self { key, url }
    }

    fn validate(&self) -> Result<(), ApiError> {
        source_file::check_url(&self.url)?;
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let decoded_path = percent_decode_str(path).decode_utf8_lossy();
        if decoded_path.to_ascii_lowercase().ends_with(".zip") {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorCode::NotZip,
            "url: does not end in .zip",
        ))
    }
}

fn describe_upload(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Queue the images of a ZIP",
            "Queues up to 50 images of an uploaded ZIP, one credit each. Poll `/bulk-upload/query` for \
             their results and for the entries that were skipped.",
        )
        .body_fields(FieldReader::describe_fields(BulkRequest::parse))
        .describe_param("key", "The API key.")
        .describe_param(
            "url",
            "Any URL that ends in the `file_path` of an uploaded ZIP.",
        )
        .response::<wire::BulkQueued<'static>>(200, "The images are queued.");
    let groups: [&[ErrorCode]; 4] = [&AUTH_ERRORS, &BODY_ERRORS, &UPLOAD_ERRORS, &INTERNAL_ERRORS];
    with_errors(doc, &groups)
}

async fn upload(
    State(state): State<AppState>,
    authenticator: Authenticator,
    request_context: RequestContext,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let mut fields = FieldReader::for_body(&body);
    let bulk_request = BulkRequest::parse(&mut fields);
    let account = authenticator
        .authenticate_key("key", bulk_request.key.as_deref())
        .await;
    fields.finish()?;
    let account = account?;
    bulk_request.validate()?;
    let url = &bulk_request.url;
    let zip = source_file::find_or_fetch(&state, &account, url, |_| Ok(())).await?;
    let queued = queue(&state, &authenticator, &account, &request_context, &zip).await;
    source_file::discard_if_refused(&state, &zip, queued).await
}

async fn queue(
    state: &AppState,
    authenticator: &Authenticator,
    account: &Arc<Account>,
    request_context: &RequestContext,
    zip: &UploadedFile,
) -> UndetectableResult {
    let bulk = read_archive(state, &zip.upload.name, zip.content.clone()).await?;
    let Origin(origin) = Origin::resolve(state, request_context).await?;
    let image_count = u32::try_from(bulk.queued.len()).unwrap_or(u32::MAX);
    let work = Work::Bulk(bulk);
    let new_order =
        source_file::new_order(UPLOAD_OPERATION, account, origin, zip, work, image_count);
    let created = state.orders.create(account, new_order).await?;
    authenticator.record_order(&created.order.id);
    Ok(Json(wire::BulkQueued::new(&created.order, image_count)).into_response())
}

/// Reads the directory of a ZIP, and divides its entries into queued and skipped ones. No entry is
/// unpacked yet.
async fn read_archive(state: &Services, name: &str, zip: InputFile) -> Result<Bulk, ApiError> {
    let bytes = zip.bytes;
    let error = |code, message: &str| Err(ApiError::new(code, format!("{name}: {message}")));
    if bytes > ZIP_BYTES_MAX {
        let message = format!("too large: {bytes} bytes, maximum {ZIP_BYTES_MAX}");
        return error(ErrorCode::ZipTooLarge, &message);
    }
    let entries = match state.engine.entries(zip, ENTRIES_MAX).await {
        Ok(entries) => entries,
        Err(ZipError::Invalid(message)) => return error(ErrorCode::NotZip, &message),
        Err(ZipError::TooManyEntries) => {
            let message = format!("more than {ENTRIES_MAX} entries");
            return error(ErrorCode::TooManyFiles, &message);
        }
        Err(ZipError::Io(error)) => return Err(InternalError::broken(error).into()),
    };
    let bulk = entries::classify_entries(entries);
    match bulk.queued.len() {
        0 if bulk.skipped.is_empty() => error(ErrorCode::NoValidImages, "is empty"),
        0 => {
            let skipped = bulk.skipped.iter().take(SKIPPED_LOGGED_MAX);
            let messages: Vec<String> = skipped.map(wire::skip_message).collect();
            error(ErrorCode::NoValidImages, &messages.join("; "))
        }
        count if count > IMAGES_MAX => {
            let message = format!("too many images: {count}, maximum {IMAGES_MAX}");
            error(ErrorCode::TooManyFiles, &message)
        }
        _ => Ok(bulk),
    }
}

fn describe_query(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get bulk upload status",
            "Free, and needs no key. Poll until `status` is `done` or `failed`.",
        )
        .body_fields(FieldReader::describe_fields(read_id))
        .describe_param("id", "Id of the bulk upload.")
        .response::<Option<wire::BulkDocument<'static>>>(
            200,
            "The bulk upload. Null if no document has the id.",
        )
        .with_header(
            200,
            "X-Mock-Outcome",
            false,
            "Results and their sources of the first images, once there are any.",
            &json!({"type": "string"}),
        );
    with_errors(
        doc,
        &[&BODY_ERRORS, &[ErrorCode::NotBulk], &INTERNAL_ERRORS],
    )
}

async fn query(
    State(state): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let Some((account, order)) = find_document(&state, &body, &entry).await? else {
        return Ok(Json(None::<wire::BulkDocument<'_>>).into_response());
    };
    let Work::Bulk(bulk) = &order.work else {
        let reason = format!(
            "id: document {} is a single image: send its id to /query",
            order.id
        );
        return Err(ApiError::new(ErrorCode::NotBulk, reason));
    };
    let (order, claim) = state
        .orders
        .record_poll(&account, Arc::clone(&order))
        .await?;
    let timing = state.orders.document_timing(&account, &order);
    let status = match &order.state {
        order_state if timing.is_analyzing(order_state, account.now()) => "analyzing",
        OrderState::Pending | OrderState::InProgress { .. } => "pending",
        _ => match order.outcome() {
            Some(Outcome::Bulk(result)) => {
                let document = wire::BulkDocument::done(&order, bulk, result);
                return Ok(with_outcome_header(&order, result, Json(document)));
            }
            _ => "failed",
        },
    };
    let document = wire::BulkDocument::without_items(&order, bulk, status);
    let mut response = Json(document).into_response();
    OnResponseSent::attach(&mut response, claim);
    Ok(response)
}

/// Adds `X-Mock-Outcome` to the response on a bulk upload that is done.
pub fn with_outcome_header(
    order: &Order,
    result: &BulkResult,
    response: impl IntoResponse,
) -> Response {
    let mut response = response.into_response();
    if let Work::Bulk(bulk) = &order.work
        && let Some(outcome) = wire::outcome_header(bulk, result)
    {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    response
}
