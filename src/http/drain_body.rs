//! What a handler left of a request's body.
//!
//! An answer that comes before the body was read would close the connection under a client that
//! is still sending, which then meets a broken pipe in place of the answer, now or at its next
//! request. So what is left is read on, within bounds, before the answer goes out. A client that
//! still waits for `100 Continue` sends nothing, and nothing of it is read: the answer is instead of
//! that, and the server then says `Connection: close`.

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

/// Slot for a request body that its handler let go. `None` if nothing is left to drain.
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
    /// The request, its body such that what is left of it comes back here.
    #[must_use]
    pub fn capture(request: Request) -> (Request, Self) {
        let leftover = Self::default();
        if http_body::Body::is_end_stream(request.body()) {
            return (request, leftover);
        }
        let is_awaited = !expects_continue(&request);
        let lent = leftover.clone();
        (
            request.map(|body| {
                Body::new(ReturnOnDropBody {
                    body,
                    is_awaited,
                    unread: lent,
                })
            }),
            leftover,
        )
    }

    /// Reads on what was left.
    pub async fn drain(self) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = left.filter(|body| !http_body::Body::is_end_stream(body)) else {
            return;
        };
        let all = async {
            let mut bytes = 0;
            while bytes < DRAIN_BYTES_MAX
                && let Some(Ok(frame)) = body.frame().await
            {
                bytes += frame.data_ref().map_or(0, Buf::remaining);
            }
        };
        // What takes longer is cut off, as it would have been without us.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, all).await;
    }
}

struct ReturnOnDropBody {
    body: Body,
    /// `true` if the client sends the body, or will.
    is_awaited: bool,
    unread: UnreadBody,
}

impl http_body::Body for ReturnOnDropBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_awaited = true;
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
        if !self.is_awaited {
            return;
        }
        let body = std::mem::take(&mut self.body);
        *self.unread.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }
}
