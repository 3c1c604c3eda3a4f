//! A TCP listener that records the bytes of each connection, and responds to complete requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::raw::RawResponse;

pub struct RawListener {
    pub origin: String,
    received: UnboundedReceiver<RawResponse>,
}

impl RawListener {
    /// Starts a listener that responds 200 with `body`.
    pub async fn start_with_body(body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, received) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(listen(stream, body.clone(), sender.clone()));
            }
        });
        Self {
            origin,
            received: received,
        }
    }

    pub async fn start() -> Self {
        Self::start_with_body(Vec::new()).await
    }

    /// Waits for the end of the next connection and returns its bytes.
    pub async fn next(&mut self) -> RawResponse {
        self.received.recv().await.expect("a running listener")
    }

    /// Asserts that no other connection has ended.
    pub fn assert_quiet(&mut self) {
        let received = self.received.try_recv();
        assert!(received.is_err(), "{received:?}");
    }
}

/// Splits a request into its head and the received part of its body. `None` if the head is
/// incomplete.
pub fn split_head(received: &RawResponse) -> Option<(String, &[u8])> {
    let end = received
        .bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received.bytes[..end]).to_lowercase();
    Some((head, &received.bytes[end + 4..]))
}

/// Returns the `Content-Length` of a head, 0 if it has none.
pub fn content_length(head: &str) -> usize {
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().expect("a number"))
}

fn is_complete(received: &RawResponse) -> bool {
    split_head(received).is_some_and(|(head, body)| body.len() == content_length(&head))
}

async fn listen(mut stream: TcpStream, body: Vec<u8>, to: UnboundedSender<RawResponse>) {
    let mut received = RawResponse {
        bytes: Vec::new(),
        pieces: 0,
        error: None,
    };
    while !is_complete(&received) {
        match stream.read_buf(&mut received.bytes).await {
            Ok(0) => break,
            Ok(_) => received.pieces += 1,
            Err(error) => {
                received.error = Some(error.kind());
                break;
            }
        }
    }
    if is_complete(&received) {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: image/jpeg\r\ncontent-length: {length}\r\n\r\n"
        );
        let response = [head.as_bytes(), &body].concat();
        // Fails if the caller has closed the connection.
        let _ = stream.write_all(&response).await;
        let _ = stream.shutdown().await;
    }
    let _ = to.send(received);
}
