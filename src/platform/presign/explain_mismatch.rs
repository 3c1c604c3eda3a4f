//! Explains why a signature does not match, by trying changes until one matches. S3 gives no such
//! explanation, because it would help attackers; the server's secret protects nothing.

use std::sync::Arc;

use super::Signer;
use super::signed_request::SignedRequest;

const METHODS: [&str; 5] = ["PUT", "GET", "HEAD", "DELETE", "POST"];
/// Content types that clients of the two vendors sign.
const CONTENT_TYPES: [&str; 18] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/tiff",
    "image/bmp",
    "image/gif",
    "application/pdf",
    "application/zip",
    "application/octet-stream",
    "binary/octet-stream",
    "image/jpg",
    "image/heic",
    "image/heif",
    "image/avif",
    "image/svg+xml",
    "image/x-ms-bmp",
    "application/json",
    "text/plain",
];
/// Number of known hosts that are tried besides the host of the request.
const HOSTS_TRIED_MAX: usize = 8;

/// Returns a message that names the difference. Tries one change at a time: host, method, content type.
pub(super) fn explain_mismatch(
    signer: &Signer,
    signed_request: &SignedRequest<'_>,
    known: &[Arc<str>],
    strict_host: bool,
) -> String {
    let request = signed_request.request;
    let method = request.method;
    let mut hosts = vec![request.host];
    hosts.extend(known.iter().take(HOSTS_TRIED_MAX).map(AsRef::as_ref));

    let is_signed_for = |host: &&&str| signed_request.verifies_with(signer, method, host, None);
    if let Some(host) = hosts.iter().find(is_signed_for)
        && strict_host
    {
        let actual = request.host;
        return format!("signature: signed for host {host}, sent to {actual} (strict-host)");
    }
    let is_method = |other: &&&str| {
        hosts
            .iter()
            .any(|host| signed_request.verifies_with(signer, other, host, None))
    };
    if let Some(other) = METHODS.iter().find(is_method) {
        return format!("signature: signed for {other}, sent as {method}");
    }
    for (name, value) in &signed_request.headers {
        if name == "content-type" {
            let is_type = |other: &&&str| {
                hosts
                    .iter()
                    .any(|host| signed_request.verifies_with(signer, method, host, Some(other)))
            };
            let actual = value.as_deref().unwrap_or("none");
            return match CONTENT_TYPES.iter().find(is_type) {
                Some(other) => {
                    format!("signature: Content-Type was signed as {other}, sent {actual}")
                }
                None => format!("signature: does not match; Content-Type is signed, sent {actual}"),
            };
        }
        if value.is_none() && name != "host" {
            return format!("signature: the signed header {name} was not sent");
        }
    }
    "signature: does not match: the path, the query, a signed header or the secret differs from \
     the signed one; compare the CanonicalRequest in the body with your client's"
        .to_owned()
}
