//! Undetectable AI's image detector, as `contract/undetectable.md` has it.

use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::web::{Context, Routes};

/// The operations of this front door.
#[must_use]
pub fn routes(context: Option<Context>) -> Routes {
    Routes::new(context)
}

/// The answer to a route there is not.
#[must_use]
pub fn unknown_route(_: &Method, _: &Uri) -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// The answer where a handler of ours panicked.
#[must_use]
pub fn panicked() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
