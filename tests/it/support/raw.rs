//! Requests as bytes over a socket, for what no decent client sends.

use std::io::ErrorKind;

use reqwest::Method;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{TestResponse, openapi};

/// A connection to the server.
pub async fn connect(origin: &str) -> TcpStream {
    let address = origin.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("a connection")
}

/// Sends the bytes, on a connection of their own, and reads the answer. They should ask for
/// the connection to be closed. An answer on a described path is as described.
pub async fn send(origin: &str, bytes: &[u8]) -> TestResponse {
    let mut stream = connect(origin).await;
    stream.write_all(bytes).await.expect("it is read");
    let response = read_response(stream).await;
    if let Some((method, path)) = request_line(bytes)
        && let Err(wrong) = openapi::check(
            &openapi::DescribedInput {
                method: &method,
                path,
                body: None,
            },
            &response,
        )
    {
        panic!("not as described: {wrong}");
    }
    response
}

/// The method and path of a request, where it has them.
fn request_line(bytes: &[u8]) -> Option<(Method, &str)> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let method = words.next()?.parse().ok()?;
    Some((method, words.next()?))
}

/// Sends head and body of a POST with key `live`. Adds `Connection: close`, and a `Host` if
/// `headers` have none.
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

/// What came by a connection until its end.
#[derive(Debug)]
pub struct RawResponse {
    pub bytes: Vec<u8>,
    /// It came in so many pieces, as far as can be told.
    pub pieces: usize,
    /// How it ended; none: in an orderly way.
    pub error: Option<ErrorKind>,
}

impl RawResponse {
    /// The one answer that is whole.
    pub fn answer(&self) -> TestResponse {
        parse(&self.bytes)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reads what comes, whatever it is, until the connection ends.
pub async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> RawResponse {
    let (mut bytes, mut pieces) = (Vec::new(), 0);
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

/// The answer, up to the end of the connection.
pub async fn read_response(mut stream: TcpStream) -> TestResponse {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> TestResponse {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(bytes)));
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
