//! Bucket and key of a request.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::PREFIX;
use super::error::S3Error;

/// Limit of S3.
const KEY_BYTES_MAX: usize = 1024;

/// Bucket and key of a path.
#[derive(Debug, Clone)]
pub(super) struct ObjectPath {
    pub bucket: String,
    pub key: String,
}

impl ObjectPath {
    /// Parses a path under `/_s3`, still percent-encoded. The key may be empty.
    ///
    /// # Errors
    /// Returns [`S3Error::InvalidUri`] if the path is malformed, [`S3Error::KeyTooLong`] if the key is.
    pub fn parse(path: &str) -> Result<Self, S3Error> {
        let below_prefix = path.strip_prefix(PREFIX).unwrap_or(path);
        let relative = below_prefix.strip_prefix('/').unwrap_or(below_prefix);
        let (bucket, key) = relative.split_once('/').unwrap_or((relative, ""));
        let object_path = Self {
            bucket: decode(bucket)?,
            key: decode(key)?,
        };
        if object_path.key.len() > KEY_BYTES_MAX {
            return Err(S3Error::KeyTooLong {
                bytes: object_path.key.len(),
                bytes_max: KEY_BYTES_MAX,
            });
        }
        Ok(object_path)
    }

    pub fn no_such_key(&self) -> S3Error {
        S3Error::NoSuchKey {
            bucket: self.bucket.clone(),
        }
    }
}

fn decode(text: &str) -> Result<String, S3Error> {
    let has_hex_digits =
        |text: &str| text.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !text.split('%').skip(1).all(has_hex_digits) {
        return Err(S3Error::InvalidUri);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|_| S3Error::InvalidUri)?.into_owned())
}

/// Sets a header. `value` was received as a header, or is made of such values.
pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}
