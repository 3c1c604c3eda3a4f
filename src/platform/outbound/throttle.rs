//! Rate limit of bytes, for the fault `drip` of responses and outbound calls.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// Pieces per second. A rate below 10 bytes per second has fewer pieces, of one byte each.
const PIECES_PER_SECOND: u32 = 10;
/// Longest delay that is caught up by sending faster.
const CATCH_UP_MAX: Duration = Duration::from_millis(100);

/// Limits the rate of bytes. The first piece may be sent at once.
#[derive(Debug)]
pub struct Throttle {
    bytes_per_second: u32,
    /// Time at which the next piece may be sent.
    due: Instant,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Throttle {
    /// Creates a throttle with a rate of at least one byte per second.
    #[must_use]
    pub fn new(bytes_per_second: u32) -> Self {
        Self {
            bytes_per_second: bytes_per_second.max(1),
            due: Instant::now(),
            wait: None,
        }
    }

    /// Returns the largest size of a piece.
    #[must_use]
    pub fn piece_bytes(&self) -> usize {
        let bytes = (self.bytes_per_second / PIECES_PER_SECOND).max(1);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Ready when the next piece may be sent.
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
        Poll::Ready(())
    }

    /// Records that `bytes` bytes have been sent, and computes when the next piece may be sent.
    pub fn consume(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let duration = Duration::from_secs_f64(f64::from(bytes) / f64::from(self.bytes_per_second));
        let now = Instant::now();
        let earliest = now.checked_sub(CATCH_UP_MAX).unwrap_or(now);
        self.due = self.due.max(earliest) + duration;
        self.wait = (self.due > now).then(|| Box::pin(tokio::time::sleep_until(self.due)));
    }

    /// Waits until the next piece may be sent.
    pub(super) async fn ready(&mut self) {
        std::future::poll_fn(|context| self.poll_ready(context)).await;
    }
}

/// Body that is sent at a limited rate.
pub(super) struct ThrottledBody<B> {
    inner: B,
    throttle: Throttle,
    /// Bytes of the inner body that may not be sent yet.
    buffered: Bytes,
}

impl<B> ThrottledBody<B> {
    pub(super) fn new(inner: B, throttle: Throttle) -> Self {
        Self {
            inner,
            throttle,
            buffered: Bytes::new(),
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for ThrottledBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        while this.buffered.is_empty() {
            match ready!(Pin::new(&mut this.inner).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.buffered = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end_or_error => return Poll::Ready(end_or_error),
            }
        }
        ready!(this.throttle.poll_ready(context));
        let bytes = this.buffered.len().min(this.throttle.piece_bytes());
        this.throttle.consume(bytes);
        Poll::Ready(Some(Ok(Frame::data(this.buffered.split_to(bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.buffered.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.buffered.is_empty() {
            self.inner.size_hint()
        } else {
            SizeHint::default()
        }
    }
}
