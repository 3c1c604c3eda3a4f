//! JSON responses.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::InternalFault;

/// Initial capacity of the buffer. Most responses fit, so the buffer does not grow. axum's own `Json`
/// starts with 128 bytes.
const INITIAL_CAPACITY_BYTES: usize = 2_048;

/// Response body in JSON, in place of axum's `Json`. A value that cannot be serialised becomes an
/// [`InternalFault`].
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(INITIAL_CAPACITY_BYTES);
        if let Err(error) = serde_json::to_writer(&mut body, &self.0) {
            let fault = InternalFault(format!("serialising the response failed: {error}"));
            let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            response.extensions_mut().insert(fault);
            return response;
        }
        let media_type = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, media_type)], body).into_response()
    }
}
