//! What becomes of an answer on its way, where a rule has it so.
//!
//! A fault is what happens to the bytes on the wire. The front door has answered; its answer is
//! made ready as ever, and breaks as the connection writes it. So the connection is told a
//! [`Fate`] once all that was answered before on it has been written, and acts it out on what
//! comes next. All but a drip are the connection's end: it is closed, or reset, and who waits for
//! the answer to have been written waits no longer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use super::Peer;
use crate::model::rule::Fault;
use crate::outbound::{GARBAGE, Pace};

/// What becomes of what is written next.
#[derive(Debug)]
pub(super) enum Fate {
    /// The connection is reset.
    Reset,
    /// The connection is closed.
    Empty,
    /// Half of what comes first, which is the head, is written; then the connection is closed.
    HalfHead,
    /// All that there is so far is written; then the connection is closed.
    Cut,
    /// Other bytes are written; then the connection is closed.
    Garbage,
    /// All of it is written, piece by piece.
    Drip(Pace),
}

impl Fate {
    /// Writes, or does not.
    pub(super) fn poll_write(
        &mut self,
        mut stream: Pin<&mut TcpStream>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Reset => {
                stream.set_zero_linger()?;
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            Self::Cut => return stream.poll_write(context, bytes),
            Self::Drip(pace) => {
                ready!(pace.poll_turn(context));
                let piece = &bytes[..bytes.len().min(pace.piece_bytes())];
                let written = ready!(stream.poll_write(context, piece))?;
                pace.took(written);
                return Poll::Ready(Ok(written));
            }
            Self::Empty => {}
            Self::HalfHead => {
                ready!(
                    stream
                        .as_mut()
                        .poll_write(context, &bytes[..bytes.len() / 2])
                )?;
            }
            Self::Garbage => {
                ready!(stream.as_mut().poll_write(context, GARBAGE))?;
            }
        }
        closed(stream, context)
    }

    /// Is told when all that was to be written has been.
    pub(super) fn poll_written(
        &self,
        stream: Pin<&mut TcpStream>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Cut => closed(stream, context),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// Closes the connection, and has the server see that it is.
fn closed<T>(stream: Pin<&mut TcpStream>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
    ready!(stream.poll_shutdown(context))?;
    Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
}

/// Has the fault happen to the answer to such a request, which is the next to be written on the
/// connection.
pub(super) fn befall(peer: &Peer, fault: Fault, method: &Method, answer: Response) -> Response {
    match fault {
        Fault::Reset => peer.doom(Fate::Reset),
        Fault::Empty => peer.doom(Fate::Empty),
        Fault::Garbage => peer.doom(Fate::Garbage),
        Fault::Drip { bytes_per_second } => {
            peer.doom(Fate::Drip(Pace::new(bytes_per_second)));
            return peer.relent_after(answer);
        }
        Fault::Truncate if method == Method::HEAD || is_short(&answer) => {
            peer.doom(Fate::HalfHead);
        }
        Fault::Truncate => {
            let left = length(&answer).map(|bytes| bytes / 2);
            let peer = peer.clone();
            return answer.map(|inner| Body::new(Half { inner, left, peer }));
        }
    }
    answer
}

fn length(answer: &Response) -> Option<u64> {
    let said = answer.headers().get(CONTENT_LENGTH);
    let said = said.and_then(|value| value.to_str().ok()?.parse().ok());
    said.or_else(|| answer.body().size_hint().exact())
}

/// Whether the body has no half of its own.
fn is_short(answer: &Response) -> bool {
    answer.body().is_end_stream() || length(answer).is_some_and(|bytes| bytes < 2)
}

/// The first half of a body; where its length is not known, of its first piece. Then the
/// connection is told to end.
struct Half {
    inner: Body,
    /// So many bytes are to come yet; none: that is not known.
    left: Option<u64>,
    peer: Peer,
}

impl http_body::Body for Half {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut data = Bytes::new();
        while data.is_empty() && self.left != Some(0) {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)).transpose()? {
                Some(frame) => data = frame.into_data().unwrap_or_default(),
                None => self.left = Some(0),
            }
        }
        if data.is_empty() {
            // The connection goes when it has written the rest: nobody has to be woken.
            self.peer.doom(Fate::Cut);
            return Poll::Pending;
        }
        let there = data.len() as u64;
        let left = self.left.unwrap_or(there / 2);
        data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.left = Some(left.saturating_sub(there));
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
