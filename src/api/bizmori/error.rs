//! The vendor's error codes, and what of ours becomes which.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::{BodyRefusal, InternalFault, Json, OriginError, X_MOCK_REASON, header_line};
use crate::model::order::ConfirmRefusal;
use crate::services::accounts::TooMany;
use crate::services::orders::{Refused, StartError};
use crate::services::webhooks::RetryError;
use crate::storage::db::StoreError;

/// A code of the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
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

impl Code {
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
pub struct Refusal {
    pub code: Code,
    /// The code's own, where nothing else is said.
    pub status: StatusCode,
    pub why: String,
    /// Seconds after which it may be asked again, where that is told.
    retry_after_s: Option<u64>,
    /// Cause, for the log, if the server itself is at fault.
    fault: Option<String>,
}

impl Refusal {
    pub fn new(code: Code, why: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            why: why.into(),
            retry_after_s: None,
            fault: None,
        }
    }

    /// A fault of the server. The log names its cause.
    fn internal(cause: impl Into<String>) -> Self {
        Self {
            fault: Some(cause.into()),
            ..Self::new(
                Code::ServerInternalError,
                "a fault of stuntdouble's: see its log",
            )
        }
    }

    /// A body that does not fit.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::new(Code::ValidationFailed, why)
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
struct Body {
    code: Code,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let why = [(X_MOCK_REASON, header_line(&self.why))];
        let retry_after = self.retry_after_s.map(|s| [(RETRY_AFTER, s.to_string())]);
        let body = Json(Body { code: self.code });
        let mut response = (self.status, why, retry_after, body).into_response();
        if let Some(cause) = self.fault {
            response.extensions_mut().insert(InternalFault(cause));
        }
        response
    }
}

impl From<TooMany> for Refusal {
    fn from(too_many: TooMany) -> Self {
        Self {
            retry_after_s: Some(too_many.retry_after_s),
            ..Self::new(Code::RateLimitExceeded, too_many.line())
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => Self::new(Code::ServiceUnavailable, error.to_string()),
            StoreError::DiskFull(_) => Self {
                fault: Some(error.to_string()),
                ..Self::new(Code::ServerInternalError, error.to_string())
            },
            StoreError::Broken(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<BodyRefusal> for Refusal {
    fn from(refusal: BodyRefusal) -> Self {
        Self::invalid(refusal.line())
    }
}

impl From<OriginError> for Refusal {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(line) => Self::invalid(line),
            OriginError::Store(error) => error.into(),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoCredits { left: 0, .. } => {
                Self::new(Code::UsageLimitExceeded, "no credits are left")
            }
            Refused::NoCredits { left, .. } => Self::new(
                Code::UsageNotEnough,
                format!("{left} credits are left, and it costs one a file"),
            ),
            Refused::IdTaken | Refused::UploadGone => {
                Self::internal("an order was refused as only documents are")
            }
            Refused::Store(error) => error.into(),
        }
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NotFound => Self::new(Code::OrderNotFound, "there is no order of this id"),
            StartError::NotOwner => Self::new(Code::OrderNotOwner, "the order is another key's"),
            StartError::TypeNotMatch => Self::new(
                Code::OrderTypeNotMatch,
                "the order is of another type than this route starts",
            ),
            StartError::Store(error) => error.into(),
            StartError::Refused(refusal, order) => {
                let code = match refusal {
                    ConfirmRefusal::FileNotUploaded { received, uploads } => {
                        let line = format!(
                            "order {} is pending: {received} of {uploads} files uploaded",
                            order.id
                        );
                        return Self::new(Code::OrderFileNotUploaded, line);
                    }
                    ConfirmRefusal::AlreadyConfirmed => Code::OrderAlreadyConfirmed,
                    ConfirmRefusal::AlreadyCompleted => Code::OrderAlreadyCompleted,
                    ConfirmRefusal::AlreadyFailed => Code::OrderAlreadyFailed,
                    ConfirmRefusal::Expired => Code::OrderExpired,
                    ConfirmRefusal::NotPending => Code::OrderNotPending,
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

impl From<RetryError> for Refusal {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::NoEndpoint(id) => Self::new(
                Code::WebhookNotFound,
                format!("this key has no webhook {id}"),
            ),
            RetryError::NoDelivery(id) => Self::new(
                Code::WebhookEventNotFound,
                format!("the webhook has no event row {id}"),
            ),
            RetryError::NotFailed(id, status) => Self::unprocessable(format!(
                "event row {id} is {}, and only FAILED ones are sent again by hand",
                status.name()
            )),
            RetryError::Store(error) => error.into(),
        }
    }
}
