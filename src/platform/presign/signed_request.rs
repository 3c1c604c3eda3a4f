//! Parsed presigned requests.

use hmac::Mac;

use super::Signer;
use super::canonical::{CanonicalRequest, hmac, string_to_sign};

/// A request as received.
#[derive(Clone, Copy)]
pub struct PresignedRequest<'a> {
    /// Method in upper case.
    pub method: &'a str,
    /// Raw path as sent by the client, with `/_s3`.
    pub path: &'a str,
    /// Raw query without the question mark.
    pub query: &'a str,
    /// Value of the `Host` header.
    pub host: &'a str,
    /// Returns the value of a header by its name in lower case. Several values are joined by commas.
    pub header: &'a dyn Fn(&str) -> Option<String>,
}

/// A parsed presigned request: everything that the signature covers.
pub(super) struct SignedRequest<'a> {
    pub request: PresignedRequest<'a>,
    pub path: String,
    pub query: String,
    pub payload: String,
    /// Names of the signed headers in the order of the URL, and their values in the request.
    pub headers: Vec<(String, Option<String>)>,
    pub date: String,
    pub scope: String,
    pub signature: String,
}

impl SignedRequest<'_> {
    /// `true` if the signature is valid for the request if sent to `host`.
    pub fn verifies_for_host(&self, signer: &Signer, host: &str) -> bool {
        self.verifies_with(signer, self.request.method, host, None)
    }

    /// `true` if the signature is valid for the request if sent to `host` with `method`, and with
    /// `content_type` if one is given.
    pub fn verifies_with(
        &self,
        signer: &Signer,
        method: &str,
        host: &str,
        content_type: Option<&str>,
    ) -> bool {
        let canonical = self.canonical(method, host, content_type);
        let text = string_to_sign(&self.date, &self.scope, &canonical);
        hex::decode(&self.signature).is_ok_and(|signature| {
            hmac(&signer.signing_key(&self.scope), &text)
                .verify_slice(&signature)
                .is_ok()
        })
    }

    pub fn canonical(&self, method: &str, host: &str, content_type: Option<&str>) -> String {
        let mut headers: Vec<(&str, &str)> = Vec::with_capacity(self.headers.len());
        for (name, actual) in &self.headers {
            let value = match name.as_str() {
                "host" => Some(host),
                "content-type" => content_type.or(actual.as_deref()),
                _ => actual.as_deref(),
            };
            headers.push((name, value.unwrap_or_default()));
        }
        CanonicalRequest {
            method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            payload: &self.payload,
        }
        .to_string()
    }
}
