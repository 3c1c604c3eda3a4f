//! Ways to a server under another address than its own.

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

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// Another port that leads to the server, as a container's is mapped: bytes are passed on.
pub async fn forwarded_port(server: &TestServer) -> String {
    let to = address(server);
    let (listener, at) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.expect("the server");
                // Either may be gone first.
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    format!("http://localhost:{}", at.port())
}

/// The server by a name that leads to it, as in a container's network.
pub fn named(server: &TestServer, name: &str) -> TestServer {
    let address = address(server);
    TestServer::connect_resolving(&format!("http://{name}:{}", address.port()), name, address)
}

/// A proxy that ends TLS, calls the server by a name of its own, and says how it was called.
pub async fn proxied(server: &TestServer) -> String {
    let (listener, at) = listener().await;
    let router = axum::Router::new()
        .fallback(pass_on)
        .with_state((reqwest::Client::new(), address(server)));
    let listener = TlsListener::self_signed(listener);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("https://localhost:{}", at.port())
}

async fn pass_on(
    State((client, to)): State<(reqwest::Client, SocketAddr)>,
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
    let url = format!("http://{to}{}", parts.uri);
    let sent = client.request(parts.method, url).headers(parts.headers);
    let reply = sent.body(body).send().await.expect("an answer");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = reply.status();
    *response.headers_mut() = reply.headers().clone();
    // How it came is between the server and the proxy.
    response.headers_mut().remove(TRANSFER_ENCODING);
    *response.body_mut() = reply.bytes().await.expect("a body").into();
    response
}
