//! The pictures drawn for a document, given to whoever has its key: `POST /preview/{id}`, `POST
//! /heatmap/{id}`, and POST on the URLs handed out, signed or not.
//!
//! A picture is there as soon as the account's clock says so, whether or not `/query` has told.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::UndetectableResult;
use super::auth;
use super::body::{self, JsonValueBody};
use super::error::{ApiError, ErrorCode};
use super::fields::{FieldReader, canonical_uuid};
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::python_json::PyValue;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, PathParam, PathParamPair, Services, sandbox};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::picture::Label;
use crate::model::time::Timestamp;
use crate::model::work::{Detection, Outcome, Work};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::DocumentTiming;
use crate::storage::db::StoreError;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asset<'k> {
    Preview,
    Heatmap,
    /// Whichever has this key.
    ByKey(&'k str),
}

fn read_key(fields: &mut FieldReader) -> Option<String> {
    fields.key()
}

pub fn describe_preview(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described.summary(
        "A document's preview",
        "The picture, its longer side 512 pixels at most, where a preview was asked for.",
    );
    describe_asset(described, Asset::Preview, &["image/jpeg"])
}

pub fn describe_heatmap(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described.summary(
        "A document's heatmap",
        "Where the picture looks made or edited by AI, once the heatmap is ready.",
    );
    describe_asset(described, Asset::Heatmap, &["image/png"])
}

pub fn describe_by_url(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described.summary(
        "A document's picture, by its URL",
        "POST on a URL that `/query` tells, signed or not.",
    );
    describe_asset(described, Asset::ByKey(""), &["image/jpeg", "image/png"])
}

fn describe_asset<'d>(
    described: OperationDoc<'d>,
    asset: Asset<'_>,
    media_types: &[&str],
) -> OperationDoc<'d> {
    let described = described
        .body_fields(FieldReader::describe_fields(read_key))
        .describe_param("key", "The API key that the document is of.")
        .describe_param("id", "The document's.")
        .binary_response(200, "The picture.", media_types);
    let codes = [ErrorCode::DocumentNotFound, asset.not_found_code()];
    with_errors(
        described,
        &[
            &auth::AUTH_ERRORS,
            &body::BODY_ERRORS,
            &codes,
            &INTERNAL_ERRORS,
        ],
    )
}

pub async fn preview(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    PathParam(id): PathParam,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    serve_asset(&context, &entry, &body, &id, Asset::Preview).await
}

pub async fn heatmap(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    PathParam(id): PathParam,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    serve_asset(&context, &entry, &body, &id, Asset::Heatmap).await
}

pub async fn by_url(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    PathParamPair(id, name): PathParamPair,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let key = format!("results/{id}/{name}");
    serve_asset(&context, &entry, &body, &id, Asset::ByKey(&key)).await
}

async fn serve_asset(
    state: &Services,
    entry: &JournalEntry,
    body: &PyValue,
    id: &str,
    asset: Asset<'_>,
) -> Result<Response, ApiError> {
    let mut fields = FieldReader::of_body(body);
    let key = read_key(&mut fields);
    let account = auth::authenticate_key(state, "key", key.as_deref(), entry).await;
    fields.finish()?;
    let account = account?;
    let id = canonical_uuid(id).unwrap_or_else(|| id.to_owned());
    let Some(order) = state.orders.find(Vendor::Undetectable, &id).await? else {
        let why = format!("document {id}: there is none");
        return Err(ApiError::new(ErrorCode::DocumentNotFound, why));
    };
    if order.account != account.id {
        let why = format!("key: document {id} is another key's");
        return Err(ApiError::new(ErrorCode::UserVerificationFailed, why));
    }
    let steps = state.orders.document_timing(&account, &order);
    let key = asset.key(&order, steps, account.now()).map_err(|why| {
        let why = format!("document {id}: {why}");
        ApiError::new(asset.not_found_code(), why)
    })?;
    stream_blob(state, &account, key, asset).await
}

impl Asset<'_> {
    /// What it is called where there is none.
    fn not_found_code(self) -> ErrorCode {
        match self {
            Self::Preview => ErrorCode::PreviewNotFound,
            Self::Heatmap => ErrorCode::HeatmapNotFound,
            Self::ByKey(_) => ErrorCode::FileNotFound,
        }
    }

    /// The key under which the document has it by now, or why there is none.
    fn key(
        self,
        order: &Order,
        steps: DocumentTiming,
        now: Timestamp,
    ) -> Result<&str, &'static str> {
        let OrderState::Complete {
            completed_at,
            outcome: Outcome::Detection(found),
            ..
        } = &order.state
        else {
            return Err(match order.state {
                OrderState::Expired { .. } => "it has expired, and its pictures are gone",
                OrderState::Failed { .. } => "it has failed",
                OrderState::Complete { .. } => "it is a bulk, of whose pictures none are drawn",
                _ => "it is not done yet",
            });
        };
        let (is_heatmap, key) = self
            .rendered(found)
            .ok_or_else(|| self.missing_reason(order, found))?;
        if is_heatmap && now < steps.heatmap_at(*completed_at) {
            return Err("the heatmap is pending");
        }
        Ok(key)
    }

    /// Why it was not drawn.
    fn missing_reason(self, order: &Order, found: &Detection) -> &'static str {
        let Work::Document(options) = &order.work else {
            return "it is no document";
        };
        match self {
            Self::Preview if !options.preview => "no preview was asked for",
            Self::Heatmap if !options.heatmap => "no heatmap was asked for",
            Self::Heatmap if found.verdict.label == Label::Human => {
                "it is Real, of which no heatmap is drawn"
            }
            Self::Preview | Self::Heatmap => "the picture could not be decoded",
            Self::ByKey(_) => "it has no picture there",
        }
    }

    /// Whether it is a heatmap, and its key.
    fn rendered(self, found: &Detection) -> Option<(bool, &str)> {
        let drawn = [
            (false, &found.preview),
            (true, &found.heatmap),
            (true, &found.overlay),
        ];
        drawn
            .into_iter()
            .filter_map(|(is_heatmap, key)| Some((is_heatmap, key.as_deref()?)))
            .find(|(is_heatmap, key)| match self {
                Self::Preview => !is_heatmap,
                Self::Heatmap => *is_heatmap,
                Self::ByKey(request) => request == *key,
            })
    }
}

/// The picture, from disk as it is read.
async fn stream_blob(
    state: &Services,
    account: &Account,
    key: &str,
    asset: Asset<'_>,
) -> Result<Response, ApiError> {
    let bucket = Vendor::Undetectable.bucket();
    let opened = state.blobs.open_blob(account.id, bucket, key).await;
    let Some((blob, file)) = opened.map_err(StoreError::broken)? else {
        let why = format!("{key} is gone");
        return Err(ApiError::new(asset.not_found_code(), why));
    };
    let meta = blob.meta;
    let headers = [
        (CONTENT_TYPE, meta.content_type.unwrap_or_default()),
        (CONTENT_LENGTH, meta.bytes.to_string()),
    ];
    let body = Body::from_stream(ReaderStream::new(file.take(meta.bytes)));
    let mut response = (headers, body).into_response();
    // The drawing comes from a picture that a user uploaded.
    sandbox(response.headers_mut());
    Ok(response)
}
