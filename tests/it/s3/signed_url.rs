//! Presigned requests with any path, query parameters and headers, signed as a client library does.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::support::{TestResponse, TestServer, raw};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const DATE: &str = "20260312T100000Z";
const SCOPE: &str = "20260312/us-east-1/s3/aws4_request";

/// Request with a presigned URL. Only the `Host` header is signed.
pub struct SignedUrl<'a> {
    pub method: &'a str,
    pub host: &'a str,
    /// Percent-encoded path, sent as it is.
    pub path: &'a str,
    /// Query parameters besides those of the signature, not percent-encoded.
    pub parameters: &'a [(&'a str, &'a str)],
    /// More header lines, each with its line break.
    pub headers: &'a str,
    pub body: &'a [u8],
}

impl SignedUrl<'_> {
    fn hmac(key: &[u8], text: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// Path and query, signed by AWS SigV4: "Authenticating Requests: Using Query Parameters".
    pub fn target(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let credential = format!("STUNTDOUBLEACCESSKEY/{SCOPE}");
        let signature_parameters = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", DATE),
            ("X-Amz-Expires", "600"),
            ("X-Amz-SignedHeaders", "host"),
        ];
        let parameters = signature_parameters.iter().chain(self.parameters);
        let mut pairs: Vec<String> = parameters
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        pairs.sort_unstable();
        let query = pairs.join("&");
        let Self {
            method, host, path, ..
        } = self;
        let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let string_to_sign = format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{digest}");
        let mut key = b"AWS4stuntdouble/secret/access/key/for/tests".to_vec();
        for part in SCOPE.split('/') {
            key = Self::hmac(&key, part);
        }
        let signature = hex::encode(Self::hmac(&key, &string_to_sign));
        format!("{path}?{query}&X-Amz-Signature={signature}")
    }

    /// Sends the request as bytes and returns the response.
    pub async fn send(&self, server: &TestServer) -> TestResponse {
        send_to(server, self, &self.target()).await
    }
}

/// Sends a request with `target` in place of its own path and query.
pub async fn send_to(server: &TestServer, request: &SignedUrl<'_>, target: &str) -> TestResponse {
    let SignedUrl {
        method,
        host,
        headers,
        body,
        ..
    } = request;
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    let mut stream = raw::connect(&server.origin).await;
    let bytes = [head.as_bytes(), body].concat();
    let written = stream.write_all(&bytes).await;
    written.expect("the request is sent");
    raw::read_response(stream).await
}

/// Sends a PUT to the key `k` with these query parameters.
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
