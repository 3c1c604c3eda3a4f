//! A presigned request taken apart.

use hmac::Mac;

use super::Signer;
use super::canonical::{CanonicalRequest, hmac, string_to_sign};

/// A request as it came over the wire.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The raw path, as the client wrote it, `/_s3` included.
    pub path: &'a str,
    /// The raw query, without the question mark.
    pub query: &'a str,
    /// The `Host` it arrived with.
    pub host: &'a str,
    /// The value of the header of that name (lower case); several joined by commas.
    pub header: &'a dyn Fn(&str) -> Option<String>,
}

/// A presigned request taken apart: all that the signature covers.
pub(super) struct SignedRequest<'a> {
    pub request: Request<'a>,
    pub path: String,
    pub query: String,
    pub payload: String,
    /// Signed header names in the order of the URL, and what came under them.
    pub headers: Vec<(String, Option<String>)>,
    pub date: String,
    pub scope: String,
    pub signature: String,
}

impl SignedRequest<'_> {
    /// Is this the signature of the request as sent to `host`?
    pub fn verifies_for_host(&self, signer: &Signer, host: &str) -> bool {
        self.verifies_with(signer, self.request.method, host, None)
    }

    /// Is this the signature of the request, had it been sent to `host` with `method` and
    /// with the content type given?
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
        for (name, sent) in &self.headers {
            let value = match name.as_str() {
                "host" => Some(host),
                "content-type" => content_type.or(sent.as_deref()),
                _ => sent.as_deref(),
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
