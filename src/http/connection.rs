//! Connections that know when an answer has been written.
//!
//! A webhook never leaves before the answer of the request that caused it has been written. So
//! an answer may have something *tied* to it ([`OnResponseSent`]), which is dropped when the answer's
//! last byte has gone to the socket, or the connection is gone. The body hands what is tied to
//! the connection when it ends, and the connection drops it at its next flush, for the server
//! flushes only what it has written.
//!
//! A connection may also be told what becomes of what it writes next (see [`WriteFault`]).

use std::any::Any;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket::Socket;
use super::write_fault::WriteFault;

type DropGuard = Box<dyn Any + Send>;

/// In a response's extensions: to be dropped when the response has been written.
#[derive(Clone)]
pub struct OnResponseSent(Arc<Mutex<Option<DropGuard>>>);

impl OnResponseSent {
    /// Ties `what` to the response that this is put into.
    #[must_use]
    pub fn new(what: impl Any + Send) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(what)))))
    }

    /// Ties `what`, if there is anything, to the response.
    pub fn attach<B>(response: &mut axum::http::Response<B>, what: Option<impl Any + Send>) {
        if let Some(what) = what {
            response.extensions_mut().insert(Self::new(what));
        }
    }

    fn take_guard(&self) -> Option<DropGuard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The connection a request came by.
#[derive(Debug, Clone, Default)]
pub struct ConnectionHandle {
    writing: Arc<Mutex<WriteState>>,
    is_tls: bool,
}

/// How it stands with what is written on a connection.
#[derive(Debug, Default)]
struct WriteState {
    /// To be dropped when what there is has been written.
    guards: Vec<DropGuard>,
    /// What becomes of what is written next.
    fault: Option<WriteFault>,
    /// Something has been held up, and not been written yet.
    is_pending: bool,
    /// Who waits for all to have been written.
    waker: Option<Waker>,
}

impl ConnectionHandle {
    /// Moves what is tied to the response into its body, and from there to this connection.
    #[must_use]
    pub fn attach_to_body(&self, mut response: Response) -> Response {
        match response
            .extensions_mut()
            .remove::<OnResponseSent>()
            .and_then(|tied| tied.take_guard())
        {
            None => response,
            Some(guard) => self.guard_body(response, guard),
        }
    }

    fn guard_body(&self, response: Response, guard: DropGuard) -> Response {
        self.queue_guard(response, guard).map(Body::new)
    }

    /// Keeps `guard` until the response has been flushed or the connection is gone.
    pub(super) fn queue_guard(
        &self,
        response: Response,
        guard: Box<dyn Any + Send>,
    ) -> axum::http::Response<GuardedBody> {
        let (guard, handle) = (Some(guard), self.clone());
        response.map(|inner| GuardedBody {
            inner,
            guards: guard,
            connection: handle,
        })
    }

    /// Whether it came by TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Ready when what was answered before on this connection has been written.
    pub(super) async fn wait_until_written(&self) {
        std::future::poll_fn(|context| {
            let mut writing = self.lock();
            if writing.fault.is_none() && !writing.is_pending {
                return Poll::Ready(());
            }
            writing.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Has that become of what is written next, until [`ConnectionHandle::clear_fault_after`] or the end.
    pub(super) fn set_write_fault(&self, fault: WriteFault) {
        self.lock().fault = Some(fault);
    }

    /// The response, after which all is as ever on this connection.
    pub(super) fn clear_fault_after(&self, response: Response) -> Response {
        self.guard_body(
            response,
            Box::new(ClearFaultOnDrop(Arc::downgrade(&self.writing))),
        )
    }

    fn lock(&self) -> MutexGuard<'_, WriteState> {
        lock(&self.writing)
    }

    fn move_guards(&self, guard: DropGuard) {
        self.lock().guards.push(guard);
    }

    fn flushed(&self) {
        let mut writing = self.lock();
        writing.is_pending = false;
        let waker = writing.waker.take();
        let written = std::mem::take(&mut writing.guards);
        drop(writing);
        drop(written);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock(writing: &Mutex<WriteState>) -> MutexGuard<'_, WriteState> {
    writing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Dropped, a connection has no fate any more.
struct ClearFaultOnDrop(Weak<Mutex<WriteState>>);

impl Drop for ClearFaultOnDrop {
    fn drop(&mut self) {
        if let Some(writing) = self.0.upgrade() {
            lock(&writing).fault = None;
        }
    }
}

/// A response's body with something that is dropped when the response has been flushed.
pub(super) struct GuardedBody {
    inner: Body,
    guards: Option<DropGuard>,
    connection: ConnectionHandle,
}

impl http_body::Body for GuardedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for GuardedBody {
    fn drop(&mut self) {
        if let Some(guard) = self.guards.take() {
            self.connection.move_guards(guard);
        }
    }
}

/// A connection. Its socket goes before who waits for its answers does.
#[derive(Debug)]
pub struct FaultableStream {
    stream: Socket,
    handle: FlushOnDrop,
}

/// Dropped, all has been written that ever will be.
#[derive(Debug, Default)]
struct FlushOnDrop(ConnectionHandle);

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        self.0.flushed();
    }
}

impl FaultableStream {
    pub(super) fn new(stream: Socket) -> Self {
        let is_tls = stream.is_tls();
        let connection = ConnectionHandle {
            is_tls,
            ..ConnectionHandle::default()
        };
        let connection = FlushOnDrop(connection);
        Self {
            stream,
            handle: connection,
        }
    }

    /// What requests that come by it are given of it.
    pub(super) fn handle(&self) -> ConnectionHandle {
        self.handle.0.clone()
    }

    /// Writes as `write` does, unless the fate is another.
    fn poll_write_with_fault(
        &mut self,
        context: &mut Context<'_>,
        first: &[u8],
        write: impl FnOnce(Pin<&mut Socket>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let mut writing = self.handle.0.lock();
        let stream = Pin::new(&mut self.stream);
        let written = match &mut writing.fault {
            None => write(stream, context),
            Some(fault) => fault.poll_write(stream, context, first),
        };
        writing.is_pending |= written.is_pending();
        written
    }
}

impl AsyncRead for FaultableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for FaultableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with_fault(context, bytes, |stream, context| {
            stream.poll_write(context, bytes)
        })
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        let first = first.map_or(&[][..], |slice| slice);
        self.poll_write_with_fault(context, first, |stream, context| {
            stream.poll_write_vectored(context, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        // TLS takes what is written before the socket does.
        this.handle.0.lock().is_pending |= flushed.is_pending();
        ready!(flushed)?;
        if let Some(fault) = &this.handle.0.lock().fault {
            ready!(fault.poll_after_flush(Pin::new(&mut this.stream), context))?;
        }
        this.handle.0.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
impl FaultableStream {
    /// The server's and the client's end of a new connection.
    pub(super) async fn pair() -> (Self, tokio::net::TcpStream) {
        use super::progress::Progress;
        use super::socket::MaybeTlsStream;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let client = tokio::net::TcpStream::connect(address);
        let (client, accepted) = tokio::join!(client, listener.accept());
        let (stream, _) = accepted.expect("a connection");
        let socket = Socket::new(MaybeTlsStream::Left(stream), Arc::new(Progress::new()));
        (Self::new(socket), client.expect("a connection"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// A connection, and a response to it with something tied; upgraded, that is still there.
    async fn tied() -> (FaultableStream, Response, std::sync::Weak<()>) {
        let (connection, _) = FaultableStream::pair().await;
        let stored = Arc::new(());
        let there = Arc::downgrade(&stored);
        let mut response = Response::new(Body::from("answer"));
        response
            .extensions_mut()
            .insert(OnResponseSent::new(stored));
        let response = connection.handle().attach_to_body(response);
        (connection, response, there)
    }

    #[tokio::test]
    async fn what_is_tied_goes_when_the_whole_answer_has_been_flushed() {
        let (mut connection, response, there) = tied().await;
        connection.flush().await.expect("nothing to write");
        assert!(there.upgrade().is_some(), "the body has not ended");
        drop(response);
        assert!(there.upgrade().is_some(), "it has not been flushed");
        connection.flush().await.expect("nothing to write");
        assert!(there.upgrade().is_none());
    }

    #[tokio::test]
    async fn what_is_tied_goes_with_the_connection() {
        let (connection, response, there) = tied().await;
        drop(response);
        assert!(there.upgrade().is_some());
        drop(connection);
        assert!(there.upgrade().is_none());
    }
}
