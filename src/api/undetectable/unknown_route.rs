//! Requests on no route: 404, 405, or a redirect of a path that ends in `/`.

use std::sync::LazyLock;

use axum::http::header::{HeaderValue, LOCATION};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::routes;
use crate::http::{Operation, RequestContext, Services};

/// Returns the response to a request for an unknown path, or with a method that the path does not have.
#[must_use]
pub fn unknown_route(
    state: &Services,
    request_context: &RequestContext,
    method: &Method,
    uri: &Uri,
) -> Response {
    redirect_slashes(state, request_context, uri).unwrap_or_else(|| route_error(method, uri))
}

/// Returns a redirect to `uri` without the slashes at the end of its path, as Starlette's
/// `redirect_slashes` does. The query stays. `None` if that path has no route, or if the request's host is
/// malformed.
fn redirect_slashes(
    state: &Services,
    request_context: &RequestContext,
    uri: &Uri,
) -> Option<Response> {
    let path = uri.path().strip_suffix('/')?.trim_end_matches('/');
    routes_at(path).next()?;
    let origin = request_context.origin(state.config.trust_forwarded).ok()?;
    let mut location = origin + path;
    if let Some(query) = uri.query().filter(|query| !query.is_empty()) {
        location = location + "?" + query;
    }
    let location = HeaderValue::from_bytes(location.as_bytes()).ok()?;
    Some((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response())
}

fn route_error(method: &Method, uri: &Uri) -> Response {
    let path = uri.path();
    let methods: Vec<String> = routes_at(path)
        .map(|operation| operation.method.to_string())
        .collect();
    let error = if methods.is_empty() {
        ApiError::not_found(format!("no such route: {method} {path}"))
    } else {
        let allow = methods.join(", ");
        let reason = format!("no such route: {method} {path}; try {allow} {path}");
        ApiError::method_not_allowed(&allow, reason)
    };
    error.into_response()
}

/// Returns the operations at `path`, one per method.
fn routes_at(path: &str) -> impl Iterator<Item = &'static Operation> {
    static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| routes(None).operations());
    let operations = OPERATIONS.iter();
    operations.filter(move |operation| path_matches(operation.path, path))
}

/// Returns `true` if `path` is one of the route's. A parameter of the route matches one segment.
fn path_matches(route: &str, path: &str) -> bool {
    let (route_segments, path_segments) = (route.split('/'), path.split('/'));
    let matches = |(route_segment, segment): (&str, &str)| {
        route_segment == segment || (route_segment.starts_with('{') && !segment.is_empty())
    };
    route_segments.clone().count() == path_segments.clone().count()
        && route_segments.zip(path_segments).all(matches)
}

#[cfg(test)]
mod tests {
    use axum::http::header::ALLOW;

    use super::*;

    #[test]
    fn route_error_of_another_method_allows_the_methods_of_the_path() {
        for path in ["/detect?x=1", "/preview/x"] {
            let response = route_error(&Method::GET, &path.parse().expect("a path"));
            assert_eq!(response.status(), 405, "{path}");
            assert_eq!(response.headers()[ALLOW], "POST", "{path}");
        }
    }

    #[test]
    fn route_error_of_an_unknown_path_is_404_without_allow() {
        for path in ["/preview", "/preview/", "/preview/x/y", "/detect/"] {
            let response = route_error(&Method::GET, &Uri::from_static(path));
            assert_eq!(response.status(), 404, "{path}");
            assert!(!response.headers().contains_key(ALLOW), "{path}");
        }
    }
}
