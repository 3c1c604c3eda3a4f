//! Documents of fixtures.

use serde_json::{Value as Json, json};

use super::detect;
use super::python_json::PyValue;
use super::source_file::sanitize_file_name;
use crate::model::order::{ApiVersion, Vendor};
use crate::model::work::Work;
use crate::services::fixtures::{FieldError, FixtureOrder};
use crate::services::orders::{FileSource, NewFile, NewOrder};

const NAME_CHARS_MAX: usize = 255;

/// Returns the document that `/detect` would create of an uploaded file.
///
/// # Errors
/// Names the first field that `/detect` would not accept.
pub fn document_from_fixture(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&detect::OPTIONS)?;
    fixture.reject_name()?;
    fixture.reject_watermarks()?;
    fixture.check_file_count(1..=1)?;
    let name = &fixture.files[0].name;
    let name_error = |message: String| FieldError::new("files[0].fileName", message);
    let chars = name.chars().count();
    if chars > NAME_CHARS_MAX {
        return Err(name_error(format!(
            "too long: {chars} characters, maximum {NAME_CHARS_MAX}"
        )));
    }
    detect::check_name(name).map_err(|error| name_error(error.reason().to_owned()))?;
    let mut body = Json::Object(fixture.options.cloned().unwrap_or_default());
    body["url"] = json!(name);
    let analysis_default = fixture.config.undetectable.analysis_default;
    let options =
        detect::document_options(&PyValue::from(&body), analysis_default).map_err(|error| {
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
        files: vec![NewFile::of(sanitize_file_name(name), FileSource::Upload)],
        id: None,
        charge: None,
        request_digest: None,
    })
}
