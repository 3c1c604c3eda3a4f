//! `GET /_mock/blobs/{id}`: bytes of an order's file or output.
//!
//! The bytes are those of users. The type is sniffed, never that of the upload. A browser shows only
//! raster pictures; anything else is an attachment, and all of it is sandboxed.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Method, Response, header};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::error::ControlError;
use super::error_code::ControlErrorCode;
use super::named_account::NamedAccount;
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, PathParam, Routes, Services, sandbox};
use crate::model::picture::{FileKind, RasterFormat};
use crate::services::orders::OpenBlob;
use crate::services::presigned_urls::attachment;

/// Adds the route of blobs.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.getBlob", Method::GET, "/_mock/blobs/{id}", get)
        .docs(describe)
}

/// Bytes that are read from disk at a time.
const CHUNK_BYTES: usize = 128 * 1024;
/// Kinds of files whose media type is sent.
const KINDS: [FileKind; 10] = [
    FileKind::Picture(RasterFormat::Jpeg),
    FileKind::Picture(RasterFormat::Png),
    FileKind::Picture(RasterFormat::WebP),
    FileKind::Picture(RasterFormat::Bmp),
    FileKind::Picture(RasterFormat::Tiff),
    FileKind::Picture(RasterFormat::Gif),
    FileKind::Heif,
    FileKind::Avif,
    FileKind::Svg,
    FileKind::Pdf,
];
/// Media type of bytes of no known kind, such as ZIP files.
const UNKNOWN_MEDIA_TYPE: &str = "application/octet-stream";

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let mut media_types = KINDS.map(FileKind::media_type).to_vec();
    media_types.push(UNKNOWN_MEDIA_TYPE);
    let doc = doc
        .summary(
            "Get a file or an output of an order",
            "Returns the bytes, which are not in the journal. The type is that of the content. Pictures \
             are sent to be shown; PDF, SVG, ZIP and other files are attachments.",
        )
        .query_params(vec![account_param()])
        .describe_param("id", "Value of `blob` in an order.")
        .describe_param(
            "account",
            "Key of the account. Files of other accounts count as unknown.",
        )
        .binary_response(200, "The bytes.", &media_types);
    describe_errors(
        doc,
        &[ControlErrorCode::AccountGone, ControlErrorCode::UnknownBlob],
    )
}

async fn get(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    let opened = state.orders.open_blob(&id).await?;
    let is_in_scope = |blob: &OpenBlob| is_in_scope(&state, &named, blob);
    let blob = opened.filter(is_in_scope).ok_or_else(|| {
        ControlError::new(
            ControlErrorCode::UnknownBlob,
            format!("no blob {id}"),
            "GET /_mock/orders/{id} lists an order's blobs; they are deleted when the order expires",
        )
    })?;
    Ok(blob_response(blob))
}

fn is_in_scope(state: &Services, named: &NamedAccount, blob: &OpenBlob) -> bool {
    let account = state.accounts.by_id(blob.account);
    account.is_some_and(|account| named.scope(state).includes(&account))
}

fn blob_response(blob: OpenBlob) -> Response<Body> {
    let bytes = blob.blob.meta.bytes;
    let chunks = ReaderStream::with_capacity(blob.file.take(bytes), CHUNK_BYTES);
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    let kind = blob.facts.kind;
    let media_type = kind.map_or(UNKNOWN_MEDIA_TYPE, FileKind::media_type);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    let is_raster = matches!(
        kind,
        Some(FileKind::Picture(_) | FileKind::Heif | FileKind::Avif)
    );
    let disposition = if is_raster {
        Ok(HeaderValue::from_static("inline"))
    } else {
        HeaderValue::from_str(&attachment(&blob.name))
    };
    let disposition = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    sandbox(headers);
    response
}
