//! `POST /detect`: a picture that was uploaded is queued to be looked at.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use serde_json::json;

use super::body::{self, JsonValueBody};
use super::error::{ApiError, ErrorCode};
use super::fields::FieldReader;
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::python_json::PyValue;
use super::wire::DocumentQueued;
use super::{UndetectableResult, auth, source_file};
use crate::engine::EngineError;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Origin, RequestContext, Services};
use crate::model::picture::FileKind;
use crate::model::work::{DocumentOptions, Work};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::{NewOrder, UploadedFile};
use crate::storage::db::StoreError;

/// A picture's least size.
pub const FILE_BYTES_MIN: u64 = 1_024;
/// And its greatest.
pub const FILE_BYTES_MAX: u64 = 10 * 1_024 * 1_024;

/// Names of models: the vendor's own, or a customer's as `{instance id}/{model}`. No model changes an
/// answer.
const MODEL_PATTERN: &str = r"^(generic|sheerid|[^/\s]+/[^/\s]+)$";

/// What may be asked of the pictures that are drawn, and of the analysis.
pub const OPTIONS: [&str; 5] = [
    "generate_preview",
    "generate_analysis_details",
    "generate_heatmap",
    "generate_heatmap_overlayed",
    "generate_heatmap_normalized",
];

/// What is refused for what is asked.
const DETECT_ERRORS: [ErrorCode; 10] = [
    ErrorCode::FileMetadata,
    ErrorCode::FileTooLarge,
    ErrorCode::FileTooSmall,
    ErrorCode::IdTaken,
    ErrorCode::InputEmailEmpty,
    ErrorCode::InputUrlEmpty,
    ErrorCode::InvalidFileType,
    ErrorCode::InvalidHost,
    ErrorCode::NotEnoughCredits,
    ErrorCode::UnsupportedImageType,
];

/// A body that was read; where it did not fit, its fields say so.
#[derive(Debug, PartialEq, Eq)]
struct DetectRequest {
    key: Option<String>,
    url: String,
    email: Option<String>,
    id: Option<String>,
    options: DocumentOptions,
}

impl DetectRequest {
    fn parse(fields: &mut FieldReader, analysis_default: bool) -> Self {
        let key = fields.key();
        let url = fields.required_text("url");
        let preview = fields.flag_or("generate_preview", false);
        let analysis = fields.flag("generate_analysis_details");
        let heatmap = fields.flag_or("generate_heatmap", true);
        let mut of_heatmap = |name| {
            let flag = fields.flag_or(name, false);
            if flag && !heatmap {
                let msg = "generate_heatmap must be true";
                fields.push_error(name, msg, "value_error");
            }
            flag
        };
        let heatmap_overlayed = of_heatmap("generate_heatmap_overlayed");
        let heatmap_normalized = of_heatmap("generate_heatmap_normalized");
        fields.one_of("document_type", &["Image"]);
        let email = fields.text("email");
        read_model(fields);
        let id = fields.uuid("id");
        // These change nothing here, but must fit.
        fields.flag("include_content_moderation");
        fields.flag("generate_unbiased_analysis_details");
        fields.text("proxy_host");
        let options = DocumentOptions {
            preview,
            analysis: analysis.unwrap_or(analysis_default),
            heatmap,
            heatmap_overlayed,
            heatmap_normalized,
        };
        Self {
            key,
            url,
            email,
            id,
            options,
        }
    }

    fn validate(&self) -> Result<(), ApiError> {
        source_file::check_url(&self.url)?;
        match self.email.as_deref() {
            Some(email) if email.trim().is_empty() => {
                Err(ApiError::new(ErrorCode::InputEmailEmpty, "email: empty"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks the field `model`.
pub fn read_model(fields: &mut FieldReader) {
    fields.matching("model", MODEL_PATTERN, is_model);
}

/// Returns `true` if [`MODEL_PATTERN`] matches.
fn is_model(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && !word.contains(char::is_whitespace);
    match name.split_once('/') {
        None => matches!(name, "generic" | "sheerid"),
        Some((instance, model)) => is_word(instance) && is_word(model) && !model.contains('/'),
    }
}

/// What such a body asks for.
///
/// # Errors
/// If a field of it does not fit.
pub fn options(body: &PyValue, analysis_default: bool) -> Result<DocumentOptions, ApiError> {
    let mut fields = FieldReader::of_body(body);
    let request = DetectRequest::parse(&mut fields, analysis_default);
    fields.finish().map(|()| request.options)
}

pub fn describe(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Look at a picture",
            "Queues a picture that was uploaded; `/query` tells what comes of it.",
        )
        .body_fields(FieldReader::describe_fields(|fields| {
            DetectRequest::parse(fields, true)
        }))
        .body_any_of(&json!([
            {"properties": {"generate_heatmap": {"const": true}}},
            {"properties": {
                "generate_heatmap_overlayed": {"const": false},
                "generate_heatmap_normalized": {"const": false},
            }},
        ]))
        .describe_param("key", "The API key.")
        .describe_param("url", "Any URL that ends in the `file_path` of an upload.")
        .describe_param(
            "generate_analysis_details",
            "Left out, the server's setting counts, which is true where nobody set it.",
        )
        .describe_param("generate_heatmap_overlayed", "Wants `generate_heatmap`.")
        .describe_param("generate_heatmap_normalized", "Wants `generate_heatmap`.")
        .describe_param("id", "The document's id, if the client wants to choose it.")
        .response::<DocumentQueued>(200, "It is queued.");
    let groups: [&[ErrorCode]; 4] = [
        &auth::AUTH_ERRORS,
        &body::BODY_ERRORS,
        &DETECT_ERRORS,
        &INTERNAL_ERRORS,
    ];
    with_errors(described, &groups)
}

pub async fn post(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    request: RequestContext,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let mut fields = FieldReader::of_body(&body);
    let order = DetectRequest::parse(&mut fields, context.config.undetectable.analysis_default);
    let account = auth::authenticate_key(&context, "key", order.key.as_deref(), &entry).await;
    fields.finish()?;
    let account = account?;
    order.validate()?;
    let file = source_file::source_file(&context, &account, &order.url, check_name).await?;
    let queued = queue(&context, &account, &request, order, &file).await;
    source_file::discard_if_refused(&context, &file, queued).await
}

/// Queues a file whose name is a picture's.
async fn queue(
    context: &AppState,
    account: &Arc<Account>,
    request: &RequestContext,
    order: DetectRequest,
    file: &UploadedFile,
) -> UndetectableResult {
    check_file(context, file).await?;
    let Origin(origin) = Origin::resolve(context, request).await?;
    let work = Work::Document(order.options);
    let new = NewOrder {
        id: order.id,
        ..source_file::new_order("undetectable.detect", account, origin, file, work, 1)
    };
    let created = context.orders.create(account, new).await?;
    Ok(Json(DocumentQueued::from(created.order.as_ref())).into_response())
}

/// Its name is a picture's.
///
/// # Errors
/// If it is not.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    if FileKind::of_name(name).is_none() {
        let why = format!("{name}: no picture, by its extension; a .zip goes to /bulk-upload");
        return Err(ApiError::new(ErrorCode::UnsupportedImageType, why));
    }
    Ok(())
}

/// Sizes and types are checked here, not at the upload.
async fn check_file(state: &Services, file: &UploadedFile) -> Result<(), ApiError> {
    let (name, bytes) = (&file.upload.name, file.content.bytes);
    if bytes < FILE_BYTES_MIN {
        let why = format!("{name}: {bytes} bytes, {FILE_BYTES_MIN} at least are taken");
        return Err(ApiError::new(ErrorCode::FileTooSmall, why));
    }
    if bytes > FILE_BYTES_MAX {
        let why = format!("{name}: {bytes} bytes, {FILE_BYTES_MAX} at most are taken");
        return Err(ApiError::new(ErrorCode::FileTooLarge, why));
    }
    match state
        .engine
        .identify(file.content.clone(), name.clone())
        .await
    {
        Ok(_) => Ok(()),
        Err(EngineError::Defect(defect)) => {
            let why = format!("{name}: {}", defect.message());
            Err(ApiError::new(ErrorCode::InvalidFileType, why))
        }
        Err(EngineError::Io(error)) => Err(StoreError::broken(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_unknown_is_ignored() {
        let body = json!({"key": "k", "url": "u", "_t": [1], "content_type": 5});
        let body = PyValue::from(&body);
        let mut fields = FieldReader::of_body(&body);
        let options = DocumentOptions {
            preview: false,
            analysis: true,
            heatmap: true,
            heatmap_overlayed: false,
            heatmap_normalized: false,
        };
        let expected = DetectRequest {
            key: Some("k".to_owned()),
            url: "u".to_owned(),
            email: None,
            id: None,
            options,
        };
        assert_eq!(DetectRequest::parse(&mut fields, true), expected);
        assert_eq!(fields.finish(), Ok(()));
    }

    #[test]
    fn a_style_of_heatmap_needs_a_heatmap() {
        let refused = |body: serde_json::Value| {
            let body = PyValue::from(&body);
            let mut fields = FieldReader::of_body(&body);
            DetectRequest::parse(&mut fields, true);
            fields.finish().is_err()
        };
        for style in ["generate_heatmap_overlayed", "generate_heatmap_normalized"] {
            assert!(refused(
                json!({"url": "u", "generate_heatmap": false, style: true})
            ));
            assert!(!refused(
                json!({"url": "u", "generate_heatmap": false, style: false})
            ));
            assert!(!refused(json!({"url": "u", style: true})));
        }
    }
}
