//! Errors of uploads.

use axum::http::StatusCode;

use super::document::ErrorDocument;
use crate::http::BodyStalled;

/// Why an upload came to nothing.
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
    /// 404 `NoSuchBucket`: the account went while it was under way.
    AccountGone,
    /// 404 `NoSuchBucket`: nothing is awaited there any more.
    Expired,
    /// 403 `AccessDenied`: strict uploads take another type under such a key.
    ContentTypeMismatch {
        sent: String,
        extension: String,
        fits: &'static str,
    },
}

impl UploadError {
    pub fn document(&self) -> ErrorDocument {
        match self {
            Self::NoLength => ErrorDocument::new(
                StatusCode::LENGTH_REQUIRED,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
                "body: neither Content-Length nor Transfer-Encoding: chunked",
            ),
            Self::TooLarge { bytes, bytes_max } => ErrorDocument::bad_request(
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
                &format!("body: {bytes} bytes or more, at most {bytes_max} are allowed"),
            )
            .with("ProposedSize", bytes)
            .with("MaxSizeAllowed", bytes_max),
            Self::Incomplete { bytes, reason } => ErrorDocument::bad_request(
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP \
                 header",
                &format!("body: broke off after {bytes} bytes ({reason})"),
            ),
            Self::Stalled { bytes, stalled } => ErrorDocument::bad_request(
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the \
                 timeout period. Idle connections will be closed.",
                &format!("body: {stalled} after {bytes} bytes"),
            ),
            Self::AccountGone => {
                account_gone("account: removed or reset while the upload was under way")
            }
            Self::Expired => account_gone("the upload has expired, and its file is gone"),
            Self::ContentTypeMismatch {
                sent,
                extension,
                fits,
            } => ErrorDocument::new(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Access Denied",
                &format!("Content-Type: {sent:?} does not fit .{extension}, {fits} does"),
            ),
        }
    }
}

fn account_gone(reason: &str) -> ErrorDocument {
    let message = "The specified bucket does not exist";
    ErrorDocument::new(StatusCode::NOT_FOUND, "NoSuchBucket", message, reason)
}
