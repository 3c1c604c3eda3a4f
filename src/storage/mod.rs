//! The storage front door, `/_s3`: presigned PUT, GET and HEAD of objects as S3 answers them.
//!
//! Operations: `storage.put`, `storage.get`, `storage.head`, `storage.options`. Every request
//! is signed; the signature is judged before anything else is told. Objects are streamed to
//! and from disk: a request holds a few buffers, whatever its size. A broken upload leaves no
//! object. Every answer carries `x-amz-request-id`, every error `X-Mock-Why`.

mod conditions;
mod error;
mod get;
mod object;
mod put;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, Method, header};
use axum::routing::any;
use tower_http::cors::{Any, CorsLayer};

use crate::blobs::Blobs;
use crate::model::ids::AccountId;
use crate::model::time::Timestamp;
use crate::presign::{KnownHosts, Signer};

/// The buckets there are.
pub const BUCKETS: [&str; 3] = ["bizmori", "ai-image-detector-dev", "ai-image-detector-prod"];

/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

/// What the front door works with.
#[derive(Debug, Clone)]
pub struct Storage<O> {
    /// Judges signatures.
    pub signer: Arc<Signer>,
    /// The hosts that URLs were made for.
    pub hosts: Arc<KnownHosts>,
    /// Where the objects are.
    pub blobs: Blobs,
    /// Does a URL hold at its own host only?
    pub strict_host: bool,
    /// The largest object, in bytes.
    pub object_bytes_max: u64,
    /// Whose the objects are.
    pub owners: O,
}

/// Whose an object is, and what time it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The account, or [`AccountId::NOBODY`] for keys that were given to none.
    pub account: AccountId,
    /// Its now; nobody's is the default clock's.
    pub now: Timestamp,
}

/// Who knows whose the objects are.
pub trait Owners: Clone + Send + Sync + 'static {
    /// Whose `key` is; the bucket may be one that is not there.
    fn owner(&self, bucket: &str, key: &str) -> impl Future<Output = io::Result<Owner>> + Send;

    /// An upload of so many bytes is in place under `key`.
    fn received(
        &self,
        owner: Owner,
        bucket: &str,
        key: &str,
        bytes: u64,
    ) -> impl Future<Output = io::Result<()>> + Send;
}

/// The routes under `/_s3`, preflights included: any origin may call.
pub fn routes<O: Owners>() -> Router<Storage<O>> {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT])
        .allow_headers(Any)
        .expose_headers([
            header::ETAG,
            header::ACCEPT_RANGES,
            header::CONTENT_RANGE,
            header::CONTENT_DISPOSITION,
            error::REQUEST_ID,
            error::WHY,
            HeaderName::from_static("x-mock-request"),
        ])
        .max_age(PREFLIGHT_AGE);
    Router::new()
        .route("/_s3", any(object::serve::<O>))
        .route("/_s3/", any(object::serve::<O>))
        .route("/_s3/{*path}", any(object::serve::<O>))
        .layer(cors)
}
