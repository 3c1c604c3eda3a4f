//! Connections that report when a response has been written, and on which faults can be injected.
//!
//! A webhook is never sent before the response of the request that caused it has been written. A
//! response can therefore carry a guard ([`OnResponseSent`]), which is dropped after the last byte of
//! the response has been written to the socket, or when the connection ends. The body passes its guard
//! to the connection when the body is dropped. The connection drops the guard at its next flush,
//! because hyper flushes only what it has written.
//!
//! A [`WriteFault`] changes what the connection does with the next bytes.

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

/// Response extension: a guard that is dropped when the response has been written.
#[derive(Clone)]
pub struct OnResponseSent(Arc<Mutex<Option<DropGuard>>>);

impl OnResponseSent {
    #[must_use]
    pub fn new(guard: impl Any + Send) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(guard)))))
    }

    /// Attaches `guard` to the response, if there is one.
    pub fn attach<B>(response: &mut axum::http::Response<B>, guard: Option<impl Any + Send>) {
        if let Some(guard) = guard {
            response.extensions_mut().insert(Self::new(guard));
        }
    }

    fn take_guard(&self) -> Option<DropGuard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Handle to the connection of a request. Clones share the connection.
#[derive(Debug, Clone, Default)]
pub struct ConnectionHandle {
    writing: Arc<Mutex<WriteState>>,
    is_tls: bool,
}

/// State of the writing side of a connection.
#[derive(Debug, Default)]
struct WriteState {
    /// Guards that are dropped at the next flush.
    guards: Vec<DropGuard>,
    /// Fault of the next writes.
    fault: Option<WriteFault>,
    /// `true` from a write or flush that had to wait until the next complete flush.
    is_pending: bool,
    /// Waker of the task in [`ConnectionHandle::wait_until_written`].
    waker: Option<Waker>,
}

impl ConnectionHandle {
    /// Moves the guard of the response ([`OnResponseSent`]) into its body, which passes it to this
    /// connection.
    #[must_use]
    pub fn attach_to_body(&self, mut response: Response) -> Response {
        match response
            .extensions_mut()
            .remove::<OnResponseSent>()
            .and_then(|extension| extension.take_guard())
        {
            None => response,
            Some(guard) => self.guard_body(response, guard),
        }
    }

    fn guard_body(&self, response: Response, guard: DropGuard) -> Response {
        self.queue_guard(response, guard).map(Body::new)
    }

    /// Keeps `guard` until the response has been flushed or the connection has ended.
    pub(super) fn queue_guard(
        &self,
        response: Response,
        guard: Box<dyn Any + Send>,
    ) -> axum::http::Response<GuardedBody> {
        response.map(|inner| GuardedBody {
            inner,
            guard: Some(guard),
            connection: self.clone(),
        })
    }

    /// `true` if the connection uses TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// `true` if the client has accepted all that was written to it.
    #[must_use]
    pub fn is_written(&self) -> bool {
        !self.lock().is_pending
    }

    /// Returns when earlier responses on this connection have been written and no fault is left.
    pub async fn wait_until_written(&self) {
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

    /// Sets the fault of the next writes. Lasts until the end of the connection, unless
    /// [`ConnectionHandle::clear_fault_after`] ends it.
    pub(super) fn set_write_fault(&self, fault: WriteFault) {
        self.lock().fault = Some(fault);
    }

    /// Returns the response with a guard that ends the fault when the response has been written.
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

    /// Drops the guards of written responses and wakes the waiting task. Guards are dropped without
    /// the lock, because a guard may take it.
    fn on_flushed(&self) {
        let mut writing = self.lock();
        writing.is_pending = false;
        let waker = writing.waker.take();
        let guards = std::mem::take(&mut writing.guards);
        drop(writing);
        drop(guards);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock(writing: &Mutex<WriteState>) -> MutexGuard<'_, WriteState> {
    writing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clears the fault of a connection when dropped.
struct ClearFaultOnDrop(Weak<Mutex<WriteState>>);

impl Drop for ClearFaultOnDrop {
    fn drop(&mut self) {
        if let Some(writing) = self.0.upgrade() {
            lock(&writing).fault = None;
        }
    }
}

/// Response body with a guard that is dropped when the response has been flushed.
pub(super) struct GuardedBody {
    inner: Body,
    guard: Option<DropGuard>,
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
        if let Some(guard) = self.guard.take() {
            self.connection.move_guards(guard);
        }
    }
}

/// Stream of a connection. Applies write faults, and drops guards at each flush.
///
/// Field order matters: the socket is closed before guards are dropped and waiting tasks woken.
#[derive(Debug)]
pub struct FaultableStream {
    stream: Socket,
    handle: FlushOnDrop,
}

/// Drops the remaining guards when the connection ends, for nothing more will be written.
#[derive(Debug, Default)]
struct FlushOnDrop(ConnectionHandle);

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        self.0.on_flushed();
    }
}

impl FaultableStream {
    pub(super) fn new(stream: Socket) -> Self {
        let handle = ConnectionHandle {
            is_tls: stream.is_tls(),
            ..ConnectionHandle::default()
        };
        Self {
            stream,
            handle: FlushOnDrop(handle),
        }
    }

    /// Returns the handle that requests of this connection carry.
    pub(super) fn handle(&self) -> ConnectionHandle {
        self.handle.0.clone()
    }

    /// Writes by `write`, or applies the fault to the bytes of `first`.
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
        let first = slices
            .iter()
            .find(|slice| !slice.is_empty())
            .map_or(&[][..], |slice| slice);
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
        // With TLS, bytes that were written successfully may still wait for the socket.
        this.handle.0.lock().is_pending |= flushed.is_pending();
        ready!(flushed)?;
        if let Some(fault) = &this.handle.0.lock().fault {
            ready!(fault.poll_after_flush(Pin::new(&mut this.stream), context))?;
        }
        this.handle.0.on_flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
impl FaultableStream {
    /// Returns the server's and the client's end of a new connection.
    pub(super) async fn pair() -> (Self, tokio::net::TcpStream) {
        use super::progress::Progress;
        use super::socket::MaybeTlsStream;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let connect = tokio::net::TcpStream::connect(address);
        let (client, accepted) = tokio::join!(connect, listener.accept());
        let (stream, _) = accepted.expect("a connection");
        let socket = Socket::new(MaybeTlsStream::Left(stream), Arc::new(Progress::new()));
        (Self::new(socket), client.expect("a connection"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Returns a connection, a response with a guard, and a weak reference to the guard.
    async fn guarded_response() -> (FaultableStream, Response, Weak<()>) {
        let (connection, _) = FaultableStream::pair().await;
        let guard = Arc::new(());
        let guard_ref = Arc::downgrade(&guard);
        let mut response = Response::new(Body::from("response"));
        response.extensions_mut().insert(OnResponseSent::new(guard));
        let response = connection.handle().attach_to_body(response);
        (connection, response, guard_ref)
    }

    #[tokio::test]
    async fn guard_is_dropped_when_the_whole_response_has_been_flushed() {
        let (mut connection, response, guard_ref) = guarded_response().await;
        connection.flush().await.expect("nothing to write");
        assert!(guard_ref.upgrade().is_some(), "the body has not ended");
        drop(response);
        assert!(guard_ref.upgrade().is_some(), "the body was not flushed");
        connection.flush().await.expect("nothing to write");
        assert!(guard_ref.upgrade().is_none());
    }

    #[tokio::test]
    async fn guard_is_dropped_when_the_connection_ends() {
        let (connection, response, guard_ref) = guarded_response().await;
        drop(response);
        assert!(guard_ref.upgrade().is_some());
        drop(connection);
        assert!(guard_ref.upgrade().is_none());
    }
}
