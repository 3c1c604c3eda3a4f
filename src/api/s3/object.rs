//! Routes and handler of objects.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, Response, Uri, header};
use tower_http::cors::{Any, CorsLayer};

use super::error::{REQUEST_ID, S3Error};
use super::fields::RequestFields;
use super::framing::reject_framing;
use super::get::{get, head};
use super::object_path::{ObjectPath, insert};
use super::owner::{ResolvedOwner, resolve_account};
use super::put::{PUT_OPERATION, put};
use super::virtual_host::{explain, sent_path};
use crate::http::{
    AppState, InternalFault, OnResponseSent, Routes, Services, X_MOCK_REASON, origin_host,
};
use crate::model::time::Timestamp;
use crate::platform::presign;
use crate::services::journal::JournalEntry;

/// Time for which a browser may cache the response to a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

/// Query parameters of S3 operations that are not supported.
const SUBRESOURCES: [&str; 10] = [
    "acl",
    "attributes",
    "legal-hold",
    "partNumber",
    "retention",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
];
/// Headers of writes other than a plain PUT.
const OTHER_WRITES: [&str; 2] = ["x-amz-copy-source", "x-amz-write-offset-bytes"];

/// Returns the operations of this API. Without a `state`, the operations can be listed but not served.
#[must_use]
pub fn routes(state: Option<AppState>) -> Routes {
    const OBJECT: &str = "/_s3/{*path}";
    let handler = || Handler::<_, AppState>::layer(handle, cors());
    Routes::new(state)
        .account_resolver(resolve_account)
        .on(PUT_OPERATION, Method::PUT, OBJECT, handler())
        .on("storage.get", Method::GET, OBJECT, handler())
        .on("storage.head", Method::HEAD, OBJECT, handler())
        .on("storage.options", Method::OPTIONS, OBJECT, handler())
}

/// Allows every origin. The layer answers preflights itself.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT])
        .allow_headers(Any)
        .expose_headers([
            header::ETAG,
            header::ACCEPT_RANGES,
            header::CONTENT_RANGE,
            header::CONTENT_DISPOSITION,
            REQUEST_ID,
            X_MOCK_REASON,
            HeaderName::from_static("x-mock-request"),
        ])
        .max_age(PREFLIGHT_AGE)
        // The response does not depend on the origin, so that caches can keep one per URL.
        .vary([])
}

async fn handle(State(state): State<AppState>, request: Request) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    let path = ObjectPath::parse(parts.uri.path());
    let key = key_of(&path);
    let mut response = match dispatch(&state, &parts, path, &mut body).await {
        Ok(response) => with_request_id(|_| response),
        Err(mut error) => {
            let claim = error.take_claim();
            let fault = match &error {
                S3Error::Internal(cause) => Some(InternalFault(cause.to_string())),
                _ => None,
            };
            let mut response =
                with_request_id(|id| error.to_response(&parts.method, key.as_deref(), id));
            if let Some(fault) = fault {
                response.extensions_mut().insert(fault);
            }
            OnResponseSent::attach(&mut response, claim);
            response
        }
    };
    explain(&parts.extensions, &mut response);
    response
}

async fn dispatch(
    state: &AppState,
    parts: &Parts,
    path: Result<ObjectPath, S3Error>,
    body: &mut Body,
) -> Result<Response<Body>, S3Error> {
    let path = path?;
    if path.key.is_empty() {
        return Err(S3Error::MethodNotAllowed {
            method: parts.method.clone(),
            is_object: false,
        });
    }
    let fields = RequestFields::new(parts);
    reject_two_mechanisms(&fields)?;
    let entry = parts.extensions.get::<JournalEntry>();
    let owner = ResolvedOwner::resolve(state, entry, &path.key).await?;
    verify_signature(state, parts, owner.now)?;
    let mut buckets = state.vendors.buckets();
    if !buckets.any(|bucket| bucket == path.bucket) {
        return Err(S3Error::NoSuchBucket {
            bucket: path.bucket,
        });
    }
    reject_unsupported(&fields)?;
    match parts.method {
        Method::PUT => put(state, &fields, path, owner, body).await,
        Method::HEAD => head(state, parts, &path, owner).await,
        _ => get(state, parts, &path, owner).await,
    }
}

/// Rejects a presigned URL that comes with an `Authorization` header.
fn reject_two_mechanisms(fields: &RequestFields<'_>) -> Result<(), S3Error> {
    let mut signature_parameters = ["x-amz-algorithm", "x-amz-signature", "signature"].into_iter();
    let is_presigned = signature_parameters.any(|name| fields.parameter(name).is_some());
    match fields.header(header::AUTHORIZATION.as_str()) {
        Some(authorization) if is_presigned => Err(S3Error::TwoAuthMechanisms { authorization }),
        _ => Ok(()),
    }
}

/// Verifies the signature of a request at `now`, the now of the owner's clock.
fn verify_signature(state: &Services, parts: &Parts, now: Timestamp) -> Result<(), S3Error> {
    let header = |name: &str| {
        let values: Vec<_> = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    };
    // Behind a trusted proxy, URLs are signed for the host that the proxy forwarded.
    let is_proxy_trusted = state.config.trust_forwarded;
    let origin_host = is_proxy_trusted
        .then(|| origin_host(&parts.headers, true))
        .flatten();
    let host = origin_host
        .or_else(|| header("host"))
        .or_else(|| parts.uri.authority().map(ToString::to_string));
    let request = presign::PresignedRequest {
        method: parts.method.as_str(),
        path: sent_path(&parts.extensions, &parts.uri),
        query: parts.uri.query().unwrap_or_default(),
        host: host.as_deref().unwrap_or_default(),
        header: &header,
    };
    state
        .signer
        .verify(&request, now, &state.hosts, state.config.strict_host)
        .map_err(|error| S3Error::Signature { error, now })
}

/// Rejects S3 features that this server does not support and that must not be handled as a plain
/// request.
fn reject_unsupported(fields: &RequestFields<'_>) -> Result<(), S3Error> {
    let subresource = SUBRESOURCES
        .into_iter()
        .find(|name| fields.parameter(&name.to_ascii_lowercase()).is_some());
    let other_write = || {
        OTHER_WRITES
            .into_iter()
            .find(|name| fields.get(name).is_some())
    };
    if let Some(name) = subresource.or_else(other_write) {
        let reason = format!("{name}: not supported; use a plain presigned PUT or GET");
        return Err(S3Error::NotImplemented { name, reason });
    }
    reject_framing(fields)
}

/// Returns the response to a method that objects do not have, or to a path that names no object.
#[must_use]
pub fn unknown_route(request: &Request) -> Response<Body> {
    let method = request.method();
    let path = ObjectPath::parse(request.uri().path());
    let key = key_of(&path);
    let error = path.err().unwrap_or_else(|| S3Error::MethodNotAllowed {
        method: method.clone(),
        is_object: key.is_some(),
    });
    let mut response = with_request_id(|id| error.to_response(method, key.as_deref(), id));
    explain(request.extensions(), &mut response);
    response
}

/// Returns the response to a request without a valid `Host` header.
#[must_use]
pub fn bad_host(method: &Method, uri: &Uri, message: &str) -> Response<Body> {
    let key = key_of(&ObjectPath::parse(uri.path()));
    let error = S3Error::InvalidHost(message.to_owned());
    with_request_id(|id| error.to_response(method, key.as_deref(), id))
}

/// Returns the response to a request whose handler panicked.
#[must_use]
pub fn panicked() -> Response<Body> {
    let panic = std::io::Error::other("a handler panicked");
    with_request_id(|id| S3Error::internal(panic).to_response(&Method::GET, None, id))
}

/// Calls `respond` with the next request id, and adds the id to the response. Ids are 16 hex digits like
/// S3's, but counted.
fn with_request_id(respond: impl FnOnce(&str) -> Response<Body>) -> Response<Body> {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let id = format!("{:016X}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut response = respond(&id);
    insert(response.headers_mut(), REQUEST_ID, &id);
    response
}

/// Returns the key of a path. `None` if the path is malformed or names no object.
fn key_of(path: &Result<ObjectPath, S3Error>) -> Option<String> {
    let key = &path.as_ref().ok()?.key;
    (!key.is_empty()).then(|| key.clone())
}
