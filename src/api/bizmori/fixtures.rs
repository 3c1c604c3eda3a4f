//! Orders that fixtures tell of, as the bodies that a client would have sent for them: what the
//! vendor takes of those is taken, and nothing else.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::ApiError;
use super::request::{
    CreateAiDetection, CreateAntiAi, CreateWatermarkEmbed, CreateWatermarkExtract,
    CreateWatermarkExtractV3, ValidatedOrder, parse,
};
use crate::model::account::Revision;
use crate::model::order::{ApiVersion, Vendor};
use crate::services::fixtures::{FieldError, FixtureOrder};
use crate::services::orders::{NewOrder, V2_SUNSET};

/// Bodies want one; the order keeps none.
const IDEMPOTENCY_KEY: &str = "fixture";
/// Fields of bodies, and what they are called where an order is told.
const FIELD_NAMES: [(&str, &str); 5] = [
    ("orderName", "name"),
    ("fileName", "files[0].fileName"),
    ("file.fileName", "files[0].fileName"),
    ("file.originalFile.fileName", "files[1].fileName"),
    ("file.includeOriginal", "files[1]"),
];

pub fn anti_ai(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&["strength"])?;
    fixture.reject_watermarks()?;
    let files = fixture
        .files
        .iter()
        .map(|file| json!({"fileName": file.name}));
    let body = json!({
        "orderName": fixture.name,
        "files": files.collect::<Vec<_>>(),
        "options": fixture.options,
    });
    parse_fixture(fixture, ApiVersion::V2, body, |it: CreateAntiAi| {
        it.validate(fixture.at)
    })
}

pub fn ai_detection(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&["generateHeatmap", "generateOverlay", "generateThumbnail"])?;
    fixture.reject_watermarks()?;
    fixture.check_file_count(1..=1)?;
    let body = json!({
        "orderName": fixture.name,
        "fileName": fixture.files[0].name,
        "options": fixture.options,
    });
    parse_fixture(fixture, ApiVersion::V2, body, CreateAiDetection::validate)
}

pub fn watermark_embed(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    before_sunset(fixture)?;
    embed(fixture, ApiVersion::V2)
}

pub fn watermark_embed_v3(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    embed(fixture, ApiVersion::V3)
}

fn embed(fixture: &FixtureOrder<'_>, api: ApiVersion) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&[])?;
    fixture.reject_name()?;
    let files = fixture.files.iter().map(|file| {
        let texts = file.watermarks.iter().map(|text| json!({"text": text}));
        json!({"fileName": file.name, "watermarks": texts.collect::<Vec<_>>()})
    });
    let body = json!({"files": files.collect::<Vec<_>>()});
    parse_fixture(fixture, api, body, |it: CreateWatermarkEmbed| {
        it.validate(api)
    })
}

pub fn watermark_extract(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    before_sunset(fixture)?;
    fixture.check_file_count(1..=2)?;
    let mut file = json!({"fileName": fixture.files[0].name});
    if let Some(original) = fixture.files.get(1) {
        file["includeOriginal"] = json!(true);
        file["originalFile"] = json!({"fileName": original.name});
    }
    extract(
        fixture,
        ApiVersion::V2,
        &file,
        CreateWatermarkExtract::validate,
    )
}

pub fn watermark_extract_v3(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.check_file_count(2..=2)?;
    let original = json!({"fileName": fixture.files[1].name});
    let file = json!({"fileName": fixture.files[0].name, "originalFile": original});
    extract(
        fixture,
        ApiVersion::V3,
        &file,
        CreateWatermarkExtractV3::validate,
    )
}

fn extract<T: DeserializeOwned>(
    fixture: &FixtureOrder<'_>,
    api: ApiVersion,
    file: &Value,
    check: impl FnOnce(T) -> Result<ValidatedOrder, ApiError>,
) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&[])?;
    fixture.reject_name()?;
    fixture.reject_watermarks()?;
    parse_fixture(fixture, api, json!({"file": file}), check)
}

/// Its route has not ended yet, when it is made.
fn before_sunset(fixture: &FixtureOrder<'_>) -> Result<(), FieldError> {
    if fixture.revision == Revision::V2026_10 && fixture.at >= V2_SUNSET {
        let line = format!(
            "{} has ended by then; there is the one of v3",
            fixture.operation
        );
        return Err(FieldError::new("operation", line));
    }
    Ok(())
}

/// The order that the body asks for, if that is taken.
fn parse_fixture<T: DeserializeOwned>(
    fixture: &FixtureOrder<'_>,
    api: ApiVersion,
    mut body: Value,
    check: impl FnOnce(T) -> Result<ValidatedOrder, ApiError>,
) -> Result<NewOrder, FieldError> {
    body["idempotencyKey"] = json!(IDEMPOTENCY_KEY);
    let parsed = parse(&Bytes::from(body.to_string()));
    let validated = parsed
        .and_then(check)
        .map_err(|refusal| fixture_error(&refusal))?;
    Ok(NewOrder {
        operation: fixture.operation,
        idempotency_key: None,
        vendor: Vendor::Bizmori,
        api,
        origin: fixture.origin.to_owned(),
        name: validated.order_name,
        work: validated.work,
        files: validated.files,
        id: None,
        charge: None,
        request_digest: None,
    })
}

/// What was refused of a body, told of the order; places in the body are nobody's.
fn fixture_error(refusal: &ApiError) -> FieldError {
    let why = refusal.reason.as_str();
    let why = why.split(" at line ").next().unwrap_or(why);
    let (field, line) = why.split_once(": ").unwrap_or(("", why));
    let mut known = FIELD_NAMES.into_iter();
    let renamed = known.find(|(of_body, _)| *of_body == field);
    FieldError::new(renamed.map_or(field, |(_, message)| message), line)
}
