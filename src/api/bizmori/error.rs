//! The vendor's error codes, and what of ours becomes which.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::{BodyError, InternalFault, Json, OriginError, X_MOCK_REASON, header_line};
use crate::model::order::ConfirmRejection;
use crate::services::accounts::RateLimited;
use crate::services::orders::{ConfirmError, CreateOrderError};
use crate::services::webhooks::RetryError;
use crate::storage::db::StoreError;

/// A code of the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    AuthForbidden,
    AuthNotAuthenticated,
    AuthTokenExpired,
    AuthTokenInvalid,
    AuthTokenInvalidFormat,
    InvalidParameter,
    OrderAlreadyCompleted,
    OrderAlreadyConfirmed,
    OrderAlreadyFailed,
    OrderExpired,
    OrderFileNotUploaded,
    OrderNotCompleted,
    OrderNotFound,
    OrderNotOwner,
    OrderNotPending,
    OrderTypeCantDownload,
    OrderTypeNotMatch,
    ProcessedFileNotFound,
    ReportLocaleUnsupported,
    ReportNotAvailable,
    ReportNotFound,
    RateLimitExceeded,
    ResourceNotFound,
    ServerInternalError,
    ServiceUnavailable,
    TestUploadTooLarge,
    UsageLimitExceeded,
    UsageNotEnough,
    ValidationFailed,
    ValidationIdempotencyKeyInvalid,
    #[serde(rename = "WATERMARK_V2_API_SUNSET")]
    WatermarkV2ApiSunset,
    #[serde(rename = "WATERMARK_V2_CONFLICT")]
    WatermarkV2Conflict,
    WebhookEventNotFound,
    WebhookNotFound,
}

impl ErrorCode {
    /// Every code there is.
    pub const ALL: [Self; 34] = [
        Self::AuthForbidden,
        Self::AuthNotAuthenticated,
        Self::AuthTokenExpired,
        Self::AuthTokenInvalid,
        Self::AuthTokenInvalidFormat,
        Self::InvalidParameter,
        Self::OrderAlreadyCompleted,
        Self::OrderAlreadyConfirmed,
        Self::OrderAlreadyFailed,
        Self::OrderExpired,
        Self::OrderFileNotUploaded,
        Self::OrderNotCompleted,
        Self::OrderNotFound,
        Self::OrderNotOwner,
        Self::OrderNotPending,
        Self::OrderTypeCantDownload,
        Self::OrderTypeNotMatch,
        Self::ProcessedFileNotFound,
        Self::ReportLocaleUnsupported,
        Self::ReportNotAvailable,
        Self::ReportNotFound,
        Self::RateLimitExceeded,
        Self::ResourceNotFound,
        Self::ServerInternalError,
        Self::ServiceUnavailable,
        Self::TestUploadTooLarge,
        Self::UsageLimitExceeded,
        Self::UsageNotEnough,
        Self::ValidationFailed,
        Self::ValidationIdempotencyKeyInvalid,
        Self::WatermarkV2ApiSunset,
        Self::WatermarkV2Conflict,
        Self::WebhookEventNotFound,
        Self::WebhookNotFound,
    ];

    /// The status it is answered with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::AuthNotAuthenticated
            | Self::AuthTokenExpired
            | Self::AuthTokenInvalid
            | Self::AuthTokenInvalidFormat => StatusCode::UNAUTHORIZED,
            Self::AuthForbidden | Self::OrderNotOwner => StatusCode::FORBIDDEN,
            Self::OrderNotFound
            | Self::ProcessedFileNotFound
            | Self::ReportNotFound
            | Self::ResourceNotFound
            | Self::WebhookEventNotFound
            | Self::WebhookNotFound => StatusCode::NOT_FOUND,
            Self::InvalidParameter
            | Self::OrderAlreadyCompleted
            | Self::OrderAlreadyConfirmed
            | Self::OrderAlreadyFailed
            | Self::OrderExpired
            | Self::OrderFileNotUploaded
            | Self::OrderNotCompleted
            | Self::OrderNotPending
            | Self::OrderTypeCantDownload
            | Self::OrderTypeNotMatch
            | Self::ReportLocaleUnsupported
            | Self::UsageNotEnough
            | Self::ValidationFailed
            | Self::ValidationIdempotencyKeyInvalid => StatusCode::BAD_REQUEST,
            Self::ReportNotAvailable | Self::WatermarkV2Conflict => StatusCode::CONFLICT,
            Self::WatermarkV2ApiSunset => StatusCode::GONE,
            Self::TestUploadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimitExceeded | Self::UsageLimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            Self::ServerInternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A refusal: the vendor's code, and one line on this very request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub code: ErrorCode,
    /// The code's own, where nothing else is said.
    pub status: StatusCode,
    pub reason: String,
    /// Seconds after which it may be asked again, where that is told.
    retry_after_s: Option<u64>,
    /// Cause, for the log, if the server itself is at fault.
    fault: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, why: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            reason: why.into(),
            retry_after_s: None,
            fault: None,
        }
    }

    /// A fault of the server. The log names its cause.
    fn internal(cause: impl Into<String>) -> Self {
        Self {
            fault: Some(cause.into()),
            ..Self::new(
                ErrorCode::ServerInternalError,
                "a fault of stuntdouble's: see its log",
            )
        }
    }

    /// A body that does not fit.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationFailed, why)
    }

    /// A body, or what it is about, that fits and is not taken: 422.
    pub fn unprocessable(why: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            ..Self::invalid(why)
        }
    }
}

#[derive(Serialize)]
struct ErrorCodeBody {
    code: ErrorCode,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let why = [(X_MOCK_REASON, header_line(&self.reason))];
        let retry_after = self.retry_after_s.map(|s| [(RETRY_AFTER, s.to_string())]);
        let body = Json(ErrorCodeBody { code: self.code });
        let mut response = (self.status, why, retry_after, body).into_response();
        if let Some(cause) = self.fault {
            response.extensions_mut().insert(InternalFault(cause));
        }
        response
    }
}

impl From<RateLimited> for ApiError {
    fn from(too_many: RateLimited) -> Self {
        Self {
            retry_after_s: Some(too_many.retry_after_s),
            ..Self::new(ErrorCode::RateLimitExceeded, too_many.message())
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => Self::new(ErrorCode::ServiceUnavailable, error.to_string()),
            StoreError::DiskFull(_) => Self {
                fault: Some(error.to_string()),
                ..Self::new(ErrorCode::ServerInternalError, error.to_string())
            },
            StoreError::Broken(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(refusal: BodyError) -> Self {
        Self::invalid(refusal.message())
    }
}

impl From<OriginError> for ApiError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(line) => Self::invalid(line),
            OriginError::Store(error) => error.into(),
        }
    }
}

impl From<CreateOrderError> for ApiError {
    fn from(refused: CreateOrderError) -> Self {
        match refused {
            CreateOrderError::NoCredits { left: 0, .. } => {
                Self::new(ErrorCode::UsageLimitExceeded, "no credits are left")
            }
            CreateOrderError::NoCredits { left, .. } => Self::new(
                ErrorCode::UsageNotEnough,
                format!("{left} credits are left, and it costs one a file"),
            ),
            CreateOrderError::IdTaken | CreateOrderError::UploadGone => {
                Self::internal("an order was refused as only documents are")
            }
            CreateOrderError::Internal(error) => error.into(),
        }
    }
}

impl From<ConfirmError> for ApiError {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::NotFound => {
                Self::new(ErrorCode::OrderNotFound, "there is no order of this id")
            }
            ConfirmError::NotOwner => {
                Self::new(ErrorCode::OrderNotOwner, "the order is another key's")
            }
            ConfirmError::TypeNotMatch => Self::new(
                ErrorCode::OrderTypeNotMatch,
                "the order is of another type than this route starts",
            ),
            ConfirmError::Internal(error) => error.into(),
            ConfirmError::Rejected(refusal, order) => {
                let code = match refusal {
                    ConfirmRejection::FileNotUploaded { received, uploads } => {
                        let line = format!(
                            "order {} is pending: {received} of {uploads} files uploaded",
                            order.id
                        );
                        return Self::new(ErrorCode::OrderFileNotUploaded, line);
                    }
                    ConfirmRejection::AlreadyConfirmed => ErrorCode::OrderAlreadyConfirmed,
                    ConfirmRejection::AlreadyCompleted => ErrorCode::OrderAlreadyCompleted,
                    ConfirmRejection::AlreadyFailed => ErrorCode::OrderAlreadyFailed,
                    ConfirmRejection::Expired => ErrorCode::OrderExpired,
                    ConfirmRejection::NotPending => ErrorCode::OrderNotPending,
                };
                let line = format!(
                    "order {} is {}, and was not confirmed with this key",
                    order.id,
                    order.state.status()
                );
                Self::new(code, line)
            }
        }
    }
}

impl From<RetryError> for ApiError {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::NoEndpoint(id) => Self::new(
                ErrorCode::WebhookNotFound,
                format!("this key has no webhook {id}"),
            ),
            RetryError::NoDelivery(id) => Self::new(
                ErrorCode::WebhookEventNotFound,
                format!("the webhook has no event row {id}"),
            ),
            RetryError::NotFailed(id, status) => Self::unprocessable(format!(
                "event row {id} is {}, and only FAILED ones are sent again by hand",
                status.name()
            )),
            RetryError::Internal(error) => error.into(),
        }
    }
}
