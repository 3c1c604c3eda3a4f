//! Faults of what a connection writes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::socket::Socket;
use crate::platform::outbound::{GARBAGE, Throttle};

/// Fault of the next write on a connection.
#[derive(Debug)]
pub(super) enum WriteFault {
    /// The connection is reset.
    Reset,
    /// The connection is closed; it is what others become when they have written what they do, for
    /// TLS may take its time to close.
    Close,
    /// Half of what comes first, which is the head, is written; then the connection is closed.
    TruncateHead,
    /// All that there is so far is written; then the connection is closed.
    CloseAfterFlush,
    /// Other bytes are written; then the connection is closed.
    Garbage,
    /// All of it is written, piece by piece.
    Throttle(Throttle),
}

impl WriteFault {
    /// Writes, or does not.
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
            Self::Throttle(pace) => {
                ready!(pace.poll_ready(context));
                let piece = &bytes[..bytes.len().min(pace.piece_bytes())];
                let written = ready!(stream.poll_write(context, piece))?;
                pace.consume(written);
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
        closed(stream, context)
    }

    /// Closes a connection that is to be cut, once the last bytes have been written.
    pub(super) fn poll_after_flush(
        &self,
        stream: Pin<&mut Socket>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::CloseAfterFlush => closed(stream, context),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// Closes the connection, and has the server see that it is.
fn closed<T>(stream: Pin<&mut Socket>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
    ready!(stream.poll_shutdown(context))?;
    Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
}
