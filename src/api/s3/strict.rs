//! Strict uploads: the `Content-Type` must match the extension of the key, as a bucket policy could
//! require. `image/jpg`, which many clients send, is not a registered type.

use axum::http::{HeaderMap, header};

use super::error::{S3Error, UploadError};
use crate::services::orders::{KeyOwner, key_owner};

/// Extensions, and their types. Errors name the first type.
const CONTENT_TYPES: [(&[&str], &[&str]); 12] = [
    (&["jpg", "jpeg", "jfif"], &["image/jpeg"]),
    (&["png"], &["image/png"]),
    (&["webp"], &["image/webp"]),
    (&["heic"], &["image/heic"]),
    (&["heif"], &["image/heif", "image/heic"]),
    (&["avif"], &["image/avif"]),
    (&["bmp"], &["image/bmp", "image/x-ms-bmp"]),
    (&["tiff", "tif"], &["image/tiff"]),
    (&["gif"], &["image/gif"]),
    (&["svg"], &["image/svg+xml"]),
    (&["pdf"], &["application/pdf"]),
    (
        &["zip"],
        &["application/zip", "application/x-zip-compressed"],
    ),
];

/// Checks the type of an upload of Undetectable. Uploads under other keys may have any type.
///
/// # Errors
/// Returns [`UploadError::ContentTypeMismatch`] if the type is not one of the extension.
pub(super) fn check_content_type(key: &str, headers: &HeaderMap) -> Result<(), S3Error> {
    let Some((_, extension)) = key.rsplit_once('.') else {
        return Ok(());
    };
    if !matches!(key_owner(key), Some(KeyOwner::Upload(_))) {
        return Ok(());
    }
    let matches = |known: &&str| extension.eq_ignore_ascii_case(known);
    let mut entries = CONTENT_TYPES.iter();
    let Some((_, types)) = entries.find(|(extensions, _)| extensions.iter().any(matches)) else {
        return Ok(());
    };
    let header = headers.get(header::CONTENT_TYPE);
    let sent = String::from_utf8_lossy(header.map_or(b"", |value| value.as_bytes()));
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if types.iter().any(|it| essence.eq_ignore_ascii_case(it)) {
        return Ok(());
    }
    Err(UploadError::ContentTypeMismatch {
        sent: sent.into_owned(),
        extension: extension.to_owned(),
        expected: types[0],
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_mismatch(key: &str, content_type: Option<&str>) -> bool {
        let value = content_type.map(|value| value.parse().expect("a value"));
        let headers = value.map(|value| (header::CONTENT_TYPE, value));
        check_content_type(key, &headers.into_iter().collect()).is_err()
    }

    #[test]
    fn check_content_type_ignores_case_and_parameters() {
        for (extensions, types) in CONTENT_TYPES {
            for extension in extensions {
                let key = format!("uploads/id_1_a.{}", extension.to_ascii_uppercase());
                for content_type in types {
                    assert!(
                        !is_mismatch(&key, Some(content_type)),
                        "{key} {content_type}"
                    );
                    assert!(!is_mismatch(
                        &key,
                        Some(&format!("{}; q=1", content_type.to_ascii_uppercase()))
                    ));
                }
                for other in [
                    None,
                    Some(""),
                    Some("image/jpg"),
                    Some("application/octet-stream"),
                ] {
                    assert!(is_mismatch(&key, other), "{key} {other:?}");
                }
            }
        }
    }

    #[test]
    fn check_content_type_of_other_keys_accepts_any_type() {
        for key in [
            "temp/1/0/a.jpg",
            "k",
            "uploads/a.jpg",
            "uploads/id_1_a.bin",
            "",
        ] {
            assert!(!is_mismatch(key, Some("image/jpg")), "{key}");
        }
    }
}
