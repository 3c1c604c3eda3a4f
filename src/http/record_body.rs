//! Records bodies and headers in the journal.

use axum::body::Body;
use axum::http::HeaderMap;
use http_body_util::BodyExt;

use crate::services::journal::{PackedHeaders, Recording};

/// Returns a body that records its bytes as they are read. Returns `body` itself if it is empty, or if
/// `record` returns `None`.
pub(super) fn record_body(body: Body, record: impl FnOnce() -> Option<Recording>) -> Body {
    if http_body::Body::is_end_stream(&body) {
        return body;
    }
    match record() {
        Some(mut recording) => Body::new(body.inspect_frame(move |frame| {
            if let Some(piece) = frame.data_ref() {
                recording.push(piece);
            }
        })),
        None => body,
    }
}

/// Returns the headers in the journal's compact form.
pub(super) fn packed_headers(headers: &HeaderMap) -> PackedHeaders {
    PackedHeaders::new(|| {
        let lines = headers.iter();
        lines.map(|(name, value)| (name.as_str(), value.as_bytes()))
    })
}
