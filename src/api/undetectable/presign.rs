//! `GET /get-presigned-url`: where a file may be put.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{ApiError, ErrorCode};
use super::fields::FieldReader;
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::python_json::PyValue;
use super::source_file::sanitize_file_name;
use super::{UndetectableResult, auth};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Origin, RequestContext};
use crate::model::order::Vendor;
use crate::services::journal::JournalEntry;

/// What may be uploaded; at `/detect` it may turn out that nobody looks at it.
const EXTENSIONS: [&str; 15] = [
    "jpg", "jpeg", "jfif", "png", "webp", "heic", "heif", "avif", "bmp", "tiff", "tif", "gif",
    "svg", "pdf", "zip",
];
const NAME_CHARS_MAX: usize = 255;
/// Seconds.
const EXPIRATION_DEFAULT_S: u32 = 3_600;
/// Seconds; a week, the most `SigV4` allows.
const EXPIRATION_MAX_S: u32 = 604_800;

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UploadPlace")]
struct PresignedUpload {
    #[schemars(extend("const" = "success"))]
    status: &'static str,
    presigned_url: String,
    /// The object's key.
    file_path: String,
    /// The upload's; a document is given an id of its own.
    document_id: String,
}

pub fn describe(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let extensions = EXTENSIONS.join(", ");
    let described = described
        .summary(
            "Where to upload a file",
            "Reserves a place for a file, which is then put to `presigned_url`.",
        )
        .security()
        .query_params(FieldReader::describe_fields(parse))
        .describe_param(
            "file_name",
            &format!("Its extension is one of {extensions}; what is unsafe in it becomes `_`."),
        )
        .describe_param("expiration", "Seconds for which the URL may be used.")
        .response::<PresignedUpload>(200, "A place for the file.");
    let codes = [
        ErrorCode::InvalidFileName,
        ErrorCode::InvalidHost,
        ErrorCode::UnsupportedImageType,
    ];
    with_errors(described, &[&auth::AUTH_ERRORS, &codes, &INTERNAL_ERRORS])
}

pub async fn get(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    RawQuery(query): RawQuery,
    request: RequestContext,
) -> UndetectableResult {
    let query = parameters(query.as_deref().unwrap_or_default());
    let mut fields = FieldReader::of_query(&query);
    let (file_name, expires_s) = parse(&mut fields);
    let account = auth::authenticate_header(&context, &request.headers, &entry).await;
    fields.finish()?;
    let account = account?;
    check_extension(&file_name)?;
    let strict = context.config.undetectable.strict_uploads;
    let name = object_name(&file_name, strict)?;
    let Origin(origin) = Origin::resolve(&context, &request).await?;
    let upload = context.orders.hand_out_upload(&account, &name).await?;
    // The clock is read after the upload was handed out: it does not leap past the URL's expiry.
    let (links, vendor, now) = (&context.links, Vendor::Undetectable, account.now());
    let presigned_url = if strict {
        links.upload_url_private_acl(&origin, vendor, &upload.key, now, expires_s)
    } else {
        links.upload_url(&origin, vendor, &upload.key, now, expires_s, None)
    };
    let answer = PresignedUpload {
        status: "success",
        presigned_url,
        file_path: upload.key,
        document_id: upload.id,
    };
    Ok(Json(answer).into_response())
}

/// Of a parameter that stands there twice, the last counts.
fn parameters(query: &str) -> BTreeMap<String, PyValue> {
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), PyValue::Text(value.into_owned())))
        .collect()
}

/// The file's name, and for how many seconds it may be put.
fn parse(fields: &mut FieldReader) -> (String, u32) {
    let file_name = fields.required_text_within("file_name", NAME_CHARS_MAX);
    let expires_s = fields.integer_or("expiration", 1..=EXPIRATION_MAX_S, EXPIRATION_DEFAULT_S);
    (file_name, expires_s)
}

fn check_extension(name: &str) -> Result<(), ApiError> {
    let refused = |why| Err(ApiError::new(ErrorCode::UnsupportedImageType, why));
    match name.rsplit_once('.') {
        None => refused(format!("file_name: {name:?} has no extension")),
        Some((_, extension)) => {
            let known = EXTENSIONS
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known));
            if known {
                Ok(())
            } else {
                refused(format!(
                    "file_name: extension .{extension} is not supported"
                ))
            }
        }
    }
}

/// The name as it stands in a key; where it is strict, no other is taken.
fn object_name(sent: &str, strict: bool) -> Result<String, ApiError> {
    let name = sanitize_file_name(sent);
    if strict && name != sent {
        let why = "file_name: has characters other than A-Z a-z 0-9 . _ -";
        return Err(ApiError::new(ErrorCode::InvalidFileName, why));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_whether_a_file_may_be_uploaded() {
        for name in EXTENSIONS.map(|extension| format!("a.b.{extension}")) {
            assert_eq!(check_extension(&name), Ok(()), "{name}");
        }
        assert_eq!(check_extension("A.JPG"), Ok(()));
        for name in ["", "jpg", "a.exe", "a.jpg.", "a.jpg "] {
            let code = check_extension(name);
            assert!(code.is_err(), "{name}");
        }
    }

    #[test]
    fn of_a_parameter_given_twice_the_last_counts() {
        let query = parameters("file_name=a.jpg&x=%2B+y&file_name=b.jpg");
        assert_eq!(query["file_name"], PyValue::Text("b.jpg".to_owned()));
        assert_eq!(query["x"], PyValue::Text("+ y".to_owned()));
    }
}
