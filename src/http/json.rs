//! JSON answers.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::InternalFault;

/// Most answers have room in so many bytes: they are written once, into one buffer. (axum's own
/// begins with 128 and grows, piece by piece through `BytesMut`.)
const INITIAL_CAPACITY_BYTES: usize = 2_048;

/// An answer of that shape.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(INITIAL_CAPACITY_BYTES);
        if let Err(error) = serde_json::to_writer(&mut body, &self.0) {
            let fault = InternalFault(format!("the response cannot be serialised: {error}"));
            let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            response.extensions_mut().insert(fault);
            return response;
        }
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], body).into_response()
    }
}
