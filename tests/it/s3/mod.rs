//! URLs presigned for whatever host, by whatever library; S3's answers to them, whole.

mod conditions;
mod damaged_objects;
mod framing;
mod hosts;
mod checksums;
mod sdk_urls;
mod metadata;
mod origins;
mod objects;
mod errors;
mod retries;
mod signed_url;
mod virtual_host;

use reqwest::Method;
use serde_json::json;
use stuntdouble::platform::clock;
use stuntdouble::platform::presign::{PresignParams, Signer};

use crate::support::{T0, TestResponse, TestServer, raw};

/// A key of nobody's: it goes by the default clock.
const KEY: &str = "any/a b+ü%.png";

/// A server whose default clock is frozen at [`T0`].
async fn frozen() -> TestServer {
    let server = TestServer::start().await;
    freeze(&server).await;
    server
}

async fn freeze(server: &TestServer) {
    let freeze = json!({"mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
}

/// A key pair's presigner: the default one.
fn signer() -> Signer {
    Signer::new(
        "STUNTDOUBLEACCESSKEY",
        "stuntdouble/secret/access/key/for/tests",
        "us-east-1",
    )
}

/// What a URL for `method` on `key` is made of, to be changed at will.
fn plan<'a>(server: &'a TestServer, method: &'a str, key: &'a str) -> PresignParams<'a> {
    PresignParams {
        method,
        origin: &server.origin,
        bucket: "bizmori",
        key,
        expires_s: 600,
        now: clock::parse_iso(T0).expect("an instant"),
        content_type: None,
        signed_headers: &[],
        response_content_disposition: None,
    }
}

async fn put(
    server: &TestServer,
    key: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> TestResponse {
    let url = signer().presign(&plan(server, "PUT", key));
    server.send(Method::PUT, &url, headers, body.into()).await
}

/// A PUT byte by byte, for keys and framings that a client would mend: `headers` say how long
/// the body is.
async fn put_raw(server: &TestServer, key: &str, headers: &str, body: &[u8]) -> TestResponse {
    let url = signer().presign(&plan(server, "PUT", key));
    let target = url.trim_start_matches(server.origin.as_str());
    let host = server.origin.trim_start_matches("http://");
    let head =
        format!("PUT {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    raw::send(&server.origin, &[head.as_bytes(), body].concat()).await
}

async fn get(server: &TestServer, key: &str, headers: &[(&str, &str)]) -> TestResponse {
    let url = signer().presign(&plan(server, "GET", key));
    server.send(Method::GET, &url, headers, "").await
}

/// A refusal of S3's, whole: `elements` stand between the code and the request's id.
fn assert_refused(response: &TestResponse, status: u16, code: &str, elements: &str, why: &str) {
    let id = response.header("x-amz-request-id");
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>{elements}<RequestId>{id}</RequestId><HostId>stuntdouble</HostId></Error>"
    );
    assert_eq!(response.error_of(), (status, xml, why.to_owned()));
    assert_eq!(response.header("content-type"), "application/xml");
    assert_eq!(id.len(), 16);
    assert!(!response.header("x-mock-request").is_empty());
}
