//! Who is called: takes down what comes on each connection, byte by byte, and answers what it was
//! told to once a whole request is there.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::raw::RawResponse;

pub struct RawListener {
    pub origin: String,
    received: UnboundedReceiver<RawResponse>,
}

impl RawListener {
    /// One that answers 200 with that body.
    pub async fn with_replies(body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, came) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(listen(stream, body.clone(), sender.clone()));
            }
        });
        Self {
            origin,
            received: came,
        }
    }

    pub async fn start() -> Self {
        Self::with_replies(Vec::new()).await
    }

    /// What came by the next connection that has ended.
    pub async fn next(&mut self) -> RawResponse {
        self.received.recv().await.expect("it listens")
    }

    /// Nobody has called since.
    pub fn assert_quiet(&mut self) {
        let came = self.received.try_recv();
        assert!(came.is_err(), "{came:?}");
    }
}

/// The head, and as much of the body as came; none if there is no whole head.
pub fn parts(came: &RawResponse) -> Option<(String, &[u8])> {
    let end = came.bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&came.bytes[..end]).to_lowercase();
    Some((head, &came.bytes[end + 4..]))
}

/// The length that a head tells.
pub fn told_bytes(head: &str) -> usize {
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().expect("a number"))
}

fn is_whole(came: &RawResponse) -> bool {
    parts(came).is_some_and(|(head, body)| body.len() == told_bytes(&head))
}

async fn listen(mut stream: TcpStream, body: Vec<u8>, to: UnboundedSender<RawResponse>) {
    let mut came = RawResponse {
        bytes: Vec::new(),
        pieces: 0,
        error: None,
    };
    while !is_whole(&came) {
        match stream.read_buf(&mut came.bytes).await {
            Ok(0) => break,
            Ok(_) => came.pieces += 1,
            Err(error) => {
                came.error = Some(error.kind());
                break;
            }
        }
    }
    if is_whole(&came) {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: image/jpeg\r\ncontent-length: {length}\r\n\r\n"
        );
        let answer = [head.as_bytes(), &body].concat();
        // It may have gone.
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
    }
    let _ = to.send(came);
}
