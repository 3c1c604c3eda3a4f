//! Errors of signatures.

use axum::http::StatusCode;

use super::document::ErrorDocument;
use crate::model::time::Timestamp;
use crate::platform::clock;
use crate::platform::presign::VerifyError;

/// Returns the error of a signature that was verified at `now` of the account's clock.
pub(super) fn document(error: &VerifyError, now: Timestamp) -> ErrorDocument {
    let forbidden = |code, message, reason: &str| {
        ErrorDocument::new(StatusCode::FORBIDDEN, code, message, reason)
    };
    let denied = |message, reason: &str| forbidden("AccessDenied", message, reason);
    match error {
        VerifyError::Unsigned => denied(
            "Access Denied",
            "signature: missing in the query; use the presigned URL with all its parameters",
        ),
        VerifyError::HeaderAuthUnsupported => denied(
            "Access Denied",
            "signature: in the Authorization header, which is not supported; use a presigned URL",
        ),
        VerifyError::SignatureV2 => ErrorDocument::bad_request(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use \
             AWS4-HMAC-SHA256.",
            "signature: Version 2; presign with Version 4 (boto3: signature_version='s3v4')",
        ),
        VerifyError::MalformedQuery(message) => ErrorDocument::bad_request(
            "AuthorizationQueryParametersError",
            message,
            &format!("signature: {message}"),
        ),
        VerifyError::UnknownAccessKey(key_id) => forbidden(
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            &format!("signature: unknown access key id {key_id}"),
        )
        .with("AWSAccessKeyId", key_id),
        VerifyError::NotYetValid { date, expires } => denied(
            "Request is not yet valid",
            &format!(
                "signed {} s ahead of the account's clock",
                seconds(date.since_ms(now))
            ),
        )
        .with("X-Amz-Date", &date.ms())
        .with("Expires", &iso_seconds(*expires))
        .with("ServerTime", &iso_seconds(now)),
        VerifyError::Expired { expires_s, expires } => denied(
            "Request has expired",
            &format!(
                "expired {} s ago by the account's clock",
                seconds(now.since_ms(*expires))
            ),
        )
        .with("X-Amz-Expires", expires_s)
        .with("Expires", &iso_seconds(*expires))
        .with("ServerTime", &iso_seconds(now)),
        VerifyError::HostNotSigned => denied(
            "There were headers present in the request which were not signed",
            "signature: host is not among X-Amz-SignedHeaders",
        )
        .with("HeadersNotSigned", "host"),
        VerifyError::Mismatch(mismatch) => forbidden(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. \
             Check your key and signing method.",
            &mismatch.diagnosis,
        )
        .with("AWSAccessKeyId", &mismatch.key_id)
        .with("StringToSign", &mismatch.string_to_sign)
        .with("SignatureProvided", &mismatch.signature)
        .with("CanonicalRequest", &mismatch.canonical_request),
    }
}

/// Returns the error for a presigned URL with an `Authorization` header of this value.
pub(super) fn two_mechanisms(authorization: &str) -> ErrorDocument {
    ErrorDocument::bad_request(
        "InvalidArgument",
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
         string parameter or the Authorization header should be specified",
        "Authorization: a presigned URL has its signature in the query; send it without this header",
    )
    .with("ArgumentName", "Authorization")
    .with("ArgumentValue", authorization)
}

/// Returns milliseconds in seconds, rounded up.
fn seconds(ms: i64) -> i64 {
    ms.saturating_add(999).div_euclid(1000)
}

/// Returns `2026-03-12T10:00:00Z`, the format of S3's errors.
fn iso_seconds(at: Timestamp) -> String {
    let text = clock::iso(at);
    text.split_once('.')
        .map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_whole_seconds() {
        assert_eq!(
            iso_seconds(Timestamp::from_ms(1_773_309_600_999)),
            "2026-03-12T10:00:00Z"
        );
        assert_eq!((seconds(1), seconds(1000), seconds(0)), (1, 1, 0));
    }
}
