//! `POST /detect`: queues an uploaded image.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::accept::accepts_json;
use super::auth::{AUTH_ERRORS, Authenticator};
use super::body::{BODY_ERRORS, JsonValueBody};
use super::error::{ApiError, ErrorCode};
use super::fields::FieldReader;
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::python_json::PyValue;
use super::wire::DocumentQueued;
use super::{UndetectableResult, source_file};
use crate::engine::EngineError;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Origin, RequestContext, Routes, Services};
use crate::model::order::{ApiVersion, Vendor};
use crate::model::picture::FileKind;
use crate::model::rule::ResultKind;
use crate::model::work::{DocumentOptions, Work};
use crate::services::accounts::Account;
use crate::services::fixtures::{FieldError, FixtureOrder};
use crate::services::orders::{FileSource, NewFile, NewOrder, UploadedFile};
use crate::services::vendors::FixtureForm;
use crate::storage::db::InternalError;

const OPERATION: &str = "undetectable.detect";

pub const FILE_BYTES_MIN: u64 = 1_024;
/// 10 MiB.
pub const FILE_BYTES_MAX: u64 = 10 * 1_024 * 1_024;

/// Same limit as for the names of uploads.
const FIXTURE_NAME_CHARS_MAX: usize = 255;

/// Names of models: the vendor's own, or a customer's as `{instance id}/{model}`. The model does not
/// change the result.
const MODEL_PATTERN: &str = r"^(generic|sheerid|[^/\s]+/[^/\s]+)$";

/// Fields that [`DocumentOptions`] keeps.
const OPTIONS: [&str; 5] = [
    "generate_preview",
    "generate_analysis_details",
    "generate_heatmap",
    "generate_heatmap_overlayed",
    "generate_heatmap_normalized",
];

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

/// Adds the operation that queues an image.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(OPERATION, Method::POST, "/detect", accepts_json(post))
        .produces(ResultKind::Document)
        .fixture_builder(document_from_fixture)
        .docs(describe)
}

/// Fields of the body. Invalid fields are errors of the [`FieldReader`], and read as missing here.
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
        let mut heatmap_style = |name| {
            let flag = fields.flag_or(name, false);
            if flag && !heatmap {
                let msg = "generate_heatmap must be true";
                fields.push_error(name, msg, "value_error");
            }
            flag
        };
        let heatmap_overlayed = heatmap_style("generate_heatmap_overlayed");
        let heatmap_normalized = heatmap_style("generate_heatmap_normalized");
        fields.one_of("document_type", &["Image"]);
        let email = fields.text("email");
        read_model(fields);
        let id = fields.uuid("id");
        // The other fields have no effect, but are validated.
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

/// Returns the options in a body of `/detect`.
///
/// # Errors
/// Returns 422 with all invalid fields.
fn document_options(body: &PyValue, analysis_default: bool) -> Result<DocumentOptions, ApiError> {
    let mut fields = FieldReader::for_body(body);
    let detect_request = DetectRequest::parse(&mut fields, analysis_default);
    fields.finish()?;
    Ok(detect_request.options)
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Queue an image for detection",
            "Queues an uploaded image. Poll `/query` for the result.",
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
            "Defaults to a setting of the server, which is true unless changed.",
        )
        .describe_param("generate_heatmap_overlayed", "Requires `generate_heatmap`.")
        .describe_param(
            "generate_heatmap_normalized",
            "Requires `generate_heatmap`.",
        )
        .describe_param("id", "Id for the document. Generated if omitted.")
        .response::<DocumentQueued>(200, "The image is queued.");
    let groups: [&[ErrorCode]; 4] = [&AUTH_ERRORS, &BODY_ERRORS, &DETECT_ERRORS, &INTERNAL_ERRORS];
    with_errors(doc, &groups)
}

async fn post(
    State(state): State<AppState>,
    authenticator: Authenticator,
    request_context: RequestContext,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let mut fields = FieldReader::for_body(&body);
    let analysis_default = state.config.undetectable.analysis_default;
    let detect_request = DetectRequest::parse(&mut fields, analysis_default);
    let account = authenticator
        .authenticate_key("key", detect_request.key.as_deref())
        .await;
    fields.finish()?;
    let account = account?;
    detect_request.validate()?;
    let url = &detect_request.url;
    let file = source_file::find_or_fetch(&state, &account, url, check_name).await?;
    let queued = queue(
        &state,
        &authenticator,
        &account,
        &request_context,
        detect_request,
        &file,
    )
    .await;
    source_file::discard_if_refused(&state, &file, queued).await
}

async fn queue(
    state: &AppState,
    authenticator: &Authenticator,
    account: &Arc<Account>,
    request_context: &RequestContext,
    detect_request: DetectRequest,
    file: &UploadedFile,
) -> UndetectableResult {
    check_file(state, file).await?;
    let Origin(origin) = Origin::resolve(state, request_context).await?;
    let work = Work::Document(detect_request.options);
    let new_order = NewOrder {
        id: detect_request.id,
        ..source_file::new_order(OPERATION, account, origin, file, work, 1)
    };
    let created = state.orders.create(account, new_order).await?;
    authenticator.record_order(&created.order.id);
    Ok(Json(DocumentQueued::from(created.order.as_ref())).into_response())
}

/// Checks that `name` has the extension of an image.
///
/// # Errors
/// Returns [`ErrorCode::UnsupportedImageType`] if it has not.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    if FileKind::of_name(name).is_none() {
        let reason = format!("{name}: not an image, by its extension; send a .zip to /bulk-upload");
        return Err(ApiError::new(ErrorCode::UnsupportedImageType, reason));
    }
    Ok(())
}

/// Returns the document that `/detect` would create of an uploaded file.
///
/// # Errors
/// Returns an error that names the first field that `/detect` would not accept.
fn document_from_fixture(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&OPTIONS)?;
    fixture.reject_name()?;
    fixture.reject_watermarks()?;
    fixture.check_file_count(1..=1)?;
    let name = &fixture.files[0].name;
    let name_error = |message: String| FieldError::new("files[0].fileName", message);
    let chars = name.chars().count();
    if chars > FIXTURE_NAME_CHARS_MAX {
        return Err(name_error(format!(
            "too long: {chars} characters, maximum {FIXTURE_NAME_CHARS_MAX}"
        )));
    }
    check_name(name).map_err(|error| name_error(error.reason().to_owned()))?;
    let mut body = Value::Object(fixture.options.cloned().unwrap_or_default());
    body["url"] = json!(name);
    let analysis_default = fixture.config.undetectable.analysis_default;
    let options = document_options(&PyValue::from(&body), analysis_default).map_err(|error| {
        let reason = error.reason().strip_prefix("body.").unwrap_or_default();
        let (field, message) = reason.split_once(": ").unwrap_or(("", reason));
        FieldError::new(format!("options.{field}"), message)
    })?;
    Ok(NewOrder {
        operation: fixture.operation,
        idempotency_key: None,
        vendor: Vendor::Undetectable,
        api: ApiVersion::default(),
        origin: fixture.origin.to_owned(),
        name: None,
        work: Work::Document(options),
        files: vec![NewFile::new(
            source_file::sanitize_file_name(name),
            FileSource::Upload,
        )],
        id: None,
        charge: None,
        request_digest: None,
    })
}

/// Returns the form of a document in a fixtures document. `None` for other work.
pub fn fixture_form(work: &Work, _: ApiVersion) -> Option<FixtureForm> {
    let Work::Document(options) = work else {
        return None;
    };
    let mut fields = json!({
        "generate_preview": options.preview,
        "generate_analysis_details": options.analysis,
        "generate_heatmap": options.heatmap,
    });
    if options.heatmap {
        fields["generate_heatmap_overlayed"] = options.heatmap_overlayed.into();
        fields["generate_heatmap_normalized"] = options.heatmap_normalized.into();
    }
    Some(FixtureForm {
        operation: OPERATION,
        is_named: false,
        options: fields,
    })
}

/// Checks size and content. The vendor checks them here, not at the upload.
async fn check_file(state: &Services, file: &UploadedFile) -> Result<(), ApiError> {
    let name = &file.upload.name;
    let bytes = file.content.bytes;
    if bytes < FILE_BYTES_MIN {
        let reason = format!("{name}: too small: {bytes} bytes, minimum {FILE_BYTES_MIN}");
        return Err(ApiError::new(ErrorCode::FileTooSmall, reason));
    }
    if bytes > FILE_BYTES_MAX {
        let reason = format!("{name}: too large: {bytes} bytes, maximum {FILE_BYTES_MAX}");
        return Err(ApiError::new(ErrorCode::FileTooLarge, reason));
    }
    match state
        .engine
        .identify(file.content.clone(), name.clone())
        .await
    {
        Ok(_) => Ok(()),
        Err(EngineError::Defect(defect)) => {
            let reason = format!("{name}: {}", defect.message());
            Err(ApiError::new(ErrorCode::InvalidFileType, reason))
        }
        Err(EngineError::Io(error)) => Err(InternalError::broken(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_uses_defaults_and_ignores_unknown_fields() {
        let json = json!({"key": "k", "url": "u", "_t": [1], "content_type": 5});
        let body = PyValue::from(&json);
        let mut fields = FieldReader::for_body(&body);
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
    fn parse_heatmap_style_without_heatmap_is_an_error() {
        let is_error = |body: serde_json::Value| {
            let body = PyValue::from(&body);
            let mut fields = FieldReader::for_body(&body);
            DetectRequest::parse(&mut fields, true);
            fields.finish().is_err()
        };
        for style in ["generate_heatmap_overlayed", "generate_heatmap_normalized"] {
            assert!(is_error(
                json!({"url": "u", "generate_heatmap": false, style: true})
            ));
            assert!(!is_error(
                json!({"url": "u", "generate_heatmap": false, style: false})
            ));
            assert!(!is_error(json!({"url": "u", style: true})));
        }
    }
}
