//! The vendor's error codes, and what of ours becomes which.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::model::order::ConfirmRefusal;
use crate::orders::{Refused, StartError};
use crate::store::StoreError;
use crate::web::{BodyRefusal, OriginError, WHY, header_line};
use crate::webhooks::RetryError;

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
    ResourceNotFound,
    ServerInternalError,
    ServiceUnavailable,
    TestUploadTooLarge,
    ValidationFailed,
    ValidationIdempotencyKeyInvalid,
    WebhookEventNotFound,
    WebhookNotFound,
}

impl Code {
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
            | Self::ValidationFailed
            | Self::ValidationIdempotencyKeyInvalid => StatusCode::BAD_REQUEST,
            Self::TestUploadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
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
}

impl Refusal {
    pub fn new(code: Code, why: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            why: why.into(),
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
        let why = [(WHY, header_line(&self.why))];
        (self.status, why, Json(Body { code: self.code })).into_response()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => Self::new(Code::ServiceUnavailable, error.to_string()),
            StoreError::Broken(_) => {
                tracing::error!(%error, "a request failed");
                Self::new(
                    Code::ServerInternalError,
                    "a fault of stuntdouble's: see its log",
                )
            }
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
            Refused::NoCredits => Self::new(Code::AuthForbidden, "no credits are left"),
            Refused::IdTaken => {
                tracing::error!("an order's drawn id was taken for its client's");
                Self::new(
                    Code::ServerInternalError,
                    "a fault of stuntdouble's: see its log",
                )
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
                    ConfirmRefusal::FileNotUploaded { received } => {
                        let of = order.files.len();
                        let line = format!(
                            "order {} is pending: {received} of {of} files uploaded",
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
