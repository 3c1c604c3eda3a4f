//! Presigned URLs: AWS Signature Version 4 in the query string, made and judged.
//!
//! Pure functions over wire bytes: the time is a parameter, a request is its method, raw
//! path, raw query and headers. The standard is AWS's "Authenticating Requests: Using Query
//! Parameters (AWS Signature Version 4)", the payload always `UNSIGNED-PAYLOAD` in what we
//! make; the tests hold its published vector and URLs of a real S3 library.
//!
//! [`Signer::presign`] makes a URL that is true for its own host, so that any client may
//! recompute it. [`Signer::verify`] judges one by the `Host` it arrives with or, failing that,
//! by any host that URLs were made for ([`KnownHosts`]): the same URL works as `localhost`, as
//! a container's name and behind a port mapping. Nothing else is lenient.

mod canonical;
mod explain_mismatch;
mod hosts;
mod presented;
mod verify;

#[cfg(test)]
mod tests;

pub use canonical::{encode_key, host_of, parameters};
pub use hosts::{HOSTS_MAX, KnownHosts};
pub use presented::Request;
pub use verify::{SignatureMismatch, VerifyError};

use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use hmac::Mac;

use crate::model::time::Timestamp;
use crate::platform::clock;
use canonical::{CanonicalRequest, encode, hmac, scope, string_to_sign};

/// The only algorithm there is.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What stands for the body's digest in a presigned URL.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// The path under which the store answers.
const PREFIX: &str = "/_s3";
/// A presigned URL lives a week at most (S3's limit).
pub const EXPIRES_S_MAX: u32 = 604_800;

/// Most URLs have room in so many bytes.
const URL_BYTES: usize = 512;

/// A key pair that signs and judges URLs.
pub struct Signer {
    key_id: String,
    secret: String,
    region: String,
    /// The signing key of the scope that was used last; most requests are of the same day.
    cached_key: Mutex<Option<(String, [u8; 32])>>,
}

/// What a presigned URL shall allow.
#[derive(Debug, Clone, Copy)]
pub struct PresignParams<'a> {
    /// `GET`, `PUT` or `HEAD`.
    pub method: &'a str,
    /// Scheme and authority as the client knows us: `http://localhost:8080`.
    pub origin: &'a str,
    /// The bucket, as it stands in the path.
    pub bucket: &'a str,
    /// The object's key, as it is: encoding is done here.
    pub key: &'a str,
    /// Seconds from `now` for which the URL holds; taken as 1 to [`EXPIRES_S_MAX`].
    pub expires_s: u32,
    /// The account's now.
    pub now: Timestamp,
    /// When given, the request has to carry this very `Content-Type`.
    pub content_type: Option<&'a str>,
    /// More headers the request has to carry: names in lower case, values.
    pub signed_headers: &'a [(&'a str, &'a str)],
    /// When given, what a GET answers as `Content-Disposition`.
    pub response_content_disposition: Option<&'a str>,
}

impl Signer {
    /// A signer of AWS key pair `key_id` and `secret`, making URLs for `region`.
    #[must_use]
    pub fn new(key_id: &str, secret: &str, region: &str) -> Self {
        Self {
            key_id: key_id.to_owned(),
            secret: secret.to_owned(),
            region: region.to_owned(),
            cached_key: Mutex::new(None),
        }
    }

    /// The URL that allows `what`: `{origin}/_s3/{bucket}/{key}?X-Amz-Algorithm=…`, all of it
    /// in canonical encoding, the signature last.
    #[must_use]
    pub fn presign(&self, what: &PresignParams<'_>) -> String {
        let host = host_of(what.origin);
        let mut headers = vec![("host", host.as_str())];
        headers.extend(what.content_type.map(|value| ("content-type", value)));
        headers.extend_from_slice(what.signed_headers);
        headers.sort_unstable_by_key(|(name, _)| *name);
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();

        let date = clock::amz_date(what.now);
        let scope = scope(&date, &self.region);
        let origin = what.origin.trim_end_matches('/');
        // One buffer: the URL is written once, and what is signed of it are parts of it.
        let mut url = String::with_capacity(URL_BYTES);
        let _ = write!(
            url,
            "{origin}{PREFIX}/{}/{}",
            encode(what.bucket.as_bytes()),
            encode_key(what.key)
        );
        let path_end = url.len();
        let _ = write!(
            url,
            "?X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}%2F{}&X-Amz-Date={date}\
             &X-Amz-Expires={}&X-Amz-SignedHeaders={}",
            encode(self.key_id.as_bytes()),
            encode(scope.as_bytes()),
            what.expires_s.clamp(1, EXPIRES_S_MAX),
            encode(names.join(";").as_bytes()),
        );
        if let Some(disposition) = what.response_content_disposition {
            let value = encode(disposition.as_bytes());
            let _ = write!(url, "&response-content-disposition={value}");
        }
        let request = CanonicalRequest {
            method: what.method,
            path: &url[origin.len()..path_end],
            query: &url[path_end + 1..],
            headers: &headers,
            payload: UNSIGNED_PAYLOAD,
        };
        let mut canonical = String::with_capacity(URL_BYTES);
        let _ = write!(canonical, "{request}");
        let signature = self.sign(&date, &scope, &canonical);
        let _ = write!(url, "&X-Amz-Signature={signature}");
        url
    }

    /// The signature, in hex, of a canonical request.
    fn sign(&self, date: &str, scope: &str, canonical_request: &str) -> String {
        let text = string_to_sign(date, scope, canonical_request);
        let mac = hmac(&self.signing_key(scope), &text);
        hex::encode(mac.finalize().into_bytes())
    }

    /// The key that signs in `scope` (`yyyymmdd/region/s3/aws4_request`).
    fn signing_key(&self, scope: &str) -> [u8; 32] {
        let mut last = self
            .cached_key
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((of, key)) = last.as_ref()
            && of == scope
        {
            return *key;
        }
        let mut parts = scope.split('/');
        let day = parts.next().unwrap_or_default();
        let mut key = hmac(format!("AWS4{}", self.secret).as_bytes(), day);
        for part in parts {
            key = hmac(&key.finalize().into_bytes(), part);
        }
        let key = key.finalize().into_bytes().into();
        *last = Some((scope.to_owned(), key));
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
