//! JSON bodies, as the vendor's framework takes them.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;

use super::error::{ApiError, ErrorCode};
use super::problem::ValidationError;
use super::python_json::{self, PyValue, ReadError};
use crate::http::{AppState, read_json};

/// What is refused for a body, but for its fields.
pub const BODY_ERRORS: [ErrorCode; 2] = [ErrorCode::RequestCutShort, ErrorCode::RequestTooLarge];

/// A JSON body of any shape; null where there is none.
#[derive(Debug)]
pub struct JsonValueBody(pub PyValue);

impl FromRequest<AppState> for JsonValueBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let (bytes, sent_as_json) = read_json(&parts.headers, body).await?;
        if bytes.is_empty() {
            return Ok(Self(PyValue::Null));
        }
        // The framework reads a body without a Content-Type as JSON.
        let content_type = parts.headers.get(CONTENT_TYPE);
        if !sent_as_json && content_type.is_some_and(|value| !value.is_empty()) {
            // The framework hands its schema the bytes as they are.
            let refusal = ApiError::validation(vec![ValidationError::not_an_object()]);
            return Err(refusal.with_detail("Content-Type: is not application/json"));
        }
        python_json::read(&bytes)
            .map(Self)
            .map_err(|error| match error {
                ReadError::NotReadable(why) => ApiError::unreadable_body(why),
                ReadError::Syntax(error) => {
                    ApiError::validation(vec![ValidationError::malformed_json(*error)])
                }
            })
    }
}
