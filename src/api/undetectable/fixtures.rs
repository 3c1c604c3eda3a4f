//! Documents that fixtures tell of.

use serde_json::{Value as Json, json};

use super::detect;
use super::python_json::PyValue;
use super::source_file::sanitize_file_name;
use crate::model::order::{ApiVersion, Vendor};
use crate::model::work::Work;
use crate::services::fixtures::{FieldError, FixtureOrder};
use crate::services::orders::{FileSource, NewFile, NewOrder};

const NAME_CHARS_MAX: usize = 255;

/// A document as `/detect` would make it of a file that was uploaded before.
pub fn document_from_fixture(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&detect::OPTIONS)?;
    fixture.reject_name()?;
    fixture.reject_watermarks()?;
    fixture.check_file_count(1..=1)?;
    let name = &fixture.files[0].name;
    let chars = name.chars().count();
    if chars > NAME_CHARS_MAX {
        let line = format!("{chars} characters, {NAME_CHARS_MAX} are taken");
        return Err(FieldError::new("files[0].fileName", line));
    }
    detect::check_name(name).map_err(|refusal| {
        let line = refusal.with_reason().to_owned();
        FieldError::new("files[0].fileName", line)
    })?;
    let mut body = Json::Object(fixture.options.cloned().unwrap_or_default());
    body["url"] = json!(name);
    let body = PyValue::from(&body);
    let analysis_default = fixture.config.undetectable.analysis_default;
    let options = detect::options(&body, analysis_default).map_err(|refusal| {
        let why = refusal
            .with_reason()
            .strip_prefix("body.")
            .unwrap_or_default();
        let (field, line) = why.split_once(": ").unwrap_or(("", why));
        FieldError::new(format!("options.{field}"), line)
    })?;
    Ok(NewOrder {
        operation: fixture.operation,
        idempotency_key: None,
        vendor: Vendor::Undetectable,
        api: ApiVersion::default(),
        origin: fixture.origin.to_owned(),
        name: None,
        work: Work::Document(options),
        files: vec![NewFile::new(sanitize_file_name(name), FileSource::Upload)],
        id: None,
        charge: None,
        request_digest: None,
    })
}
