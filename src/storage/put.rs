//! Uploading an object.

use std::io::ErrorKind;
use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, header};
use http_body_util::BodyExt;

use super::error::{Error, Upload};
use super::object::{Target, insert};
use super::{Owner, strict};
use crate::blobs::{Meta, NewObject, Writer};
use crate::claims::Claim;
use crate::web::{BodyStalled, Context, Tied};

/// Takes the body in, piece by piece, and puts it in place when it is whole: 200, empty, with
/// the `ETag`.
pub(super) async fn put(
    verbs: &Context,
    parts: &Parts,
    target: Target,
    owner: Owner,
    body: &mut Body,
) -> Result<Response<Body>, Error> {
    if verbs.config.undetectable.strict_uploads {
        strict::check(&target.key, &parts.headers)?;
    }
    let content_type = content_type_of(&parts.headers);
    expect_length(&parts.headers, verbs.config.storage.object_bytes_max)?;
    let mut writer = verbs.blobs.writer(owner.account);
    take(body, &mut writer, verbs.config.storage.object_bytes_max).await?;
    // whole: from here on it happens, even if the client does not wait for it
    let kept = keep(Arc::clone(verbs), writer, target, content_type, owner);
    let kept = tokio::spawn(kept).await;
    let (meta, hold) = kept.map_err(Error::internal)??;
    let mut answer = Response::new(Body::empty());
    Tied::tie(&mut answer, hold);
    let etag = format!("\"{}\"", meta.etag);
    insert(answer.headers_mut(), header::ETAG, &etag);
    Ok(answer)
}

/// Writes the body as it comes.
async fn take(body: &mut Body, writer: &mut Writer, bytes_max: u64) -> Result<(), Error> {
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
        writer.write(&piece).await.map_err(Error::internal)?;
    }
    Ok(())
}

/// Puts what was written in place, and tells whose it is.
async fn keep(
    verbs: Context,
    writer: Writer,
    target: Target,
    content_type: Option<String>,
    owner: Owner,
) -> Result<(Meta, Option<Claim>), Error> {
    let Target { bucket, key } = target;
    let finished = writer.finish(NewObject::new(&bucket, &key, content_type, owner.now));
    let meta = finished.await.map_err(|e| match e.kind() {
        ErrorKind::NotFound => Upload::AccountGone.into(),
        _ => Error::internal(e),
    })?;
    let hold = match &owner.order_id {
        Some(order_id) => {
            let received =
                verbs
                    .orders
                    .received(owner.account, order_id, &key, meta.bytes, owner.now);
            received.await?
        }
        // it may have done so while the file came
        None if !verbs.orders.settle_upload(&key).await? => {
            let removed = verbs.blobs.remove(owner.account, &bucket, &key).await;
            removed.map_err(Error::internal)?;
            return Err(Upload::Expired.into());
        }
        None => None,
    };
    Ok((meta, hold))
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
