//! Faults of the writing side of a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::socket::Socket;
use crate::platform::outbound::{GARBAGE, Throttle};

/// Fault of the next write on a connection.
#[derive(Debug)]
pub(super) enum WriteFault {
    /// Resets the connection.
    Reset,
    /// Closes the connection. [`Self::TruncateHead`] and [`Self::Garbage`] become this fault after their
    /// write, because closing TLS may take several polls.
    Close,
    /// Writes half of the first bytes, which are the head of the response, and closes the connection.
    TruncateHead,
    /// Writes everything up to the next flush, and closes the connection.
    CloseAfterFlush,
    /// Writes other bytes, and closes the connection.
    Garbage,
    /// Writes everything at a limited rate.
    Throttle(Throttle),
}

impl WriteFault {
    /// Writes `bytes` to `stream` as the fault has it.
    pub(super) fn poll_write(
        &mut self,
        mut stream: Pin<&mut Socket>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Reset => {
                stream.set_zero_linger()?;
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            Self::CloseAfterFlush => return stream.poll_write(context, bytes),
            Self::Throttle(throttle) => {
                ready!(throttle.poll_ready(context));
                let piece = &bytes[..bytes.len().min(throttle.piece_bytes())];
                let written = ready!(stream.poll_write(context, piece))?;
                throttle.consume(written);
                return Poll::Ready(Ok(written));
            }
            Self::Close => {}
            Self::TruncateHead => {
                ready!(
                    stream
                        .as_mut()
                        .poll_write(context, &bytes[..bytes.len() / 2])
                )?;
                *self = Self::Close;
            }
            Self::Garbage => {
                ready!(stream.as_mut().poll_write(context, GARBAGE))?;
                *self = Self::Close;
            }
        }
        poll_close(stream, context)
    }

    /// Closes the connection after a flush if the fault is [`Self::CloseAfterFlush`].
    pub(super) fn poll_after_flush(
        &self,
        stream: Pin<&mut Socket>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::CloseAfterFlush => poll_close(stream, context),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// Closes the connection. Returns an error, so that hyper ends its task too.
fn poll_close<T>(stream: Pin<&mut Socket>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
    ready!(stream.poll_shutdown(context))?;
    Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
}
