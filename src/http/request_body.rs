//! Request bodies with a limit on the time between two pieces.
//!
//! The limit applies only while the body is read, so a handler may start reading late. A slow upload
//! passes as long as bytes arrive.
//!
//! [`ReadState`] tells the server whether a body was read to its end. If it was not, the server closes
//! the connection after the response.

use std::error::Error;
use std::fmt::{self, Display};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

type BoxError = Box<dyn Error + Send + Sync>;

/// Error of a request body of which no byte arrived within `timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyStalled {
    pub timeout: Duration,
}

impl BodyStalled {
    /// Returns the stall among the causes of `error`. `None` if the error has another cause.
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(stalled) = error.downcast_ref::<Self>() {
                return Some(*stalled);
            }
            next = error.source();
        }
        None
    }
}

impl Display for BodyStalled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.timeout.as_millis();
        write!(
            formatter,
            "no byte of the body was received for {ms} ms (--body-timeout-ms)"
        )
    }
}

impl Error for BodyStalled {}

/// Progress of reading a request body.
#[derive(Debug, Default)]
pub(super) struct ReadState {
    has_stalled: AtomicBool,
    has_ended: AtomicBool,
}

impl ReadState {
    /// `true` if the whole body was read. `false` if reading has not ended, stalled or failed.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }
}

/// A request body that fails with [`BodyStalled`] if no piece arrives within the timeout.
pub(super) struct RequestBody<B> {
    inner: B,
    timeout: Option<Duration>,
    wait: Option<Pin<Box<Sleep>>>,
    state: Arc<ReadState>,
}

impl<B> RequestBody<B> {
    /// Wraps an unread body, which updates `state` as it is read.
    pub(super) fn new(inner: B, timeout: Option<Duration>, state: Arc<ReadState>) -> Self {
        Self {
            inner,
            timeout,
            wait: None,
            state,
        }
    }

    fn has_stalled(&self) -> bool {
        self.state.has_stalled.load(Ordering::Relaxed)
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.has_stalled() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(polled) = Pin::new(&mut self.inner).poll_frame(context) {
            self.wait = None;
            let is_end = match &polled {
                None => true,
                Some(frame) => frame.is_ok() && self.inner.is_end_stream(),
            };
            self.state.has_ended.fetch_or(is_end, Ordering::Relaxed);
            return Poll::Ready(polled.map(|frame| frame.map_err(Into::into)));
        }
        let Some(timeout) = self.timeout else {
            return Poll::Pending;
        };
        let wait = self
            .wait
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if wait.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.state.has_stalled.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(BodyStalled { timeout }.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.has_stalled() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    type Piece = Result<Frame<Bytes>, BoxError>;
    type Sender = tokio::sync::mpsc::UnboundedSender<Piece>;

    /// Returns a body and the sender of its pieces.
    fn body(
        timeout: Duration,
    ) -> (
        RequestBody<impl Body<Data = Bytes, Error = BoxError>>,
        Sender,
    ) {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let pieces = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
        let inner = StreamBody::new(pieces);
        let body = RequestBody::new(inner, Some(timeout), Arc::default());
        (body, sender)
    }

    fn piece() -> Frame<Bytes> {
        Frame::data(Bytes::from_static(b"piece"))
    }

    #[tokio::test]
    async fn read_of_stalled_body_fails_once_and_then_ends() {
        let (mut body, sender) = body(Duration::from_millis(1));
        sender.send(Ok(piece())).expect("a receiver");
        assert!(body.frame().await.expect("a frame").is_ok());
        let error = body.frame().await.expect("an error").expect_err("a stall");
        let expected = BodyStalled {
            timeout: Duration::from_millis(1),
        };
        assert_eq!(BodyStalled::find(error.as_ref()), Some(expected));
        assert_eq!(
            BodyStalled::find(&axum::Error::new(axum::Error::new(error))),
            Some(expected)
        );
        assert!(body.frame().await.is_none());
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn has_ended_is_true_only_after_a_complete_read() {
        let cases: [(Vec<Piece>, bool); 3] = [
            (vec![Ok(piece())], true),
            (vec![], true),
            (vec![Ok(piece()), Err("broken".into())], false),
        ];
        for (pieces, expected) in cases {
            let inner = StreamBody::new(futures_util::stream::iter(pieces));
            let state = Arc::new(ReadState::default());
            let mut body = RequestBody::new(inner, None, Arc::clone(&state));
            assert!(!state.has_ended());
            while let Some(Ok(_)) = body.frame().await {}
            assert_eq!(state.has_ended(), expected);
        }
    }

    #[tokio::test]
    async fn timeout_starts_again_after_each_piece() {
        let (mut body, sender) = body(Duration::MAX);
        assert!(body.frame().now_or_never().is_none());
        assert!(body.wait.is_some(), "no timeout is running");
        sender.send(Ok(piece())).expect("a receiver");
        assert!(body.frame().await.expect("a frame").is_ok());
        assert!(body.wait.is_none(), "the old timeout is still running");
        drop(sender);
        assert!(body.frame().await.is_none());
    }
}
