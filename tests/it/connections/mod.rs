//! Limits of connections: timeouts for stalled ones, a maximum number, and shutdown.

mod close;
mod limit;
mod listings;
mod shutdown;
mod stalled;

use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestServer, raw};

/// Time limit for a test that would never end. No test depends on its length.
const GUARD: Duration = Duration::from_mins(1);

/// Returns a GET request that keeps its connection open.
fn get_request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// Sends bytes on a new connection and leaves it open.
async fn send(server: &TestServer, bytes: &[u8]) -> TcpStream {
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(bytes)
        .await
        .expect("the server reads the request");
    stream
}

/// Reads one response with a `Content-Length`, or one `100 Continue`. Leaves the connection open.
async fn read_response(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        read.push(stream.read_u8().await.expect("a response"));
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.parse::<usize>().expect("a length"))
        });
        let is_interim = head.starts_with("HTTP/1.1 100 ");
        if is_interim || body.len() >= length.expect("a length") {
            return text.into_owned();
        }
    }
}

/// Waits until the server closes the connection. Returns the bytes received before.
async fn read_until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let result = tokio::time::timeout(GUARD, raw::read_to_end(stream)).await;
    result.expect("the server closes the connection").bytes
}

/// Waits until the server has `count` connections open, including the connection of this function.
async fn await_connections(server: &TestServer, count: usize) {
    let expected = format!("\nstuntdouble_connections {count}\n");
    let reached = async {
        loop {
            let page = server.send(Method::GET, "/_mock/metrics", &[], "").await;
            if page.text().contains(&expected) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GUARD, reached)
        .await
        .unwrap_or_else(|_| panic!("there are never {count} connections"));
}
