//! Error responses: the vendor's codes, and the mapping of service errors onto them.

use std::fmt::Display;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{
    BodyError, INTERNAL_ERROR, InternalFault, Json, OriginError, X_MOCK_REASON, header_line,
};
use crate::model::order::ConfirmRejection;
use crate::services::accounts::RateLimited;
use crate::services::orders::{ConfirmError, CreateOrderError};
use crate::services::webhooks::RetryError;
use crate::storage::db::InternalError;

/// Error code of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
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

    /// Returns the status of a response with this code.
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

/// Error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub code: ErrorCode,
    /// The status of `code`, except for 422.
    pub status: StatusCode,
    /// Value of `X-Mock-Reason`: one line about this request.
    pub reason: String,
    /// Value of `Retry-After`.
    retry_after_s: Option<u64>,
    /// Cause, for the log, if the server itself is at fault.
    fault: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            reason: reason.into(),
            retry_after_s: None,
            fault: None,
        }
    }

    /// Error of the server itself. The log has its cause.
    fn internal(cause: impl Into<String>) -> Self {
        Self {
            fault: Some(cause.into()),
            ..Self::new(ErrorCode::ServerInternalError, INTERNAL_ERROR)
        }
    }

    /// 400 `VALIDATION_FAILED`.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationFailed, reason)
    }

    /// 422 `VALIDATION_FAILED`: the request is well-formed, but not allowed.
    pub fn unprocessable(reason: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            ..Self::invalid(reason)
        }
    }

    pub fn event_not_found(row_id: impl Display) -> Self {
        Self::new(
            ErrorCode::WebhookEventNotFound,
            format!("the webhook has no event row {row_id}"),
        )
    }

    /// Error of a URL of a test key whose token is forged or malformed.
    pub fn invalid_token() -> Self {
        Self::new(ErrorCode::AuthForbidden, "invalid token")
    }

    /// Error of a URL of a test key whose token has expired.
    pub fn token_expired() -> Self {
        Self::new(
            ErrorCode::AuthForbidden,
            "the token has expired by the account's clock",
        )
    }

    /// Error of a URL of a test key whose order no longer exists.
    pub fn token_order_deleted() -> Self {
        Self::new(
            ErrorCode::OrderNotFound,
            "the order of this token was deleted",
        )
    }
}

/// Body of an error response.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorCodeBody {
    code: ErrorCode,
    /// Reason. Added by middleware, only with `--explain-errors`.
    #[serde(rename = "_mock", skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let reason = [(X_MOCK_REASON, header_line(&self.reason))];
        let retry_after = self.retry_after_s.map(|s| [(RETRY_AFTER, s.to_string())]);
        let body = Json(ErrorCodeBody {
            code: self.code,
            reason: None,
        });
        let mut response = (self.status, reason, retry_after, body).into_response();
        if let Some(cause) = self.fault {
            response.extensions_mut().insert(InternalFault(cause));
        }
        response
    }
}

impl From<RateLimited> for ApiError {
    fn from(error: RateLimited) -> Self {
        Self {
            retry_after_s: Some(error.retry_after_s),
            ..Self::new(ErrorCode::RateLimitExceeded, error.message())
        }
    }
}

impl From<InternalError> for ApiError {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::AccountGone => {
                Self::new(ErrorCode::ServiceUnavailable, error.to_string())
            }
            InternalError::DiskFull(_) => Self {
                fault: Some(error.to_string()),
                ..Self::new(ErrorCode::ServerInternalError, error.to_string())
            },
            InternalError::Broken(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        Self::invalid(error.message())
    }
}

impl From<OriginError> for ApiError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(message) => Self::invalid(message),
            OriginError::Store(error) => error.into(),
        }
    }
}

impl From<CreateOrderError> for ApiError {
    fn from(error: CreateOrderError) -> Self {
        match error {
            CreateOrderError::NoCredits { left: 0, .. } => {
                Self::new(ErrorCode::UsageLimitExceeded, "no credits are left")
            }
            CreateOrderError::NoCredits { left, .. } => Self::new(
                ErrorCode::UsageNotEnough,
                format!("{left} credits are left, the order needs one per file"),
            ),
            CreateOrderError::IdTaken | CreateOrderError::UploadGone => {
                Self::internal("unexpected error: only documents have client ids and uploads")
            }
            CreateOrderError::Internal(error) => error.into(),
        }
    }
}

impl From<ConfirmError> for ApiError {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::NotFound => {
                Self::new(ErrorCode::OrderNotFound, "orderId: order not found")
            }
            ConfirmError::NotOwner => Self::new(
                ErrorCode::OrderNotOwner,
                "orderId: order belongs to another API key",
            ),
            ConfirmError::TypeNotMatch => Self::new(
                ErrorCode::OrderTypeNotMatch,
                "orderId: order has another type than this route confirms",
            ),
            ConfirmError::Internal(error) => error.into(),
            ConfirmError::Rejected(rejection, order) => {
                let code = match rejection {
                    ConfirmRejection::FileNotUploaded { received, uploads } => {
                        let message = format!(
                            "order {} is pending: {received} of {uploads} files uploaded",
                            order.id
                        );
                        return Self::new(ErrorCode::OrderFileNotUploaded, message);
                    }
                    ConfirmRejection::AlreadyConfirmed => ErrorCode::OrderAlreadyConfirmed,
                    ConfirmRejection::AlreadyCompleted => ErrorCode::OrderAlreadyCompleted,
                    ConfirmRejection::AlreadyFailed => ErrorCode::OrderAlreadyFailed,
                    ConfirmRejection::Expired => ErrorCode::OrderExpired,
                    ConfirmRejection::NotPending => ErrorCode::OrderNotPending,
                };
                let message = format!(
                    "order {} is {}, and this idempotencyKey did not confirm it",
                    order.id,
                    order.state.status()
                );
                Self::new(code, message)
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
            RetryError::NoDelivery(id) => Self::event_not_found(id),
            RetryError::NotFailed(id, status) => Self::unprocessable(format!(
                "event row {id} is {}; only FAILED events can be retried",
                status.name()
            )),
            RetryError::Internal(error) => error.into(),
        }
    }
}
