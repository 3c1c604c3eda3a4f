//! Bytes at a rate: what a `drip` does, to our answers and to our calls.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// So many pieces a second, where there are so many bytes.
const CHUNKS_PER_SECOND: u32 = 10;
/// What was late is made up for within this.
const BEHIND_MAX: Duration = Duration::from_millis(100);

/// Says when how many bytes may go on. The first may at once.
#[derive(Debug)]
pub struct Throttle {
    bytes_per_second: u32,
    /// When the next bytes may go on.
    due: Instant,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Throttle {
    /// A pace of at least one byte a second.
    #[must_use]
    pub fn new(bytes_per_second: u32) -> Self {
        Self {
            bytes_per_second: bytes_per_second.max(1),
            due: Instant::now(),
            wait: None,
        }
    }

    /// So many bytes go on at once at most.
    #[must_use]
    pub fn piece_bytes(&self) -> usize {
        let bytes = (self.bytes_per_second / CHUNKS_PER_SECOND).max(1);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Ready when the next piece may go on.
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
        Poll::Ready(())
    }

    /// So many bytes have gone on.
    pub fn consume(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let takes = Duration::from_secs_f64(f64::from(bytes) / f64::from(self.bytes_per_second));
        let now = Instant::now();
        let since = now.checked_sub(BEHIND_MAX).unwrap_or(now);
        self.due = self.due.max(since) + takes;
        self.wait = (self.due > now).then(|| Box::pin(tokio::time::sleep_until(self.due)));
    }

    /// Returns when the next piece may go on.
    pub(super) async fn ready(&mut self) {
        std::future::poll_fn(|context| self.poll_ready(context)).await;
    }
}

/// A body at a pace.
pub(super) struct ThrottledBody<B> {
    inner: B,
    throttle: Throttle,
    /// What has come and may not go on yet.
    buffered: Bytes,
}

impl<B> ThrottledBody<B> {
    pub(super) fn new(inner: B, pace: Throttle) -> Self {
        Self {
            inner,
            throttle: pace,
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
                over => return Poll::Ready(over),
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
