//! S3's errors: status, code and message as AWS documents them ("Error Responses"), in XML.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::xml::element;
use crate::clock;
use crate::model::time::Timestamp;
use crate::presign::Refusal;
use crate::store::StoreError;
use crate::web::{BodyStalled, X_MOCK_REASON, header_line};

/// The request's number, as S3 gives one with every answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
/// The methods an object has.
const ALLOW: &str = "GET, HEAD, PUT, OPTIONS";

/// Why a request is not served.
#[derive(Debug)]
pub(super) enum Error {
    /// The signature does not let it in, at the account's now.
    Refused { refusal: Refusal, now: Timestamp },
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
    /// 501 `NotImplemented`: what would be stored wrongly if it were taken for a plain PUT.
    NotImplemented { what: &'static str },
    /// An upload that came to nothing.
    Upload(Upload),
    /// 416 `InvalidRange`
    InvalidRange { range: String, bytes: u64 },
    /// 500 `InternalError`
    Internal(StoreError),
}

/// Why an upload came to nothing.
#[derive(Debug)]
pub(super) enum Upload {
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
    UnfitType {
        sent: String,
        extension: String,
        fits: &'static str,
    },
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => Upload::AccountGone.into(),
            StoreError::DiskFull(_) | StoreError::Broken(_) => Self::Internal(error),
        }
    }
}

impl From<Upload> for Error {
    fn from(upload: Upload) -> Self {
        Self::Upload(upload)
    }
}

/// An error as it is told: status, code, message, what S3 adds to it, and why.
struct Told {
    status: StatusCode,
    code: &'static str,
    message: String,
    more: Vec<(&'static str, String)>,
    why: String,
}

impl Error {
    /// Returns the error for a fault of the server or of its disk.
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(StoreError::broken(error))
    }

    /// The answer, without a body where the `method` is HEAD.
    pub fn answer(&self, method: &Method, key: Option<&str>, request_id: &str) -> Response<Body> {
        let told = self.told();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        element(&mut xml, "Code", told.code);
        element(&mut xml, "Message", &told.message);
        if let Some(key) = key {
            element(&mut xml, "Key", key);
        }
        for (name, value) in &told.more {
            element(&mut xml, name, value);
        }
        element(&mut xml, "RequestId", request_id);
        element(&mut xml, "HostId", "stuntdouble");
        xml.push_str("</Error>");

        let mut answer = Response::new(match *method {
            Method::HEAD => Body::empty(),
            _ => Body::from(xml),
        });
        *answer.status_mut() = told.status;
        let headers = answer.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/xml"),
        );
        headers.insert(X_MOCK_REASON, header_line(&told.why));
        if told.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
        }
        if let Self::InvalidRange { bytes, .. } = self
            && let Ok(range) = HeaderValue::from_str(&format!("bytes */{bytes}"))
        {
            headers.insert(header::CONTENT_RANGE, range);
        }
        answer
    }

    fn told(&self) -> Told {
        match self {
            Self::Refused { refusal, now } => refused(refusal, *now),
            Self::BadHost(line) => told(
                StatusCode::BAD_REQUEST,
                "InvalidRequest",
                "Invalid Request",
                line,
            ),
            Self::InvalidUri => told(
                StatusCode::BAD_REQUEST,
                "InvalidURI",
                "Couldn't parse the specified URI.",
                "path: bucket and key have to be UTF-8, percent-encoded",
            ),
            Self::KeyTooLong { bytes, bytes_max } => told(
                StatusCode::BAD_REQUEST,
                "KeyTooLongError",
                "Your key is too long",
                &format!("key: {bytes} bytes, at most {bytes_max} are allowed"),
            )
            .with("Size", bytes)
            .with("MaxSizeAllowed", bytes_max),
            Self::NoSuchBucket { bucket } => told(
                StatusCode::NOT_FOUND,
                "NoSuchBucket",
                "The specified bucket does not exist",
                &format!("bucket: no {bucket} here"),
            )
            .with("BucketName", bucket),
            Self::NoSuchKey { bucket } => told(
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
                &format!("key: nothing was uploaded to {bucket} under it, or it is removed"),
            ),
            Self::MethodNotAllowed { method, on_object } => told(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
                &if *on_object {
                    format!("method: {method} is not served, only {ALLOW}")
                } else {
                    format!("path: {method} of a bucket is not served, only objects are")
                },
            )
            .with("Method", method)
            .with("ResourceType", if *on_object { "OBJECT" } else { "BUCKET" }),
            Self::NotImplemented { what } => told(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "A header or parameter you provided implies functionality that is not implemented",
                &format!("{what}: not served; use a plain presigned PUT or GET"),
            ),
            Self::InvalidRange { range, bytes } => told(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "InvalidRange",
                "The requested range is not satisfiable",
                &format!("Range: {range} of an object of {bytes} bytes"),
            )
            .with("RangeRequested", range)
            .with("ActualObjectSize", bytes),
            Self::Internal(error) => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
                &match error {
                    StoreError::DiskFull(full) => full.to_string(),
                    _ => "a fault of the mock itself: its log tells".to_owned(),
                },
            ),
            Self::Upload(upload) => upload.told(),
        }
    }
}

impl Upload {
    fn told(&self) -> Told {
        match self {
            Self::NoLength => told(
                StatusCode::LENGTH_REQUIRED,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
                "body: neither Content-Length nor Transfer-Encoding: chunked",
            ),
            Self::TooLarge { bytes, bytes_max } => told(
                StatusCode::BAD_REQUEST,
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
                &format!("body: {bytes} bytes or more, at most {bytes_max} are allowed"),
            )
            .with("ProposedSize", bytes)
            .with("MaxSizeAllowed", bytes_max),
            Self::Incomplete { bytes, reason } => told(
                StatusCode::BAD_REQUEST,
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP \
                 header",
                &format!("body: broke off after {bytes} bytes ({reason})"),
            ),
            Self::Stalled { bytes, stalled } => told(
                StatusCode::BAD_REQUEST,
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the \
                 timeout period. Idle connections will be closed.",
                &format!("body: {stalled} after {bytes} bytes"),
            ),
            Self::AccountGone => gone("account: removed or reset while the upload was under way"),
            Self::Expired => gone("the upload has expired, and its file is gone"),
            Self::UnfitType {
                sent,
                extension,
                fits,
            } => told(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Access Denied",
                &format!("Content-Type: {sent:?} does not fit .{extension}, {fits} does"),
            ),
        }
    }
}

/// What a refused signature is told.
fn refused(refusal: &Refusal, now: Timestamp) -> Told {
    let denied = |message, why: &str| told(StatusCode::FORBIDDEN, "AccessDenied", message, why);
    match refusal {
        Refusal::Unsigned => denied(
            "Access Denied",
            "signature: none in the query; use the URL as it was given, with its parameters",
        ),
        Refusal::InHeader => denied(
            "Access Denied",
            "signature: in the Authorization header; only presigned URLs are served",
        ),
        Refusal::OutdatedVersion => told(
            StatusCode::BAD_REQUEST,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use \
             AWS4-HMAC-SHA256.",
            "signature: Version 2; presign with Version 4 (boto3: signature_version='s3v4')",
        ),
        Refusal::Parameters(message) => told(
            StatusCode::BAD_REQUEST,
            "AuthorizationQueryParametersError",
            message,
            &format!("signature: {message}"),
        ),
        Refusal::KeyId(key_id) => told(
            StatusCode::FORBIDDEN,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            &format!("signature: made with the key id {key_id}, not the mock's"),
        )
        .with("AWSAccessKeyId", key_id),
        Refusal::NotYetValid { date, expires } => denied(
            "Request is not yet valid",
            &format!(
                "signed {} s ahead of the account's clock",
                seconds(date.since_ms(now))
            ),
        )
        .with("X-Amz-Date", &date.ms())
        .with("Expires", &iso_seconds(*expires))
        .with("ServerTime", &iso_seconds(now)),
        Refusal::Expired { expires_s, expires } => denied(
            "Request has expired",
            &format!(
                "expired {} s ago by the account's clock",
                seconds(now.since_ms(*expires))
            ),
        )
        .with("X-Amz-Expires", expires_s)
        .with("Expires", &iso_seconds(*expires))
        .with("ServerTime", &iso_seconds(now)),
        Refusal::HostNotSigned => denied(
            "There were headers present in the request which were not signed",
            "signature: host is not among X-Amz-SignedHeaders",
        )
        .with("HeadersNotSigned", "host"),
        Refusal::Mismatch(mismatch) => told(
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. \
             Check your key and signing method.",
            &mismatch.why,
        )
        .with("AWSAccessKeyId", &mismatch.key_id)
        .with("StringToSign", &mismatch.string_to_sign)
        .with("SignatureProvided", &mismatch.signature)
        .with("CanonicalRequest", &mismatch.canonical_request),
    }
}

fn gone(why: &str) -> Told {
    let message = "The specified bucket does not exist";
    told(StatusCode::NOT_FOUND, "NoSuchBucket", message, why)
}

fn told(status: StatusCode, code: &'static str, message: &str, why: &str) -> Told {
    Told {
        status,
        code,
        message: message.to_owned(),
        more: Vec::new(),
        why: why.to_owned(),
    }
}

impl Told {
    fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.more.push((name, value.to_string()));
        self
    }
}

/// Milliseconds in whole seconds, begun ones counted.
fn seconds(ms: i64) -> i64 {
    ms.saturating_add(999).div_euclid(1000)
}

/// `2026-03-12T10:00:00Z`, as S3's errors have it.
fn iso_seconds(at: Timestamp) -> String {
    let text = clock::iso(at);
    text.split_once('.')
        .map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn instants_are_of_whole_seconds() {
        assert_eq!(
            iso_seconds(Timestamp::from_ms(1_773_309_600_999)),
            "2026-03-12T10:00:00Z"
        );
        assert_eq!((seconds(1), seconds(1000), seconds(0)), (1, 1, 0));
    }
}
