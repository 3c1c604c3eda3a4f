//! The S3 API: presigned PUT, GET and HEAD, and S3's XML errors.

mod checksums;
mod conditions;
mod damaged_objects;
mod errors;
mod framing;
mod hosts;
mod metadata;
mod objects;
mod origins;
mod retries;
mod sdk_urls;
mod signed_url;
mod uploads;
mod virtual_host;

use reqwest::Method;
use serde_json::json;
use stuntdouble::platform::clock;
use stuntdouble::platform::presign::{PresignParams, Signer};
use stuntdouble::settings::Config;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{T0, TestResponse, TestServer, raw};

/// Object key that belongs to no account, so that the default clock judges its URLs.
const KEY: &str = "any/a b+ü%.png";

/// An AI detection order whose file is not uploaded. The clock of its account `live` is frozen at
/// [`T0`].
struct PendingOrder {
    server: TestServer,
    data_dir: tempfile::TempDir,
    id: String,
    /// Key of the order's file in the bucket `bizmori`.
    file_key: String,
}

impl PendingOrder {
    async fn create() -> Self {
        Self::create_with(|_| {}).await
    }

    async fn create_with(set: impl FnOnce(&mut Config)) -> Self {
        let data_dir = tempfile::tempdir().expect("a directory");
        let server = TestServer::with_config(|config| {
            config.data_dir = Some(data_dir.path().to_owned());
            set(config);
        })
        .await;
        server.freeze("live").await;
        let body = json!({"idempotencyKey": "a", "fileName": "a b+ü%.png"});
        let response = server
            .post("live", "/api/v2/orders/ai-detection", &body)
            .await;
        assert_eq!(response.status, 200, "{}", response.text());
        let order = response.json()["data"].take();
        let id = order["orderId"].as_str().expect("an id").to_owned();
        let file_key = order["file"]["fileKey"].as_str().expect("a key").to_owned();
        Self {
            server,
            data_dir,
            id,
            file_key,
        }
    }

    /// `true` if the order can be confirmed: its file is uploaded.
    async fn is_uploaded(&self) -> bool {
        let body = json!({"idempotencyKey": "c", "orderId": self.id});
        let path = "/api/v2/orders/ai-detection/confirm";
        let response = self.server.post("live", path, &body).await;
        let not_uploaded = "{\"code\":\"ORDER_FILE_NOT_UPLOADED\"}";
        assert!(response.status == 200 || response.text() == not_uploaded);
        response.status == 200
    }

    /// Returns the number of files in `tmp/`, where uploads are written before they are complete.
    fn count_temporary_files(&self) -> usize {
        let tmp = std::fs::read_dir(self.data_dir.path().join("tmp"));
        tmp.expect("a directory").count()
    }
}

/// Starts a server whose default clock is frozen at [`T0`].
async fn start_frozen() -> TestServer {
    let server = TestServer::start().await;
    freeze_default_clock(&server).await;
    server
}

async fn freeze_default_clock(server: &TestServer) {
    let clock = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &clock).await;
}

/// Signer with the default key pair.
fn signer() -> Signer {
    Signer::new(
        "STUNTDOUBLEACCESSKEY",
        "stuntdouble/secret/access/key/for/tests",
        "us-east-1",
    )
}

/// Parameters of a URL that is signed at [`T0`] and valid for ten minutes.
fn presign_params<'a>(server: &'a TestServer, method: &'a str, key: &'a str) -> PresignParams<'a> {
    PresignParams {
        method,
        origin: &server.origin,
        bucket: "bizmori",
        key,
        expires_s: 600,
        now: clock::parse_iso(T0).expect("a timestamp"),
        content_type: None,
        signed_headers: &[],
        response_content_disposition: None,
    }
}

fn presign(server: &TestServer, method: &str, key: &str) -> String {
    signer().presign(&presign_params(server, method, key))
}

/// Path and query of a presigned URL.
fn presign_target(server: &TestServer, method: &str, key: &str) -> String {
    presign(server, method, key).replace(&server.origin, "")
}

async fn put(
    server: &TestServer,
    key: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> TestResponse {
    let url = presign(server, "PUT", key);
    server.send(Method::PUT, &url, headers, body.into()).await
}

async fn get(server: &TestServer, key: &str, headers: &[(&str, &str)]) -> TestResponse {
    let url = presign(server, "GET", key);
    server.send(Method::GET, &url, headers, "").await
}

async fn head(server: &TestServer, key: &str, headers: &[(&str, &str)]) -> TestResponse {
    let url = presign(server, "HEAD", key);
    server.send(Method::HEAD, &url, headers, "").await
}

/// Sends a PUT as bytes, for keys and framings that an HTTP client would correct. `headers` include
/// the framing of the body.
async fn put_raw(server: &TestServer, key: &str, headers: &str, body: &[u8]) -> TestResponse {
    let target = presign_target(server, "PUT", key);
    let head = request_head(server, "PUT", &target, headers);
    raw::send(&server.origin, &[head.as_bytes(), body].concat()).await
}

/// Sends the head of a request and returns the connection, on which the body can follow.
async fn send_head(server: &TestServer, method: &str, target: &str, headers: &str) -> TcpStream {
    let head = request_head(server, method, target, headers);
    let mut stream = raw::connect(&server.origin).await;
    let written = stream.write_all(head.as_bytes()).await;
    written.expect("the head is sent");
    stream
}

fn request_head(server: &TestServer, method: &str, target: &str, headers: &str) -> String {
    let host = server.origin.trim_start_matches("http://");
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n")
}

/// Asserts a whole S3 error. `elements` are the XML elements between the code and the request id.
fn assert_s3_error(response: &TestResponse, status: u16, code: &str, elements: &str, reason: &str) {
    let id = response.header("x-amz-request-id");
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>{elements}<RequestId>{id}</RequestId><HostId>stuntdouble</HostId></Error>"
    );
    assert_eq!(response.error_of(), (status, xml, reason.to_owned()));
    assert_eq!(response.header("content-type"), "application/xml");
    assert_eq!(id.len(), 16);
    assert!(!response.header("x-mock-request").is_empty());
}

/// Returns the status and the code of an S3 error, and checks that it has a reason.
fn status_and_code(response: &TestResponse) -> (u16, String) {
    let text = response.text();
    let (_, rest) = text.split_once("<Code>").unwrap_or_default();
    let (code, _) = rest.split_once("</Code>").unwrap_or_default();
    assert!(!response.header("x-mock-reason").is_empty(), "{text}");
    assert_eq!(response.header("content-type"), "application/xml");
    (response.status, code.to_owned())
}
