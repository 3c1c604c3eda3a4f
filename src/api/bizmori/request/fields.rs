//! Fields that several bodies have.

use serde_json::Value;

use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::platform::outbound;

const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
const ORDER_NAME_CHARS_MAX: usize = 64;
const FILE_NAME_CHARS_MAX: usize = 255;
/// With what stands before it in any key, no more than S3's 1024 bytes.
const FILE_NAME_BYTES_MAX: usize = 960;
const FILES_MAX: usize = 100;

/// What is taken as a picture to be judged.
pub(super) const DETECTION_EXTENSIONS: &[&str] = &["jpg", "jpeg", "png", "webp", "bmp", "tiff"];
/// What is taken as a picture to be protected.
pub(super) const ANTI_AI_EXTENSIONS: &[&str] =
    &["jpg", "jpeg", "png", "webp", "bmp", "tiff", "tif"];
/// What a watermark can be in, by v2.
pub(super) const WATERMARK_EXTENSIONS: &[&str] =
    &["jpg", "jpeg", "png", "webp", "bmp", "tiff", "pdf"];
/// The same, by v3.
pub(super) const WATERMARK_EXTENSIONS_V3: &[&str] =
    &["jpg", "jpeg", "png", "webp", "bmp", "tiff", "tif", "pdf"];

pub(super) fn idempotency_key(value: &Value) -> Result<String, ApiError> {
    let refused = |line: String| {
        Err(ApiError::new(
            ErrorCode::ValidationIdempotencyKeyInvalid,
            format!("idempotencyKey: {line}"),
        ))
    };
    let key = match value {
        Value::String(key) => key,
        Value::Null => return refused("missing".to_owned()),
        other => return refused(format!("{other} is no string")),
    };
    match key.chars().count() {
        0 => refused("empty".to_owned()),
        chars if chars > IDEMPOTENCY_KEY_CHARS_MAX => refused(format!(
            "{chars} characters, {IDEMPOTENCY_KEY_CHARS_MAX} are taken"
        )),
        _ => Ok(key.clone()),
    }
}

/// An empty name is as good as none.
pub(super) fn order_name(name: Option<String>) -> Result<Option<String>, ApiError> {
    let chars = name.as_deref().map_or(0, |name| name.chars().count());
    if chars > ORDER_NAME_CHARS_MAX {
        return Err(ApiError::invalid(format!(
            "orderName: {chars} characters, {ORDER_NAME_CHARS_MAX} are taken"
        )));
    }
    Ok(name.filter(|name| !name.is_empty()))
}

/// So many files are taken, and not fewer than one.
pub(super) fn check_count<T>(files: &[T]) -> Result<(), ApiError> {
    if files.is_empty() || files.len() > FILES_MAX {
        return Err(ApiError::invalid(format!(
            "files: {} of them, 1 to {FILES_MAX} are taken",
            files.len()
        )));
    }
    Ok(())
}

/// A URL that can be called.
pub(super) fn check_url(field: &str, url: &str) -> Result<(), ApiError> {
    outbound::check_url(url).map_err(|line| ApiError::invalid(format!("{field}: {line}")))
}

/// A name with one of these extensions.
pub(super) fn check_file_name(
    field: &str,
    name: &str,
    extensions: &[&str],
) -> Result<(), ApiError> {
    let chars = name.chars().count();
    let refused = |line: String| Err(ApiError::invalid(format!("{field}: {line}")));
    if chars > FILE_NAME_CHARS_MAX {
        return refused(format!(
            "{chars} characters, {FILE_NAME_CHARS_MAX} are taken"
        ));
    }
    if name.len() > FILE_NAME_BYTES_MAX {
        return refused(format!(
            "{} bytes, {FILE_NAME_BYTES_MAX} are taken",
            name.len()
        ));
    }
    if let Some(bad) = name
        .chars()
        .find(|c| matches!(c, '/' | '\\') || c.is_control())
    {
        return refused(format!("{bad:?} has no place in a file name"));
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => {
            if extensions
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
            {
                Ok(())
            } else {
                refused(format!("extension .{extension} is not supported"))
            }
        }
        _ => refused(format!("{name:?} has no extension")),
    }
}
