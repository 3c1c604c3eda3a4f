//! Connections that know when an answer has been written.
//!
//! A webhook never leaves before the answer of the request that caused it has been written. So
//! an answer may have something *tied* to it ([`Tied`]), which is dropped when the answer's
//! last byte has gone to the socket, or the connection is gone. The body hands what is tied to
//! the connection when it ends, and the connection drops it at its next flush, for the server
//! flushes only what it has written.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

type Kept = Box<dyn Any + Send>;

/// In a response's extensions: to be dropped when the response has been written.
#[derive(Clone)]
pub struct Tied(Arc<Mutex<Option<Kept>>>);

impl Tied {
    /// Ties `what` to the response that this is put into.
    #[must_use]
    pub fn new(what: impl Any + Send) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(what)))))
    }

    /// Ties `what`, if there is anything, to the response.
    pub fn tie<B>(response: &mut axum::http::Response<B>, what: Option<impl Any + Send>) {
        if let Some(what) = what {
            response.extensions_mut().insert(Self::new(what));
        }
    }

    fn take(&self) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The connection a request came by.
#[derive(Debug, Clone, Default)]
pub struct Peer(Arc<Mutex<Vec<Kept>>>);

impl Peer {
    /// Moves what is tied to the response into its body, and from there to this connection.
    #[must_use]
    pub fn tie(&self, mut response: Response) -> Response {
        match response
            .extensions_mut()
            .remove::<Tied>()
            .and_then(|tied| tied.take())
        {
            None => response,
            Some(kept) => {
                let peer = self.clone();
                response.map(|inner| {
                    Body::new(TyingBody {
                        inner,
                        kept: Some(kept),
                        peer,
                    })
                })
            }
        }
    }

    fn hand_over(&self, kept: Kept) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(kept);
    }

    fn flushed(&self) {
        let written = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(written);
    }
}

struct TyingBody {
    inner: Body,
    kept: Option<Kept>,
    peer: Peer,
}

impl http_body::Body for TyingBody {
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

impl Drop for TyingBody {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            self.peer.hand_over(kept);
        }
    }
}

/// Accepts connections; `TCP_NODELAY` is set on each.
#[derive(Debug)]
pub struct Connections(pub TcpListener);

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    peer: Peer,
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        (
            Connection {
                stream,
                peer: Peer::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.peer.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.peer.flushed();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// A connection, and a response to it with something tied; upgraded, that is still there.
    async fn tied() -> (Connection, Response, std::sync::Weak<()>) {
        let mut connections = Connections(TcpListener::bind("127.0.0.1:0").await.expect("a port"));
        let address = connections.local_addr().expect("an address");
        let (client, (connection, _)) =
            tokio::join!(TcpStream::connect(address), connections.accept());
        drop(client.expect("a connection"));
        let kept = Arc::new(());
        let there = Arc::downgrade(&kept);
        let mut response = Response::new(Body::from("answer"));
        response.extensions_mut().insert(Tied::new(kept));
        let response = connection.peer.tie(response);
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
