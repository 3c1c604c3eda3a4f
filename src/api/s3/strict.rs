//! What strict uploads refuse, as a bucket's policy would: a `Content-Type` that is not that of the
//! key's extension. `image/jpg`, which many send, is no registered type.

use axum::http::{HeaderMap, header};

use super::error::{S3Error, UploadError};
use crate::services::orders::{KeyOwner, key_owner};

/// Extensions, and the types that fit them, the first of which is named.
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

/// Refuses an upload of Undetectable's whose type does not fit the key's extension; other keys are
/// none of its business.
pub(super) fn check(key: &str, headers: &HeaderMap) -> Result<(), S3Error> {
    let Some((_, extension)) = key.rsplit_once('.') else {
        return Ok(());
    };
    let is = |known: &&str| extension.eq_ignore_ascii_case(known);
    let found = CONTENT_TYPES.iter().find(|(of, _)| of.iter().any(is));
    let Some((_, types)) = found.filter(|_| matches!(key_owner(key), Some(KeyOwner::Upload(_))))
    else {
        return Ok(());
    };
    let sent = headers.get(header::CONTENT_TYPE);
    let sent = String::from_utf8_lossy(sent.map_or(b"", |value| value.as_bytes()));
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if types.iter().any(|it| essence.eq_ignore_ascii_case(it)) {
        return Ok(());
    }
    let (extension, fits) = (extension.to_owned(), types[0]);
    let sent = sent.into_owned();
    Err(UploadError::ContentTypeMismatch {
        sent,
        extension,
        fits,
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(key: &str, content_type: Option<&str>) -> bool {
        let value = content_type.map(|value| value.parse().expect("a value"));
        let headers = value.map(|value| (header::CONTENT_TYPE, value));
        check(key, &headers.into_iter().collect()).is_err()
    }

    #[test]
    fn a_type_fits_its_extension_in_any_spelling() {
        for (extensions, types) in CONTENT_TYPES {
            for extension in extensions {
                let key = format!("uploads/id_1_a.{}", extension.to_ascii_uppercase());
                for fits in types {
                    assert!(!refused(&key, Some(fits)), "{key} {fits}");
                    assert!(!refused(
                        &key,
                        Some(&format!("{}; q=1", fits.to_ascii_uppercase()))
                    ));
                }
                for other in [
                    None,
                    Some(""),
                    Some("image/jpg"),
                    Some("application/octet-stream"),
                ] {
                    assert!(refused(&key, other), "{key} {other:?}");
                }
            }
        }
    }

    #[test]
    fn other_objects_may_have_any_type() {
        for key in [
            "temp/1/0/a.jpg",
            "k",
            "uploads/a.jpg",
            "uploads/id_1_a.bin",
            "",
        ] {
            assert!(!refused(key, Some("image/jpg")), "{key}");
        }
    }
}
