//! Tests against a server that records each request and sends a fixed response.

mod overrides;
mod webhook_response;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use super::*;

const MAX: u64 = 1_000;
const LONG: Duration = Duration::from_secs(30);

/// Response to every request.
#[derive(Clone)]
enum TestReply {
    /// Sends these bytes and closes the connection.
    Bytes(Vec<u8>),
    /// Sends these bytes and stalls.
    Stall(&'static str),
    /// Sends chunks forever.
    Endless,
}

struct ReplyServer {
    origin: String,
    requests: UnboundedReceiver<Vec<u8>>,
}

impl ReplyServer {
    async fn start(reply: TestReply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, requests) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(stream, reply.clone(), sender.clone()));
            }
        });
        Self { origin, requests }
    }

    /// Starts a server with a self-signed certificate for another name.
    async fn secure(reply: TestReply) -> Self {
        let certified =
            rcgen::generate_simple_self_signed(["else.example".to_owned()]).expect("a certificate");
        let key =
            rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key.into());
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a configuration")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, requests) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stream = acceptor.accept(stream).await.expect("a handshake");
                tokio::spawn(respond(stream, reply.clone(), sender.clone()));
            }
        });
        let origin = format!("https://localhost:{port}");
        Self { origin, requests }
    }

    /// Returns the next request: its head in lower case, and its body.
    async fn request(&mut self) -> (String, Vec<u8>) {
        let request = self.requests.recv().await.expect("a request");
        let end = head_bytes(&request).expect("a head");
        let head = String::from_utf8(request[..end].to_vec()).expect("ASCII");
        (head.to_lowercase(), request[end..].to_vec())
    }
}

fn head_bytes(request: &[u8]) -> Option<usize> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n");
    end.map(|index| index + 4)
}

/// Returns the size of the request by its `Content-Length`. `None` if its head is incomplete.
fn request_bytes(request: &[u8]) -> Option<usize> {
    let head = head_bytes(request)?;
    let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    Some(head + length.map_or(0, |length| length.parse().expect("a length")))
}

async fn respond(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    reply: TestReply,
    requests: UnboundedSender<Vec<u8>>,
) {
    let mut request = Vec::new();
    while request_bytes(&request).is_none_or(|bytes| request.len() < bytes) {
        if stream.read_buf(&mut request).await.is_ok_and(|n| n > 0) {
            continue;
        }
        return;
    }
    let _ = requests.send(request);
    match reply {
        TestReply::Bytes(bytes) => {
            stream.write_all(&bytes).await.expect("written");
            stream.shutdown().await.expect("closed");
        }
        TestReply::Stall(head) => {
            stream.write_all(head.as_bytes()).await.expect("written");
            std::future::pending::<()>().await;
        }
        TestReply::Endless => {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            // Larger than the stored part of a body, so that one read suffices on a busy machine.
            let chunk = format!("1388\r\n{}\r\n", "12345".repeat(1000));
            let mut written = stream.write_all(head.as_bytes()).await;
            while written.is_ok() {
                written = stream.write_all(chunk.as_bytes()).await;
            }
        }
    }
}

fn reply(status: &str, headers: &str, body: &str) -> TestReply {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}");
    TestReply::Bytes(text.into_bytes())
}

fn outbound() -> OutboundClient {
    OutboundClient::new(LONG, false)
}

/// Fetches `url`. Returns the result, and the content of the file. `None` if there is no file.
async fn fetch(
    outbound: &OutboundClient,
    url: &str,
) -> (Result<DownloadedFile, String>, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("file");
    let result = outbound
        .fetch(url, &to, MAX, &CallOverrides::default())
        .await
        .map_err(|error| error.to_string());
    (result, std::fs::read(to).ok())
}

fn downloaded(bytes: u64, content_type: Option<&str>) -> DownloadedFile {
    DownloadedFile {
        bytes,
        content_type: content_type.map(str::to_owned),
    }
}

#[tokio::test]
async fn fetch_writes_the_body_and_sends_a_plain_get() {
    let typed = reply("200 OK", "content-type: image/jpeg\r\n", "picture");
    let mut server = ReplyServer::start(typed).await;
    let url = format!("{}/a.jpg?b=c", server.origin);
    let (done, file) = fetch(&outbound(), &url).await;
    assert_eq!(done, Ok(downloaded(7, Some("image/jpeg"))));
    assert_eq!(file, Some(b"picture".to_vec()));
    let (head, body) = server.request().await;
    assert!(head.starts_with("get /a.jpg?b=c http/1.1\r\n"), "{head}");
    assert!(!head.contains("authorization") && body.is_empty(), "{head}");
}

#[tokio::test]
async fn fetch_of_file_over_the_limit_fails() {
    let full = "x".repeat(1_000);
    let server = ReplyServer::start(reply("200 OK", "", &full)).await;
    let (done, file) = fetch(&outbound(), &server.origin).await;
    assert_eq!(done, Ok(downloaded(1_000, None)));
    assert_eq!(file, Some(full.clone().into_bytes()));

    let server = ReplyServer::start(reply("200 OK", "", &(full + "x"))).await;
    let (done, file) = fetch(&outbound(), &server.origin).await;
    let line = format!("{} has more than 1000 bytes", server.origin);
    assert_eq!((done, file), (Err(line), None), "by Content-Length");

    let server = ReplyServer::start(TestReply::Endless).await;
    let (done, file) = fetch(&outbound(), &server.origin).await;
    let line = format!("{} has more than 1000 bytes", server.origin);
    assert_eq!(done, Err(line), "by the received bytes");
    assert!(file.is_some_and(|file| file.len() <= 1_000));
}

#[tokio::test]
async fn fetch_of_other_status_than_2xx_fails() {
    let other = ReplyServer::start(reply("200 OK", "", "picture")).await;
    let headers = format!("location: {}\r\n", other.origin);
    for (status, after) in [
        ("302 Found", "302: redirects are not followed"),
        ("308 Permanent Redirect", "308: redirects are not followed"),
        ("404 Not Found", "404"),
        ("500 Internal Server Error", "500"),
    ] {
        let server = ReplyServer::start(reply(status, &headers, "why")).await;
        let (done, file) = fetch(&outbound(), &server.origin).await;
        let line = format!("{} answered {after}", server.origin);
        assert_eq!((done, file), (Err(line), None));
    }
    assert!(other.requests.is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn fetch_of_incomplete_body_fails() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123".to_vec();
    let server = ReplyServer::start(TestReply::Bytes(cut)).await;
    let (done, _) = fetch(&outbound(), &server.origin).await;
    let line = done.expect_err("an incomplete body");
    assert!(
        line.ends_with("end of file before message length reached"),
        "{line}"
    );
}

#[tokio::test]
async fn calls_over_the_timeout_fail() {
    let short = Duration::from_millis(50);
    let timeouts = OutboundTimeouts {
        response: LONG,
        fetch: short,
        put: short,
    };
    let hurried = OutboundClient::with_timeouts(timeouts, false);
    let started = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123";
    for stall in ["", started] {
        let server = ReplyServer::start(TestReply::Stall(stall)).await;
        let (done, _) = fetch(&hurried, &server.origin).await;
        let line = format!("{}: timed out after 50ms", server.origin);
        assert_eq!(done, Err(line), "{stall}");
    }
    let server = ReplyServer::start(TestReply::Stall("")).await;
    let line = format!("{}: timed out after 50ms", server.origin);
    assert_eq!(put(&hurried, &server.origin, b"12345", 5).await, Err(line));
}

#[tokio::test]
async fn calls_to_blocked_addresses_and_schemes_fail() {
    for (url, line) in [
        (
            "http://8.8.8.8/a",
            "8.8.8.8 is a public address; only loopback and private addresses are called without --outbound-allow-public",
        ),
        (
            "https://[2001:db8::1]/",
            "2001:db8::1 is a public address; only loopback and private addresses are called without --outbound-allow-public",
        ),
        (
            "http://169.254.169.254/latest/meta-data",
            "169.254.169.254 is a cloud metadata address, which serves credentials; it is never called, not even with --outbound-allow-public",
        ),
        (
            "http://[fd00:ec2::254]/",
            "fd00:ec2::254 is a cloud metadata address, which serves credentials; it is never called, not even with --outbound-allow-public",
        ),
        (
            "http://0.0.0.0:9000/",
            "0.0.0.0 is the unspecified address, which cannot be called; to call this machine, use 127.0.0.1 or [::1]",
        ),
        (
            "http://[ff02::1]/",
            "ff02::1 is a multicast or broadcast address, which cannot be called",
        ),
        (
            "ftp://127.0.0.1/",
            "ftp://127.0.0.1/: only http:// and https:// URLs are called",
        ),
        ("no\nURL", "no\\nURL: relative URL without a base"),
    ] {
        let line = line.to_owned();
        let (done, file) = fetch(&outbound(), url).await;
        assert_eq!((done, file), (Err(line.clone()), None));
        assert_eq!(put(&outbound(), url, b"12345", 5).await, Err(line.clone()));
        let posted = outbound()
            .post_json(url, &[], "{}".to_owned(), &CallOverrides::default())
            .await;
        assert_eq!(posted, Err(line));
    }
}

#[tokio::test]
async fn call_to_metadata_address_with_allow_public_is_refused() {
    let outbound = OutboundClient::new(LONG, true);
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://100.100.100.200/",
        "http://0xa9fea9fe/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
    ] {
        let (done, _) = fetch(&outbound, url).await;
        assert!(
            done.is_err_and(|line| line.contains("is never called")),
            "{url}"
        );
    }
}

/// Puts the first `bytes` bytes of `content` to `url`.
async fn put(
    outbound: &OutboundClient,
    url: &str,
    content: &[u8],
    bytes: u64,
) -> Result<u16, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, content).expect("a file");
    outbound
        .put_file(url, "image/png", &path, bytes, &CallOverrides::default())
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn put_file_sends_the_first_bytes_of_the_file() {
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    for bytes in [0, 1, 65_536, 500_003, content.len()] {
        let mut server = ReplyServer::start(reply("204 No Content", "", "")).await;
        let url = format!("{}/up?X-Amz-Signature=1", server.origin);
        let length = u64::try_from(bytes).expect("a small number");
        assert_eq!(put(&outbound(), &url, &content, length).await, Ok(204));
        let (head, body) = server.request().await;
        assert!(head.starts_with("put /up?x-amz-signature=1 http/1.1\r\n"));
        assert!(head.contains("\r\ncontent-type: image/png\r\n"), "{head}");
        assert!(
            head.contains(&format!("\r\ncontent-length: {bytes}\r\n")),
            "{head}"
        );
        assert!(!head.contains("authorization") && !head.contains("transfer-encoding"));
        assert!(body == content[..bytes], "{bytes} bytes");
    }
}

#[tokio::test]
async fn put_file_returns_any_status() {
    for (status, number) in [("403 Forbidden", 403), ("307 Temporary Redirect", 307)] {
        let headers = "location: http://127.0.0.1:1/\r\n";
        let server = ReplyServer::start(reply(status, headers, "why")).await;
        let done = put(&outbound(), &server.origin, b"12345", 5).await;
        assert_eq!(done, Ok(number));
    }
}

#[tokio::test]
async fn put_of_short_or_missing_file_is_a_file_error() {
    let server = ReplyServer::start(reply("200 OK", "", "")).await;
    let short = put(&outbound(), &server.origin, b"1234", 5).await;
    let line = "cannot read the file: unexpected end of file";
    assert_eq!(short, Err(line.to_owned()));
    let nowhere = std::path::Path::new("/nowhere/file");
    let (outbound, url) = (outbound(), &server.origin);
    let overrides = CallOverrides::default();
    let missing = outbound
        .put_file(url, "image/png", nowhere, 5, &overrides)
        .await;
    assert!(matches!(missing, Err(PutError::File(_))), "{missing:?}");
    assert!(server.requests.is_empty(), "a request was sent");
}

#[tokio::test]
async fn calls_over_https_accept_any_certificate() {
    let mut server = ReplyServer::secure(reply("200 OK", "", "picture")).await;
    let outbound = outbound();
    let (done, file) = fetch(&outbound, &server.origin).await;
    assert_eq!(done, Ok(downloaded(7, None)));
    assert_eq!(file, Some(b"picture".to_vec()));
    assert_eq!(put(&outbound, &server.origin, b"12345", 4).await, Ok(200));
    let overrides = CallOverrides::default();
    let posted = outbound.post_json(&server.origin, &[("x-a", "b")], "{}".to_owned(), &overrides);
    assert_eq!(posted.await.map(|posted| posted.status), Ok(200));
    for (method, sent) in [("get", ""), ("put", "1234"), ("post", "{}")] {
        let (head, body) = server.request().await;
        assert!(head.starts_with(&format!("{method} / http/1.1")), "{head}");
        assert_eq!(body, sent.as_bytes());
    }
}

#[tokio::test]
async fn client_is_built_at_the_first_call() {
    let outbound = outbound();
    assert!(outbound.client.get().is_none());
    let server = ReplyServer::start(reply("200 OK", "", "")).await;
    let (done, _) = fetch(&outbound, &server.origin).await;
    assert_eq!(done, Ok(downloaded(0, None)));
    assert!(outbound.clone().client.get().is_some());
}
