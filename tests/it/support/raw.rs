//! Requests as raw bytes over a socket, for tests that a well-behaved HTTP client cannot send.

use std::io::ErrorKind;

use reqwest::Method;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{TestResponse, openapi};

/// Opens a connection to the server.
pub async fn connect(origin: &str) -> TcpStream {
    let address = origin.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("a connection")
}

/// Sends `bytes` on a new connection and reads the response until the connection closes. The
/// request should ask for `Connection: close`. Panics if the response does not match the OpenAPI
/// description of its path.
pub async fn send(origin: &str, bytes: &[u8]) -> TestResponse {
    let mut stream = connect(origin).await;
    stream
        .write_all(bytes)
        .await
        .expect("the server reads the request");
    let response = read_response(stream).await;
    // Requests that are not HTTP reach no route.
    let is_routed = !response.header("x-mock-request").is_empty();
    if let Some((method, path)) = request_line(bytes).filter(|_| is_routed)
        && let Err(mismatch) = openapi::check(
            &openapi::DescribedInput {
                method: &method,
                path,
                body: None,
            },
            &response,
        )
    {
        panic!("does not match the OpenAPI description: {mismatch}");
    }
    response
}

/// Returns the method and path of a request. `None` if the request line is malformed.
fn request_line(bytes: &[u8]) -> Option<(Method, &str)> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let method = words.next()?.parse().ok()?;
    Some((method, words.next()?))
}

/// Sends a POST with key `live` and `Connection: close`. Adds a `Host` unless `headers` has one.
pub async fn post(origin: &str, path: &str, headers: &str, body: &[u8]) -> TestResponse {
    let host = if headers.starts_with("Host:") || headers.contains("\r\nHost:") {
        ""
    } else {
        "Host: localhost\r\n"
    };
    let mut request = format!(
        "POST {path} HTTP/1.1\r\n{host}Authorization: Bearer live\r\nConnection: close\r\n{headers}\r\n"
    )
    .into_bytes();
    request.extend_from_slice(body);
    send(origin, &request).await
}

/// Everything received on a connection until its end.
#[derive(Debug)]
pub struct RawResponse {
    pub bytes: Vec<u8>,
    /// Number of successful reads. An approximation of the number of pieces sent.
    pub pieces: usize,
    /// Error that ended the connection. `None` if the server closed it regularly.
    pub error: Option<ErrorKind>,
}

impl RawResponse {
    /// Parses the bytes as one complete response.
    pub fn response(&self) -> TestResponse {
        parse(&self.bytes)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reads until the connection ends, by close or by error.
pub async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> RawResponse {
    let mut bytes = Vec::new();
    let mut pieces = 0;
    let error = loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) => break None,
            Ok(_) => pieces += 1,
            Err(error) => break Some(error.kind()),
        }
    };
    RawResponse {
        bytes,
        pieces,
        error,
    }
}

/// Reads one response until the server closes the connection.
pub async fn read_response(mut stream: TcpStream) -> TestResponse {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("a response");
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> TestResponse {
    let separator = bytes.windows(4).position(|it| it == b"\r\n\r\n");
    let end = separator.unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(bytes)));
    let head = std::str::from_utf8(&bytes[..end]).expect("a head of ASCII");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.parse().ok()?, value.parse().ok()?))
    };
    TestResponse {
        status: status.and_then(|it| it.parse().ok()).expect("a status"),
        headers: lines.filter_map(header).collect(),
        bytes: bytes[end + 4..].to_vec(),
    }
}
