//! Requests with a fault of a rule, which their receivers observe on the wire.
//!
//! The HTTP client cannot send such requests, so they are written to a socket directly. Over https the
//! connection breaks before the TLS handshake.

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

/// Bytes that are neither an HTTP request nor a response.
pub const GARBAGE: &[u8] = b"\x15\x03\0garbage\0\xff\xfe\r\n\x7f\x80 no HTTP\r\n\r\n";

/// A request that is written without the HTTP client.
pub(super) struct RawRequest<'r, R> {
    pub method: &'static str,
    /// URL before it was parsed, for messages.
    pub original_url: &'r str,
    pub url: Url,
    pub media_type: &'r str,
    pub headers: &'r [(&'r str, &'r str)],
    /// Read only as far as it is sent.
    pub body: R,
    /// Size of the whole body.
    pub bytes: u64,
}

impl OutboundClient {
    /// Sends a request up to its fault. Returns the message about the fault, or about an error before it.
    pub(super) async fn send_with_fault<R: AsyncRead + Unpin>(
        &self,
        request: RawRequest<'_, R>,
        (label, fault): (&str, Fault),
        timeout: std::time::Duration,
    ) -> String {
        let url = request.original_url;
        let written = tokio::time::timeout(timeout, self.write_with_fault(request, fault)).await;
        match written {
            Ok(Ok(())) => request_fault_message(label, fault),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                refused_message(url)
            }
            Ok(Err(error)) => format!("{}: {error}", shown_url(url)),
            Err(_) => timeout_message(url, timeout),
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
        let sent_bytes = match fault {
            Fault::Reset => u64::midpoint(head_bytes, request.bytes),
            Fault::Truncate if request.bytes < 2 => head_bytes / 2,
            Fault::Truncate => head_bytes + request.bytes / 2,
            Fault::Empty | Fault::Garbage | Fault::Drip { .. } => 0,
        };
        if fault == Fault::Garbage {
            stream.write_all(GARBAGE).await?;
        } else if is_plain {
            let mut sent_part = head.as_slice().chain(request.body).take(sent_bytes);
            tokio::io::copy(&mut sent_part, &mut stream).await?;
        }
        if fault == Fault::Reset {
            stream.set_zero_linger()
        } else {
            stream.shutdown().await
        }
    }

    /// Connects to the host of a URL, if its address may be called.
    async fn connect(&self, url: &Url) -> io::Result<TcpStream> {
        let port = url.port_or_known_default().unwrap_or(80);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let addresses: Vec<SocketAddr> = resolve_allowed(host, self.allow_public)
            .await
            .map_err(io::Error::other)?
            .into_iter()
            .map(|mut address| {
                address.set_port(port);
                address
            })
            .collect();
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Returns the head of the request as the HTTP client would write it.
fn head<R>(request: &RawRequest<'_, R>) -> io::Result<Vec<u8>> {
    let url = &request.url;
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut headers = HeaderMap::new();
    let host = HeaderValue::try_from(authority(url)).map_err(invalid)?;
    headers.insert(HOST, host);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let media_type = HeaderValue::from_str(request.media_type).map_err(invalid)?;
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_LENGTH, request.bytes.into());
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut head = format!("{} {target} HTTP/1.1\r\n", request.method).into_bytes();
    let client_headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let request_headers = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    for (name, value) in client_headers.chain(request_headers) {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    Ok(head)
}
