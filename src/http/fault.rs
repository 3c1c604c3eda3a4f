//! Injects faults of rules into responses.
//!
//! A fault affects the bytes on the wire, not the response itself: the handler has responded as usual.
//! The connection gets a [`WriteFault`] when all earlier responses on it have been written, and applies
//! the fault to its next writes. All faults but a drip end the connection by a close or a reset, which
//! also drops the guards of the response (see [`super::OnResponseSent`]).

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

/// Returns the response with `fault` injected. The response must be the next to be written on the
/// connection. `method` is the request's method.
pub(super) fn inject_fault(
    handle: &ConnectionHandle,
    fault: Fault,
    method: &Method,
    response: Response,
) -> Response {
    match fault {
        Fault::Reset => handle.set_write_fault(WriteFault::Reset),
        Fault::Empty => handle.set_write_fault(WriteFault::Close),
        Fault::Garbage => handle.set_write_fault(WriteFault::Garbage),
        Fault::Drip { bytes_per_second } => {
            handle.set_write_fault(WriteFault::Throttle(Throttle::new(bytes_per_second)));
            return handle.clear_fault_after(response);
        }
        Fault::Truncate if method == Method::HEAD || is_short(&response) => {
            handle.set_write_fault(WriteFault::TruncateHead);
        }
        Fault::Truncate => {
            let remaining_bytes = body_bytes(&response).map(|bytes| bytes / 2);
            return response.map(|inner| {
                Body::new(TruncatedBody {
                    inner,
                    remaining_bytes,
                    connection: handle.clone(),
                })
            });
        }
    }
    response
}

/// Returns the length of the body. `None` if it is unknown.
fn body_bytes(response: &Response) -> Option<u64> {
    response
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .or_else(|| response.body().size_hint().exact())
}

/// `true` if the body is too short to be cut in half.
fn is_short(response: &Response) -> bool {
    response.body().is_end_stream() || body_bytes(response).is_some_and(|bytes| bytes < 2)
}

/// Sends the first half of a body, or of its first piece if the length is unknown. Then sets
/// [`WriteFault::CloseAfterFlush`] on the connection.
struct TruncatedBody {
    inner: Body,
    /// Bytes that are still to be sent. `None` if the length of the body is unknown.
    remaining_bytes: Option<u64>,
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
        while data.is_empty() && self.remaining_bytes != Some(0) {
            match ready!(Pin::new(&mut self.inner).poll_frame(context)).transpose()? {
                Some(frame) => data = frame.into_data().unwrap_or_default(),
                None => self.remaining_bytes = Some(0),
            }
        }
        if data.is_empty() {
            // No waker is needed: the connection closes at its next flush.
            self.connection.set_write_fault(WriteFault::CloseAfterFlush);
            return Poll::Pending;
        }
        let piece_bytes = data.len() as u64;
        let remaining = self.remaining_bytes.unwrap_or(piece_bytes / 2);
        data.truncate(usize::try_from(remaining).unwrap_or(usize::MAX));
        self.remaining_bytes = Some(remaining.saturating_sub(piece_bytes));
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
    async fn wait_until_written_waits_while_the_client_does_not_read() {
        let (mut connection, mut client) = FaultableStream::pair().await;
        let handle = connection.handle();
        assert!(handle.wait_until_written().now_or_never().is_some());
        let piece = vec![0; 64 * 1024];
        let mut bytes = 0;
        while let Some(written) = connection.write(&piece).now_or_never() {
            bytes += written.expect("a write");
        }
        assert!(handle.wait_until_written().now_or_never().is_none());
        let read_all = async {
            let mut buffer = vec![0; bytes];
            client.read_exact(&mut buffer).await.expect("all bytes");
        };
        let write_last = async {
            connection.write_all(&piece[..1]).await.expect("a byte");
            connection.flush().await.expect("a flush");
        };
        tokio::join!(handle.wait_until_written(), read_all, write_last);
        assert!(handle.wait_until_written().now_or_never().is_some());
    }

    #[tokio::test]
    async fn drip_ends_when_its_response_has_been_written() {
        let (mut connection, mut client) = FaultableStream::pair().await;
        let handle = connection.handle();
        let drip = Fault::Drip {
            bytes_per_second: 100,
        };
        let response = Response::new(Body::from("response"));
        let faulty = inject_fault(&handle, drip, &Method::GET, response);
        connection.write_all(&[1; 11]).await.expect("written");
        connection.flush().await.expect("written");
        assert!(
            handle.wait_until_written().now_or_never().is_none(),
            "the body has not ended"
        );
        drop(faulty);
        connection.write_all(&[2; 11]).await.expect("written");
        assert!(handle.wait_until_written().now_or_never().is_none());
        connection.flush().await.expect("written");
        assert!(handle.wait_until_written().now_or_never().is_some());
        let mut received = [0; 22];
        client.read_exact(&mut received).await.expect("all bytes");
    }

    /// Records, when dropped, what the client can read at that moment.
    struct FaultProbe {
        client: std::net::TcpStream,
        peeked: Arc<OnceLock<Result<usize, ErrorKind>>>,
    }

    impl Drop for FaultProbe {
        fn drop(&mut self) {
            let peeked = self.client.peek(&mut [0]);
            self.peeked
                .get_or_init(|| peeked.map_err(|error| error.kind()));
        }
    }

    #[tokio::test]
    async fn guard_of_response_is_dropped_after_its_fault_has_happened() {
        let reset = Err(ErrorKind::ConnectionReset);
        for (fault, expected) in [(Fault::Reset, reset), (Fault::Empty, Ok(0))] {
            let (mut connection, client) = FaultableStream::pair().await;
            let handle = connection.handle();
            let peeked = Arc::default();
            let probe = FaultProbe {
                client: client.into_std().expect("a socket"),
                peeked: Arc::clone(&peeked),
            };
            let mut response = Response::new(Body::from("response"));
            response.extensions_mut().insert(OnResponseSent::new(probe));
            let guarded = handle.attach_to_body(response);
            let faulty = inject_fault(&handle, fault, &Method::GET, guarded);
            assert!(connection.write_all(b"HTTP").await.is_err());
            drop(faulty);
            assert_eq!(peeked.get(), None, "{fault:?}");
            drop(connection);
            assert_eq!(peeked.get(), Some(&expected), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn truncated_body_sends_half_of_its_length_in_any_pieces() {
        use http_body_util::BodyExt;
        for (length, pieces, expected) in [
            (Some("9"), &["abc", "", "def", "ghi"][..], "abcd"),
            (Some("6"), &["abc", "def"], "abc"),
            (None, &["", "abcde", "fg"], "ab"),
            (None, &["a"], ""),
            (Some("8"), &["a"], "a"),
        ] {
            let results = pieces.iter().map(|piece| Ok::<_, io::Error>(*piece));
            let stream = Body::from_stream(futures_util::stream::iter(results));
            let mut response = Response::new(stream);
            if let Some(length) = length {
                let value = length.parse().expect("a value");
                response.headers_mut().insert(CONTENT_LENGTH, value);
            }
            let connection = ConnectionHandle::default();
            let mut body =
                inject_fault(&connection, Fault::Truncate, &Method::GET, response).into_body();
            let mut received = Vec::new();
            while let Some(frame) = body.frame().now_or_never() {
                let frame = frame.expect("a frame").expect("no error");
                received.extend(frame.into_data().expect("data"));
            }
            assert_eq!(String::from_utf8_lossy(&received), expected);
            assert!(
                connection.wait_until_written().now_or_never().is_none(),
                "the connection has no write fault"
            );
        }
    }
}
