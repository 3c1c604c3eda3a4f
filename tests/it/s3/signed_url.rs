//! Requests that a client library would presign: any path, any query parameters, any signed headers.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::support::{TestResponse, TestServer, raw};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const DATE: &str = "20260312T100000Z";
const SCOPE: &str = "20260312/us-east-1/s3/aws4_request";

/// A request with a presigned URL, signed for its host alone.
pub struct SignedUrl<'a> {
    pub method: &'a str,
    pub host: &'a str,
    /// As it is sent: percent-encoded.
    pub path: &'a str,
    /// Query parameters besides those of the signature, as they are.
    pub parameters: &'a [(&'a str, &'a str)],
    /// More lines of the head, each with its line break.
    pub headers: &'a str,
    pub body: &'a [u8],
}

impl SignedUrl<'_> {
    fn hmac(key: &[u8], text: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// Path and query, signed by AWS's standard: "Authenticating Requests: Using Query Parameters".
    pub fn target(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let credential = format!("STUNTDOUBLEACCESSKEY/{SCOPE}");
        let of_signature = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", DATE),
            ("X-Amz-Expires", "600"),
            ("X-Amz-SignedHeaders", "host"),
        ];
        let all = of_signature.iter().chain(self.parameters);
        let mut pairs: Vec<String> = all
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        pairs.sort_unstable();
        let query = pairs.join("&");
        let Self {
            method, host, path, ..
        } = self;
        let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{digest}");
        let mut key = b"AWS4stuntdouble/secret/access/key/for/tests".to_vec();
        for part in SCOPE.split('/') {
            key = Self::hmac(&key, part);
        }
        let signature = hex::encode(Self::hmac(&key, &text));
        format!("{path}?{query}&X-Amz-Signature={signature}")
    }

    /// Sends it as bytes, with its `Host`, and returns the response.
    pub async fn send(&self, server: &TestServer) -> TestResponse {
        send_to(server, self, &self.target()).await
    }
}

/// Sends a request to another target than its own.
pub async fn send_to(server: &TestServer, request: &SignedUrl<'_>, target: &str) -> TestResponse {
    let SignedUrl {
        method,
        host,
        headers,
        body,
        ..
    } = request;
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n"
    );
    let mut stream = raw::connect(&server.origin).await;
    let bytes = [head.as_bytes(), body].concat();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes)
        .await
        .expect("it is read");
    raw::read_response(stream).await
}

/// A PUT to the key `k` with these query parameters.
pub async fn put_with(
    server: &TestServer,
    parameters: &[(&str, &str)],
    body: &str,
) -> TestResponse {
    let host = server.origin.trim_start_matches("http://");
    SignedUrl {
        method: "PUT",
        host,
        path: "/_s3/bizmori/k",
        parameters,
        headers: "",
        body: body.as_bytes(),
    }
    .send(server)
    .await
}
