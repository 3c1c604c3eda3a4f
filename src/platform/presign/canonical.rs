//! The canonical request and the string to sign of Signature Version 4.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode, percent_encode};
use sha2::{Digest, Sha256};

use super::ALGORITHM;

/// Characters that AWS's `UriEncode` encodes: all but the unreserved ones of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// Characters that are encoded in a path, where slashes stay.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The only parameter that is not signed.
const SIGNATURE: &[u8] = b"X-Amz-Signature";

/// The canonical request. `Display` writes the text that is hashed.
#[derive(Debug, Clone, Copy)]
pub(super) struct CanonicalRequest<'a> {
    pub method: &'a str,
    /// Encoded by [`canonical_path`].
    pub path: &'a str,
    /// Encoded and sorted by [`canonical_query`].
    pub query: &'a str,
    /// Signed headers, sorted by name. Names are in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// SHA-256 of the body in hex, or a placeholder such as `UNSIGNED-PAYLOAD`.
    pub payload: &'a str,
}

impl fmt::Display for CanonicalRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.method, self.path, self.query)?;
        for (name, value) in self.headers {
            writeln!(f, "{name}:{}", canonical_value(value))?;
        }
        f.write_str("\n")?;
        for (n, (name, _)) in self.headers.iter().enumerate() {
            let separator = if n == 0 { "" } else { ";" };
            write!(f, "{separator}{name}")?;
        }
        write!(f, "\n{}", self.payload)
    }
}

/// Percent-encodes like AWS's `UriEncode`, including slashes.
pub(super) fn encode(bytes: &[u8]) -> PercentEncode<'_> {
    percent_encode(bytes, RESERVED)
}

/// Percent-encodes an object's key for the path of a URL as S3 does. Slashes stay.
#[must_use]
pub fn encode_key(key: &str) -> PercentEncode<'_> {
    percent_encode(key.as_bytes(), RESERVED_IN_PATH)
}

/// Returns the `Host` that clients send to `origin` (`http://Name:80`): in lower case, without the
/// default port of the scheme.
#[must_use]
pub fn host_of(origin: &str) -> String {
    let (scheme, rest) = origin.split_once("://").unwrap_or(("http", origin));
    let authority = rest.split('/').next().unwrap_or(rest).to_ascii_lowercase();
    let port = if scheme.eq_ignore_ascii_case("https") {
        ":443"
    } else {
        ":80"
    };
    match authority.strip_suffix(port) {
        Some(host) => host.to_owned(),
        None => authority,
    }
}

/// Decodes a raw path and encodes it canonically. S3 does not remove dot segments and double slashes.
pub(super) fn canonical_path(raw: &str) -> String {
    let decoded: Vec<u8> = percent_decode(raw.as_bytes()).collect();
    percent_encode(&decoded, RESERVED_IN_PATH).to_string()
}

/// Returns the decoded parameters of a raw query, in their order. A plus is a space, as in forms.
#[must_use]
pub fn parameters(raw: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &str| percent_decode(text.replace('+', " ").as_bytes()).collect();
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// Encodes and sorts the parameters, without the signature.
pub(super) fn canonical_query(parameters: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut pairs: Vec<(String, String)> = parameters
        .iter()
        .filter(|(name, _)| name != SIGNATURE)
        .map(|(name, value)| (encode(name).to_string(), encode(value).to_string()))
        .collect();
    pairs.sort_unstable();
    let encoded: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    encoded.join("&")
}

/// Trims a header's value, and replaces each run of spaces by one space.
fn canonical_value(value: &str) -> Cow<'_, str> {
    let trimmed = value.trim();
    if !trimmed.contains("  ") {
        return Cow::Borrowed(trimmed);
    }
    let words: Vec<&str> = trimmed.split(' ').filter(|word| !word.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

/// Returns the string to sign: the algorithm, `date` (`X-Amz-Date`), the `scope` of the credential, and
/// the digest of the canonical request.
pub(super) fn string_to_sign(date: &str, scope: &str, canonical_request: &str) -> String {
    let digest = hex::encode(Sha256::digest(canonical_request));
    format!("{ALGORITHM}\n{date}\n{scope}\n{digest}")
}

/// Returns the scope of a credential that is used at `date` (`X-Amz-Date`).
pub(super) fn scope(date: &str, region: &str) -> String {
    let day = date.split('T').next().unwrap_or(date);
    format!("{day}/{region}/s3/aws4_request")
}

/// Returns the HMAC-SHA-256 of `message`, to be finalised or compared.
pub(super) fn hmac(key: &[u8], message: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    mac
}
