//! Addresses of a server besides its own: forwarded port, host name, TLS proxy.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::response::Response;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{TestServer, TlsListener};

fn address(server: &TestServer) -> SocketAddr {
    let address = server.origin.trim_start_matches("http://").parse();
    address.expect("an address")
}

async fn bind_listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// Forwards another port to the server, as a container runtime does. Returns the origin.
pub async fn start_port_forward(server: &TestServer) -> String {
    let server_address = address(server);
    let (listener, address) = bind_listener().await;
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut upstream = TcpStream::connect(server_address)
                    .await
                    .expect("the server");
                // Either side may close its connection first.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            });
        }
    });
    format!("http://localhost:{}", address.port())
}

/// Client that resolves `name` to the server, as in a container network.
pub fn with_host_name(server: &TestServer, name: &str) -> TestServer {
    let address = address(server);
    TestServer::connect_resolving(&format!("http://{name}:{}", address.port()), name, address)
}

/// Starts a proxy that terminates TLS and sets `X-Forwarded-Host` and `X-Forwarded-Proto`. Returns its
/// origin.
pub async fn start_tls_proxy(server: &TestServer) -> String {
    let (listener, proxy_address) = bind_listener().await;
    let router = axum::Router::new()
        .fallback(forward)
        .with_state((reqwest::Client::new(), address(server)));
    let listener = TlsListener::self_signed(listener);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("https://localhost:{}", proxy_address.port())
}

async fn forward(
    State((client, server_address)): State<(reqwest::Client, SocketAddr)>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let host = parts.headers.remove(HOST).expect("a host");
    parts.headers.insert("x-forwarded-host", host);
    let proto = HeaderValue::from_static("https");
    parts.headers.insert("x-forwarded-proto", proto);
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    let url = format!("http://{server_address}{}", parts.uri);
    let sent = client.request(parts.method, url).headers(parts.headers);
    let reply = sent.body(body).send().await.expect("a response");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = reply.status();
    *response.headers_mut() = reply.headers().clone();
    // The transfer coding applies to one connection only.
    response.headers_mut().remove(TRANSFER_ENCODING);
    *response.body_mut() = reply.bytes().await.expect("a body").into();
    response
}
