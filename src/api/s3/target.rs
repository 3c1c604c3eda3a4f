//! The object that a request is about, and headers of the responses on it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::PREFIX;
use super::error::S3Error;

/// S3's limit for keys, in UTF-8.
const KEY_BYTES_MAX: usize = 1024;

/// The bucket and key of a path.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub bucket: String,
    pub key: String,
}

impl Target {
    /// The bucket and key of a raw path under `/_s3`; the key may be empty.
    pub fn of(path: &str) -> Result<Self, S3Error> {
        let path = path.strip_prefix(PREFIX).unwrap_or(path);
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let target = Self {
            bucket: decode(bucket)?,
            key: decode(key)?,
        };
        if target.key.len() > KEY_BYTES_MAX {
            return Err(S3Error::KeyTooLong {
                bytes: target.key.len(),
                bytes_max: KEY_BYTES_MAX,
            });
        }
        Ok(target)
    }

    pub fn no_such_key(&self) -> S3Error {
        S3Error::NoSuchKey {
            bucket: self.bucket.clone(),
        }
    }
}

fn decode(text: &str) -> Result<String, S3Error> {
    let mut rest = text.split('%');
    rest.next();
    let encoded = |tail: &str| tail.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !rest.all(encoded) {
        return Err(S3Error::InvalidUri);
    }
    let text = percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| S3Error::InvalidUri)?.into_owned())
}

/// Sets a header whose value came in as one, or was made here.
pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}
