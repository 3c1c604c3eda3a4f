//! API of Undetectable AI's image detector, as `contract/undetectable.md` describes it.
//!
//! Each resource has one file with its routes, handlers and OpenAPI docs. The vendor runs `FastAPI`:
//! `fields`, `validation_error`, `python_json` and `python_float` reproduce its habits.

mod accept;
mod analysis;
mod assets;
mod auth;
mod body;
mod bulk;
mod credits;
mod detect;
mod document;
mod error;
mod fields;
mod health;
mod openapi;
mod presign;
mod profile;
mod python_float;
mod python_json;
mod query;
mod source_file;
mod unknown_route;
mod validation_error;
mod verdict;
mod warnings;
mod wire;

use axum::response::{IntoResponse, Response};

use crate::http::{AppState, INTERNAL_ERROR, Routes};
pub use auth::resolve_account;
use error::ApiError;
pub use error::ErrorCode;
pub use openapi::description;
pub use profile::PROFILE;
pub use unknown_route::unknown_route;

/// Returns the operations of this API. Without a `state`, the operations can be listed but not served.
#[must_use]
pub fn routes(state: Option<AppState>) -> Routes {
    let resources = [
        presign::routes,
        detect::routes,
        query::routes,
        bulk::routes,
        credits::routes,
        assets::routes,
        health::routes,
        openapi::routes,
    ];
    let routes = Routes::new(state).account_resolver(resolve_account);
    resources
        .into_iter()
        .fold(routes, |routes, add_resource| add_resource(routes))
}

/// Result of a handler.
type UndetectableResult = Result<Response, ApiError>;

/// Returns the response to a request without a valid `Host` header.
#[must_use]
pub fn bad_host(message: &str) -> Response {
    ApiError::new(ErrorCode::InvalidHost, message).into_response()
}

/// Returns the response to a request whose handler panicked.
#[must_use]
pub fn panicked() -> Response {
    ApiError::new(ErrorCode::Internal, INTERNAL_ERROR).into_response()
}
