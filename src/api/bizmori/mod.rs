//! API of BIZ MORI, as `contract/bizmori.md` describes it: orders, reports and webhooks.
//!
//! `v2` and `v3` hold the routes of each version, one file per resource. Both versions share keys,
//! errors, request bodies, event bodies, and the uploads and samples of test keys.

mod auth;
mod create;
mod error;
mod events;
mod fixtures;
mod openapi;
mod orders;
mod profile;
mod request;
mod test_samples;
mod test_uploads;
mod token;
mod uploads;
mod v2;
mod v3;
mod wire;

use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::{AppState, INTERNAL_ERROR, Json, Routes};
pub use auth::resolve_account;
use error::ApiError;
pub use error::ErrorCode;

pub use openapi::description;
pub use profile::PROFILE;

/// Returns the operations of this API. Without a `state`, the operations can be listed but not served.
#[must_use]
pub fn routes(state: Option<AppState>) -> Routes {
    let resources = [
        v2::routes,
        test_uploads::routes,
        test_samples::routes,
        v3::routes,
    ];
    let routes = Routes::new(state).account_resolver(resolve_account);
    resources
        .into_iter()
        .fold(routes, |routes, add_resource| add_resource(routes))
}

/// Result of a handler.
type BizmoriResult = Result<Response, ApiError>;

/// Returns the response `{"data": …}`, status 200.
fn data_response<T: Serialize>(data: T) -> Response {
    Json(wire::DataEnvelope { data }).into_response()
}

/// Returns the response to a request for an unknown path, or with a method that the path does not have.
#[must_use]
pub fn unknown_route(method: &Method, uri: &Uri) -> Response {
    ApiError::new(
        ErrorCode::ResourceNotFound,
        format!("no such route: {method} {}", uri.path()),
    )
    .into_response()
}

/// Returns the response to a request without a valid `Host` header.
#[must_use]
pub fn bad_host(message: &str) -> Response {
    ApiError::invalid(message).into_response()
}

/// Returns the response to a preflight of a page whose origin is not allowed.
#[must_use]
pub fn forbidden_origin(message: &str) -> Response {
    ApiError::new(ErrorCode::AuthForbidden, message).into_response()
}

/// Returns the response to a request whose handler panicked.
#[must_use]
pub fn panicked() -> Response {
    ApiError::new(ErrorCode::ServerInternalError, INTERNAL_ERROR).into_response()
}
