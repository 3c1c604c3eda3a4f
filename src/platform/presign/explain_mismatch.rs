//! What differs where a signature does not match: found out by trying, since a signature tells
//! nothing by itself. The mock can say what S3 cannot, its secret being none.

use std::sync::Arc;

use super::Signer;
use super::presented::SignedRequest;

const METHODS: [&str; 5] = ["PUT", "GET", "HEAD", "DELETE", "POST"];
/// The content types that clients of the two vendors sign.
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
/// Hosts tried besides the one of the request.
const HOSTS_TRIED_MAX: usize = 8;

/// What differs, in one line. Tries one change at a time: host, method, content type.
pub(super) fn explain_mismatch(
    signer: &Signer,
    presented: &SignedRequest<'_>,
    known: &[Arc<str>],
    strict_host: bool,
) -> String {
    let request = presented.request;
    let method = request.method;
    let mut hosts = vec![request.host];
    hosts.extend(known.iter().take(HOSTS_TRIED_MAX).map(AsRef::as_ref));

    let made_for = |host: &&&str| presented.verifies_with(signer, method, host, None);
    if let Some(host) = hosts.iter().find(made_for)
        && strict_host
    {
        let arrived = request.host;
        return format!("signature: made for the host {host}, arrived at {arrived} (strict-host)");
    }
    let as_method = |other: &&&str| {
        let mut hosts = hosts.iter();
        hosts.any(|host| presented.verifies_with(signer, other, host, None))
    };
    if let Some(other) = METHODS.iter().find(as_method) {
        return format!("signature: made for {other}, sent as {method}");
    }
    for (name, sent) in &presented.headers {
        if name == "content-type" {
            let as_type = |other: &&&str| {
                let mut hosts = hosts.iter();
                hosts.any(|host| presented.verifies_with(signer, method, host, Some(other)))
            };
            let sent = sent.as_deref().unwrap_or("none");
            return match CONTENT_TYPES.iter().find(as_type) {
                Some(other) => {
                    format!("signature: Content-Type was signed as {other}, sent {sent}")
                }
                None => format!("signature: does not match; Content-Type is signed, sent {sent}"),
            };
        }
        if sent.is_none() && name != "host" {
            return format!("signature: the signed header {name} was not sent");
        }
    }
    "signature: does not match: path, query, a signed header or the secret differs from what was \
     signed; the body's CanonicalRequest shows what arrived"
        .to_owned()
}
