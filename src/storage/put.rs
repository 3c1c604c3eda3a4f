//! Uploading an object.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Response, header};
use http_body_util::BodyExt;

use super::conditions::WriteConditions;
use super::error::{Error, Upload};
use super::fields::Fields;
use super::integrity::Integrity;
use super::metadata::headers_to_store;
use super::object::{Target, insert};
use super::{Owner, strict};
use crate::blobs::{FinishError, Meta, NewObject, Writer};
use crate::claims::Claim;
use crate::web::{BodyStalled, Context, Tied};

/// An upload, as the head of its request describes it.
struct NewUpload {
    target: Target,
    owner: Owner,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
    conditions: WriteConditions,
}

/// Streams the body to disk, and puts the object in place when the body is whole and is the one that
/// was announced: 200, empty, with the `ETag`.
pub(super) async fn put(
    verbs: &Context,
    fields: &Fields<'_>,
    target: Target,
    owner: Owner,
    body: &mut Body,
) -> Result<Response<Body>, Error> {
    let sent = fields.headers();
    if verbs.config.undetectable.strict_uploads {
        strict::check(&target.key, sent)?;
    }
    expect_length(sent, verbs.config.storage.object_bytes_max)?;
    let integrity = Integrity::new(fields)?;
    let content_type = content_type_of(sent);
    let upload = NewUpload {
        headers: headers_to_store(fields, content_type.as_deref())?,
        conditions: WriteConditions::new(sent)?,
        content_type,
        target,
        owner,
    };
    upload.check_early(verbs).await?;
    let mut writer = verbs.blobs.writer(upload.owner.account);
    let bytes_max = verbs.config.storage.object_bytes_max;
    receive(body, &mut writer, integrity, bytes_max).await?;
    // The body is whole: from here on the upload runs to completion, even if the client goes.
    let kept = tokio::spawn(upload.keep(Arc::clone(verbs), writer)).await;
    let (meta, hold) = kept.map_err(Error::internal)??;
    let mut answer = Response::new(Body::empty());
    Tied::tie(&mut answer, hold);
    let etag = format!("\"{}\"", meta.etag);
    insert(answer.headers_mut(), header::ETAG, &etag);
    Ok(answer)
}

/// Writes the body as it comes, and compares its digests when it is whole.
async fn receive(
    body: &mut Body,
    writer: &mut Writer,
    mut integrity: Integrity,
    bytes_max: u64,
) -> Result<(), Error> {
    while let Some(frame) = body.frame().await {
        let bytes = writer.bytes();
        let frame = frame.map_err(|error| match BodyStalled::find(&error) {
            Some(stalled) => Upload::Stalled { bytes, stalled },
            None => Upload::Incomplete {
                bytes,
                reason: error.to_string(),
            },
        })?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        let bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if bytes > bytes_max {
            return Err(Upload::TooLarge { bytes, bytes_max }.into());
        }
        integrity.update(&piece);
        writer.write(&piece).await.map_err(Error::internal)?;
    }
    Ok(integrity.verify(writer.md5())?)
}

impl NewUpload {
    /// Checks the conditions before the body is read: a client that waits for `100 Continue` is spared
    /// the upload. They are checked again when the object is put in place.
    async fn check_early(&self, verbs: &Context) -> Result<(), Error> {
        if self.conditions.is_empty() {
            return Ok(());
        }
        let Target { bucket, key } = &self.target;
        let found = verbs.blobs.find(self.owner.account, bucket, key).await;
        let current = found.map_err(Error::internal)?.map(|blob| blob.meta);
        let absent = || self.target.absent();
        self.conditions.check(current.as_ref(), absent)
    }

    /// Puts what was written in place, and tells the order that awaits it.
    async fn keep(self, verbs: Context, writer: Writer) -> Result<(Meta, Option<Claim>), Error> {
        let Self {
            target,
            owner,
            conditions,
            ..
        } = self;
        let object = NewObject {
            bucket: &target.bucket,
            key: &target.key,
            content_type: self.content_type,
            headers: self.headers,
            now: owner.now,
        };
        let check = |current: Option<&Meta>| conditions.check(current, || target.absent());
        let check = (!conditions.is_empty()).then_some(check);
        let finished = writer.finish_if(object, check).await;
        let meta = finished.map_err(|error| match error {
            FinishError::Refused(error) => error,
            FinishError::Io(error) if error.kind() == ErrorKind::NotFound => {
                Upload::AccountGone.into()
            }
            FinishError::Io(error) => Error::internal(error),
        })?;
        let Target { bucket, key } = &target;
        let (account, now, bytes) = (owner.account, owner.now, meta.bytes);
        let hold = match &owner.order_id {
            Some(order_id) => {
                let received = verbs.orders.received(account, order_id, key, bytes, now);
                received.await?
            }
            // The upload may have expired while the file came.
            None if !verbs.orders.settle_upload(key).await? => {
                let removed = verbs.blobs.remove(account, bucket, key).await;
                removed.map_err(Error::internal)?;
                return Err(Upload::Expired.into());
            }
            None => None,
        };
        Ok((meta, hold))
    }
}

/// The content type to keep; bytes that are no UTF-8 are replaced.
fn content_type_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// An upload says how long it is, and not too long, or that it comes in chunks.
fn expect_length(headers: &HeaderMap, bytes_max: u64) -> Result<(), Error> {
    let length = headers.get(header::CONTENT_LENGTH);
    match length.and_then(|length| length.to_str().ok()?.parse().ok()) {
        Some(bytes) if bytes > bytes_max => Err(Upload::TooLarge { bytes, bytes_max }.into()),
        None if !headers.contains_key(header::TRANSFER_ENCODING) => Err(Upload::NoLength.into()),
        _ => Ok(()),
    }
}
