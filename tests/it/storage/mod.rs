//! The blob store, spoken to byte by byte.

mod objects;
mod refusals;

use std::net::SocketAddr;

use reqwest::Method;
use serde_json::json;
use stuntdouble::model::time::Timestamp;
use stuntdouble::platform::clock::{parse_iso, real_now};
use stuntdouble::platform::presign::{PresignParams, Signer};
use stuntdouble::settings::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{T0, TestServer};

const OBJECT_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// An account whose clock stands at [`T0`].
const ACCOUNT: &str = "live";
const DETECTION: &str = "/api/v2/orders/ai-detection";

/// A server with an order that waits for its file.
struct StorageFixture {
    stunt: TestServer,
    at: SocketAddr,
    signer: Signer,
    root: tempfile::TempDir,
    order_id: String,
    /// The order's upload URL, made for the host `made.for:8080`.
    upload_url: String,
    /// The order's file key.
    key: String,
}

#[derive(Debug)]
struct S3Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn t0() -> Timestamp {
    parse_iso(T0).expect("an instant")
}

impl StorageFixture {
    async fn open() -> Self {
        Self::open_with(false).await
    }

    async fn open_with(strict_host: bool) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let server = TestServer::with_config(|config| {
            config.data_dir = Some(root.path().to_owned());
            config.storage.object_bytes_max = OBJECT_BYTES_MAX;
            config.strict_host = strict_host;
        });
        let server = server.await;
        server.freeze(ACCOUNT).await;
        let order = json!({"idempotencyKey": "a", "fileName": "a b+ü%.png"});
        let headers = [
            ("authorization", "Bearer live"),
            ("content-type", "application/json"),
            ("host", "made.for:8080"),
        ];
        let response = server.send(Method::POST, DETECTION, &headers, order.to_string());
        let response = response.await.json();
        let describe = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
        let address = server.origin.trim_start_matches("http://");
        let config = Config::defaults();
        Self {
            at: address.parse().expect("an address"),
            signer: Signer::new(
                &config.storage.s3_key_id,
                &config.storage.s3_secret,
                &config.storage.s3_region,
            ),
            root,
            order_id: describe(&response["data"]["orderId"]),
            upload_url: describe(&response["data"]["file"]["uploadUrl"]),
            key: describe(&response["data"]["file"]["fileKey"]),
            stunt: server,
        }
    }

    /// What a URL for `method` on `key` is made of, to be changed at will.
    fn plan<'a>(&'a self, method: &'a str, key: &'a str) -> PresignParams<'a> {
        PresignParams {
            method,
            origin: &self.stunt.origin,
            bucket: "bizmori",
            key,
            expires_s: 600,
            now: if key == self.key { t0() } else { real_now() },
            content_type: None,
            signed_headers: &[],
            response_content_disposition: None,
        }
    }

    /// The path and query of a URL made by `plan`.
    fn target(&self, plan: &PresignParams<'_>) -> String {
        self.signer.presign(plan).replace(plan.origin, "")
    }

    async fn call(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> S3Response {
        let length = match (body.is_empty(), method) {
            (true, "GET" | "HEAD" | "OPTIONS") => String::new(),
            _ if headers.contains("Transfer-Encoding") => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let mut stream = self
            .begin(method, target, &format!("{length}{headers}"))
            .await;
        stream.write_all(body).await.expect("a write");
        read_answer(stream).await
    }

    /// Sends the head of a request.
    async fn begin(&self, method: &str, target: &str, headers: &str) -> TcpStream {
        let at = self.at;
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{headers}\r\n"
        );
        let mut stream = TcpStream::connect(at).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("a write");
        stream
    }

    async fn put(&self, key: &str, headers: &str, body: &[u8]) -> S3Response {
        let target = self.target(&self.plan("PUT", key));
        self.call("PUT", &target, headers, body).await
    }

    async fn get(&self, key: &str, headers: &str) -> S3Response {
        let target = self.target(&self.plan("GET", key));
        self.call("GET", &target, headers, b"").await
    }

    /// Does the order know its file to be in?
    async fn is_received(&self) -> bool {
        let body = json!({"idempotencyKey": "c", "orderId": self.order_id});
        let confirm = format!("{DETECTION}/confirm");
        let response = self.stunt.post(ACCOUNT, &confirm, &body).await;
        let missing = "{\"code\":\"ORDER_FILE_NOT_UPLOADED\"}";
        assert!(response.status == 200 || response.text() == missing);
        response.status == 200
    }

    /// How many files are under `tmp/`.
    fn unfinished(&self) -> usize {
        let tmp = std::fs::read_dir(self.root.path().join("tmp"));
        tmp.expect("a directory").count()
    }
}

async fn read_answer(mut stream: TcpStream) -> S3Response {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
    let end = end.expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    S3Response {
        status: status.and_then(|it| it.parse().ok()).expect("a status"),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes[end + 4..].to_vec(),
    }
}

impl S3Response {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status, S3's code, and why.
    fn error_of(&self) -> (u16, String, &str) {
        assert_eq!(self.header("content-type"), Some("application/xml"));
        let text = self.text();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"));
        let id = self.header("x-amz-request-id").expect("an id");
        assert!(text.contains(&format!("<RequestId>{id}</RequestId>")));
        let code = text
            .split("<Code>")
            .nth(1)
            .and_then(|it| it.split('<').next());
        let why = self.header("x-mock-reason").expect("a reason");
        (self.status, code.unwrap_or_default().to_owned(), why)
    }
}
