//! Error responses: status, code and message as AWS documents them ("Error Responses"), in XML.

mod document;
mod integrity;
mod metadata;
mod signature;
mod upload;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::http::{INTERNAL_ERROR, X_MOCK_REASON, header_line};
use crate::model::time::Timestamp;
use crate::platform::presign::VerifyError;
use crate::services::claims::Claim;
use crate::storage::db::InternalError;
use document::ErrorDocument;
pub(super) use integrity::{Algorithm, IntegrityError};
pub(super) use metadata::MetadataError;
pub(super) use upload::UploadError;

/// Header of every response with the id of the request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
/// Methods of objects.
const ALLOW: &str = "GET, HEAD, PUT, OPTIONS";

/// Error response of the storage API.
#[derive(Debug)]
pub(super) enum S3Error {
    /// The signature is missing, malformed, wrong or expired at `now` of the account's clock.
    Signature { error: VerifyError, now: Timestamp },
    /// 400 `InvalidArgument`: a presigned URL together with an `Authorization` header of this value.
    TwoAuthMechanisms { authorization: String },
    /// 400 `InvalidRequest`: no valid `Host` header.
    InvalidHost(String),
    /// 400 `InvalidURI`: the path is not valid UTF-8 or percent-encoding.
    InvalidUri,
    /// 400 `KeyTooLongError`
    KeyTooLong { bytes: usize, bytes_max: usize },
    /// 404 `NoSuchBucket`
    NoSuchBucket { bucket: String },
    /// 404 `NoSuchKey`
    NoSuchKey { bucket: String },
    /// 405 `MethodNotAllowed`: a method that objects do not have, or a path without a key.
    MethodNotAllowed { method: Method, is_object: bool },
    /// 412 `PreconditionFailed`: the condition of the header `condition` does not hold.
    PreconditionFailed {
        condition: &'static str,
        reason: String,
        /// Claim on the order that starts with the stored object. Held until the response is sent.
        claim: Option<Claim>,
    },
    /// 501 `NotImplemented`: a feature that must not be handled as a plain request.
    NotImplemented {
        /// Header or parameter that requests the feature.
        name: &'static str,
        reason: String,
    },
    /// Digest of the body that is malformed, or does not match.
    Integrity(IntegrityError),
    /// Headers that cannot be stored with an object.
    Metadata(MetadataError),
    /// Upload that was not stored.
    Upload(UploadError),
    /// 416 `InvalidRange`
    InvalidRange { range: String, bytes: u64 },
    /// 500 `InternalError`
    Internal(InternalError),
}

impl From<InternalError> for S3Error {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::AccountGone => UploadError::AccountGone.into(),
            InternalError::DiskFull(_) | InternalError::Broken(_) => Self::Internal(error),
        }
    }
}

impl From<UploadError> for S3Error {
    fn from(error: UploadError) -> Self {
        Self::Upload(error)
    }
}

impl From<IntegrityError> for S3Error {
    fn from(error: IntegrityError) -> Self {
        Self::Integrity(error)
    }
}

impl From<MetadataError> for S3Error {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

impl S3Error {
    /// Error of the server or of its disk.
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(InternalError::broken(error))
    }

    /// Adds a claim to hold until the response is sent. Errors other than [`S3Error::PreconditionFailed`]
    /// release it at once.
    pub fn with_claim(mut self, new_claim: Option<Claim>) -> Self {
        if let Self::PreconditionFailed { claim, .. } = &mut self {
            *claim = new_claim;
        }
        self
    }

    /// Takes the claim to hold until the response is sent. `None` if there is none.
    pub fn take_claim(&mut self) -> Option<Claim> {
        match self {
            Self::PreconditionFailed { claim, .. } => claim.take(),
            _ => None,
        }
    }

    /// Returns the response to a request with `method`, without a body for HEAD.
    pub fn to_response(
        &self,
        method: &Method,
        key: Option<&str>,
        request_id: &str,
    ) -> Response<Body> {
        let document = self.document();
        let mut response = Response::new(match *method {
            Method::HEAD => Body::empty(),
            _ => Body::from(document.to_xml(key, request_id)),
        });
        *response.status_mut() = document.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/xml"),
        );
        headers.insert(X_MOCK_REASON, header_line(&document.reason));
        if document.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
        }
        if let Self::InvalidRange { bytes, .. } = self
            && let Ok(range) = HeaderValue::from_str(&format!("bytes */{bytes}"))
        {
            headers.insert(header::CONTENT_RANGE, range);
        }
        response
    }

    fn document(&self) -> ErrorDocument {
        match self {
            Self::Signature { error, now } => signature::document(error, *now),
            Self::TwoAuthMechanisms { authorization } => signature::two_mechanisms(authorization),
            Self::InvalidHost(message) => {
                ErrorDocument::bad_request("InvalidRequest", "Invalid Request", message)
            }
            Self::InvalidUri => ErrorDocument::bad_request(
                "InvalidURI",
                "Couldn't parse the specified URI.",
                "path: bucket and key must be percent-encoded UTF-8",
            ),
            Self::KeyTooLong { bytes, bytes_max } => key_too_long(*bytes, *bytes_max),
            Self::NoSuchBucket { bucket } => no_such_bucket(bucket),
            Self::NoSuchKey { bucket } => ErrorDocument::new(
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
                &format!("key: no such object in bucket {bucket}: not uploaded, or deleted"),
            ),
            Self::MethodNotAllowed { method, is_object } => method_not_allowed(method, *is_object),
            Self::PreconditionFailed {
                condition, reason, ..
            } => ErrorDocument::new(
                StatusCode::PRECONDITION_FAILED,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                reason,
            )
            .with("Condition", condition),
            Self::NotImplemented { name, reason } => ErrorDocument::new(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "A header or parameter you provided implies functionality that is not implemented",
                reason,
            )
            .with("Header", name),
            Self::Integrity(error) => error.document(),
            Self::Metadata(error) => error.document(),
            Self::Upload(error) => error.document(),
            Self::InvalidRange { range, bytes } => invalid_range(range, *bytes),
            Self::Internal(error) => ErrorDocument::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
                &match error {
                    InternalError::DiskFull(full) => full.to_string(),
                    InternalError::AccountGone | InternalError::Broken(_) => {
                        INTERNAL_ERROR.to_owned()
                    }
                },
            ),
        }
    }
}

fn key_too_long(bytes: usize, bytes_max: usize) -> ErrorDocument {
    ErrorDocument::bad_request(
        "KeyTooLongError",
        "Your key is too long",
        &format!("key: too long: {bytes} bytes, maximum {bytes_max}"),
    )
    .with("Size", &bytes)
    .with("MaxSizeAllowed", &bytes_max)
}

fn no_such_bucket(bucket: &str) -> ErrorDocument {
    ErrorDocument::new(
        StatusCode::NOT_FOUND,
        "NoSuchBucket",
        "The specified bucket does not exist",
        &format!("bucket: {bucket} does not exist"),
    )
    .with("BucketName", bucket)
}

fn method_not_allowed(method: &Method, is_object: bool) -> ErrorDocument {
    ErrorDocument::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        &if is_object {
            format!("method: {method} is not supported; use {ALLOW}")
        } else {
            format!("path: {method} on a bucket is not supported; name an object")
        },
    )
    .with("Method", method)
    .with("ResourceType", if is_object { "OBJECT" } else { "BUCKET" })
}

fn invalid_range(range: &str, bytes: u64) -> ErrorDocument {
    ErrorDocument::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "InvalidRange",
        "The requested range is not satisfiable",
        &format!("Range: {range} is outside the object, which has {bytes} bytes"),
    )
    .with("RangeRequested", range)
    .with("ActualObjectSize", &bytes)
}
