//! Error responses: the vendor's messages, and the mapping of service errors onto them.
//!
//! Errors of the vendor's handlers are `{"error": "message"}`. Errors of its framework are
//! `{"detail": …}`: a sentence, or a list if the request does not match the schema.

use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::validation_error::ValidationError;
use crate::http::{
    BodyError, INTERNAL_ERROR, InternalFault, Json, OriginError, X_MOCK_REASON, header_line,
};
use crate::services::accounts::RateLimited;
use crate::services::orders::CreateOrderError;
use crate::storage::db::InternalError;

/// Validation errors that `X-Mock-Reason` of a 422 names.
const REASON_ERRORS_MAX: usize = 4;

/// Message of the framework for a body that is in no Unicode encoding.
pub const UNREADABLE_BODY: &str = "There was an error parsing the body";

/// Error of the vendor's handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    DocumentNotFound,
    FileMetadata,
    FileNotFound,
    FileTooLarge,
    FileTooSmall,
    HeatmapNotFound,
    IdTaken,
    InputEmailEmpty,
    InputUrlEmpty,
    Internal,
    InvalidFileName,
    InvalidFileType,
    InvalidHost,
    NoValidImages,
    NotBulk,
    NotEnoughCredits,
    NotZip,
    PreviewNotFound,
    RequestCutShort,
    RequestTooLarge,
    TooManyFiles,
    TooManyRequests,
    Unavailable,
    UnsupportedImageType,
    UserNotFound,
    UserVerificationFailed,
    ZipTooLarge,
}

impl ErrorCode {
    pub const ALL: [Self; 27] = [
        Self::DocumentNotFound,
        Self::FileMetadata,
        Self::FileNotFound,
        Self::FileTooLarge,
        Self::FileTooSmall,
        Self::HeatmapNotFound,
        Self::IdTaken,
        Self::InputEmailEmpty,
        Self::InputUrlEmpty,
        Self::Internal,
        Self::InvalidFileName,
        Self::InvalidFileType,
        Self::InvalidHost,
        Self::NoValidImages,
        Self::NotBulk,
        Self::NotEnoughCredits,
        Self::NotZip,
        Self::PreviewNotFound,
        Self::RequestCutShort,
        Self::RequestTooLarge,
        Self::TooManyFiles,
        Self::TooManyRequests,
        Self::Unavailable,
        Self::UnsupportedImageType,
        Self::UserNotFound,
        Self::UserVerificationFailed,
        Self::ZipTooLarge,
    ];

    /// Returns the status of a response with this error.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::FileTooLarge
            | Self::FileTooSmall
            | Self::IdTaken
            | Self::InputEmailEmpty
            | Self::InputUrlEmpty
            | Self::InvalidFileName
            | Self::InvalidFileType
            | Self::InvalidHost
            | Self::NoValidImages
            | Self::NotBulk
            | Self::NotZip
            | Self::RequestCutShort
            | Self::TooManyFiles
            | Self::UnsupportedImageType
            | Self::ZipTooLarge => StatusCode::BAD_REQUEST,
            Self::NotEnoughCredits | Self::UserVerificationFailed => StatusCode::FORBIDDEN,
            Self::DocumentNotFound
            | Self::FileNotFound
            | Self::HeatmapNotFound
            | Self::PreviewNotFound
            | Self::UserNotFound => StatusCode::NOT_FOUND,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::FileMetadata | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the message in the body.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::DocumentNotFound => "Document not found",
            Self::FileMetadata => "File metadata could not be fetched",
            Self::FileNotFound => "File not found",
            Self::FileTooLarge => "File size exceeds limit",
            Self::FileTooSmall => "File size is too small",
            Self::HeatmapNotFound => "Heatmap not found",
            Self::IdTaken => "Document ID already exists",
            Self::InputEmailEmpty => "Input email is empty",
            Self::InputUrlEmpty => "Input URL cannot be empty",
            Self::Internal => "Internal server error",
            Self::InvalidFileName => "Invalid file name",
            Self::InvalidFileType => "Invalid file type",
            Self::InvalidHost => "Invalid host header",
            Self::NoValidImages => "No valid images found in ZIP",
            Self::NotBulk => "Document is not a bulk upload (image-zip) result",
            Self::NotEnoughCredits => "Not enough credits",
            Self::NotZip => "URL must point to a ZIP file",
            Self::PreviewNotFound => "Preview not found",
            Self::RequestCutShort => "Request body could not be read",
            Self::RequestTooLarge => "Request body too large",
            Self::TooManyFiles => "Too many files",
            Self::TooManyRequests => "Too many requests",
            Self::Unavailable => "Service unavailable",
            Self::UnsupportedImageType => "Unsupported image type",
            Self::UserNotFound => "User not found",
            Self::UserVerificationFailed => "User verification failed",
            Self::ZipTooLarge => "ZIP file too large",
        }
    }
}

/// Error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    body: ErrorContent,
    /// Value of `X-Mock-Reason`: one line about this request.
    reason: String,
    /// Value of `Allow`.
    allow: Option<HeaderValue>,
    /// Value of `Retry-After`.
    retry_after_s: Option<u64>,
    /// Cause, for the log, if the server itself is at fault.
    fault: Option<Box<InternalFault>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum ErrorContent {
    Error { error: &'static str },
    Detail { detail: &'static str },
    ValidationErrors { detail: Vec<ValidationError> },
}

impl ApiError {
    pub fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        let error = code.message();
        Self::from_parts(code.status(), ErrorContent::Error { error }, reason.into())
    }

    fn from_parts(status: StatusCode, body: ErrorContent, reason: String) -> Self {
        Self {
            status,
            body,
            reason,
            allow: None,
            retry_after_s: None,
            fault: None,
        }
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// 422: the request does not match the schema.
    pub fn validation(detail: Vec<ValidationError>) -> Self {
        let messages: Vec<String> = detail
            .iter()
            .take(REASON_ERRORS_MAX)
            .map(ValidationError::message)
            .collect();
        let more = match detail.len().saturating_sub(REASON_ERRORS_MAX) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let reason = messages.join("; ") + &more;
        Self::from_parts(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorContent::ValidationErrors { detail },
            reason,
        )
    }

    /// Replaces the reason.
    pub fn with_reason(self, reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            ..self
        }
    }

    /// 406: `Accept` excludes the media type of the response.
    pub fn not_acceptable(reason: &str) -> Self {
        let detail = "Not Acceptable";
        let body = ErrorContent::Detail { detail };
        Self::from_parts(StatusCode::NOT_ACCEPTABLE, body, reason.to_owned())
    }

    /// 400: the framework cannot read the body.
    pub fn unreadable_body(reason: &str) -> Self {
        let body = ErrorContent::Detail {
            detail: UNREADABLE_BODY,
        };
        Self::from_parts(StatusCode::BAD_REQUEST, body, reason.to_owned())
    }

    /// 404: the path has no route.
    pub fn not_found(reason: String) -> Self {
        let detail = "Not Found";
        Self::from_parts(
            StatusCode::NOT_FOUND,
            ErrorContent::Detail { detail },
            reason,
        )
    }

    /// 405: the path has routes with the methods in `allow` only.
    pub fn method_not_allowed(allow: &str, reason: String) -> Self {
        let detail = "Method Not Allowed";
        Self {
            allow: Some(header_line(allow)),
            ..Self::from_parts(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorContent::Detail { detail },
                reason,
            )
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let reason = [(X_MOCK_REASON, header_line(&self.reason))];
        let allow = self.allow.map(|allow| [(ALLOW, allow)]);
        let retry_after = self.retry_after_s.map(|s| [(RETRY_AFTER, s.to_string())]);
        let body = Json(self.body);
        let mut response = (self.status, reason, allow, retry_after, body).into_response();
        if let Some(cause) = self.fault {
            response.extensions_mut().insert(*cause);
        }
        response
    }
}

impl From<InternalError> for ApiError {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::AccountGone => Self::new(ErrorCode::Unavailable, error.to_string()),
            InternalError::DiskFull(_) => Self {
                fault: Some(Box::new(InternalFault(error.to_string()))),
                ..Self::new(ErrorCode::Internal, error.to_string())
            },
            InternalError::Broken(_) => Self {
                fault: Some(Box::new(InternalFault(error.to_string()))),
                ..Self::new(ErrorCode::Internal, INTERNAL_ERROR)
            },
        }
    }
}

impl From<RateLimited> for ApiError {
    fn from(error: RateLimited) -> Self {
        Self {
            retry_after_s: Some(error.retry_after_s),
            ..Self::new(ErrorCode::TooManyRequests, error.message())
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::TooLarge => ErrorCode::RequestTooLarge,
            BodyError::Incomplete | BodyError::Stalled(_) => ErrorCode::RequestCutShort,
        };
        Self::new(code, error.message())
    }
}

impl From<OriginError> for ApiError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(message) => Self::new(ErrorCode::InvalidHost, message),
            OriginError::Store(error) => error.into(),
        }
    }
}

impl From<CreateOrderError> for ApiError {
    fn from(error: CreateOrderError) -> Self {
        match error {
            CreateOrderError::NoCredits { needed, left } => {
                let reason = format!("credits: {needed} needed, {left} left");
                Self::new(ErrorCode::NotEnoughCredits, reason)
            }
            CreateOrderError::UploadGone => {
                Self::new(ErrorCode::FileMetadata, "url: the upload has expired")
            }
            CreateOrderError::IdTaken => {
                Self::new(ErrorCode::IdTaken, "id: another document has this id")
            }
            CreateOrderError::Internal(error) => error.into(),
        }
    }
}
