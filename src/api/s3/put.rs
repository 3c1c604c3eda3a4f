//! Upload of an object.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Response, header};
use http_body_util::BodyExt;

use super::conditions::WriteConditions;
use super::error::{S3Error, UploadError};
use super::fields::RequestFields;
use super::integrity::Integrity;
use super::metadata::headers_to_store;
use super::object_path::{ObjectPath, insert};
use super::owner::ResolvedOwner;
use super::strict;
use crate::http::{AppState, BodyStalled, OnResponseSent};
use crate::services::claims::Claim;
use crate::storage::blobs::{BlobMeta, BlobWriter, FinishError, NewObject};

/// Name of the operation.
pub(super) const PUT_OPERATION: &str = "storage.put";

/// Upload as the head of its request describes it.
struct NewUpload {
    path: ObjectPath,
    owner: ResolvedOwner,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    conditions: WriteConditions,
}

/// Write that the conditions of its request do not allow.
struct RefusedWrite {
    error: S3Error,
    /// Length of the stored object. `None` if there is none.
    current_bytes: Option<u64>,
}

/// Streams the body to disk, and stores the object once the body is complete and its digests match.
/// Responds with 200, an empty body and the `ETag`.
pub(super) async fn put(
    state: &AppState,
    fields: &RequestFields<'_>,
    path: ObjectPath,
    owner: ResolvedOwner,
    body: &mut Body,
) -> Result<Response<Body>, S3Error> {
    let headers = fields.headers();
    let bytes_max = state.config.storage.object_bytes_max;
    if state.config.undetectable.strict_uploads {
        strict::check_content_type(&path.key, headers)?;
    }
    check_content_length(headers, bytes_max)?;
    let integrity = Integrity::new(fields)?;
    let content_type = content_type(headers);
    let upload = NewUpload {
        headers: headers_to_store(fields, content_type.as_deref())?,
        conditions: WriteConditions::new(headers)?,
        content_type,
        path,
        owner,
    };
    if let Some(refused) = upload.check_early(state).await? {
        let error = tokio::spawn(upload.refuse(Arc::clone(state), refused)).await;
        return Err(error.map_err(S3Error::internal)?);
    }
    let mut writer = state.blobs.writer(upload.owner.account);
    stream_body(body, &mut writer, integrity, bytes_max).await?;
    // The body is complete: the rest runs to completion although the client may hang up.
    let committed = tokio::spawn(upload.commit(Arc::clone(state), writer)).await;
    let (meta, claim) = committed.map_err(S3Error::internal)??;
    let mut response = Response::new(Body::empty());
    OnResponseSent::attach(&mut response, claim);
    let etag = format!("\"{}\"", meta.etag);
    insert(response.headers_mut(), header::ETAG, &etag);
    Ok(response)
}

/// Writes the body as it arrives, and verifies its digests at its end.
async fn stream_body(
    body: &mut Body,
    writer: &mut BlobWriter,
    mut integrity: Integrity,
    bytes_max: u64,
) -> Result<(), S3Error> {
    while let Some(frame) = body.frame().await {
        let bytes = writer.bytes();
        let frame = frame.map_err(|error| match BodyStalled::find(&error) {
            Some(stalled) => UploadError::Stalled { bytes, stalled },
            None => UploadError::Incomplete {
                bytes,
                reason: error.to_string(),
            },
        })?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        let bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if bytes > bytes_max {
            return Err(UploadError::TooLarge { bytes, bytes_max }.into());
        }
        integrity.update(&chunk);
        writer.write(&chunk).await.map_err(S3Error::internal)?;
    }
    Ok(integrity.verify(writer.md5())?)
}

impl NewUpload {
    /// Checks the conditions against the stored object. `current` is `None` if there is none.
    fn check(&self, current: Option<&BlobMeta>) -> Result<(), RefusedWrite> {
        let checked = self.conditions.check(current, || self.path.no_such_key());
        checked.map_err(|error| RefusedWrite {
            error,
            current_bytes: current.map(|current| current.bytes),
        })
    }

    /// Checks the conditions before the body is read, so that a client that waits for `100 Continue` need
    /// not send the body. The conditions are checked again when the object is stored. `None` if all
    /// conditions hold.
    async fn check_early(&self, state: &AppState) -> Result<Option<RefusedWrite>, S3Error> {
        if self.conditions.is_empty() {
            return Ok(None);
        }
        let ObjectPath { bucket, key } = &self.path;
        let stored = state.blobs.find(self.owner.account, bucket, key).await;
        let current = stored.map_err(S3Error::internal)?.map(|blob| blob.meta);
        Ok(self.check(current.as_ref()).err())
    }

    /// Returns the error of a refused write. A stored object is recorded first: an earlier PUT may have
    /// stored it and failed to record it, and its client now retries with the same condition.
    async fn refuse(self, state: AppState, refused: RefusedWrite) -> S3Error {
        let Some(bytes) = refused.current_bytes else {
            return refused.error;
        };
        match self.record(&state, bytes).await {
            Ok(claim) => refused.error.with_claim(claim),
            Err(error) => error,
        }
    }

    /// Stores the object that was written, and records it.
    async fn commit(
        mut self,
        state: AppState,
        writer: BlobWriter,
    ) -> Result<(BlobMeta, Option<Claim>), S3Error> {
        let object = NewObject {
            bucket: &self.path.bucket,
            key: &self.path.key,
            content_type: self.content_type.take(),
            headers: std::mem::take(&mut self.headers),
            now: self.owner.now,
        };
        let check = (!self.conditions.is_empty())
            .then_some(|current: Option<&BlobMeta>| self.check(current));
        let meta = match writer.finish_if(object, check).await {
            Ok(meta) => meta,
            Err(FinishError::Refused(refused)) => return Err(self.refuse(state, refused).await),
            Err(FinishError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                return Err(UploadError::AccountGone.into());
            }
            Err(FinishError::Io(error)) => return Err(S3Error::internal(error)),
        };
        let claim = self.record(&state, meta.bytes).await?;
        Ok((meta, claim))
    }

    /// Records the upload in its order, or in the uploads of Undetectable. Returns a claim that keeps an
    /// order that starts now from proceeding before the response is sent.
    async fn record(&self, state: &AppState, bytes: u64) -> Result<Option<Claim>, S3Error> {
        let ObjectPath { bucket, key } = &self.path;
        let account = self.owner.account;
        if let Some(order_id) = &self.owner.order_id {
            let orders = &state.orders;
            let recorded = orders.record_upload(account, order_id, key, bytes, PUT_OPERATION);
            return Ok(recorded.await?);
        }
        // The upload URL may have expired during the upload.
        if !state.orders.settle_upload(key).await? {
            let removed = state.blobs.remove(account, bucket, key).await;
            removed.map_err(S3Error::internal)?;
            return Err(UploadError::Expired.into());
        }
        Ok(None)
    }
}

/// Returns the content type, with U+FFFD in place of bytes that are not UTF-8.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Checks that the request declares a length of at most `bytes_max`, or a transfer coding.
fn check_content_length(headers: &HeaderMap, bytes_max: u64) -> Result<(), S3Error> {
    let length = headers.get(header::CONTENT_LENGTH);
    match length.and_then(|length| length.to_str().ok()?.parse().ok()) {
        Some(bytes) if bytes > bytes_max => Err(UploadError::TooLarge { bytes, bytes_max }.into()),
        None if !headers.contains_key(header::TRANSFER_ENCODING) => {
            Err(UploadError::NoLength.into())
        }
        _ => Ok(()),
    }
}
