//! Framing inside a body, which would be stored as if it were the object's own bytes.

use super::error::S3Error;
use super::fields::RequestFields;

/// Headers that only framed bodies have.
const OF_FRAMED_BODIES: [&str; 2] = ["x-amz-decoded-content-length", "x-amz-trailer"];

/// Refuses a request whose body has chunks of its own (AWS's `aws-chunked`), or a transfer coding other
/// than `chunked`.
///
/// # Errors
/// Returns [`S3Error::NotImplemented`], with the header that says so.
pub(super) fn refuse_framing(fields: &RequestFields<'_>) -> Result<(), S3Error> {
    let refuse = |name: &'static str, value: &str| {
        let reason = format!("{name}: {value}; send the object's bytes as they are, unframed");
        Err(S3Error::NotImplemented { name, reason })
    };
    for value in fields.all("content-encoding") {
        let mut codings = value.split(',').map(str::trim);
        if codings.any(|coding| coding.eq_ignore_ascii_case("aws-chunked")) {
            return refuse("Content-Encoding", &value);
        }
    }
    for value in fields.all("x-amz-content-sha256") {
        if value.trim().to_ascii_uppercase().starts_with("STREAMING-") {
            return refuse("x-amz-content-sha256", &value);
        }
    }
    for name in OF_FRAMED_BODIES {
        if let Some(value) = fields.get(name) {
            return refuse(name, &value);
        }
    }
    match fields.header("transfer-encoding") {
        Some(value) if !value.trim().eq_ignore_ascii_case("chunked") => {
            refuse("Transfer-Encoding", &value)
        }
        _ => Ok(()),
    }
}
