//! Framing inside a body, which must not be stored as bytes of the object.

use super::error::S3Error;
use super::fields::RequestFields;

/// Headers of framed bodies alone.
const FRAMING_HEADERS: [&str; 2] = ["x-amz-decoded-content-length", "x-amz-trailer"];

/// Rejects a request whose body is framed (AWS's `aws-chunked`), or has a transfer coding other than
/// `chunked`.
///
/// # Errors
/// Returns [`S3Error::NotImplemented`] with the header that declares the framing.
pub(super) fn reject_framing(fields: &RequestFields<'_>) -> Result<(), S3Error> {
    let not_implemented = |name: &'static str, value: &str| {
        let reason = format!(
            "{name}: {value} is not supported; send the bytes of the object without framing"
        );
        Err(S3Error::NotImplemented { name, reason })
    };
    for value in fields.all("content-encoding") {
        let mut codings = value.split(',').map(str::trim);
        if codings.any(|coding| coding.eq_ignore_ascii_case("aws-chunked")) {
            return not_implemented("Content-Encoding", &value);
        }
    }
    for value in fields.all("x-amz-content-sha256") {
        if value.trim().to_ascii_uppercase().starts_with("STREAMING-") {
            return not_implemented("x-amz-content-sha256", &value);
        }
    }
    for name in FRAMING_HEADERS {
        if let Some(value) = fields.get(name) {
            return not_implemented(name, &value);
        }
    }
    match fields.header("transfer-encoding") {
        Some(value) if !value.trim().eq_ignore_ascii_case("chunked") => {
            not_implemented("Transfer-Encoding", &value)
        }
        _ => Ok(()),
    }
}
