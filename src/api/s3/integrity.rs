//! Digests that a request declares for its body: `Content-MD5`, `x-amz-checksum-*` and
//! `x-amz-content-sha256`. The digests are computed while the body streams.
//!
//! A digest of an empty body in the query is ignored: SDKs that presign a URL before there is a body
//! add it (the JavaScript SDK an `x-amz-checksum-crc32`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::error::{Algorithm, IntegrityError};
use super::fields::RequestFields;

const CONTENT_MD5: &str = "content-md5";
const CONTENT_SHA256: &str = "x-amz-content-sha256";
const SDK_ALGORITHM: &str = "x-amz-sdk-checksum-algorithm";

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// Digests that the body of a request must have.
pub(super) struct Integrity {
    md5: Option<[u8; 16]>,
    checksum: Option<(Algorithm, Vec<u8>, Hasher)>,
    content_sha256: Option<([u8; 32], Sha256)>,
}

impl Integrity {
    /// Reads the digests of a request.
    ///
    /// # Errors
    /// Returns an error if a digest is malformed, or if there are checksums of several algorithms.
    pub fn new(fields: &RequestFields<'_>) -> Result<Self, IntegrityError> {
        Ok(Self {
            md5: content_md5(fields)?,
            checksum: checksum(fields)?
                .map(|(algorithm, expected)| (algorithm, expected, Hasher::new(algorithm))),
            content_sha256: content_sha256(fields).map(|expected| (expected, Sha256::new())),
        })
    }

    /// Adds the next chunk of the body.
    pub fn update(&mut self, chunk: &[u8]) {
        if let Some((_, _, hasher)) = &mut self.checksum {
            hasher.update(chunk);
        }
        if let Some((_, hasher)) = &mut self.content_sha256 {
            hasher.update(chunk);
        }
    }

    /// Compares the digests with the digests of the complete body. `md5` is the body's MD5.
    ///
    /// # Errors
    /// Returns an error if a digest differs.
    pub fn verify(self, md5: [u8; 16]) -> Result<(), IntegrityError> {
        if let Some(expected) = self.md5
            && expected != md5
        {
            return Err(IntegrityError::OtherMd5 {
                expected: BASE64.encode(expected),
                actual: BASE64.encode(md5),
            });
        }
        if let Some((algorithm, expected, hasher)) = self.checksum {
            let actual = hasher.finalize();
            if expected != actual {
                return Err(IntegrityError::OtherChecksum {
                    algorithm,
                    expected: BASE64.encode(expected),
                    actual: BASE64.encode(actual),
                });
            }
        }
        if let Some((expected, hasher)) = self.content_sha256 {
            let actual: [u8; 32] = hasher.finalize().into();
            if expected != actual {
                return Err(IntegrityError::OtherContentSha256 {
                    expected: hex::encode(expected),
                    actual: hex::encode(actual),
                });
            }
        }
        Ok(())
    }
}

fn content_md5(fields: &RequestFields<'_>) -> Result<Option<[u8; 16]>, IntegrityError> {
    let empty: [u8; 16] = Md5::digest(b"").into();
    let decode = |value: &str| {
        let bytes = BASE64.decode(value.trim()).ok();
        bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
    };
    let invalid = |value: &str| IntegrityError::InvalidMd5 {
        value: value.to_owned(),
    };
    if let Some(value) = fields.header(CONTENT_MD5) {
        return decode(&value).map(Some).ok_or_else(|| invalid(&value));
    }
    let Some(value) = fields.parameter(CONTENT_MD5) else {
        return Ok(None);
    };
    let md5 = decode(value).ok_or_else(|| invalid(value))?;
    Ok(Some(md5).filter(|md5| *md5 != empty))
}

/// Returns the checksum of a request, with its algorithm. `None` if there is none.
fn checksum(fields: &RequestFields<'_>) -> Result<Option<(Algorithm, Vec<u8>)>, IntegrityError> {
    let mut checksums: Vec<(Algorithm, Vec<u8>)> = Vec::new();
    let mut is_empty_ignored = false;
    for algorithm in Algorithm::ALL {
        let empty = Hasher::new(algorithm).finalize();
        let decode = |value: &str| {
            let decoded = BASE64.decode(value.trim()).ok();
            let checksum = decoded.filter(|bytes| bytes.len() == empty.len());
            checksum.ok_or_else(|| IntegrityError::InvalidChecksum {
                algorithm,
                value: value.to_owned(),
            })
        };
        let name = algorithm.header();
        if let Some(value) = fields.header(name) {
            checksums.push((algorithm, decode(&value)?));
        }
        if let Some(value) = fields.parameter(name) {
            let checksum = (algorithm, decode(value)?);
            if checksum.1 == empty {
                is_empty_ignored = true;
            } else if !checksums.contains(&checksum) {
                checksums.push(checksum);
            }
        }
    }
    if checksums.len() > 1 {
        let algorithms = checksums
            .into_iter()
            .map(|(algorithm, _)| algorithm)
            .collect();
        return Err(IntegrityError::SeveralChecksums { algorithms });
    }
    let checksum = checksums.pop();
    let algorithm = checksum.as_ref().map(|(algorithm, _)| *algorithm);
    check_sdk_algorithm(fields, algorithm, is_empty_ignored)?;
    Ok(checksum)
}

/// Checks that `x-amz-sdk-checksum-algorithm` names the algorithm of the checksum. In the query it
/// belongs to a checksum of an empty body, if there is one.
fn check_sdk_algorithm(
    fields: &RequestFields<'_>,
    checksum_algorithm: Option<Algorithm>,
    is_empty_ignored: bool,
) -> Result<(), IntegrityError> {
    let in_header = fields.header(SDK_ALGORITHM);
    let value = match (in_header, fields.parameter(SDK_ALGORITHM)) {
        (Some(value), _) => value,
        (None, Some(value)) => value.to_owned(),
        (None, None) => return Ok(()),
    };
    let named = Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.to_string().eq_ignore_ascii_case(value.trim()));
    match (named, checksum_algorithm) {
        (Some(_), _) if is_empty_ignored => Ok(()),
        (Some(_), None) => Err(IntegrityError::NoChecksum { value }),
        (Some(named), Some(algorithm)) if named == algorithm => Ok(()),
        _ => Err(IntegrityError::InvalidSdkAlgorithm { value }),
    }
}

/// Returns the digest in `x-amz-content-sha256`. `None` if the header has a word such as
/// `UNSIGNED-PAYLOAD`, or is missing.
fn content_sha256(fields: &RequestFields<'_>) -> Option<[u8; 32]> {
    let decode = |value: &str| {
        let bytes = hex::decode(value.trim()).ok()?;
        <[u8; 32]>::try_from(bytes).ok()
    };
    if let Some(value) = fields.header(CONTENT_SHA256) {
        return decode(&value);
    }
    let empty: [u8; 32] = Sha256::digest(b"").into();
    let digest = decode(fields.parameter(CONTENT_SHA256)?)?;
    Some(digest).filter(|digest| *digest != empty)
}

/// Checksum of the chunks so far.
enum Hasher {
    Crc32(crc::Digest<'static, u32, Table<16>>),
    Crc64(crc::Digest<'static, u64, Table<16>>),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(CRC32.digest()),
            Algorithm::Crc32c => Self::Crc32(CRC32C.digest()),
            Algorithm::Crc64Nvme => Self::Crc64(CRC64NVME.digest()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, chunk: &[u8]) {
        match self {
            Self::Crc32(digest) => digest.update(chunk),
            Self::Crc64(digest) => digest.update(chunk),
            Self::Sha1(digest) => digest.update(chunk),
            Self::Sha256(digest) => digest.update(chunk),
        }
    }

    /// Returns the checksum. Numbers are in big endian.
    fn finalize(self) -> Vec<u8> {
        match self {
            Self::Crc32(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Crc64(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finalize_of_the_check_text_is_the_published_value() {
        // The "check" values of the CRC catalogue, and FIPS 180-4's algorithms, over "123456789".
        for (algorithm, expected) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (
                Algorithm::Sha256,
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"1234");
            hasher.update(b"");
            hasher.update(b"56789");
            assert_eq!(hex::encode(hasher.finalize()), expected, "{algorithm}");
        }
    }
}
