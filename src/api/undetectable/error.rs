//! The vendor's errors, and what of ours becomes which.
//!
//! What its handlers refuse is `{"error": "message"}`; what its framework refuses is
//! `{"detail": …}`, a sentence or, where input does not fit the schema, a list.

use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::Problem;
use crate::http::{BodyRefusal, InternalFault, Json, OriginError, X_MOCK_REASON, header_line};
use crate::services::accounts::TooMany;
use crate::services::orders::Refused;
use crate::storage::db::StoreError;

/// So many of a 422's problems stand in `X-Mock-Reason`.
const WHY_PROBLEMS_MAX: usize = 4;

/// The framework's sentence on a body that is in no Unicode encoding.
pub const UNREADABLE_BODY: &str = "There was an error parsing the body";

/// An error of the vendor's handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
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

impl Code {
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
pub struct Refusal {
    status: StatusCode,
    body: Body,
    why: String,
    /// The methods that the path has, where the request's is none of them.
    allow: Option<HeaderValue>,
    /// Seconds after which it may be asked again, where that is told.
    retry_after_s: Option<u64>,
    /// Cause, for the log, if the server itself is at fault.
    fault: Option<Box<InternalFault>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Body {
    Error { error: &'static str },
    Sentence { detail: &'static str },
    Problems { detail: Vec<Problem> },
}

impl Refusal {
    pub fn new(code: Code, why: impl Into<String>) -> Self {
        let error = code.message();
        Self::of(code.status(), Body::Error { error }, why.into())
    }

    fn of(status: StatusCode, body: Body, why: String) -> Self {
        Self {
            status,
            body,
            why,
            allow: None,
            retry_after_s: None,
            fault: None,
        }
    }

    /// The line on this very request.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Input that does not fit the schema.
    pub fn unfit(detail: Vec<Problem>) -> Self {
        let told: Vec<String> = detail
            .iter()
            .take(WHY_PROBLEMS_MAX)
            .map(Problem::line)
            .collect();
        let more = match detail.len().saturating_sub(WHY_PROBLEMS_MAX) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let why = told.join("; ") + &more;
        Self::of(
            StatusCode::UNPROCESSABLE_ENTITY,
            Body::Problems { detail },
            why,
        )
    }

    /// The same, with another line on the request.
    pub fn because(self, why: &str) -> Self {
        let why = why.to_owned();
        Self { why, ..self }
    }

    /// The client takes nothing that it could be answered.
    pub fn not_acceptable(why: &str) -> Self {
        let detail = "Not Acceptable";
        let body = Body::Sentence { detail };
        Self::of(StatusCode::NOT_ACCEPTABLE, body, why.to_owned())
    }

    /// Refusal of a body that the framework fails to read, whatever its schema.
    pub fn unreadable_body(why: &str) -> Self {
        let body = Body::Sentence {
            detail: UNREADABLE_BODY,
        };
        Self::of(StatusCode::BAD_REQUEST, body, why.to_owned())
    }

    /// A route there is not.
    pub fn no_route(why: String) -> Self {
        let detail = "Not Found";
        Self::of(StatusCode::NOT_FOUND, Body::Sentence { detail }, why)
    }

    /// A method the route does not have; it has those of `allow`.
    pub fn no_method(allow: &str, why: String) -> Self {
        let detail = "Method Not Allowed";
        Self {
            allow: Some(header_line(allow)),
            ..Self::of(
                StatusCode::METHOD_NOT_ALLOWED,
                Body::Sentence { detail },
                why,
            )
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let why = [(X_MOCK_REASON, header_line(&self.why))];
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

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => Self::new(Code::Unavailable, error.to_string()),
            StoreError::DiskFull(_) => Self {
                fault: Some(Box::new(InternalFault(error.to_string()))),
                ..Self::new(Code::Internal, error.to_string())
            },
            StoreError::Broken(_) => Self {
                fault: Some(Box::new(InternalFault(error.to_string()))),
                ..Self::new(Code::Internal, "a fault of stuntdouble's: see its log")
            },
        }
    }
}

impl From<TooMany> for Refusal {
    fn from(too_many: TooMany) -> Self {
        Self {
            retry_after_s: Some(too_many.retry_after_s),
            ..Self::new(Code::TooManyRequests, too_many.line())
        }
    }
}

impl From<BodyRefusal> for Refusal {
    fn from(refusal: BodyRefusal) -> Self {
        let code = match refusal {
            BodyRefusal::TooLarge => Code::RequestTooLarge,
            BodyRefusal::CutShort | BodyRefusal::Stalled(_) => Code::RequestCutShort,
        };
        Self::new(code, refusal.line())
    }
}

impl From<OriginError> for Refusal {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(line) => Self::new(Code::InvalidHost, line),
            OriginError::Store(error) => error.into(),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoCredits { needed, left } => {
                let why = format!("credits: {needed} needed, {left} left");
                Self::new(Code::NotEnoughCredits, why)
            }
            Refused::UploadGone => Self::new(Code::FileMetadata, "url: the upload has expired"),
            Refused::IdTaken => Self::new(Code::IdTaken, "id: a document has it already"),
            Refused::Store(error) => error.into(),
        }
    }
}
