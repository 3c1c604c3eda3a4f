//! Drains request bodies that a handler did not read, within limits, before the response is sent.
//!
//! Without this, a response before the end of the body would close the connection while the client is
//! still sending. The client would get a broken pipe instead of the response, now or at its next
//! request.
//!
//! A client that waits for `100 Continue` sends no body, so there is nothing to drain. Such a
//! client gets the response instead of the `100`, with `Connection: close`.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Version;
use axum::http::header::EXPECT;
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

const DRAIN_BYTES_MAX: usize = 64 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Slot for a request body that its handler dropped. `None` if nothing is left to drain.
#[derive(Debug, Clone, Default)]
pub struct UnreadBody(Arc<Mutex<Option<Body>>>);

/// `true` if the client sends the body only after a `100 Continue` (RFC 9110 §10.1.1), which hyper sends
/// when the body is first read.
fn expects_continue(request: &Request) -> bool {
    let expect = request.headers().get(EXPECT);
    expect.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
        && request.version() > Version::HTTP_10
}

impl UnreadBody {
    /// Returns the request with a body that returns to the slot when it is dropped, and the slot.
    #[must_use]
    pub fn capture(request: Request) -> (Request, Self) {
        let slot = Self::default();
        if http_body::Body::is_end_stream(request.body()) {
            return (request, slot);
        }
        let is_expected = !expects_continue(&request);
        let unread = slot.clone();
        let request = request.map(|body| {
            Body::new(ReturnOnDropBody {
                body,
                is_expected,
                unread,
            })
        });
        (request, slot)
    }

    /// Reads and discards the rest of the body, up to [`DRAIN_BYTES_MAX`] and [`DRAIN_TIMEOUT`].
    pub async fn drain(self) {
        let unread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = unread.filter(|body| !http_body::Body::is_end_stream(body)) else {
            return;
        };
        let read_all = async {
            let mut bytes = 0;
            while bytes < DRAIN_BYTES_MAX
                && let Some(Ok(frame)) = body.frame().await
            {
                bytes += frame.data_ref().map_or(0, Buf::remaining);
            }
        };
        // The connection closes if the body is longer or slower, as it would without draining.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, read_all).await;
    }
}

/// Request body that returns to its slot when dropped.
struct ReturnOnDropBody {
    body: Body,
    /// `false` while the client waits for `100 Continue` and therefore sends no body.
    is_expected: bool,
    unread: UnreadBody,
}

impl http_body::Body for ReturnOnDropBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_expected = true;
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ReturnOnDropBody {
    fn drop(&mut self) {
        if !self.is_expected {
            return;
        }
        let body = std::mem::take(&mut self.body);
        *self.unread.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }
}
