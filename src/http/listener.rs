//! Listening sockets, plain and TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::open_connections::OpenConnections;
use crate::http::tls::Acceptor;

/// Pause after an error of the whole process, such as too many open files.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// A listening socket, plain or with TLS.
#[derive(Debug)]
pub struct TcpOrTlsListener {
    listener: TcpListener,
    acceptor: Option<Acceptor>,
}

/// An accepted connection, before its TLS handshake.
#[derive(Debug)]
pub(super) struct AcceptedConnection {
    pub stream: TcpStream,
    pub address: SocketAddr,
    pub acceptor: Option<Acceptor>,
}

impl TcpOrTlsListener {
    #[must_use]
    pub const fn new(listener: TcpListener, acceptor: Option<Acceptor>) -> Self {
        Self { listener, acceptor }
    }
}

/// All listening sockets, polled round-robin so that no socket starves another.
#[derive(Debug)]
pub(super) struct Listeners {
    all: Vec<TcpOrTlsListener>,
    next: AtomicUsize,
}

impl Listeners {
    pub(super) fn new(all: Vec<TcpOrTlsListener>) -> Self {
        Self {
            all,
            next: AtomicUsize::new(0),
        }
    }

    /// Returns the next connection, with `TCP_NODELAY` set. Closes an idle connection of `open` if the
    /// process has too many open files.
    pub(super) async fn accept(&self, open: &OpenConnections) -> AcceptedConnection {
        let mut has_failed = false;
        loop {
            match self.try_accept().await {
                Ok(accepted) => {
                    if let Err(error) = accepted.stream.set_nodelay(true) {
                        tracing::debug!(%error, "cannot set TCP_NODELAY");
                    }
                    return accepted;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !has_failed {
                        tracing::warn!(%error, "cannot accept connections; trying again");
                    }
                    has_failed = true;
                    open.close_one_idle();
                    tokio::time::sleep(ERROR_PAUSE).await;
                }
            }
        }
    }

    async fn try_accept(&self) -> io::Result<AcceptedConnection> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len().max(1);
        let (before, after) = self.all.split_at(first);
        std::future::poll_fn(|context| {
            for TcpOrTlsListener { listener, acceptor } in after.iter().chain(before) {
                if let Poll::Ready(accepted) = listener.poll_accept(context) {
                    return Poll::Ready(accepted.map(|(stream, address)| AcceptedConnection {
                        stream,
                        address,
                        acceptor: acceptor.clone(),
                    }));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// `true` if the error concerns only the connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
