//! Redirects from paths that have a `/` too many at their end, as `FastAPI` (Starlette's
//! `redirect_slashes`) makes them.

use axum::http::header::{HeaderValue, LOCATION};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::has_route;
use crate::http::{RequestContext, Services};

/// Returns a redirect to `uri` without the slashes at the end of its path, the query kept. `None` if that
/// path is no route, by any method, or if the request's host is malformed.
pub fn redirect(state: &Services, request: &RequestContext, uri: &Uri) -> Option<Response> {
    let path = uri.path().strip_suffix('/')?.trim_end_matches('/');
    if !has_route(path) {
        return None;
    }
    let mut location = request.origin(state.config.trust_forwarded).ok()? + path;
    if let Some(query) = uri.query().filter(|query| !query.is_empty()) {
        location = location + "?" + query;
    }
    let location = HeaderValue::from_bytes(location.as_bytes()).ok()?;
    Some((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response())
}
