//! JSON bodies, as `FastAPI` reads them.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;

use super::error::{ApiError, ErrorCode};
use super::python_json::{self, PyValue, ReadError};
use super::validation_error::ValidationError;
use crate::http::{AppState, read_json};

/// Errors of reading a body, whatever its fields.
pub const BODY_ERRORS: [ErrorCode; 2] = [ErrorCode::RequestCutShort, ErrorCode::RequestTooLarge];

/// JSON body of any shape. Null if there is no body.
#[derive(Debug)]
pub struct JsonValueBody(pub PyValue);

impl FromRequest<AppState> for JsonValueBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let (bytes, is_json) = read_json(&parts.headers, body).await?;
        if bytes.is_empty() {
            return Ok(Self(PyValue::Null));
        }
        // The framework reads a body without a Content-Type as JSON.
        let content_type = parts.headers.get(CONTENT_TYPE);
        if !is_json && content_type.is_some_and(|value| !value.is_empty()) {
            // The framework validates the bytes as they are, which are not an object.
            let error = ApiError::validation(vec![ValidationError::not_an_object()]);
            return Err(error.with_reason("Content-Type: expected application/json"));
        }
        python_json::read(&bytes)
            .map(Self)
            .map_err(|error| match error {
                ReadError::NotReadable(reason) => ApiError::unreadable_body(reason),
                ReadError::Syntax(error) => {
                    ApiError::validation(vec![ValidationError::malformed_json(*error)])
                }
            })
    }
}
