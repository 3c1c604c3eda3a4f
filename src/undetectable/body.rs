//! JSON bodies, as the vendor's framework takes them.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use serde_json::Value;

use super::error::{Code, Refusal};
use super::fields::Problem;
use crate::web::{Context, read_json};

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
        if !sent_as_json && parts.headers.contains_key(CONTENT_TYPE) {
            // The framework hands its schema the bytes as they are.
            let refusal = Refusal::unfit(vec![Problem::no_object()]);
            return Err(refusal.because("Content-Type: is not application/json"));
        }
        parse(&bytes)
            .map(Self)
            .map_err(|problem| Refusal::unfit(vec![problem]))
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        // Lines and columns of theirs count bytes; the vendor's count characters.
        let (line, column) = (error.line().max(1), error.column().max(1));
        let before = bytes.split_inclusive(|byte| *byte == b'\n').take(line - 1);
        let begin = before.map(<[u8]>::len).sum::<usize>().min(bytes.len());
        let end = (begin + column - 1).min(bytes.len());
        let chars = |part: &[u8]| String::from_utf8_lossy(part).chars().count();
        Problem::no_json(line, chars(&bytes[begin..end]) + 1, chars(&bytes[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_told_where() {
        let told = |bytes: &[u8]| parse(bytes).map_err(|problem| problem.line());
        assert_eq!(told(b"{}"), Ok(serde_json::json!({})));
        let line = "body.0: Expecting value: line 1 column 1 (char 0)";
        assert_eq!(told(b"<html>"), Err(line.to_owned()));
        let line = "body.7: Expecting value: line 2 column 6 (char 7)";
        assert_eq!(told("{\n\"é\": ?}".as_bytes()), Err(line.to_owned()));
    }
}
