//! S3's errors: status, code and message as AWS documents them ("Error Responses"), in XML.

mod document;
mod integrity;
mod metadata;
mod signature;
mod upload;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::http::{X_MOCK_REASON, header_line};
use crate::model::time::Timestamp;
use crate::platform::presign::VerifyError;
use crate::services::claims::Claim;
use crate::storage::db::StoreError;
use document::ErrorDocument;
pub(super) use integrity::{Algorithm, IntegrityError};
pub(super) use metadata::MetadataError;
pub(super) use upload::UploadError;

/// The request's number, as S3 gives one with every answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
/// The methods an object has.
const ALLOW: &str = "GET, HEAD, PUT, OPTIONS";

/// Why a request is not served.
#[derive(Debug)]
pub(super) enum S3Error {
    /// The signature does not let it in, at the account's now.
    Refused {
        refusal: VerifyError,
        now: Timestamp,
    },
    /// 400 `InvalidArgument`: a presigned URL and an `Authorization` header, which has this value.
    TwoAuthMechanisms { authorization: String },
    /// 400 `InvalidRequest`: no valid `Host` header.
    BadHost(String),
    /// 400 `InvalidURI`: the path is no UTF-8, or not percent-encoded.
    InvalidUri,
    /// 400 `KeyTooLongError`
    KeyTooLong { bytes: usize, bytes_max: usize },
    /// 404 `NoSuchBucket`
    NoSuchBucket { bucket: String },
    /// 404 `NoSuchKey`
    NoSuchKey { bucket: String },
    /// 405 `MethodNotAllowed`: not a method of objects, or not an object.
    MethodNotAllowed { method: Method, on_object: bool },
    /// 412 `PreconditionFailed`: this header's condition does not hold.
    PreconditionFailed {
        condition: &'static str,
        reason: String,
        /// Claim on an order that starts with the object that is there, until the response is written.
        hold: Option<Claim>,
    },
    /// 501 `NotImplemented`: what would be stored wrongly if it were taken for a plain PUT.
    NotImplemented {
        /// Header or parameter with that effect.
        name: &'static str,
        reason: String,
    },
    /// Digests of the body that are malformed, or of another body.
    Integrity(IntegrityError),
    /// Headers that cannot be stored with an object.
    Metadata(MetadataError),
    /// An upload that came to nothing.
    Upload(UploadError),
    /// 416 `InvalidRange`
    InvalidRange { range: String, bytes: u64 },
    /// 500 `StoreError`
    Internal(StoreError),
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => UploadError::AccountGone.into(),
            StoreError::DiskFull(_) | StoreError::Broken(_) => Self::Internal(error),
        }
    }
}

impl From<UploadError> for S3Error {
    fn from(upload: UploadError) -> Self {
        Self::Upload(upload)
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
    /// Returns the error for a fault of the server or of its disk.
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(StoreError::broken(error))
    }

    /// Returns the error with a claim that lasts until its response is written. Only a refused condition
    /// takes one; of another error the claim ends here.
    pub fn with_hold(mut self, claim: Option<Claim>) -> Self {
        if let Self::PreconditionFailed { hold, .. } = &mut self {
            *hold = claim;
        }
        self
    }

    /// Takes the claim that is to last until the response is written. `None` if there is none.
    pub fn take_hold(&mut self) -> Option<Claim> {
        match self {
            Self::PreconditionFailed { hold, .. } => hold.take(),
            _ => None,
        }
    }

    /// The answer, without a body where the `method` is HEAD.
    pub fn answer(&self, method: &Method, key: Option<&str>, request_id: &str) -> Response<Body> {
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
            Self::Refused { refusal, now } => signature::document(refusal, *now),
            Self::TwoAuthMechanisms { authorization } => signature::two_mechanisms(authorization),
            Self::BadHost(line) => {
                ErrorDocument::bad_request("InvalidRequest", "Invalid Request", line)
            }
            Self::InvalidUri => ErrorDocument::bad_request(
                "InvalidURI",
                "Couldn't parse the specified URI.",
                "path: bucket and key have to be UTF-8, percent-encoded",
            ),
            Self::KeyTooLong { bytes, bytes_max } => key_too_long(*bytes, *bytes_max),
            Self::NoSuchBucket { bucket } => no_such_bucket(bucket),
            Self::NoSuchKey { bucket } => ErrorDocument::new(
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
                &format!("key: nothing was uploaded to {bucket} under it, or it is removed"),
            ),
            Self::MethodNotAllowed { method, on_object } => method_not_allowed(method, *on_object),
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
            Self::Upload(upload) => upload.document(),
            Self::InvalidRange { range, bytes } => invalid_range(range, *bytes),
            Self::Internal(error) => ErrorDocument::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
                &match error {
                    StoreError::DiskFull(full) => full.to_string(),
                    _ => "a fault of the mock itself: its log tells".to_owned(),
                },
            ),
        }
    }
}

fn key_too_long(bytes: usize, bytes_max: usize) -> ErrorDocument {
    ErrorDocument::bad_request(
        "KeyTooLongError",
        "Your key is too long",
        &format!("key: {bytes} bytes, at most {bytes_max} are allowed"),
    )
    .with("Size", &bytes)
    .with("MaxSizeAllowed", &bytes_max)
}

fn no_such_bucket(bucket: &str) -> ErrorDocument {
    ErrorDocument::new(
        StatusCode::NOT_FOUND,
        "NoSuchBucket",
        "The specified bucket does not exist",
        &format!("bucket: no {bucket} here"),
    )
    .with("BucketName", bucket)
}

fn method_not_allowed(method: &Method, on_object: bool) -> ErrorDocument {
    ErrorDocument::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        &if on_object {
            format!("method: {method} is not served, only {ALLOW}")
        } else {
            format!("path: {method} of a bucket is not served, only objects are")
        },
    )
    .with("Method", method)
    .with("ResourceType", if on_object { "OBJECT" } else { "BUCKET" })
}

fn invalid_range(range: &str, bytes: u64) -> ErrorDocument {
    ErrorDocument::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "InvalidRange",
        "The requested range is not satisfiable",
        &format!("Range: {range} of an object of {bytes} bytes"),
    )
    .with("RangeRequested", range)
    .with("ActualObjectSize", &bytes)
}
