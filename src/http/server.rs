//! The HTTP server: accepts connections up to the limit, serves requests on them, and closes stalled
//! connections.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::connection::{ConnectionHandle, FaultableStream, GuardedBody};
use super::listener::{AcceptedConnection, Listeners, TcpOrTlsListener};
use super::open_connections::{OpenConnections, OpenGuard};
use super::progress::{ConnectionTimeouts, Phase, Progress};
use super::request_body::{ReadState, RequestBody};
use super::socket::{MaybeTlsStream, Socket};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest graceful close of a connection: TLS sends a `close_notify`.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The HTTP server on all listeners.
#[derive(Debug)]
pub struct HttpServer {
    listeners: Option<Listeners>,
    shared: Arc<ServerShared>,
    /// One task for each connection.
    connections: JoinSet<()>,
}

/// State that all connections share.
#[derive(Debug)]
struct ServerShared {
    router: Router,
    timeouts: ConnectionTimeouts,
    open: Arc<OpenConnections>,
    stopping: CancellationToken,
}

impl HttpServer {
    /// Creates a server for `router`. After `stopping` is cancelled, each connection closes when its
    /// requests have been answered.
    #[must_use]
    pub fn new(
        listeners: Vec<TcpOrTlsListener>,
        router: Router,
        timeouts: ConnectionTimeouts,
        open: Arc<OpenConnections>,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            listeners: Some(Listeners::new(listeners)),
            shared: Arc::new(ServerShared {
                router,
                timeouts,
                open,
                stopping,
            }),
            connections: JoinSet::new(),
        }
    }

    /// Serves until `stopping` is cancelled, then closes the listeners.
    pub async fn serve(&mut self) {
        let Some(listeners) = self.listeners.take() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        loop {
            // Not restarted when another connection ends: the future may hold an accepted connection.
            let mut accepting = pin!(next_connection(&listeners, &shared.open));
            let accepted = loop {
                tokio::select! {
                    biased;
                    () = shared.stopping.cancelled() => return,
                    Some(_) = self.connections.join_next() => {}
                    accepted = &mut accepting => break accepted,
                }
            };
            self.start_connection(accepted);
        }
    }

    fn start_connection(&mut self, accepted: AcceptedConnection) {
        let shared = Arc::clone(&self.shared);
        let progress = Arc::new(Progress::new());
        let close = shared.stopping.child_token();
        let guard = shared.open.add(Arc::clone(&progress), close.clone());
        self.connections
            .spawn(serve_connection(shared, accepted, progress, close, guard));
    }

    /// Waits until all connections have closed. Aborts those that are still open at `deadline`.
    /// Returns `false` if any had to be aborted.
    pub async fn finish(&mut self, deadline: Instant) -> bool {
        let all_closed = async { while self.connections.join_next().await.is_some() {} };
        let is_clean = timeout_at(deadline, all_closed).await.is_ok();
        self.connections.shutdown().await;
        is_clean
    }
}

/// Returns the next connection when there is room for it.
async fn next_connection(listeners: &Listeners, open: &OpenConnections) -> AcceptedConnection {
    let accepted = listeners.accept(open).await;
    open.make_room().await;
    accepted
}

/// Serves one connection until it ends, stalls, or has to close.
async fn serve_connection(
    shared: Arc<ServerShared>,
    accepted: AcceptedConnection,
    progress: Arc<Progress>,
    close: CancellationToken,
    _guard: OpenGuard,
) {
    let Some(stream) = shake_hands(accepted, &close).await else {
        return;
    };
    let stream = FaultableStream::new(Socket::new(stream, Arc::clone(&progress)));
    let handle = stream.handle();
    let service = service_fn(|request| respond(&shared, &handle, &progress, request));
    let mut http = pin!(
        http1::Builder::new()
            // `Progress` has the deadlines instead.
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service)
    );
    let must_close = tokio::select! {
        biased;
        _ = http.as_mut() => return,
        () = close.cancelled() => true,
        () = progress.expired(&shared.timeouts) => false,
    };
    if must_close && progress.phase().0 == Phase::InFlight {
        // The response goes out with `Connection: close`, and then hyper closes.
        http.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            _ = http.as_mut() => return,
            () = progress.expired(&shared.timeouts) => {}
        }
    }
    if matches!(progress.phase().0, Phase::Silent | Phase::Idle) {
        http.as_mut().graceful_shutdown();
        let _ = timeout(CLOSE_TIMEOUT, http).await;
    }
}

/// Returns the stream of a connection, after the TLS handshake if the listener uses TLS. `None` if the
/// handshake fails or takes too long, or if `close` is cancelled.
async fn shake_hands(
    accepted: AcceptedConnection,
    close: &CancellationToken,
) -> Option<MaybeTlsStream> {
    let AcceptedConnection {
        stream,
        address,
        acceptor,
    } = accepted;
    let Some(acceptor) = acceptor else {
        return Some(MaybeTlsStream::Left(stream));
    };
    let handshake = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream));
    let outcome = tokio::select! {
        outcome = handshake => outcome,
        () = close.cancelled() => return None,
    };
    match outcome {
        Ok(Ok(stream)) => return Some(MaybeTlsStream::Right(Box::new(stream))),
        Ok(Err(error)) => tracing::debug!(%address, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "TLS handshake timed out"),
    }
    None
}

/// Responds to a request. The request is in flight until its response has been flushed.
async fn respond(
    shared: &ServerShared,
    handle: &ConnectionHandle,
    progress: &Arc<Progress>,
    request: Request<Incoming>,
) -> Result<Response<GuardedBody>, Infallible> {
    let in_flight = progress.begin_request();
    let has_body = !http_body::Body::is_end_stream(request.body());
    let read = Arc::new(ReadState::default());
    let mut request = request.map(|body| {
        if !has_body {
            return Body::empty();
        }
        let timeout = shared.timeouts.body;
        Body::new(RequestBody::new(body, timeout, Arc::clone(&read)))
    });
    request.extensions_mut().insert(ConnectInfo(handle.clone()));
    let mut router = shared.router.clone();
    let mut response = router.call(request).await?;
    if has_body && !read.has_ended() {
        // The rest of the body would be read as the next request, so hyper closes the connection. hyper
        // announces the close only if the response has this header.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(handle.queue_guard(response, Box::new(in_flight)))
}
