//! The canonical request: what Signature Version 4 signs, byte for byte.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode, percent_encode};
use sha2::{Digest, Sha256};

use super::ALGORITHM;

/// AWS's `UriEncode`: everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The same for a path, whose slashes stay.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The parameter that is not signed, being the signature.
const SIGNATURE: &[u8] = b"X-Amz-Signature";

/// A request as the signature sees it; its `Display` is the text that is digested.
#[derive(Debug, Clone, Copy)]
pub(super) struct CanonicalRequest<'a> {
    pub method: &'a str,
    /// Encoded by [`canonical_path`].
    pub path: &'a str,
    /// Encoded and sorted by [`canonical_query`].
    pub query: &'a str,
    /// The signed ones, names in lower case and sorted.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body's SHA-256 in hex, or the words that stand for it.
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

/// Percent-encodes as AWS's `UriEncode` does, slashes too.
pub(super) fn encode(bytes: &[u8]) -> PercentEncode<'_> {
    percent_encode(bytes, RESERVED)
}

/// An object's key as it stands in a URL's path: UTF-8, percent-encoded as S3 does, its
/// slashes kept.
#[must_use]
pub fn encode_key(key: &str) -> PercentEncode<'_> {
    percent_encode(key.as_bytes(), RESERVED_IN_PATH)
}

/// The host that clients of `origin` (`http://Name:80`) send: lower case, without the
/// scheme's own port.
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

/// A raw path, decoded and encoded once; S3 removes no dots and no doubled slashes.
pub(super) fn canonical_path(raw: &str) -> String {
    let decoded: Vec<u8> = percent_decode(raw.as_bytes()).collect();
    percent_encode(&decoded, RESERVED_IN_PATH).to_string()
}

/// A raw query's parameters, names and values decoded, in their order; a plus is a space, as in
/// forms.
#[must_use]
pub fn parameters(raw: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &str| percent_decode(text.replace('+', " ").as_bytes()).collect();
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The parameters encoded and sorted, without the signature.
pub(super) fn canonical_query(parameters: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut pairs: Vec<(String, String)> = parameters
        .iter()
        .filter(|(name, _)| name != SIGNATURE)
        .map(|(name, value)| (encode(name).to_string(), encode(value).to_string()))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// A header's value, its ends trimmed and its runs of spaces made one.
fn canonical_value(value: &str) -> Cow<'_, str> {
    let trimmed = value.trim();
    if !trimmed.contains("  ") {
        return Cow::Borrowed(trimmed);
    }
    let words: Vec<&str> = trimmed.split(' ').filter(|word| !word.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

/// What the signature signs: the algorithm, `date` (`X-Amz-Date`), the credential's `scope`,
/// the digest of the canonical request.
pub(super) fn string_to_sign(date: &str, scope: &str, canonical_request: &str) -> String {
    let digest = hex::encode(Sha256::digest(canonical_request));
    format!("{ALGORITHM}\n{date}\n{scope}\n{digest}")
}

/// The scope of a credential used at `date` (`X-Amz-Date`).
pub(super) fn scope(date: &str, region: &str) -> String {
    let day = date.split('T').next().unwrap_or(date);
    format!("{day}/{region}/s3/aws4_request")
}

/// HMAC-SHA-256 over `message`, still to be finished or compared.
pub(super) fn hmac(key: &[u8], message: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    mac
}
