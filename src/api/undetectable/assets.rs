//! Images drawn for a document: `POST /preview/{id}`, `POST /heatmap/{id}`, and POST on the URLs that
//! `/query` answers, signed or not. The key of the document's account is required.
//!
//! The account's clock alone decides from when on an image is available. Whether `/query` has reported it
//! does not count.

use axum::body::Body;
use axum::extract::State;
use axum::http::Method;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::UndetectableResult;
use super::accept::accepts_image;
use super::auth::{AUTH_ERRORS, Authenticator};
use super::body::{BODY_ERRORS, JsonValueBody};
use super::error::{ApiError, ErrorCode};
use super::fields::{FieldReader, canonical_uuid};
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::python_json::PyValue;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, PathParam, PathParamPair, Routes, Services, sandbox};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::picture::Label;
use crate::model::time::Timestamp;
use crate::model::work::{Detection, Outcome, Work};
use crate::services::accounts::Account;
use crate::services::orders::DocumentTiming;
use crate::storage::db::InternalError;

/// Adds the operations that serve images.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.getPreview",
            Method::POST,
            "/preview/{id}",
            accepts_image(preview),
        )
        .docs(describe_preview)
        .on(
            "undetectable.getHeatmap",
            Method::POST,
            "/heatmap/{id}",
            accepts_image(heatmap),
        )
        .docs(describe_heatmap)
        .on(
            "undetectable.getAsset",
            Method::POST,
            "/_s3/ai-image-detector-prod/results/{id}/{name}",
            accepts_image(by_url),
        )
        .docs(describe_by_url)
}

/// Requested image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asset<'k> {
    Preview,
    Heatmap,
    /// The image with this object key.
    ByKey(&'k str),
}

fn read_key(fields: &mut FieldReader) -> Option<String> {
    fields.key()
}

fn describe_preview(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc.summary(
        "Get the preview of a document",
        "The image with its longer side at most 512 pixels, if a preview was requested.",
    );
    describe_asset(doc, Asset::Preview, &["image/jpeg"])
}

fn describe_heatmap(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc.summary(
        "Get the heatmap of a document",
        "Available once the heatmap is ready, if the image was generated or edited.",
    );
    describe_asset(doc, Asset::Heatmap, &["image/png"])
}

fn describe_by_url(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc.summary(
        "Get an image of a document by its URL",
        "POST on a URL that `/query` answers, signed or not.",
    );
    describe_asset(doc, Asset::ByKey(""), &["image/jpeg", "image/png"])
}

fn describe_asset<'d>(
    doc: OperationDoc<'d>,
    asset: Asset<'_>,
    media_types: &[&str],
) -> OperationDoc<'d> {
    let doc = doc
        .body_fields(FieldReader::describe_fields(read_key))
        .describe_param("key", "The API key that queued the document.")
        .describe_param("id", "Id of the document.")
        .binary_response(200, "The image.", media_types);
    let codes = [ErrorCode::DocumentNotFound, asset.not_found_code()];
    with_errors(doc, &[&AUTH_ERRORS, &BODY_ERRORS, &codes, &INTERNAL_ERRORS])
}

async fn preview(
    State(state): State<AppState>,
    authenticator: Authenticator,
    PathParam(id): PathParam,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    serve_asset(&state, &authenticator, &body, &id, Asset::Preview).await
}

async fn heatmap(
    State(state): State<AppState>,
    authenticator: Authenticator,
    PathParam(id): PathParam,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    serve_asset(&state, &authenticator, &body, &id, Asset::Heatmap).await
}

async fn by_url(
    State(state): State<AppState>,
    authenticator: Authenticator,
    PathParamPair(id, name): PathParamPair,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let key = format!("results/{id}/{name}");
    serve_asset(&state, &authenticator, &body, &id, Asset::ByKey(&key)).await
}

async fn serve_asset(
    state: &Services,
    authenticator: &Authenticator,
    body: &PyValue,
    id: &str,
    asset: Asset<'_>,
) -> UndetectableResult {
    let mut fields = FieldReader::for_body(body);
    let api_key = read_key(&mut fields);
    let account = authenticator
        .authenticate_key("key", api_key.as_deref())
        .await;
    fields.finish()?;
    let account = account?;
    let id = canonical_uuid(id).unwrap_or_else(|| id.to_owned());
    let Some(order) = state.orders.find(Vendor::Undetectable, &id).await? else {
        let reason = format!("document {id} not found");
        return Err(ApiError::new(ErrorCode::DocumentNotFound, reason));
    };
    if order.account != account.id {
        let reason = format!("key: document {id} belongs to another API key");
        return Err(ApiError::new(ErrorCode::UserVerificationFailed, reason));
    }
    authenticator.record_order(&order.id);
    let timing = state.orders.document_timing(&account, &order);
    let blob_key = asset
        .blob_key(&order, timing, account.now())
        .map_err(|reason| {
            let reason = format!("document {id}: {reason}");
            ApiError::new(asset.not_found_code(), reason)
        })?;
    stream_blob(state, &account, blob_key, asset).await
}

impl Asset<'_> {
    fn not_found_code(self) -> ErrorCode {
        match self {
            Self::Preview => ErrorCode::PreviewNotFound,
            Self::Heatmap => ErrorCode::HeatmapNotFound,
            Self::ByKey(_) => ErrorCode::FileNotFound,
        }
    }

    /// Returns the key of the image.
    ///
    /// # Errors
    /// Returns the reason why the document has no such image, or has none at `now`.
    fn blob_key(
        self,
        order: &Order,
        timing: DocumentTiming,
        now: Timestamp,
    ) -> Result<&str, &'static str> {
        let OrderState::Complete {
            completed_at,
            outcome: Outcome::Detection(detection),
            ..
        } = &order.state
        else {
            return Err(match order.state {
                OrderState::Expired { .. } => "expired: its images were deleted",
                OrderState::Failed { .. } => "failed: it has no images",
                OrderState::Complete { .. } => "a bulk upload has no images",
                OrderState::Pending | OrderState::InProgress { .. } => "not done yet",
            });
        };
        let (is_heatmap, key) = self
            .rendered(detection)
            .ok_or_else(|| self.missing_reason(order, detection))?;
        if is_heatmap && now < timing.heatmap_at(*completed_at) {
            return Err("the heatmap is pending");
        }
        Ok(key)
    }

    /// Returns why the image was not drawn.
    fn missing_reason(self, order: &Order, detection: &Detection) -> &'static str {
        let Work::Document(options) = &order.work else {
            return "not a document";
        };
        match self {
            Self::Preview if !options.preview => "no preview was requested",
            Self::Heatmap if !options.heatmap => "no heatmap was requested",
            Self::Heatmap if detection.verdict.label == Label::Human => {
                "result is Real: no heatmap is generated"
            }
            Self::Preview | Self::Heatmap => "the image could not be decoded",
            Self::ByKey(_) => "it has no image with this URL",
        }
    }

    /// Returns `true` if the image is a heatmap, and its key. `None` if it was not drawn.
    fn rendered(self, detection: &Detection) -> Option<(bool, &str)> {
        let images = [
            (false, &detection.preview),
            (true, &detection.heatmap),
            (true, &detection.overlay),
        ];
        images
            .into_iter()
            .filter_map(|(is_heatmap, key)| Some((is_heatmap, key.as_deref()?)))
            .find(|(is_heatmap, key)| match self {
                Self::Preview => !is_heatmap,
                Self::Heatmap => *is_heatmap,
                Self::ByKey(requested_key) => requested_key == *key,
            })
    }
}

/// Responds with a blob, streamed from disk.
async fn stream_blob(
    state: &Services,
    account: &Account,
    key: &str,
    asset: Asset<'_>,
) -> UndetectableResult {
    let bucket = Vendor::Undetectable.bucket();
    let opened = state.blobs.open_blob(account.id, bucket, key).await;
    let Some((blob, file)) = opened.map_err(InternalError::broken)? else {
        let reason = format!("{key} is no longer stored");
        return Err(ApiError::new(asset.not_found_code(), reason));
    };
    let meta = blob.meta;
    let headers = [
        (CONTENT_TYPE, meta.content_type.unwrap_or_default()),
        (CONTENT_LENGTH, meta.bytes.to_string()),
    ];
    let body = Body::from_stream(ReaderStream::new(file.take(meta.bytes)));
    let mut response = (headers, body).into_response();
    // The image is derived from a file that a user uploaded.
    sandbox(response.headers_mut());
    Ok(response)
}
