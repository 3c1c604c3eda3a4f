//! The vendor's errors, and what of ours becomes which.
//!
//! What its handlers refuse is `{"error": "message"}`; what its framework refuses is
//! `{"detail": …}`, a sentence or, where input does not fit the schema, a list.

use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::ValidationError;
use crate::http::{BodyError, InternalFault, Json, OriginError, X_MOCK_REASON, header_line};
use crate::services::accounts::RateLimited;
use crate::services::orders::CreateOrderError;
use crate::storage::db::StoreError;

/// So many of a 422's problems stand in `X-Mock-Reason`.
const WHY_PROBLEMS_MAX: usize = 4;

/// The framework's sentence on a body that is in no Unicode encoding.
pub const UNREADABLE_BODY: &str = "There was an error parsing the body";

/// An error of the vendor's handlers.
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
    /// Every code there is.
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

    /// The status it is answered with.
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

    /// The vendor's words.
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

/// A refusal: the vendor's status and body, and one line on this very request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    body: ErrorContent,
    reason: String,
    /// The methods that the path has, where the request's is none of them.
    allow: Option<HeaderValue>,
    /// Seconds after which it may be asked again, where that is told.
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
    pub fn new(code: ErrorCode, why: impl Into<String>) -> Self {
        let error = code.message();
        Self::from_code(code.status(), ErrorContent::Error { error }, why.into())
    }

    fn from_code(status: StatusCode, body: ErrorContent, why: String) -> Self {
        Self {
            status,
            body,
            reason: why,
            allow: None,
            retry_after_s: None,
            fault: None,
        }
    }

    /// The line on this very request.
    pub fn with_reason(&self) -> &str {
        &self.reason
    }

    /// Input that does not fit the schema.
    pub fn validation(detail: Vec<ValidationError>) -> Self {
        let messages: Vec<String> = detail
            .iter()
            .take(WHY_PROBLEMS_MAX)
            .map(ValidationError::message)
            .collect();
        let more = match detail.len().saturating_sub(WHY_PROBLEMS_MAX) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let why = messages.join("; ") + &more;
        Self::from_code(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorContent::ValidationErrors { detail },
            why,
        )
    }

    /// The same, with another line on the request.
    pub fn with_detail(self, why: &str) -> Self {
        let why = why.to_owned();
        Self {
            reason: why,
            ..self
        }
    }

    /// The client takes nothing that it could be answered.
    pub fn not_acceptable(why: &str) -> Self {
        let detail = "Not Acceptable";
        let body = ErrorContent::Detail { detail };
        Self::from_code(StatusCode::NOT_ACCEPTABLE, body, why.to_owned())
    }

    /// Refusal of a body that the framework fails to read, whatever its schema.
    pub fn unreadable_body(why: &str) -> Self {
        let body = ErrorContent::Detail {
            detail: UNREADABLE_BODY,
        };
        Self::from_code(StatusCode::BAD_REQUEST, body, why.to_owned())
    }

    /// A route there is not.
    pub fn not_found(why: String) -> Self {
        let detail = "Not Found";
        Self::from_code(StatusCode::NOT_FOUND, ErrorContent::Detail { detail }, why)
    }

    /// A method the route does not have; it has those of `allow`.
    pub fn method_not_allowed(allow: &str, why: String) -> Self {
        let detail = "Method Not Allowed";
        Self {
            allow: Some(header_line(allow)),
            ..Self::from_code(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorContent::Detail { detail },
                why,
            )
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let why = [(X_MOCK_REASON, header_line(&self.reason))];
        let allow = self.allow.map(|allow| [(ALLOW, allow)]);
        let retry_after = self.retry_after_s.map(|s| [(RETRY_AFTER, s.to_string())]);
        let body = Json(self.body);
        let mut response = (self.status, why, allow, retry_after, body).into_response();
        if let Some(cause) = self.fault {
            response.extensions_mut().insert(*cause);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => Self::new(ErrorCode::Unavailable, error.to_string()),
            StoreError::DiskFull(_) => Self {
                fault: Some(Box::new(InternalFault(error.to_string()))),
                ..Self::new(ErrorCode::Internal, error.to_string())
            },
            StoreError::Broken(_) => Self {
                fault: Some(Box::new(InternalFault(error.to_string()))),
                ..Self::new(ErrorCode::Internal, "a fault of stuntdouble's: see its log")
            },
        }
    }
}

impl From<RateLimited> for ApiError {
    fn from(too_many: RateLimited) -> Self {
        Self {
            retry_after_s: Some(too_many.retry_after_s),
            ..Self::new(ErrorCode::TooManyRequests, too_many.message())
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(refusal: BodyError) -> Self {
        let code = match refusal {
            BodyError::TooLarge => ErrorCode::RequestTooLarge,
            BodyError::Incomplete | BodyError::Stalled(_) => ErrorCode::RequestCutShort,
        };
        Self::new(code, refusal.message())
    }
}

impl From<OriginError> for ApiError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(line) => Self::new(ErrorCode::InvalidHost, line),
            OriginError::Store(error) => error.into(),
        }
    }
}

impl From<CreateOrderError> for ApiError {
    fn from(refused: CreateOrderError) -> Self {
        match refused {
            CreateOrderError::NoCredits { needed, left } => {
                let why = format!("credits: {needed} needed, {left} left");
                Self::new(ErrorCode::NotEnoughCredits, why)
            }
            CreateOrderError::UploadGone => {
                Self::new(ErrorCode::FileMetadata, "url: the upload has expired")
            }
            CreateOrderError::IdTaken => {
                Self::new(ErrorCode::IdTaken, "id: a document has it already")
            }
            CreateOrderError::Internal(error) => error.into(),
        }
    }
}
