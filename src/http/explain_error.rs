//! `_mock` in error bodies, for clients that show only bodies: the text of `X-Mock-Reason`.

use axum::body::{Body, to_bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use serde_json::Value;

use super::Services;
use super::browser::Area;
use super::explain_headers::X_MOCK_REASON;

/// Name of the field.
const FIELD: &str = "_mock";
/// Maximum size of an error body. No error of a vendor comes near.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Adds the reason of an error as the last field to its body, if the setting `explain_errors` is on and
/// the body is a JSON object. Returns all other responses unchanged. Errors of the control plane have a
/// message already.
pub(super) async fn explain_error(state: &Services, area: Area, response: Response) -> Response {
    if !state.config.control.explain_errors
        || area == Area::Control
        || response.status().as_u16() < 400
    {
        return response;
    }
    let headers = response.headers();
    let is_json = headers
        .get(CONTENT_TYPE)
        .is_some_and(|media_type| media_type == "application/json");
    let header_text = headers.get(X_MOCK_REASON).map(HeaderValue::to_str);
    let Some(Ok(reason)) = header_text.filter(|_| is_json) else {
        return response;
    };
    let reason = Value::from(reason).to_string();
    let (mut parts, body) = response.into_parts();
    // Fails only beyond the maximum, as the body is in memory.
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let body = match with_field(&bytes, &reason) {
        None => Body::from(bytes),
        Some(explained) => {
            parts.headers.remove(CONTENT_LENGTH);
            Body::from(explained)
        }
    };
    Response::from_parts(parts, body)
}

/// Appends the field with the JSON text `reason` to an object. `None` if `body` is no object.
fn with_field(body: &[u8], reason: &str) -> Option<Vec<u8>> {
    let fields = body.strip_prefix(b"{")?.strip_suffix(b"}")?;
    let comma: &[u8] = if fields.is_empty() { b"" } else { b"," };
    let field = format!("\"{FIELD}\":{reason}}}");
    Some([b"{", fields, comma, field.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_field_appends_to_objects_only() {
        let added = |body: &str| {
            let bytes = with_field(body.as_bytes(), r#""why""#);
            bytes.map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
        };
        assert_eq!(added("{}").as_deref(), Some(r#"{"_mock":"why"}"#));
        assert_eq!(
            added(r#"{"detail":[{"a":1}]}"#).as_deref(),
            Some(r#"{"detail":[{"a":1}],"_mock":"why"}"#)
        );
        for other in ["", "[]", "\"{}\"", "{"] {
            assert_eq!(added(other), None, "{other}");
        }
    }
}
