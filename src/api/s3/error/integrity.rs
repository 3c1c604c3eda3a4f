//! Errors of the digests that a request declares for its body.

use std::fmt::{self, Display};

use super::document::ErrorDocument;

/// Digest algorithms of S3's `x-amz-checksum-*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// Returns the header of checksums of this algorithm.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }
}

impl Display for Algorithm {
    /// Writes the name as in `x-amz-sdk-checksum-algorithm`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        })
    }
}

/// Digest that is malformed, or does not match the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum IntegrityError {
    /// 400 `InvalidDigest`: `Content-MD5` is not 16 bytes in Base64.
    InvalidMd5 { value: String },
    /// 400 `InvalidRequest`: a checksum is not in Base64, or has another length.
    InvalidChecksum { algorithm: Algorithm, value: String },
    /// 400 `InvalidRequest`: checksums of more than one algorithm.
    SeveralChecksums { algorithms: Vec<Algorithm> },
    /// 400 `InvalidRequest`: `x-amz-sdk-checksum-algorithm` names no algorithm, or not the one of the
    /// checksum.
    InvalidSdkAlgorithm { value: String },
    /// 400 `InvalidRequest`: `x-amz-sdk-checksum-algorithm` without a checksum.
    NoChecksum { value: String },
    /// 400 `BadDigest`: the body has another MD5. Both are in Base64.
    OtherMd5 { expected: String, actual: String },
    /// 400 `BadDigest`: the body has another checksum. Both are in Base64.
    OtherChecksum {
        algorithm: Algorithm,
        expected: String,
        actual: String,
    },
    /// 400 `XAmzContentSHA256Mismatch`: the body has another SHA-256. Both are in hex.
    OtherContentSha256 { expected: String, actual: String },
}

impl IntegrityError {
    pub fn document(&self) -> ErrorDocument {
        let invalid = |message: &str, reason: &str| {
            ErrorDocument::bad_request("InvalidRequest", message, reason)
        };
        match self {
            Self::InvalidMd5 { value } => ErrorDocument::bad_request(
                "InvalidDigest",
                "The Content-MD5 you specified was invalid.",
                &format!("Content-MD5: {value:?} is not 16 bytes in Base64"),
            )
            .with("Content-MD5", value),
            Self::InvalidChecksum { algorithm, value } => {
                let header = algorithm.header();
                invalid(
                    &format!("Value for {header} header is invalid."),
                    &format!("{header}: {value:?} is not a {algorithm} in Base64"),
                )
            }
            Self::SeveralChecksums { algorithms } => {
                let names: Vec<&str> = algorithms.iter().map(|it| it.header()).collect();
                invalid(
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not \
                     allowed.",
                    &format!("checksums: expected one, got {}", names.join(", ")),
                )
            }
            Self::InvalidSdkAlgorithm { value } => invalid(
                "Value for x-amz-sdk-checksum-algorithm header is invalid.",
                &format!("x-amz-sdk-checksum-algorithm: {value:?} is not the checksum's algorithm"),
            ),
            Self::NoChecksum { value } => invalid(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                 x-amz-trailer headers were found.",
                &format!("x-amz-sdk-checksum-algorithm: {value}, but no checksum was sent"),
            ),
            Self::OtherMd5 { expected, actual } => ErrorDocument::bad_request(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
                &format!("Content-MD5: {expected}, but the body has {actual}"),
            )
            .with("ExpectedDigest", expected)
            .with("CalculatedDigest", actual),
            Self::OtherChecksum {
                algorithm,
                expected,
                actual,
            } => ErrorDocument::bad_request(
                "BadDigest",
                &format!("The {algorithm} you specified did not match the calculated checksum."),
                &format!(
                    "{}: {expected}, but the body has {actual}",
                    algorithm.header()
                ),
            ),
            Self::OtherContentSha256 { expected, actual } => ErrorDocument::bad_request(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                &format!("x-amz-content-sha256: {expected}, but the body has {actual}"),
            )
            .with("ClientComputedContentSHA256", expected)
            .with("S3ComputedContentSHA256", actual),
        }
    }
}
