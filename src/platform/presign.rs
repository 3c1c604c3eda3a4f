//! Presigned URLs: creates and verifies AWS Signature Version 4 in the query string.
//!
//! The functions are pure: the time is a parameter, and a request is its method, raw path, raw query and
//! headers. The standard is AWS's "Authenticating Requests: Using Query Parameters (AWS Signature
//! Version 4)". Created URLs always have the payload `UNSIGNED-PAYLOAD`. The tests use AWS's published
//! vector and URLs of a real S3 library.
//!
//! [`Signer::presign`] signs a URL for its own host, so that any client can recompute the signature.
//! [`Signer::verify`] accepts the signature for the `Host` of the request, or for any host in a URL that
//! the server created ([`KnownHosts`]). The same URL therefore works with `localhost`, with a
//! container's name and behind a port mapping. Verification is strict otherwise.
//!
//! [`Signer::verify`] is also the place where the expiry of an upload or download URL is judged.

mod canonical;
mod explain_mismatch;
mod hosts;
mod signed_request;
mod verify;

#[cfg(test)]
mod tests;

pub use canonical::{encode_key, host_of, parameters};
pub use hosts::{HOSTS_MAX, KnownHosts};
pub use signed_request::PresignedRequest;
pub use verify::{SignatureMismatch, VerifyError};

use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use hmac::Mac;

use crate::model::time::Timestamp;
use crate::platform::clock;
use canonical::{CanonicalRequest, encode, hmac, scope, string_to_sign};

/// The only supported algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Placeholder for the digest of the body in a presigned URL.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// Path prefix of the storage API.
const PREFIX: &str = "/_s3";
/// Longest validity of a presigned URL: a week, as in S3.
pub const EXPIRES_S_MAX: u32 = 604_800;

/// Initial capacity of the buffer for a URL. Most URLs fit.
const URL_CAPACITY_BYTES: usize = 512;

/// Signs and verifies URLs with an AWS key pair.
pub struct Signer {
    key_id: String,
    secret: String,
    region: String,
    /// Signing key of the scope used last. Most requests have the scope of the same day.
    cached_key: Mutex<Option<(String, [u8; 32])>>,
}

/// Parameters of a presigned URL.
#[derive(Debug, Clone, Copy)]
pub struct PresignParams<'a> {
    /// `GET`, `PUT` or `HEAD`.
    pub method: &'a str,
    /// Scheme and authority by which the client calls the server: `http://localhost:8080`.
    pub origin: &'a str,
    /// Name of the bucket, not encoded.
    pub bucket: &'a str,
    /// Key of the object, not encoded.
    pub key: &'a str,
    /// Validity in seconds from `now`. Clamped to 1 to [`EXPIRES_S_MAX`].
    pub expires_s: u32,
    /// Current time of the account.
    pub now: Timestamp,
    /// `Content-Type` that the request has to have. `None`: any.
    pub content_type: Option<&'a str>,
    /// Other headers that the request has to have: names in lower case, and values.
    pub signed_headers: &'a [(&'a str, &'a str)],
    /// `Content-Disposition` of the response to a GET. `None`: the object's own.
    pub response_content_disposition: Option<&'a str>,
}

impl Signer {
    /// Creates a signer with the AWS key pair `key_id` and `secret`. Created URLs name `region`.
    #[must_use]
    pub fn new(key_id: &str, secret: &str, region: &str) -> Self {
        Self {
            key_id: key_id.to_owned(),
            secret: secret.to_owned(),
            region: region.to_owned(),
            cached_key: Mutex::new(None),
        }
    }

    /// Returns the presigned URL `{origin}/_s3/{bucket}/{key}?X-Amz-Algorithm=…` in canonical encoding.
    /// The signature is the last parameter.
    #[must_use]
    pub fn presign(&self, params: &PresignParams<'_>) -> String {
        let host = host_of(params.origin);
        let mut headers = vec![("host", host.as_str())];
        headers.extend(params.content_type.map(|value| ("content-type", value)));
        headers.extend_from_slice(params.signed_headers);
        headers.sort_unstable_by_key(|(name, _)| *name);
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();

        let date = clock::amz_date(params.now);
        let scope = scope(&date, &self.region);
        let origin = params.origin.trim_end_matches('/');
        // The URL is written once into one buffer; the canonical request borrows its parts.
        let mut url = String::with_capacity(URL_CAPACITY_BYTES);
        let _ = write!(
            url,
            "{origin}{PREFIX}/{}/{}",
            encode(params.bucket.as_bytes()),
            encode_key(params.key)
        );
        let path_end = url.len();
        let _ = write!(
            url,
            "?X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}%2F{}&X-Amz-Date={date}\
             &X-Amz-Expires={}&X-Amz-SignedHeaders={}",
            encode(self.key_id.as_bytes()),
            encode(scope.as_bytes()),
            params.expires_s.clamp(1, EXPIRES_S_MAX),
            encode(names.join(";").as_bytes()),
        );
        if let Some(disposition) = params.response_content_disposition {
            let value = encode(disposition.as_bytes());
            let _ = write!(url, "&response-content-disposition={value}");
        }
        let request = CanonicalRequest {
            method: params.method,
            path: &url[origin.len()..path_end],
            query: &url[path_end + 1..],
            headers: &headers,
            payload: UNSIGNED_PAYLOAD,
        };
        let mut canonical = String::with_capacity(URL_CAPACITY_BYTES);
        let _ = write!(canonical, "{request}");
        let signature = self.sign(&date, &scope, &canonical);
        let _ = write!(url, "&X-Amz-Signature={signature}");
        url
    }

    /// Returns the signature of a canonical request, in hex.
    fn sign(&self, date: &str, scope: &str, canonical_request: &str) -> String {
        let text = string_to_sign(date, scope, canonical_request);
        let mac = hmac(&self.signing_key(scope), &text);
        hex::encode(mac.finalize().into_bytes())
    }

    /// Returns the signing key for `scope` (`yyyymmdd/region/s3/aws4_request`).
    fn signing_key(&self, scope: &str) -> [u8; 32] {
        let mut cached = self
            .cached_key
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((cached_scope, key)) = cached.as_ref()
            && cached_scope == scope
        {
            return *key;
        }
        let mut parts = scope.split('/');
        let day = parts.next().unwrap_or_default();
        let mut mac = hmac(format!("AWS4{}", self.secret).as_bytes(), day);
        for part in parts {
            mac = hmac(&mac.finalize().into_bytes(), part);
        }
        let key = mac.finalize().into_bytes().into();
        *cached = Some((scope.to_owned(), key));
        key
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
