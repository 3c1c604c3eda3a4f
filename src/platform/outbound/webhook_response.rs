//! Responses of webhook receivers, with limits on headers and body.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};

use super::overrides::content;
use crate::model::rule::StubResponse;

/// Number of stored headers.
const HEADERS_MAX: usize = 64;
/// Size of the stored headers: names and values.
const HEADERS_BYTES_MAX: usize = 8 * 1024;
/// Size of the stored part of the body.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// Longest time in which the body is read. The status decides the result of the attempt, so an incomplete
/// body is no error.
const BODY_TIMEOUT: Duration = Duration::from_millis(500);

/// A response, with the start of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookResponse {
    pub status: u16,
    /// Values of headers with the same name are joined by commas.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// `true` if headers or body exceeded the limits and were cut.
    pub is_clipped: bool,
}

impl WebhookResponse {
    pub(super) async fn read(mut response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let (headers, mut is_clipped) = clip_headers(response.headers());
        let mut body = Vec::new();
        let read_body = async {
            while let Ok(Some(piece)) = response.chunk().await {
                let room = BODY_BYTES_MAX - body.len();
                body.extend_from_slice(&piece[..piece.len().min(room)]);
                if piece.len() > room {
                    is_clipped = true;
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(BODY_TIMEOUT, read_body).await;
        Self {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            is_clipped,
        }
    }
}

/// Returns the first headers within [`HEADERS_MAX`] and [`HEADERS_BYTES_MAX`], and `true` if there are
/// more. A value that exceeds the limit is cut.
fn clip_headers(headers: &HeaderMap) -> (BTreeMap<String, String>, bool) {
    let mut clipped = HeaderMap::new();
    let mut room = HEADERS_BYTES_MAX;
    let mut is_clipped = false;
    for (name, value) in headers {
        if clipped.len() == HEADERS_MAX || room < name.as_str().len() {
            is_clipped = true;
            break;
        }
        room -= name.as_str().len();
        let bytes = value.as_bytes();
        let prefix = &bytes[..bytes.len().min(room)];
        room -= prefix.len();
        is_clipped |= prefix.len() < bytes.len();
        if let Ok(prefix) = HeaderValue::from_bytes(prefix) {
            clipped.append(name, prefix);
        }
    }
    (join_headers(&clipped), is_clipped)
}

/// Returns the headers by name. Values of headers with the same name are joined by commas.
pub(super) fn join_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.to_string())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    joined
}

impl From<&StubResponse> for WebhookResponse {
    fn from(respond: &StubResponse) -> Self {
        let (body, media_type) = content(respond);
        let mut headers: BTreeMap<String, String> = respond
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        if let Some(media_type) = media_type {
            headers.insert("content-type".to_owned(), media_type.to_owned());
        }
        Self {
            status: respond.status,
            headers,
            body: body.to_owned(),
            is_clipped: false,
        }
    }
}
