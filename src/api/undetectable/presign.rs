//! `GET /get-presigned-url`: upload URLs.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::UndetectableResult;
use super::accept::accepts_json;
use super::auth::{AUTH_ERRORS, Authenticator};
use super::error::{ApiError, ErrorCode};
use super::fields::FieldReader;
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::python_json::PyValue;
use super::source_file::sanitize_file_name;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Origin, RequestContext, Routes};
use crate::model::order::Vendor;

/// Extensions that can be uploaded. `/detect` takes fewer.
const EXTENSIONS: [&str; 15] = [
    "jpg", "jpeg", "jfif", "png", "webp", "heic", "heif", "avif", "bmp", "tiff", "tif", "gif",
    "svg", "pdf", "zip",
];
const NAME_CHARS_MAX: usize = 255;
const EXPIRATION_DEFAULT_S: u32 = 3_600;
/// One week, the maximum of `SigV4`.
const EXPIRATION_MAX_S: u32 = 604_800;

/// Adds the operation that hands out upload URLs.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.getPresignedUrl",
            Method::GET,
            "/get-presigned-url",
            accepts_json(get),
        )
        .docs(describe)
        .reject_head()
}

/// Response to `GET /get-presigned-url`.
#[derive(Debug, Serialize, JsonSchema)]
struct PresignedUpload {
    #[schemars(extend("const" = "success"))]
    status: &'static str,
    presigned_url: String,
    /// Key of the object.
    file_path: String,
    /// Id of the upload. A document gets an id of its own.
    document_id: String,
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let extensions = EXTENSIONS.join(", ");
    let doc = doc
        .summary(
            "Get a presigned upload URL",
            "Reserves an object key for a file. Upload the file with PUT to `presigned_url`.",
        )
        .security()
        .query_params(FieldReader::describe_fields(parse))
        .describe_param(
            "file_name",
            &format!("Has one of these extensions: {extensions}. Unsafe characters become `_`."),
        )
        .describe_param("expiration", "Lifetime of the URL in seconds.")
        .response::<PresignedUpload>(200, "The URL and the object key.");
    let codes = [
        ErrorCode::InvalidFileName,
        ErrorCode::InvalidHost,
        ErrorCode::UnsupportedImageType,
    ];
    with_errors(doc, &[&AUTH_ERRORS, &codes, &INTERNAL_ERRORS])
}

async fn get(
    State(state): State<AppState>,
    authenticator: Authenticator,
    RawQuery(query): RawQuery,
    request_context: RequestContext,
) -> UndetectableResult {
    let query = parse_query(query.as_deref().unwrap_or_default());
    let mut fields = FieldReader::for_query(&query);
    let (file_name, expires_s) = parse(&mut fields);
    let account = authenticator
        .authenticate_header(&request_context.headers)
        .await;
    fields.finish()?;
    let account = account?;
    check_extension(&file_name)?;
    let is_strict = state.config.undetectable.strict_uploads;
    let name = object_name(&file_name, is_strict)?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let upload = state.orders.issue_upload(&account, &name).await?;
    // The clock is read after the upload was issued, so that it does not jump past the URL's expiry.
    let now = account.now();
    let presigned_url = if is_strict {
        state.presigned_urls.upload_url_private_acl(
            &origin,
            Vendor::Undetectable,
            &upload.key,
            now,
            expires_s,
        )
    } else {
        state.presigned_urls.upload_url(
            &origin,
            Vendor::Undetectable,
            &upload.key,
            now,
            expires_s,
            None,
        )
    };
    let body = PresignedUpload {
        status: "success",
        presigned_url,
        file_path: upload.key,
        document_id: upload.id,
    };
    Ok(Json(body).into_response())
}

/// Reads a query. Of a parameter that occurs twice the last value counts.
fn parse_query(query: &str) -> BTreeMap<String, PyValue> {
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), PyValue::Text(value.into_owned())))
        .collect()
}

/// Returns the file name, and the lifetime of the URL in seconds.
fn parse(fields: &mut FieldReader) -> (String, u32) {
    let file_name = fields.required_text_within("file_name", NAME_CHARS_MAX);
    let expires_s = fields.integer_or("expiration", 1..=EXPIRATION_MAX_S, EXPIRATION_DEFAULT_S);
    (file_name, expires_s)
}

fn check_extension(name: &str) -> Result<(), ApiError> {
    let error = |reason| Err(ApiError::new(ErrorCode::UnsupportedImageType, reason));
    let Some((_, extension)) = name.rsplit_once('.') else {
        return error(format!("file_name: {name:?} has no extension"));
    };
    let matches = |known: &&str| extension.eq_ignore_ascii_case(known);
    if EXTENSIONS.iter().any(matches) {
        return Ok(());
    }
    error(format!(
        "file_name: extension .{extension} is not supported"
    ))
}

/// Returns the name of the file in the object key.
///
/// # Errors
/// Returns [`ErrorCode::InvalidFileName`] if `is_strict` and the name has unsafe characters.
fn object_name(file_name: &str, is_strict: bool) -> Result<String, ApiError> {
    let name = sanitize_file_name(file_name);
    if is_strict && name != file_name {
        let reason = "file_name: has characters other than A-Z a-z 0-9 . _ -";
        return Err(ApiError::new(ErrorCode::InvalidFileName, reason));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_extension_accepts_known_extensions_only() {
        for name in EXTENSIONS.map(|extension| format!("a.b.{extension}")) {
            assert_eq!(check_extension(&name), Ok(()), "{name}");
        }
        assert_eq!(check_extension("A.JPG"), Ok(()));
        for name in ["", "jpg", "a.exe", "a.jpg.", "a.jpg "] {
            assert!(check_extension(name).is_err(), "{name}");
        }
    }

    #[test]
    fn parse_query_keeps_the_last_of_repeated_parse_query() {
        let query = parse_query("file_name=a.jpg&x=%2B+y&file_name=b.jpg");
        assert_eq!(query["file_name"], PyValue::Text("b.jpg".to_owned()));
        assert_eq!(query["x"], PyValue::Text("+ y".to_owned()));
    }
}
