//! Requests that break on their way, for rules that say so: their receivers see it on the wire.
//!
//! The HTTP client makes none such, so these are written to a socket of their own. Over https
//! the connection breaks before TLS has begun.

use std::io;
use std::net::SocketAddr;

use reqwest::Url;
use reqwest::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::overrides::request_fault_message;
use super::request_error::refused_message;
use super::ssrf_filter::resolve_allowed;
use super::{AGENT, OutboundClient, authority, shown_url, timeout_message};
use crate::model::rule::Fault;

/// No HTTP, neither a request nor an answer.
pub const GARBAGE: &[u8] = b"\x15\x03\0garbage\0\xff\xfe\r\n\x7f\x80 no HTTP\r\n\r\n";

/// A request, to be broken.
pub(super) struct RawRequest<'r, R> {
    pub method: &'static str,
    /// As it was given.
    pub shown: &'r str,
    pub url: Url,
    pub media_type: &'r str,
    pub headers: &'r [(&'r str, &'r str)],
    /// Read as far as it is sent.
    pub body: R,
    /// All that there are of it.
    pub bytes: u64,
}

impl OutboundClient {
    /// Sends a request as far as the fault lets it: the line that tells of it, or of what went
    /// wrong before.
    pub(super) async fn send_with_fault<R: AsyncRead + Unpin>(
        &self,
        request: RawRequest<'_, R>,
        (title, fault): (&str, Fault),
        timeout: std::time::Duration,
    ) -> String {
        let shown = request.shown;
        let sent = tokio::time::timeout(timeout, self.write_with_fault(request, fault)).await;
        match sent {
            Ok(Ok(())) => request_fault_message(title, fault),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                refused_message(shown)
            }
            Ok(Err(error)) => format!("{}: {error}", shown_url(shown)),
            Err(_) => timeout_message(shown, timeout),
        }
    }

    async fn write_with_fault<R: AsyncRead + Unpin>(
        &self,
        request: RawRequest<'_, R>,
        fault: Fault,
    ) -> io::Result<()> {
        let mut stream = self.connect(&request.url).await?;
        let head = head(&request)?;
        let head_bytes = head.len() as u64;
        let is_plain = request.url.scheme() == "http";
        let cut = match fault {
            Fault::Reset => u64::midpoint(head_bytes, request.bytes),
            Fault::Truncate if request.bytes < 2 => head_bytes / 2,
            Fault::Truncate => head_bytes + request.bytes / 2,
            Fault::Empty | Fault::Garbage | Fault::Drip { .. } => 0,
        };
        if fault == Fault::Garbage {
            stream.write_all(GARBAGE).await?;
        } else if is_plain {
            let mut sent = head.as_slice().chain(request.body).take(cut);
            tokio::io::copy(&mut sent, &mut stream).await?;
        }
        if fault == Fault::Reset {
            stream.set_zero_linger()
        } else {
            stream.shutdown().await
        }
    }

    /// A connection to where the URL leads, if that may be called.
    async fn connect(&self, url: &Url) -> io::Result<TcpStream> {
        let port = url.port_or_known_default().unwrap_or(80);
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        let found = resolve_allowed(host, self.allow_public).await;
        let found = found.map_err(io::Error::other)?;
        let found: Vec<SocketAddr> = found
            .into_iter()
            .map(|mut address| {
                address.set_port(port);
                address
            })
            .collect();
        let stream = TcpStream::connect(found.as_slice()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The request's head as the HTTP client would write it.
fn head<R>(request: &RawRequest<'_, R>) -> io::Result<Vec<u8>> {
    let url = &request.url;
    let bad = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::try_from(authority(url)).map_err(bad)?);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let media_type = HeaderValue::from_str(request.media_type).map_err(bad)?;
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_LENGTH, request.bytes.into());
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut head = format!("{} {target} HTTP/1.1\r\n", request.method).into_bytes();
    let ours = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let theirs = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    for (name, value) in ours.chain(theirs) {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    Ok(head)
}
