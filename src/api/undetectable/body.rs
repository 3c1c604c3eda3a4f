//! JSON bodies, as the vendor's framework takes them.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;

use super::error::{Code, Refusal};
use super::problem::Problem;
use super::python_json::{self, ReadError, Value};
use crate::http::{Context, read_json};

/// What is refused for a body, but for its fields.
pub const REFUSES: [Code; 2] = [Code::RequestCutShort, Code::RequestTooLarge];

/// A JSON body of any shape; null where there is none.
#[derive(Debug)]
pub struct Sent(pub Value);

impl FromRequest<Context> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Context) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let (bytes, sent_as_json) = read_json(&parts.headers, body).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Null));
        }
        // The framework reads a body without a Content-Type as JSON.
        let content_type = parts.headers.get(CONTENT_TYPE);
        if !sent_as_json && content_type.is_some_and(|value| !value.is_empty()) {
            // The framework hands its schema the bytes as they are.
            let refusal = Refusal::unfit(vec![Problem::no_object()]);
            return Err(refusal.because("Content-Type: is not application/json"));
        }
        python_json::read(&bytes)
            .map(Self)
            .map_err(|error| match error {
                ReadError::NotReadable(why) => Refusal::unreadable_body(why),
                ReadError::Syntax(error) => Refusal::unfit(vec![Problem::malformed_json(*error)]),
            })
    }
}
