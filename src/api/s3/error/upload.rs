//! Errors of uploads.

use axum::http::StatusCode;

use super::document::ErrorDocument;
use crate::http::BodyStalled;

/// Reason why an upload was not stored.
#[derive(Debug)]
pub(in super::super) enum UploadError {
    /// 411 `MissingContentLength`
    NoLength,
    /// 400 `EntityTooLarge`
    TooLarge { bytes: u64, bytes_max: u64 },
    /// 400 `IncompleteBody`
    Incomplete { bytes: u64, reason: String },
    /// 400 `RequestTimeout`
    Stalled { bytes: u64, stalled: BodyStalled },
    /// 404 `NoSuchBucket`: the account was deleted during the upload.
    AccountGone,
    /// 404 `NoSuchBucket`: the upload URL expired during the upload.
    Expired,
    /// 403 `AccessDenied`: strict uploads require the type of the extension.
    ContentTypeMismatch {
        sent: String,
        extension: String,
        expected: &'static str,
    },
}

impl UploadError {
    pub fn document(&self) -> ErrorDocument {
        match self {
            Self::NoLength => ErrorDocument::new(
                StatusCode::LENGTH_REQUIRED,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
                "body: requires Content-Length or Transfer-Encoding: chunked",
            ),
            Self::TooLarge { bytes, bytes_max } => ErrorDocument::bad_request(
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
                &format!("body: too large: {bytes} bytes or more, maximum {bytes_max}"),
            )
            .with("ProposedSize", bytes)
            .with("MaxSizeAllowed", bytes_max),
            Self::Incomplete { bytes, reason } => ErrorDocument::bad_request(
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP \
                 header",
                &format!("body: truncated after {bytes} bytes ({reason})"),
            ),
            Self::Stalled { bytes, stalled } => ErrorDocument::bad_request(
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the \
                 timeout period. Idle connections will be closed.",
                &format!("body: {stalled} after {bytes} bytes"),
            ),
            Self::AccountGone => no_such_bucket("account: deleted or reset during the upload"),
            Self::Expired => no_such_bucket("the upload has expired; its file was deleted"),
            Self::ContentTypeMismatch {
                sent,
                extension,
                expected,
            } => ErrorDocument::new(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Access Denied",
                &format!("Content-Type: expected {expected} for .{extension}, got {sent:?}"),
            ),
        }
    }
}

fn no_such_bucket(reason: &str) -> ErrorDocument {
    let message = "The specified bucket does not exist";
    ErrorDocument::new(StatusCode::NOT_FOUND, "NoSuchBucket", message, reason)
}
