//! The subset of HTTP/1.1 that the benchmark uses: sequential messages on a persistent connection,
//! with a `Content-Length` or chunked body.
//!
//! No HTTP library is used, because the client shares the machine's processors with the server. An
//! exchange costs one write and one or two reads, and allocates nothing once the connection's buffer
//! has grown.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{BenchResult, bench_error};

/// Maximum length of a message header.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Maximum length of a message.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Time limit for a response.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection, as client or as server.
pub struct BenchConnection {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// Length of the last message in `bytes`.
    consumed: usize,
}

/// A request or a response, borrowed from the buffer of its connection.
pub struct WireMessage<'a> {
    /// Start line, such as `HTTP/1.1 200 OK` or `POST /path HTTP/1.1`.
    pub start_line: &'a str,
    /// Body, without chunk framing.
    pub body: &'a [u8],
}

/// Header of a message, as far as it determines the body.
struct MessageHead {
    start_line_bytes: usize,
    bytes: usize,
    content_length: usize,
    is_chunked: bool,
}

impl WireMessage<'_> {
    /// Returns the status code of a response.
    pub fn status(&self) -> BenchResult<u16> {
        let code = self.start_line.split(' ').nth(1).unwrap_or_default();
        code.parse()
            .map_err(|_| bench_error(format!("invalid status line: {}", self.start_line)))
    }
}

impl BenchConnection {
    /// Connects to `address`, with `TCP_NODELAY`.
    pub async fn open(address: SocketAddr) -> BenchResult<Self> {
        let stream = TcpStream::connect(address).await?;
        Self::from_stream(stream)
    }

    /// Wraps a connected stream, and sets `TCP_NODELAY`.
    pub fn from_stream(stream: TcpStream) -> BenchResult<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            bytes: Vec::with_capacity(4096),
            consumed: 0,
        })
    }

    /// Writes all of `bytes`.
    pub async fn send(&mut self, bytes: &[u8]) -> BenchResult<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Sends a request and waits for its response, for at most [`RESPONSE_TIMEOUT`].
    pub async fn exchange(&mut self, request: &[u8]) -> BenchResult<WireMessage<'_>> {
        self.send(request).await?;
        self.read_response().await
    }

    /// Waits for a response, for at most [`RESPONSE_TIMEOUT`].
    pub async fn read_response(&mut self) -> BenchResult<WireMessage<'_>> {
        match timeout(RESPONSE_TIMEOUT, self.receive()).await {
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None)) => Err(bench_error("connection closed before the response")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(bench_error(format!(
                "no response within {RESPONSE_TIMEOUT:?}"
            ))),
        }
    }

    /// Returns the next message. `None` if the peer has closed the connection between two messages.
    pub async fn receive(&mut self) -> BenchResult<Option<WireMessage<'_>>> {
        self.bytes.drain(..self.consumed);
        self.consumed = 0;
        let Some(head) = self.read_head().await? else {
            return Ok(None);
        };
        let (body_end, consumed) = if head.is_chunked {
            self.unchunk(head.bytes).await?
        } else {
            let end = head.bytes + head.content_length;
            self.fill_to(end).await?;
            (end, end)
        };
        self.consumed = consumed;
        let start_line = std::str::from_utf8(&self.bytes[..head.start_line_bytes])?;
        Ok(Some(WireMessage {
            start_line,
            body: &self.bytes[head.bytes..body_end],
        }))
    }

    async fn read_head(&mut self) -> BenchResult<Option<MessageHead>> {
        loop {
            if let Some(at) = self.bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                return MessageHead::parse(&self.bytes[..at]).map(Some);
            }
            if self.bytes.len() > HEAD_BYTES_MAX {
                return Err(bench_error("message header is too long"));
            }
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                return if self.bytes.is_empty() {
                    Ok(None)
                } else {
                    Err(bench_error("connection closed within a message header"))
                };
            }
        }
    }

    /// Reads until the buffer has `bytes` bytes.
    async fn fill_to(&mut self, bytes: usize) -> BenchResult<()> {
        if bytes > BODY_BYTES_MAX {
            return Err(bench_error(format!("message of {bytes} bytes is too long")));
        }
        while self.bytes.len() < bytes {
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(bench_error("connection closed within a message body"));
            }
        }
        Ok(())
    }

    /// Joins the chunks that start at `from`, in place. Returns the ends of the body and of the
    /// message.
    async fn unchunk(&mut self, from: usize) -> BenchResult<(usize, usize)> {
        let (mut body_end, mut at) = (from, from);
        loop {
            let line_end = loop {
                match self.bytes[at..].windows(2).position(|two| two == b"\r\n") {
                    Some(length) => break at + length,
                    None => self.fill_to(self.bytes.len() + 1).await?,
                }
            };
            let line = std::str::from_utf8(&self.bytes[at..line_end])?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16)?;
            let chunk = line_end + 2;
            self.fill_to(chunk.saturating_add(size).saturating_add(2))
                .await?;
            at = chunk + size + 2;
            if size == 0 {
                return Ok((body_end, at));
            }
            self.bytes.copy_within(chunk..chunk + size, body_end);
            body_end += size;
        }
    }
}

impl MessageHead {
    /// Parses a message header, without its final blank line.
    fn parse(bytes: &[u8]) -> BenchResult<Self> {
        let text = std::str::from_utf8(bytes)?;
        let mut lines = text.split("\r\n");
        let mut head = Self {
            start_line_bytes: lines.next().unwrap_or_default().len(),
            bytes: bytes.len() + 4,
            content_length: 0,
            is_chunked: false,
        };
        for line in lines {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            if name.eq_ignore_ascii_case("content-length") {
                head.content_length = value.trim().parse()?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.is_chunked = value.trim().eq_ignore_ascii_case("chunked");
            }
        }
        Ok(head)
    }
}
