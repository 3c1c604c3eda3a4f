//! The HTTP server: accepts connections within their limit, answers requests on them, and closes
//! those that stall.

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
use super::listener::{Accepted, Listeners, TcpOrTlsListener};
use super::open_connections::{OpenConnections, OpenGuard};
use super::progress::{ConnectionTimeouts, Phase, Progress};
use super::request_body::{ReadState, RequestBody};
use super::socket::{MaybeTlsStream, Socket};

/// Limit of a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit of the farewell of a connection that is closed: TLS has one.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The server.
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
    /// A server that answers with `router`. Its connections close when `stopping` is cancelled and
    /// their requests have been answered.
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

    /// Serves until `stopping` is cancelled. Then nothing listens any more.
    pub async fn serve(&mut self) {
        let Some(listeners) = self.listeners.take() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        loop {
            // It is kept over the ends of other connections: it may have accepted one already.
            let mut accepting = pin!(next(&listeners, &shared.open));
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

    fn start_connection(&mut self, accepted: Accepted) {
        let shared = Arc::clone(&self.shared);
        let progress = Arc::new(Progress::new());
        let close = shared.stopping.child_token();
        let guard = shared.open.add(Arc::clone(&progress), close.clone());
        self.connections
            .spawn(connection(shared, accepted, progress, close, guard));
    }

    /// Waits until all connections have closed, and cuts off those that have not at `deadline`.
    /// `false` if some had to be cut off.
    pub async fn finish(&mut self, deadline: Instant) -> bool {
        let all = async { while self.connections.join_next().await.is_some() {} };
        let is_whole = timeout_at(deadline, all).await.is_ok();
        self.connections.shutdown().await;
        is_whole
    }
}

/// Returns the next connection, once there is room for it.
async fn next(listeners: &Listeners, open: &OpenConnections) -> Accepted {
    let accepted = listeners.accept(open).await;
    open.make_room().await;
    accepted
}

/// Serves one connection until it ends, stalls, or is to close.
async fn connection(
    shared: Arc<ServerShared>,
    accepted: Accepted,
    progress: Arc<Progress>,
    close: CancellationToken,
    _guard: OpenGuard,
) {
    let Some(stream) = shake_hands(accepted, &close).await else {
        return;
    };
    let connection = FaultableStream::new(Socket::new(stream, Arc::clone(&progress)));
    let handle = connection.handle();
    let service = service_fn(|request| respond(&shared, &handle, &progress, request));
    let mut http = pin!(
        http1::Builder::new()
            // Without a timer of its own: see `Progress`.
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(connection), service)
    );
    let is_asked_to_close = tokio::select! {
        biased;
        _ = http.as_mut() => return,
        () = close.cancelled() => true,
        () = progress.expired(&shared.timeouts) => false,
    };
    if is_asked_to_close && progress.phase().0 == Phase::InFlight {
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

/// Returns the stream, after the handshake if it is one of TLS. `None` if that fails, takes too
/// long, or the connection is to close.
async fn shake_hands(accepted: Accepted, close: &CancellationToken) -> Option<MaybeTlsStream> {
    let Accepted {
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
        Ok(Err(error)) => tracing::debug!(%address, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
    }
    None
}

/// Answers a request, which is in flight until its response has been flushed.
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
        // The rest of the body would be taken for the next request. hyper closes the connection where
        // it cannot read on, and says so only if it is told to.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(handle.queue_guard(response, Box::new(in_flight)))
}
