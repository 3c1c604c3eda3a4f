//! Against a server that reads a request whole, keeps it, and answers what it was told to.

mod posted;
mod treated;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use super::*;

const MAX: u64 = 1_000;
const LONG: Duration = Duration::from_secs(30);

/// What every request is answered.
#[derive(Clone)]
enum TestReply {
    /// These bytes; then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes; then nothing more comes.
    Stall(&'static str),
    /// Chunks without end.
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
                tokio::spawn(answer(stream, reply.clone(), sender.clone()));
            }
        });
        Self { origin, requests }
    }

    /// One whose certificate is of its own making, and another's.
    async fn secure(reply: TestReply) -> Self {
        let certified = rcgen::generate_simple_self_signed(["else.example".to_owned()]);
        let certified = certified.expect("a certificate");
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
                tokio::spawn(answer(stream, reply.clone(), sender.clone()));
            }
        });
        let origin = format!("https://localhost:{port}");
        Self { origin, requests }
    }

    /// The next request: its head in lower case, and its body.
    async fn request(&mut self) -> (String, Vec<u8>) {
        let request = self.requests.recv().await.expect("a request");
        let end = head_bytes(&request).expect("a head");
        let head = String::from_utf8(request[..end].to_vec()).expect("ASCII");
        (head.to_lowercase(), request[end..].to_vec())
    }
}

fn head_bytes(request: &[u8]) -> Option<usize> {
    let ends = request.windows(4).position(|four| four == b"\r\n\r\n");
    ends.map(|at| at + 4)
}

/// As many bytes as the head says, once the head is there.
fn whole_bytes(request: &[u8]) -> Option<usize> {
    let head = head_bytes(request)?;
    let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    Some(head + length.map_or(0, |length| length.parse().expect("a length")))
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    reply: TestReply,
    requests: UnboundedSender<Vec<u8>>,
) {
    let mut request = Vec::new();
    while whole_bytes(&request).is_none_or(|whole| request.len() < whole) {
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
        TestReply::Stall(started) => {
            stream.write_all(started.as_bytes()).await.expect("written");
            std::future::pending::<()>().await;
        }
        TestReply::Endless => {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            // Larger than what is kept of a body, so that one read is enough on a busy machine.
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

/// What fetching `url` comes to, and what then is in the file; none if it was not made.
async fn fetch(
    outbound: &OutboundClient,
    url: &str,
) -> (Result<DownloadedFile, String>, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("file");
    let fetched = outbound
        .fetch(url, &to, MAX, &CallOverrides::default())
        .await;
    let fetched = fetched.map_err(|error| error.to_string());
    (fetched, std::fs::read(to).ok())
}

fn fetched(bytes: u64, content_type: Option<&str>) -> DownloadedFile {
    DownloadedFile {
        bytes,
        content_type: content_type.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_file_is_fetched_as_it_is_sent() {
    let typed = reply("200 OK", "content-type: image/jpeg\r\n", "picture");
    let mut server = ReplyServer::start(typed).await;
    let url = format!("{}/a.jpg?b=c", server.origin);
    let (done, file) = fetch(&outbound(), &url).await;
    assert_eq!(done, Ok(fetched(7, Some("image/jpeg"))));
    assert_eq!(file, Some(b"picture".to_vec()));
    let (head, body) = server.request().await;
    assert!(head.starts_with("get /a.jpg?b=c http/1.1\r\n"), "{head}");
    assert!(!head.contains("authorization") && body.is_empty(), "{head}");
}

#[tokio::test]
async fn a_file_of_the_greatest_size_is_fetched_and_a_greater_one_is_not() {
    let full = "x".repeat(1_000);
    let server = ReplyServer::start(reply("200 OK", "", &full)).await;
    let (done, file) = fetch(&outbound(), &server.origin).await;
    assert_eq!(done, Ok(fetched(1_000, None)));
    assert_eq!(file, Some(full.clone().into_bytes()));

    let server = ReplyServer::start(reply("200 OK", "", &(full + "x"))).await;
    let (done, file) = fetch(&outbound(), &server.origin).await;
    let line = format!("{} has more than 1000 bytes", server.origin);
    assert_eq!((done, file), (Err(line), None), "its length says so");

    let server = ReplyServer::start(TestReply::Endless).await;
    let (done, file) = fetch(&outbound(), &server.origin).await;
    let line = format!("{} has more than 1000 bytes", server.origin);
    assert_eq!(done, Err(line), "nothing says so but what comes");
    assert!(file.is_some_and(|file| file.len() <= 1_000));
}

#[tokio::test]
async fn what_is_not_answered_2xx_is_not_fetched() {
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
    assert!(other.requests.is_empty(), "nobody was sent there");
}

#[tokio::test]
async fn a_file_that_ends_early_is_not_fetched() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123".to_vec();
    let server = ReplyServer::start(TestReply::Bytes(cut)).await;
    let (done, _) = fetch(&outbound(), &server.origin).await;
    let line = done.expect_err("it is not whole");
    assert!(
        line.ends_with("end of file before message length reached"),
        "{line}"
    );
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let short = Duration::from_millis(50);
    let timeouts = OutboundTimeouts {
        response: LONG,
        fetch: short,
        put: short,
    };
    let hurried = OutboundClient::with_timeout(timeouts, false);
    let started = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123";
    for stall in ["", started] {
        let server = ReplyServer::start(TestReply::Stall(stall)).await;
        let (done, _) = fetch(&hurried, &server.origin).await;
        let line = format!("{}: not done within 50ms", server.origin);
        assert_eq!(done, Err(line), "{stall}");
    }
    let server = ReplyServer::start(TestReply::Stall("")).await;
    let line = format!("{}: not done within 50ms", server.origin);
    assert_eq!(put(&hurried, &server.origin, b"12345", 5).await, Err(line));
}

#[tokio::test]
async fn only_addresses_of_tests_and_only_http_are_called() {
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
            "169.254.169.254 is a metadata address, at which clouds hand a machine its credentials; it is never called, not even with --outbound-allow-public",
        ),
        (
            "http://[fd00:ec2::254]/",
            "fd00:ec2::254 is a metadata address, at which clouds hand a machine its credentials; it is never called, not even with --outbound-allow-public",
        ),
        (
            "http://0.0.0.0:9000/",
            "0.0.0.0 is the unspecified address, which is no address to call; to call this machine, use 127.0.0.1 or [::1]",
        ),
        (
            "http://[ff02::1]/",
            "ff02::1 is a multicast or broadcast address, which is no address to call",
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

/// What putting the first `bytes` of `content` comes to.
async fn put(
    outbound: &OutboundClient,
    url: &str,
    content: &[u8],
    bytes: u64,
) -> Result<u16, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, content).expect("a file");
    let done = outbound
        .put_file(url, "image/png", &path, bytes, &CallOverrides::default())
        .await;
    done.map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_first_bytes_of_a_file_are_put_and_no_others() {
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
async fn whatever_status_a_put_is_answered_is_told() {
    for (status, number) in [("403 Forbidden", 403), ("307 Temporary Redirect", 307)] {
        let headers = "location: http://127.0.0.1:1/\r\n";
        let server = ReplyServer::start(reply(status, headers, "why")).await;
        let done = put(&outbound(), &server.origin, b"12345", 5).await;
        assert_eq!(done, Ok(number));
    }
}

#[tokio::test]
async fn a_file_that_is_not_all_there_is_a_fault_of_ours() {
    let server = ReplyServer::start(reply("200 OK", "", "")).await;
    let short = put(&outbound(), &server.origin, b"1234", 5).await;
    let line = "cannot read the file: unexpected end of file";
    assert_eq!(short, Err(line.to_owned()));
    let nowhere = std::path::Path::new("/nowhere/file");
    let (outbound, url) = (outbound(), &server.origin);
    let untreated = CallOverrides::default();
    let removed = outbound
        .put_file(url, "image/png", nowhere, 5, &untreated)
        .await;
    assert!(matches!(removed, Err(PutError::File(_))), "{removed:?}");
    assert!(server.requests.is_empty(), "nothing was sent");
}

#[tokio::test]
async fn https_is_called_whatever_the_certificate() {
    let mut server = ReplyServer::secure(reply("200 OK", "", "picture")).await;
    let outbound = outbound();
    let (done, file) = fetch(&outbound, &server.origin).await;
    assert_eq!(done, Ok(fetched(7, None)));
    assert_eq!(file, Some(b"picture".to_vec()));
    assert_eq!(put(&outbound, &server.origin, b"12345", 4).await, Ok(200));
    let untreated = CallOverrides::default();
    let posted = outbound.post_json(&server.origin, &[("x-a", "b")], "{}".to_owned(), &untreated);
    assert_eq!(posted.await.map(|posted| posted.status), Ok(200));
    for (method, sent) in [("get", ""), ("put", "1234"), ("post", "{}")] {
        let (head, body) = server.request().await;
        assert!(head.starts_with(&format!("{method} / http/1.1")), "{head}");
        assert_eq!(body, sent.as_bytes());
    }
}

#[tokio::test]
async fn who_calls_nobody_has_no_client() {
    let outbound = outbound();
    assert!(outbound.client.get().is_none());
    let server = ReplyServer::start(reply("200 OK", "", "")).await;
    let (done, _) = fetch(&outbound, &server.origin).await;
    assert_eq!(done, Ok(fetched(0, None)));
    assert!(outbound.clone().client.get().is_some());
}
