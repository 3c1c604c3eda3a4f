//! Fields that several bodies have.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::platform::outbound;

const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
pub(super) const ORDER_NAME_CHARS_MAX: usize = 64;
const FILE_NAME_CHARS_MAX: usize = 255;
/// Leaves room for the rest of a file key in the 1024 bytes of an S3 key.
const FILE_NAME_BYTES_MAX: usize = 960;
pub(super) const FILES_MAX: usize = 100;

pub(super) const DETECTION_EXTENSIONS: &[&str] = &["jpg", "jpeg", "png", "webp", "bmp", "tiff"];
pub(super) const ANTI_AI_EXTENSIONS: &[&str] =
    &["jpg", "jpeg", "png", "webp", "bmp", "tiff", "tif"];
pub(super) const WATERMARK_EXTENSIONS: &[&str] =
    &["jpg", "jpeg", "png", "webp", "bmp", "tiff", "pdf"];
pub(super) const WATERMARK_EXTENSIONS_V3: &[&str] =
    &["jpg", "jpeg", "png", "webp", "bmp", "tiff", "tif", "pdf"];

/// Schema of the field `idempotencyKey`. The field is read as any JSON, because a key of another type has a
/// code of its own.
pub(super) fn idempotency_key_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX})
}

/// Schema of a file name. Names with an extension that the operation does not take are refused.
pub(super) fn file_name_schema(_: &mut SchemaGenerator) -> Schema {
    let pattern = r"^[^/\\]+\.[A-Za-z]+$";
    json_schema!({"type": "string", "maxLength": FILE_NAME_CHARS_MAX, "pattern": pattern})
}

/// Adds `idempotencyKey` to the required fields of a body. A missing key has a code of its own, so serde
/// does not require the key.
pub(super) fn require_idempotency_key(schema: &mut Schema) {
    let required = schema.ensure_object().entry("required");
    if let Some(names) = required.or_insert_with(|| json!([])).as_array_mut() {
        names.insert(0, json!("idempotencyKey"));
    }
    let field = schema.pointer_mut("/properties/idempotencyKey");
    if let Some(field) = field.and_then(Value::as_object_mut) {
        field.remove("default");
    }
}

/// Checks the field `idempotencyKey`.
pub(super) fn check_idempotency_key(value: &Value) -> Result<String, ApiError> {
    let invalid = |message: String| {
        Err(ApiError::new(
            ErrorCode::ValidationIdempotencyKeyInvalid,
            format!("idempotencyKey: {message}"),
        ))
    };
    let key = match value {
        Value::String(key) => key,
        Value::Null => return invalid("missing".to_owned()),
        other => return invalid(format!("expected a string, got {other}")),
    };
    match key.chars().count() {
        0 => invalid("empty".to_owned()),
        chars if chars > IDEMPOTENCY_KEY_CHARS_MAX => {
            invalid(too_long(chars, IDEMPOTENCY_KEY_CHARS_MAX, "characters"))
        }
        _ => Ok(key.clone()),
    }
}

/// Checks the field `orderName`. An empty name counts as missing.
pub(super) fn check_order_name(name: Option<String>) -> Result<Option<String>, ApiError> {
    let chars = name.as_deref().map_or(0, |name| name.chars().count());
    if chars > ORDER_NAME_CHARS_MAX {
        let message = too_long(chars, ORDER_NAME_CHARS_MAX, "characters");
        return Err(ApiError::invalid(format!("orderName: {message}")));
    }
    Ok(name.filter(|name| !name.is_empty()))
}

/// Checks that there are 1 to [`FILES_MAX`] files.
pub(super) fn check_file_count<T>(files: &[T]) -> Result<(), ApiError> {
    if files.is_empty() || files.len() > FILES_MAX {
        return Err(ApiError::invalid(format!(
            "files: expected 1 to {FILES_MAX}, got {}",
            files.len()
        )));
    }
    Ok(())
}

/// Checks that the server can call `url`, the value of `field`.
pub(super) fn check_url(field: &str, url: &str) -> Result<(), ApiError> {
    outbound::check_url(url).map_err(|message| ApiError::invalid(format!("{field}: {message}")))
}

/// Checks that `name`, the value of `field`, is a file name with one of `extensions`.
pub(super) fn check_file_name(
    field: &str,
    name: &str,
    extensions: &[&str],
) -> Result<(), ApiError> {
    let invalid = |message: String| Err(ApiError::invalid(format!("{field}: {message}")));
    let chars = name.chars().count();
    if chars > FILE_NAME_CHARS_MAX {
        return invalid(too_long(chars, FILE_NAME_CHARS_MAX, "characters"));
    }
    if name.len() > FILE_NAME_BYTES_MAX {
        return invalid(too_long(name.len(), FILE_NAME_BYTES_MAX, "bytes"));
    }
    let is_invalid = |c: &char| matches!(c, '/' | '\\') || c.is_control();
    if let Some(c) = name.chars().find(is_invalid) {
        return invalid(format!("invalid character {c:?} in file name"));
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => {
            let matches = |known: &&str| extension.eq_ignore_ascii_case(known);
            if extensions.iter().any(matches) {
                Ok(())
            } else {
                invalid(format!("extension .{extension} is not supported"))
            }
        }
        _ => invalid(format!("{name:?} has no extension")),
    }
}

fn too_long(length: usize, max: usize, unit: &str) -> String {
    format!("too long: {length} {unit}, maximum {max}")
}
