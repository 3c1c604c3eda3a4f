//! Sockets that clients connect to.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::open_connections::OpenConnections;
use crate::http::tls::Acceptor;

/// Pause after an error of the whole process, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket, with TLS or in clear.
#[derive(Debug)]
pub struct TcpOrTlsListener {
    listener: TcpListener,
    acceptor: Option<Acceptor>,
}

/// A connection that was accepted; its TLS handshake is still to come.
#[derive(Debug)]
pub(super) struct Accepted {
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

/// All listening sockets, each of which has its turn.
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

    /// Returns the next connection. `TCP_NODELAY` is set on it. A connection of `open` that is idle
    /// is closed if there are too many open files.
    pub(super) async fn accept(&self, open: &OpenConnections) -> Accepted {
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
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn try_accept(&self) -> io::Result<Accepted> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len().max(1);
        let (before, after) = self.all.split_at(first);
        std::future::poll_fn(|context| {
            for TcpOrTlsListener { listener, acceptor } in after.iter().chain(before) {
                if let Poll::Ready(accepted) = listener.poll_accept(context) {
                    return Poll::Ready(accepted.map(|(stream, address)| Accepted {
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

/// `true` if the error is one of the connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
