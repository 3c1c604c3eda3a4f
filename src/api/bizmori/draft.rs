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

pub fn anti_ai(told: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    told.reject_unknown_options(&["strength"])?;
    told.reject_watermarks()?;
    let files = told.files.iter().map(|file| json!({"fileName": file.name}));
    let body = json!({
        "orderName": told.name,
        "files": files.collect::<Vec<_>>(),
        "options": told.options,
    });
    parse_fixture(told, ApiVersion::V2, body, |it: CreateAntiAi| {
        it.validate(told.at)
    })
}

pub fn ai_detection(told: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    told.reject_unknown_options(&["generateHeatmap", "generateOverlay", "generateThumbnail"])?;
    told.reject_watermarks()?;
    told.check_file_count(1..=1)?;
    let body = json!({
        "orderName": told.name,
        "fileName": told.files[0].name,
        "options": told.options,
    });
    parse_fixture(told, ApiVersion::V2, body, CreateAiDetection::validate)
}

pub fn watermark_embed(told: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    before_sunset(told)?;
    embed(told, ApiVersion::V2)
}

pub fn watermark_embed_v3(told: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    embed(told, ApiVersion::V3)
}

fn embed(told: &FixtureOrder<'_>, api: ApiVersion) -> Result<NewOrder, FieldError> {
    told.reject_unknown_options(&[])?;
    told.reject_name()?;
    let files = told.files.iter().map(|file| {
        let texts = file.watermarks.iter().map(|text| json!({"text": text}));
        json!({"fileName": file.name, "watermarks": texts.collect::<Vec<_>>()})
    });
    let body = json!({"files": files.collect::<Vec<_>>()});
    parse_fixture(told, api, body, |it: CreateWatermarkEmbed| it.validate(api))
}

pub fn watermark_extract(told: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    before_sunset(told)?;
    told.check_file_count(1..=2)?;
    let mut file = json!({"fileName": told.files[0].name});
    if let Some(original) = told.files.get(1) {
        file["includeOriginal"] = json!(true);
        file["originalFile"] = json!({"fileName": original.name});
    }
    extract(
        told,
        ApiVersion::V2,
        &file,
        CreateWatermarkExtract::validate,
    )
}

pub fn watermark_extract_v3(told: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    told.check_file_count(2..=2)?;
    let original = json!({"fileName": told.files[1].name});
    let file = json!({"fileName": told.files[0].name, "originalFile": original});
    extract(
        told,
        ApiVersion::V3,
        &file,
        CreateWatermarkExtractV3::validate,
    )
}

fn extract<T: DeserializeOwned>(
    told: &FixtureOrder<'_>,
    api: ApiVersion,
    file: &Value,
    check: impl FnOnce(T) -> Result<ValidatedOrder, ApiError>,
) -> Result<NewOrder, FieldError> {
    told.reject_unknown_options(&[])?;
    told.reject_name()?;
    told.reject_watermarks()?;
    parse_fixture(told, api, json!({"file": file}), check)
}

/// Its route has not ended yet, when it is made.
fn before_sunset(told: &FixtureOrder<'_>) -> Result<(), FieldError> {
    if told.revision == Revision::V2026_10 && told.at >= V2_SUNSET {
        let line = format!(
            "{} has ended by then; there is the one of v3",
            told.operation
        );
        return Err(FieldError::new("operation", line));
    }
    Ok(())
}

/// The order that the body asks for, if that is taken.
fn parse_fixture<T: DeserializeOwned>(
    told: &FixtureOrder<'_>,
    api: ApiVersion,
    mut body: Value,
    check: impl FnOnce(T) -> Result<ValidatedOrder, ApiError>,
) -> Result<NewOrder, FieldError> {
    body["idempotencyKey"] = json!(IDEMPOTENCY_KEY);
    let parsed = parse(&Bytes::from(body.to_string()));
    let asked = parsed
        .and_then(check)
        .map_err(|refusal| fixture_error(&refusal))?;
    Ok(NewOrder {
        operation: told.operation,
        idempotency_key: None,
        vendor: Vendor::Bizmori,
        api,
        origin: told.origin.to_owned(),
        name: asked.order_name,
        work: asked.work,
        files: asked.files,
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
    FieldError::new(renamed.map_or(field, |(_, told)| told), line)
}
