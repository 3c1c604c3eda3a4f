//! What becomes of an answer on its way, where a rule has it so.
//!
//! A fault is what happens to the bytes on the wire. The front door has answered; its answer is
//! made ready as ever, and breaks as the connection writes it. So the connection is told a
//! [`WriteFault`] once all that was answered before on it has been written, and acts it out on what
//! comes next. All but a drip are the connection's end: it is closed, or reset, and who waits for
//! the answer to have been written waits no longer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::ConnectionHandle;
use super::write_fault::WriteFault;
use crate::model::rule::Fault;
use crate::platform::outbound::Throttle;

/// Has the fault happen to the answer to such a request, which is the next to be written on the
/// connection.
pub(super) fn inject_fault(
    handle: &ConnectionHandle,
    fault: Fault,
    method: &Method,
    reply: Response,
) -> Response {
    match fault {
        Fault::Reset => handle.set_write_fault(WriteFault::Reset),
        Fault::Empty => handle.set_write_fault(WriteFault::Close),
        Fault::Garbage => handle.set_write_fault(WriteFault::Garbage),
        Fault::Drip { bytes_per_second } => {
            handle.set_write_fault(WriteFault::Throttle(Throttle::new(bytes_per_second)));
            return handle.clear_fault_after(reply);
        }
        Fault::Truncate if method == Method::HEAD || is_short(&reply) => {
            handle.set_write_fault(WriteFault::TruncateHead);
        }
        Fault::Truncate => {
            let left = length(&reply).map(|bytes| bytes / 2);
            let handle = handle.clone();
            return reply.map(|inner| {
                Body::new(TruncatedBody {
                    inner,
                    left,
                    connection: handle,
                })
            });
        }
    }
    reply
}

fn length(reply: &Response) -> Option<u64> {
    let json = reply.headers().get(CONTENT_LENGTH);
    let json = json.and_then(|value| value.to_str().ok()?.parse().ok());
    json.or_else(|| reply.body().size_hint().exact())
}

/// Whether the body has no half of its own.
fn is_short(reply: &Response) -> bool {
    reply.body().is_end_stream() || length(reply).is_some_and(|bytes| bytes < 2)
}

/// The first half of a body; where its length is not known, of its first piece. Then the
/// connection is told to end.
struct TruncatedBody {
    inner: Body,
    /// So many bytes are to come yet; none: that is not known.
    left: Option<u64>,
    connection: ConnectionHandle,
}

impl http_body::Body for TruncatedBody {
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
            self.connection.set_write_fault(WriteFault::CloseAfterFlush);
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

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};
    use std::sync::{Arc, OnceLock};

    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::connection::FaultableStream;
    use super::super::{ConnectionHandle, OnResponseSent};
    use super::*;

    #[tokio::test]
    async fn what_was_answered_before_is_waited_for_as_long_as_its_client_does_not_read() {
        let (mut connection, mut client) = FaultableStream::pair().await;
        let handle = connection.handle();
        assert!(handle.wait_until_written().now_or_never().is_some());
        let piece = vec![0; 64 * 1024];
        let mut bytes = 0;
        while let Some(written) = connection.write(&piece).now_or_never() {
            bytes += written.expect("it is written");
        }
        assert!(handle.wait_until_written().now_or_never().is_none());
        let reading = async {
            let mut read = vec![0; bytes];
            client.read_exact(&mut read).await.expect("all of it");
        };
        let writing = async {
            connection.write_all(&piece[..1]).await.expect("a byte");
            connection.flush().await.expect("no more");
        };
        tokio::join!(handle.wait_until_written(), reading, writing);
        assert!(handle.wait_until_written().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_drip_is_over_when_its_answer_has_been_written() {
        let (mut connection, mut client) = FaultableStream::pair().await;
        let handle = connection.handle();
        let drip = Fault::Drip {
            bytes_per_second: 100,
        };
        let reply = Response::new(Body::from("answer"));
        let reply = inject_fault(&handle, drip, &Method::GET, reply);
        connection.write_all(&[1; 11]).await.expect("written");
        connection.flush().await.expect("written");
        assert!(
            handle.wait_until_written().now_or_never().is_none(),
            "there is more"
        );
        drop(reply);
        connection.write_all(&[2; 11]).await.expect("written");
        assert!(handle.wait_until_written().now_or_never().is_none());
        connection.flush().await.expect("written");
        assert!(handle.wait_until_written().now_or_never().is_some());
        let mut came = [0; 22];
        client.read_exact(&mut came).await.expect("all of it");
    }

    /// Dropped, it takes down what its client then could read.
    struct FaultProbe {
        client: std::net::TcpStream,
        received: Arc<OnceLock<Result<usize, ErrorKind>>>,
    }

    impl Drop for FaultProbe {
        fn drop(&mut self) {
            let read = self.client.peek(&mut [0]);
            self.received
                .get_or_init(|| read.map_err(|error| error.kind()));
        }
    }

    #[tokio::test]
    async fn who_waits_for_an_answer_is_let_go_when_the_fault_has_happened() {
        let reset = Err(ErrorKind::ConnectionReset);
        for (fault, expected) in [(Fault::Reset, reset), (Fault::Empty, Ok(0))] {
            let (mut connection, client) = FaultableStream::pair().await;
            let handle = connection.handle();
            let count = Arc::default();
            let probe = FaultProbe {
                client: client.into_std().expect("a socket"),
                received: Arc::clone(&count),
            };
            let mut reply = Response::new(Body::from("answer"));
            reply.extensions_mut().insert(OnResponseSent::new(probe));
            let reply = inject_fault(&handle, fault, &Method::GET, handle.attach_to_body(reply));
            assert!(connection.write_all(b"HTTP").await.is_err());
            drop(reply);
            assert_eq!(count.get(), None, "{fault:?}");
            drop(connection);
            assert_eq!(count.get(), Some(&expected), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn half_a_body_comes_whatever_its_pieces_are() {
        use http_body_util::BodyExt;
        for (length, pieces, expected) in [
            (Some("9"), &["abc", "", "def", "ghi"][..], "abcd"),
            (Some("6"), &["abc", "def"], "abc"),
            (None, &["", "abcde", "fg"], "ab"),
            (None, &["a"], ""),
            (Some("8"), &["a"], "a"),
        ] {
            let parts = pieces.iter().map(|piece| Ok::<_, io::Error>(*piece));
            let body = Body::from_stream(futures_util::stream::iter(parts));
            let mut reply = Response::new(body);
            if let Some(length) = length {
                let length = length.parse().expect("a value");
                reply.headers_mut().insert(CONTENT_LENGTH, length);
            }
            let connection = ConnectionHandle::default();
            let reply = inject_fault(&connection, Fault::Truncate, &Method::GET, reply);
            let (mut body, mut came) = (reply.into_body(), Vec::new());
            while let Some(frame) = body.frame().now_or_never() {
                let frame = frame.expect("no end").expect("no error");
                came.extend(frame.into_data().expect("data"));
            }
            assert_eq!(String::from_utf8_lossy(&came), expected);
            assert!(
                connection.wait_until_written().now_or_never().is_none(),
                "it is to be cut"
            );
        }
    }
}
