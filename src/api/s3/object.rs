//! One object's requests: what they are about, and whether they are let in.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Response, Uri, header};

use super::ResolvedOwner;
use super::error::{REQUEST_ID, S3Error};
use super::fields::RequestFields;
use super::framing::refuse_framing;
use super::get::{get, head};
use super::put::put;
use super::target::{Target, insert};
use super::virtual_host::{explain, sent_path};
use crate::http::{AppState, InternalFault, OnResponseSent, Services, origin_host};
use crate::model::time::Timestamp;
use crate::platform::presign;
use crate::services::journal::JournalEntry;

/// Parameters of other requests on an object, which we have not.
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
/// Headers of other writes than a plain PUT.
const OTHER_WRITES: [&str; 2] = ["x-amz-copy-source", "x-amz-write-offset-bytes"];

/// Answers any request under `/_s3`.
pub(super) async fn handle(State(state): State<AppState>, request: Request) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    let target = Target::of(parts.uri.path());
    let key = key_of(&target);
    let mut response = match dispatch(&state, &parts, target, &mut body).await {
        Ok(reply) => with_request_id(|_| reply),
        Err(mut error) => {
            let hold = error.take_hold();
            let fault = match &error {
                S3Error::Internal(cause) => Some(InternalFault(cause.to_string())),
                _ => None,
            };
            let mut response =
                with_request_id(|id| error.answer(&parts.method, key.as_deref(), id));
            if let Some(fault) = fault {
                response.extensions_mut().insert(fault);
            }
            OnResponseSent::attach(&mut response, hold);
            response
        }
    };
    explain(&parts.extensions, &mut response);
    response
}

async fn dispatch(
    state: &AppState,
    parts: &Parts,
    target: Result<Target, S3Error>,
    body: &mut Body,
) -> Result<Response<Body>, S3Error> {
    let target = target?;
    if target.key.is_empty() {
        return Err(S3Error::MethodNotAllowed {
            method: parts.method.clone(),
            on_object: false,
        });
    }
    let fields = RequestFields::new(parts);
    refuse_two_mechanisms(&fields)?;
    let entry = parts.extensions.get::<JournalEntry>();
    let owner = ResolvedOwner::resolve(state, entry, &target.key);
    let owner = owner.await?;
    verify_signature(state, parts, owner.now)?;
    if !state
        .vendors
        .buckets()
        .any(|bucket| bucket == target.bucket)
    {
        let bucket = target.bucket;
        return Err(S3Error::NoSuchBucket { bucket });
    }
    reject_unsupported(&fields)?;
    match parts.method {
        Method::PUT => put(state, &fields, target, owner, body).await,
        Method::HEAD => head(state, parts, &target, owner).await,
        _ => get(state, parts, &target, owner).await,
    }
}

/// Refuses a presigned URL that comes with an `Authorization` header.
fn refuse_two_mechanisms(fields: &RequestFields<'_>) -> Result<(), S3Error> {
    let mut of_signature = ["x-amz-algorithm", "x-amz-signature", "signature"].into_iter();
    let is_presigned = of_signature.any(|name| fields.parameter(name).is_some());
    match fields.header(header::AUTHORIZATION.as_str()) {
        Some(authorization) if is_presigned => Err(S3Error::TwoAuthMechanisms { authorization }),
        _ => Ok(()),
    }
}

/// Lets the request in, or not, by its signature.
fn verify_signature(state: &Services, parts: &Parts, now: Timestamp) -> Result<(), S3Error> {
    let header = |name: &str| {
        let values = parts.headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    };
    // Where a proxy is believed, URLs are made for the host that it says was called.
    let trusted = state.config.trust_forwarded;
    let called_host = trusted.then(|| origin_host(&parts.headers, true)).flatten();
    let host = called_host
        .or_else(|| header("host"))
        .or_else(|| parts.uri.authority().map(ToString::to_string));
    let request = presign::Request {
        method: parts.method.as_str(),
        path: sent_path(&parts.extensions, &parts.uri),
        query: parts.uri.query().unwrap_or_default(),
        host: host.as_deref().unwrap_or_default(),
        header: &header,
    };
    state
        .signer
        .verify(&request, now, &state.hosts, state.config.strict_host)
        .map_err(|refusal| S3Error::Refused { refusal, now })
}

/// Refuses what S3 has and the server has not, where taking it for a plain request would go wrong.
fn reject_unsupported(fields: &RequestFields<'_>) -> Result<(), S3Error> {
    let subresource = SUBRESOURCES
        .into_iter()
        .find(|name| fields.parameter(&name.to_ascii_lowercase()).is_some());
    let write = || {
        OTHER_WRITES
            .into_iter()
            .find(|name| fields.get(name).is_some())
    };
    if let Some(name) = subresource.or_else(write) {
        let reason = format!("{name}: not served; use a plain presigned PUT or GET");
        return Err(S3Error::NotImplemented { name, reason });
    }
    refuse_framing(fields)
}

/// The answer to a method that objects do not have, or a path that names none.
pub(super) fn not_allowed(request: &Request) -> Response<Body> {
    let method = request.method();
    let target = Target::of(request.uri().path());
    let key = key_of(&target);
    let error = target.err().unwrap_or_else(|| S3Error::MethodNotAllowed {
        method: method.clone(),
        on_object: key.is_some(),
    });
    let mut response = with_request_id(|id| error.answer(method, key.as_deref(), id));
    explain(request.extensions(), &mut response);
    response
}

/// Returns the response to a request without a valid `Host` header.
pub(super) fn bad_host(method: &Method, uri: &Uri, line: &str) -> Response<Body> {
    let key = key_of(&Target::of(uri.path()));
    let error = S3Error::BadHost(line.to_owned());
    with_request_id(|id| error.answer(method, key.as_deref(), id))
}

/// The answer where a handler of ours panicked.
pub(super) fn panicked() -> Response<Body> {
    let panic = std::io::Error::other("a handler panicked");
    with_request_id(|id| S3Error::internal(panic).answer(&Method::GET, None, id))
}

/// The answer that `make` makes for the next request id: 16 hex digits in upper case, as S3's
/// are; counted, so that a log can be read along.
fn with_request_id(make: impl FnOnce(&str) -> Response<Body>) -> Response<Body> {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let id = format!("{:016X}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut response = make(&id);
    insert(response.headers_mut(), REQUEST_ID, &id);
    response
}

/// The key, as far as there is one to tell.
fn key_of(target: &Result<Target, S3Error>) -> Option<String> {
    let key = &target.as_ref().ok()?.key;
    (!key.is_empty()).then(|| key.clone())
}
