//! Byte stream of a connection: TCP, with or without TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::either::Either;

use super::progress::Progress;
use crate::http::tls;

/// A TCP stream, plain or with TLS.
pub(super) type MaybeTlsStream = Either<TcpStream, Box<tls::ClientTlsStream>>;

/// Reads and writes a [`MaybeTlsStream`], and records its progress.
#[derive(Debug)]
pub(super) struct Socket {
    stream: MaybeTlsStream,
    progress: Arc<Progress>,
}

impl Socket {
    pub(super) const fn new(stream: MaybeTlsStream, progress: Arc<Progress>) -> Self {
        Self { stream, progress }
    }

    pub(super) const fn is_tls(&self) -> bool {
        matches!(self.stream, Either::Right(_))
    }

    /// Makes the connection end by a reset. Unsent bytes are discarded.
    pub(super) fn set_zero_linger(&self) -> io::Result<()> {
        match &self.stream {
            Either::Left(stream) => stream.set_zero_linger(),
            Either::Right(stream) => stream.get_ref().0.set_zero_linger(),
        }
    }

    /// Returns the result of a write, and records whether the write waits for the client.
    fn record_write<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.progress.set_write_blocked(written.is_pending());
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > filled {
            self.progress.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.record_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.record_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.record_write(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = Pin::new(&mut self.stream).poll_shutdown(context);
        self.record_write(shut_down)
    }
}
