//! Where clients connect: in clear, and by TLS on a port of its own.
//!
//! A connection by TLS is there when its handshake is over, and handshakes are not waited for one
//! after the other. A client that says nothing is let go after ten seconds; until then it counts as
//! one of so many, beyond which the next wait to be accepted. Connections in clear never wait for
//! any of them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::connection::{Connection, Peer};
use super::socket::Socket;
use crate::tls::{Acceptor, Stream};

/// What a client has for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at a time.
const HANDSHAKES_MAX: usize = 512;

/// Accepts connections; `TCP_NODELAY` is set on each.
#[derive(Debug)]
pub struct Connections {
    plain: TcpListener,
    tls: Option<Handshakes>,
}

/// Those by TLS. Dropped, none is under way any more.
#[derive(Debug)]
struct Handshakes {
    listener: TcpListener,
    acceptor: Acceptor,
    limit: Duration,
    count_max: usize,
    under_way: JoinSet<Option<(Stream, SocketAddr)>>,
}

impl Connections {
    /// Those in clear and, where there is such a listener, those by TLS.
    #[must_use]
    pub fn new(plain: TcpListener, tls: Option<(TcpListener, Acceptor)>) -> Self {
        let tls = tls.map(|(listener, acceptor)| {
            Handshakes::new(listener, acceptor, HANDSHAKE, HANDSHAKES_MAX)
        });
        Self { plain, tls }
    }
}

impl Handshakes {
    fn new(listener: TcpListener, acceptor: Acceptor, limit: Duration, count_max: usize) -> Self {
        Self {
            listener,
            acceptor,
            limit,
            count_max,
            under_way: JoinSet::new(),
        }
    }

    /// The next connection whose handshake is over. Nothing is lost where this is dropped.
    async fn accept(&mut self) -> (Stream, SocketAddr) {
        loop {
            let may_begin = self.under_way.len() < self.count_max;
            tokio::select! {
                (stream, address) = Listener::accept(&mut self.listener), if may_begin => {
                    self.begin(stream, address);
                }
                Some(ended) = self.under_way.join_next() => {
                    if let Ok(Some(connected)) = ended {
                        return connected;
                    }
                }
            }
        }
    }

    fn begin(&mut self, stream: TcpStream, address: SocketAddr) {
        set_nodelay(&stream);
        let (acceptor, limit) = (self.acceptor.clone(), self.limit);
        self.under_way.spawn(async move {
            let shaken = tokio::time::timeout(limit, acceptor.accept(stream)).await;
            match shaken {
                Ok(Ok(stream)) => return Some((stream, address)),
                Ok(Err(error)) => tracing::debug!(%address, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
            }
            None
        });
    }
}

fn set_nodelay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
}

async fn accept_plain(listener: &mut TcpListener) -> (Socket, SocketAddr) {
    let (stream, address) = Listener::accept(listener).await;
    set_nodelay(&stream);
    (Socket::Plain(stream), address)
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let Self { plain, tls } = self;
        let (socket, address) = match tls {
            None => accept_plain(plain).await,
            Some(tls) => tokio::select! {
                accepted = accept_plain(plain) => accepted,
                (stream, address) = tls.accept() => (Socket::Tls(Box::new(stream)), address),
            },
        };
        (Connection::new(socket), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.plain.local_addr()
    }
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().peer()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::model::time::Timestamp;
    use crate::tls::Tls;

    /// One that lets a client have no time, or as long as it likes, and one at a time.
    async fn handshakes(limit: Duration) -> Handshakes {
        let folder = tempfile::tempdir().expect("a directory");
        let now = Timestamp::from_ms(1_773_309_600_000);
        let tls = Tls::open(folder.path(), std::iter::empty(), now).expect("an authority");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Handshakes::new(listener, tls.acceptor, limit, 1)
    }

    async fn client(handshakes: &Handshakes) -> TcpStream {
        let address = handshakes.listener.local_addr().expect("an address");
        TcpStream::connect(address).await.expect("a connection")
    }

    #[tokio::test]
    async fn a_client_whose_time_is_over_is_let_go_and_the_next_has_its_turn() {
        let mut handshakes = handshakes(Duration::ZERO).await;
        let (mut one, mut next) = (client(&handshakes).await, client(&handshakes).await);
        tokio::select! {
            _ = handshakes.accept() => panic!("nobody has shaken hands"),
            ended = one.read_u8() => assert!(ended.is_err()),
        }
        tokio::select! {
            _ = handshakes.accept() => panic!("nobody has shaken hands"),
            ended = next.read_u8() => assert!(ended.is_err()),
        }
    }

    #[tokio::test]
    async fn no_more_begin_than_may() {
        let mut handshakes = handshakes(Duration::MAX).await;
        let mut clients = vec![client(&handshakes).await, client(&handshakes).await];
        let turns = async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = handshakes.accept() => panic!("nobody has shaken hands"),
            () = turns => {}
        }
        assert_eq!(handshakes.under_way.len(), 1);
        clients.clear();
        let ended = handshakes.under_way.join_next().await;
        assert!(matches!(ended, Some(Ok(None))), "its client went");
    }
}
