//! What is answered to a post.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};

use super::overrides::content;
use crate::model::rule::StubResponse;

/// Headers that are kept,
const HEADERS_MAX: usize = 64;
/// and bytes of their names and values.
const HEADERS_BYTES_MAX: usize = 8 * 1024;
/// So much of the body is read,
const BODY_BYTES_MAX: usize = 4 * 1024;
/// and so long: the status counts, whatever becomes of the body.
const BODY_TIMEOUT: Duration = Duration::from_millis(500);

/// An answer; of its body, the begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookResponse {
    pub status: u16,
    /// What came more than once is joined by a comma.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// `true` if there was more than is kept.
    pub is_clipped: bool,
}

impl WebhookResponse {
    pub(super) async fn read(mut response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let (headers, mut is_clipped) = clip_body(response.headers());
        let mut body = Vec::new();
        let begin = async {
            while let Ok(Some(piece)) = response.chunk().await {
                let room = BODY_BYTES_MAX - body.len();
                body.extend_from_slice(&piece[..piece.len().min(room)]);
                if piece.len() > room {
                    is_clipped = true;
                    break;
                }
            }
        };
        // What has not come by then is left out.
        let _ = tokio::time::timeout(BODY_TIMEOUT, begin).await;
        Self {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            is_clipped,
        }
    }
}

/// Returns the first headers, within [`HEADERS_MAX`] and [`HEADERS_BYTES_MAX`], and `true` if there
/// are more. The value that goes over the limit is cut.
fn clip_body(came: &HeaderMap) -> (BTreeMap<String, String>, bool) {
    let mut headers = HeaderMap::new();
    let mut room = HEADERS_BYTES_MAX;
    let mut is_clipped = false;
    for (name, value) in came {
        if headers.len() == HEADERS_MAX || room < name.as_str().len() {
            is_clipped = true;
            break;
        }
        room -= name.as_str().len();
        let bytes = value.as_bytes();
        let begin = &bytes[..bytes.len().min(room)];
        room -= begin.len();
        is_clipped |= begin.len() < bytes.len();
        if let Ok(begin) = HeaderValue::from_bytes(begin) {
            headers.append(name, begin);
        }
    }
    (join_headers(&headers), is_clipped)
}

/// Headers by name; what came more than once is joined by a comma.
pub(super) fn join_headers(came: &HeaderMap) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in came {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.to_string())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    headers
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
