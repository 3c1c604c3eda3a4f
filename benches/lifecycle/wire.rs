//! The little of HTTP/1.1 that the bench speaks: one message after another on a kept-alive
//! connection, with a body of known length or in chunks.
//!
//! Written by hand because the client shares the machine's processors with the server it
//! measures: an exchange costs one write, one or two reads, and no allocation once the
//! connection's buffer has grown.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{BenchOutcome, usage_error};

/// A head longer than this is no answer of ours.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// A body longer than this is no answer of ours.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long an answer may take before the bench calls the server stuck.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One end of a connection, client or server.
pub struct BenchConnection {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// How many of `bytes` the last message took.
    consumed: usize,
}

/// A request or an answer, borrowed from its connection's buffer.
pub struct WireMessage<'a> {
    /// `HTTP/1.1 200 OK` or `POST /path HTTP/1.1`.
    pub start_line: &'a str,
    /// The body, out of its chunks.
    pub body: &'a [u8],
}

/// What the head says of the body.
struct MessageHead {
    start_line_bytes: usize,
    bytes: usize,
    content_length: usize,
    chunked: bool,
}

impl WireMessage<'_> {
    /// An answer's status code.
    pub fn status(&self) -> BenchOutcome<u16> {
        let code = self.start_line.split(' ').nth(1).unwrap_or_default();
        code.parse()
            .map_err(|_| usage_error(format!("not a status line: {}", self.start_line)))
    }
}

impl BenchConnection {
    /// Connects to `address`, with `TCP_NODELAY`.
    pub async fn open(address: SocketAddr) -> BenchOutcome<Self> {
        let stream = TcpStream::connect(address).await?;
        Self::accepted(stream)
    }

    /// Takes over a stream that was accepted or connected.
    pub fn accepted(stream: TcpStream) -> BenchOutcome<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            bytes: Vec::with_capacity(4096),
            consumed: 0,
        })
    }

    /// Writes all of `bytes`.
    pub async fn send(&mut self, bytes: &[u8]) -> BenchOutcome<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Sends a whole request and waits for its answer, at most [`PATIENCE`].
    pub async fn exchange(&mut self, request: &[u8]) -> BenchOutcome<WireMessage<'_>> {
        self.send(request).await?;
        self.answer().await
    }

    /// Waits for the answer to what was sent, at most [`PATIENCE`].
    pub async fn answer(&mut self) -> BenchOutcome<WireMessage<'_>> {
        match timeout(PATIENCE, self.receive()).await {
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None)) => Err(usage_error(
                "the connection was closed instead of an answer",
            )),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(usage_error(format!("no answer within {PATIENCE:?}"))),
        }
    }

    /// The next message, or `None` when the other side closed between two of them.
    pub async fn receive(&mut self) -> BenchOutcome<Option<WireMessage<'_>>> {
        self.bytes.drain(..self.consumed);
        self.consumed = 0;
        let Some(head) = self.head().await? else {
            return Ok(None);
        };
        let (body_end, consumed) = if head.chunked {
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

    async fn head(&mut self) -> BenchOutcome<Option<MessageHead>> {
        loop {
            if let Some(at) = self.bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                return MessageHead::parse(&self.bytes[..at]).map(Some);
            }
            if self.bytes.len() > HEAD_BYTES_MAX {
                return Err(usage_error("a head that does not end"));
            }
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                return if self.bytes.is_empty() {
                    Ok(None)
                } else {
                    Err(usage_error("the connection was closed inside a head"))
                };
            }
        }
    }

    /// Reads until the buffer holds `bytes` bytes.
    async fn fill_to(&mut self, bytes: usize) -> BenchOutcome<()> {
        if bytes > BODY_BYTES_MAX {
            return Err(usage_error(format!("a message of {bytes} bytes")));
        }
        while self.bytes.len() < bytes {
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(usage_error("the connection was closed inside a body"));
            }
        }
        Ok(())
    }

    /// Joins the chunks that begin at `from`, in place: where the body ends and where the
    /// message does.
    async fn unchunk(&mut self, from: usize) -> BenchOutcome<(usize, usize)> {
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
    /// Reads a head, without its blank line.
    fn parse(bytes: &[u8]) -> BenchOutcome<Self> {
        let text = std::str::from_utf8(bytes)?;
        let mut lines = text.split("\r\n");
        let mut head = Self {
            start_line_bytes: lines.next().unwrap_or_default().len(),
            bytes: bytes.len() + 4,
            content_length: 0,
            chunked: false,
        };
        for line in lines {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            if name.eq_ignore_ascii_case("content-length") {
                head.content_length = value.trim().parse()?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.chunked = value.trim().eq_ignore_ascii_case("chunked");
            }
        }
        Ok(head)
    }
}
