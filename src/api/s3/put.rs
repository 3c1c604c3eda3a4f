//! Uploading an object.

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
use super::target::{Target, insert};
use super::{ResolvedOwner, strict};
use crate::http::{AppState, BodyStalled, OnResponseSent};
use crate::services::claims::Claim;
use crate::storage::blobs::{BlobMeta, BlobWriter, FinishError, NewObject};

/// An upload, as the head of its request describes it.
struct NewUpload {
    target: Target,
    owner: ResolvedOwner,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    conditions: WriteConditions,
}

/// A write that the conditions of its request do not allow.
struct RefusedWrite {
    error: S3Error,
    /// Length of the object that is there. `None` if there is none.
    current_bytes: Option<u64>,
}

/// Streams the body to disk, and puts the object in place when the body is whole and is the one that
/// was announced: 200, empty, with the `ETag`.
pub(super) async fn put(
    state: &AppState,
    fields: &RequestFields<'_>,
    target: Target,
    owner: ResolvedOwner,
    body: &mut Body,
) -> Result<Response<Body>, S3Error> {
    let sent = fields.headers();
    if state.config.undetectable.strict_uploads {
        strict::check(&target.key, sent)?;
    }
    check_content_length(sent, state.config.storage.object_bytes_max)?;
    let integrity = Integrity::new(fields)?;
    let content_type = content_type_of(sent);
    let upload = NewUpload {
        headers: headers_to_store(fields, content_type.as_deref())?,
        conditions: WriteConditions::new(sent)?,
        content_type,
        target,
        owner,
    };
    if let Some(refused) = upload.check_early(state).await? {
        let refused = tokio::spawn(upload.refuse(Arc::clone(state), refused)).await;
        return Err(refused.map_err(S3Error::internal)?);
    }
    let mut writer = state.blobs.writer(upload.owner.account);
    let bytes_max = state.config.storage.object_bytes_max;
    stream_body(body, &mut writer, integrity, bytes_max).await?;
    // The body is whole: from here on the upload runs to completion, even if the client goes.
    let stored = tokio::spawn(upload.commit(Arc::clone(state), writer)).await;
    let (meta, hold) = stored.map_err(S3Error::internal)??;
    let mut response = Response::new(Body::empty());
    OnResponseSent::attach(&mut response, hold);
    let etag = format!("\"{}\"", meta.etag);
    insert(response.headers_mut(), header::ETAG, &etag);
    Ok(response)
}

/// Writes the body as it comes, and compares its digests when it is whole.
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
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        let bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if bytes > bytes_max {
            return Err(UploadError::TooLarge { bytes, bytes_max }.into());
        }
        integrity.update(&piece);
        writer.write(&piece).await.map_err(S3Error::internal)?;
    }
    Ok(integrity.verify(writer.md5())?)
}

impl NewUpload {
    /// Checks the conditions against the object that is there, `None` if there is none.
    fn check(&self, current: Option<&BlobMeta>) -> Result<(), RefusedWrite> {
        let checked = self.conditions.check(current, || self.target.no_such_key());
        checked.map_err(|error| RefusedWrite {
            error,
            current_bytes: current.map(|current| current.bytes),
        })
    }

    /// Checks the conditions before the body is read: a client that waits for `100 Continue` is spared
    /// the upload. They are checked again when the object is put in place. `None` if the body may come.
    async fn check_early(&self, state: &AppState) -> Result<Option<RefusedWrite>, S3Error> {
        if self.conditions.is_empty() {
            return Ok(None);
        }
        let Target { bucket, key } = &self.target;
        let found = state.blobs.find(self.owner.account, bucket, key).await;
        let current = found.map_err(S3Error::internal)?.map(|blob| blob.meta);
        Ok(self.check(current.as_ref()).err())
    }

    /// Returns the error of a write that is refused. An object that is there is recorded first: an
    /// earlier PUT may have put it in place and then failed, and its client tries again on the same
    /// condition.
    async fn refuse(self, verbs: AppState, refused: RefusedWrite) -> S3Error {
        let Some(bytes) = refused.current_bytes else {
            return refused.error;
        };
        match self.record(&verbs, bytes).await {
            Ok(hold) => refused.error.with_hold(hold),
            Err(error) => error,
        }
    }

    /// Puts what was written in place, and records it.
    async fn commit(
        mut self,
        state: AppState,
        writer: BlobWriter,
    ) -> Result<(BlobMeta, Option<Claim>), S3Error> {
        let object = NewObject {
            bucket: &self.target.bucket,
            key: &self.target.key,
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
        let hold = self.record(&state, meta.bytes).await?;
        Ok((meta, hold))
    }

    /// Records at the order, or the upload, that the object is there. Returns the claim that keeps an
    /// order that starts with the object from moving on before the response is written.
    async fn record(&self, verbs: &AppState, bytes: u64) -> Result<Option<Claim>, S3Error> {
        let Target { bucket, key } = &self.target;
        let account = self.owner.account;
        if let Some(order_id) = &self.owner.order_id {
            let received = verbs.orders.record_upload(account, order_id, key, bytes);
            return Ok(received.await?);
        }
        // The upload may have expired while the file came.
        if !verbs.orders.settle_upload(key).await? {
            let removed = verbs.blobs.remove(account, bucket, key).await;
            removed.map_err(S3Error::internal)?;
            return Err(UploadError::Expired.into());
        }
        Ok(None)
    }
}

/// The content type to keep; bytes that are no UTF-8 are replaced.
fn content_type_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// An upload says how long it is, and not too long, or that it comes in chunks.
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
