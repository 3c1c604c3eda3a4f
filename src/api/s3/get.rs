//! Download of an object.

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::conditions::{ReadOutcome, check_read};
use super::error::S3Error;
use super::object_path::{ObjectPath, insert};
use super::owner::ResolvedOwner;
use super::range::{RequestedRange, requested_range};
use crate::http::Services;
use crate::platform::{clock, presign};
use crate::storage::blobs::{Blob, BlobMeta};

/// Bytes that are read from disk at a time.
const CHUNK_BYTES: u64 = 128 * 1024;
/// S3's type for an object that was uploaded without one.
const CONTENT_TYPE_DEFAULT: &str = "binary/octet-stream";

/// Query parameters that override headers of the response.
const RESPONSE_OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-content-type", header::CONTENT_TYPE),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-expires", header::EXPIRES),
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
];

/// Responds as to a GET, without the body.
pub(super) async fn head(
    state: &Services,
    parts: &Parts,
    path: &ObjectPath,
    owner: ResolvedOwner,
) -> Result<Response<Body>, S3Error> {
    let Blob { meta, .. } = state
        .blobs
        .find(owner.account, &path.bucket, &path.key)
        .await
        .map_err(S3Error::internal)?
        .ok_or_else(|| path.no_such_key())?;
    if check_read(&parts.headers, &meta)? == ReadOutcome::NotModified {
        return Ok(not_modified(&meta));
    }
    let (mut response, _) = response_head(parts, &meta)?;
    *response.body_mut() = Body::empty();
    Ok(response)
}

/// Responds with the object or a range of it, streamed from disk: 200, 206 or 304.
pub(super) async fn get(
    state: &Services,
    parts: &Parts,
    path: &ObjectPath,
    owner: ResolvedOwner,
) -> Result<Response<Body>, S3Error> {
    let (Blob { meta, .. }, mut file) = state
        .blobs
        .open_blob(owner.account, &path.bucket, &path.key)
        .await
        .map_err(S3Error::internal)?
        .ok_or_else(|| path.no_such_key())?;
    if check_read(&parts.headers, &meta)? == ReadOutcome::NotModified {
        return Ok(not_modified(&meta));
    }
    let (mut response, (first, length)) = response_head(parts, &meta)?;
    if first > 0 {
        file.seek(SeekFrom::Start(first))
            .await
            .map_err(S3Error::internal)?;
    }
    let chunk_bytes = usize::try_from(length.clamp(1, CHUNK_BYTES)).unwrap_or(1);
    let chunks = ReaderStream::with_capacity(file.take(length), chunk_bytes);
    *response.body_mut() = Body::from_stream(chunks);
    Ok(response)
}

/// Returns the response without its body, and the first byte and the length of the body.
fn response_head(parts: &Parts, meta: &BlobMeta) -> Result<(Response<Body>, (u64, u64)), S3Error> {
    let mut response = Response::new(Body::empty());
    let mut span = (0, meta.bytes);
    match requested_range(&parts.headers, meta) {
        RequestedRange::Full => {}
        RequestedRange::Bytes { first, last } => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            span = (first, last - first + 1);
            let range = format!("bytes {first}-{last}/{}", meta.bytes);
            insert(response.headers_mut(), header::CONTENT_RANGE, &range);
        }
        RequestedRange::Unsatisfiable => {
            let range = parts.headers.get(header::RANGE).map(HeaderValue::as_bytes);
            return Err(S3Error::InvalidRange {
                range: String::from_utf8_lossy(range.unwrap_or_default()).into_owned(),
                bytes: meta.bytes,
            });
        }
    }
    let headers = response.headers_mut();
    insert_stored(headers, meta, |_| true);
    insert_validators(headers, meta);
    let content_type = meta.content_type.as_deref().unwrap_or(CONTENT_TYPE_DEFAULT);
    insert(headers, header::CONTENT_TYPE, content_type);
    insert(headers, header::CONTENT_LENGTH, &span.1.to_string());
    insert(headers, header::ACCEPT_RANGES, "bytes");
    let query = presign::parameters(parts.uri.query().unwrap_or_default());
    for (parameter, name) in RESPONSE_OVERRIDES {
        // An empty parameter sets no header.
        if let Some((_, value)) = query
            .iter()
            .find(|(other, _)| other == parameter.as_bytes())
            && !value.is_empty()
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            headers.insert(name, value);
        }
    }
    Ok((response, span))
}

fn not_modified(meta: &BlobMeta) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    // RFC 9110 §15.4.5: a 304 has these of the headers of a 200.
    insert_stored(headers, meta, |name| {
        [header::CACHE_CONTROL, header::EXPIRES].contains(name)
    });
    insert_validators(headers, meta);
    response
}

/// Inserts the headers that were stored with the object and for which `is_sent` returns `true`.
fn insert_stored(headers: &mut HeaderMap, meta: &BlobMeta, is_sent: impl Fn(&HeaderName) -> bool) {
    for (name, value) in &meta.headers {
        if let Ok(name) = HeaderName::try_from(name)
            && is_sent(&name)
        {
            insert(headers, name, value);
        }
    }
}

fn insert_validators(headers: &mut HeaderMap, meta: &BlobMeta) {
    insert(headers, header::ETAG, &format!("\"{}\"", meta.etag));
    insert(
        headers,
        header::LAST_MODIFIED,
        &clock::http_date(meta.modified_at),
    );
}
