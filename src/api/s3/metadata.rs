//! Headers that are stored with an object and sent with it.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};

use super::error::MetadataError;
use super::fields::RequestFields;

/// Headers that S3 calls system-defined metadata, besides `Content-Type`.
const SYSTEM_HEADERS: [&str; 5] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
];
/// Prefix of user-defined metadata.
const USER_PREFIX: &str = "x-amz-meta-";

/// S3's limit for names and values of user-defined metadata. The prefix does not count.
const USER_BYTES_MAX: usize = 2 * 1024;
/// S3's limit for all headers of a PUT. Here it counts names and values of the stored ones.
const SYSTEM_BYTES_MAX: usize = 8 * 1024;

/// Returns the headers of a PUT that are stored with the object, by name in lower case. Query
/// parameters replace headers that were not sent.
///
/// # Errors
/// Returns [`MetadataError`] if the headers are too large, or if a query parameter is not valid as a
/// header.
pub(super) fn headers_to_store(
    fields: &RequestFields<'_>,
    content_type: Option<&str>,
) -> Result<BTreeMap<String, String>, MetadataError> {
    let mut headers = BTreeMap::new();
    let mut system_bytes = content_type.map_or(0, str::len);
    for name in SYSTEM_HEADERS {
        if let Some(value) = fields.get(name).filter(|value| !value.trim().is_empty()) {
            system_bytes += name.len() + value.len();
            headers.insert(name.to_owned(), value);
        }
    }
    let mut user_bytes = 0;
    for name in fields.names_with(USER_PREFIX) {
        let value = fields.get(&name).unwrap_or_default();
        user_bytes += name.len() - USER_PREFIX.len() + value.len();
        headers.insert(name, value);
    }
    if user_bytes > USER_BYTES_MAX {
        return Err(MetadataError::UserTooLarge {
            bytes: user_bytes,
            bytes_max: USER_BYTES_MAX,
        });
    }
    if system_bytes > SYSTEM_BYTES_MAX {
        return Err(MetadataError::SystemTooLarge {
            bytes: system_bytes,
            bytes_max: SYSTEM_BYTES_MAX,
        });
    }
    let is_header = |name: &str, value: &str| {
        HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok()
    };
    match headers.iter().find(|(name, value)| !is_header(name, value)) {
        None => Ok(headers),
        Some((name, value)) => Err(MetadataError::Invalid {
            name: name.clone(),
            value: value.clone(),
        }),
    }
}
