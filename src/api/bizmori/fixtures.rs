//! Orders of fixtures. Each becomes the body that a client would have sent, and is validated as such.

use serde_json::{Value, json};

use super::create::CreateRequest;
use super::error::ApiError;
use super::request::{
    CreateAiDetection, CreateAntiAi, CreateWatermarkEmbed, CreateWatermarkEmbedV3,
    CreateWatermarkExtract, CreateWatermarkExtractV3, OrderBody, parse,
};
use crate::model::account::Revision;
use crate::model::order::{ApiVersion, Vendor};
use crate::model::work::Work;
use crate::services::fixtures::{FieldError, FixtureOrder};
use crate::services::orders::{NewOrder, V2_SUNSET};
use crate::services::vendors::FixtureForm;

/// Makes the body valid. The order is created without it.
const IDEMPOTENCY_KEY: &str = "fixture";
/// Fields of bodies, and their names in a fixture.
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
    build_order::<CreateAntiAi>(fixture, body)
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
    build_order::<CreateAiDetection>(fixture, body)
}

pub fn watermark_embed(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    check_before_sunset(fixture)?;
    embed::<CreateWatermarkEmbed>(fixture)
}

pub fn watermark_embed_v3(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    embed::<CreateWatermarkEmbedV3>(fixture)
}

fn embed<T: OrderBody>(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&[])?;
    fixture.reject_name()?;
    let files = fixture.files.iter().map(|file| {
        let watermarks = file.watermarks.iter().map(|text| json!({"text": text}));
        json!({"fileName": file.name, "watermarks": watermarks.collect::<Vec<_>>()})
    });
    let body = json!({"files": files.collect::<Vec<_>>()});
    build_order::<T>(fixture, body)
}

pub fn watermark_extract(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    check_before_sunset(fixture)?;
    fixture.check_file_count(1..=2)?;
    let mut file = json!({"fileName": fixture.files[0].name});
    if let Some(original) = fixture.files.get(1) {
        file["includeOriginal"] = json!(true);
        file["originalFile"] = json!({"fileName": original.name});
    }
    extract::<CreateWatermarkExtract>(fixture, &file)
}

pub fn watermark_extract_v3(fixture: &FixtureOrder<'_>) -> Result<NewOrder, FieldError> {
    fixture.check_file_count(2..=2)?;
    let original = json!({"fileName": fixture.files[1].name});
    let file = json!({"fileName": fixture.files[0].name, "originalFile": original});
    extract::<CreateWatermarkExtractV3>(fixture, &file)
}

fn extract<T: OrderBody>(fixture: &FixtureOrder<'_>, file: &Value) -> Result<NewOrder, FieldError> {
    fixture.reject_unknown_options(&[])?;
    fixture.reject_name()?;
    fixture.reject_watermarks()?;
    build_order::<T>(fixture, json!({"file": file}))
}

/// Returns the form of an order in a fixtures document, from which the functions above build the order.
/// `None` for work of another vendor.
pub fn form(work: &Work, api: ApiVersion) -> Option<FixtureForm> {
    let (operation, options) = match (work, api) {
        (Work::AntiAi { strength }, _) => (CreateAntiAi::OPERATION, json!({"strength": strength})),
        (Work::AiDetection { options }, _) => (CreateAiDetection::OPERATION, json!(options)),
        (Work::WatermarkEmbed, ApiVersion::V2) => (CreateWatermarkEmbed::OPERATION, Value::Null),
        (Work::WatermarkEmbed, ApiVersion::V3) => (CreateWatermarkEmbedV3::OPERATION, Value::Null),
        (Work::WatermarkExtract, ApiVersion::V2) => {
            (CreateWatermarkExtract::OPERATION, Value::Null)
        }
        (Work::WatermarkExtract, ApiVersion::V3) => {
            (CreateWatermarkExtractV3::OPERATION, Value::Null)
        }
        (Work::Document(_) | Work::Bulk(_), _) => return None,
    };
    Some(FixtureForm {
        operation,
        is_named: !work.is_watermark(),
        options,
    })
}

/// Checks that the v2 watermark route still exists at the order's creation time.
fn check_before_sunset(fixture: &FixtureOrder<'_>) -> Result<(), FieldError> {
    if fixture.revision == Revision::V2026_10 && fixture.at >= V2_SUNSET {
        let message = format!(
            "{} has ended before the order is created: use the operation of v3",
            fixture.operation
        );
        return Err(FieldError::new("operation", message));
    }
    Ok(())
}

/// Validates `body` as a client's, and returns the order that it creates.
fn build_order<T: OrderBody>(
    fixture: &FixtureOrder<'_>,
    mut body: Value,
) -> Result<NewOrder, FieldError> {
    body["idempotencyKey"] = json!(IDEMPOTENCY_KEY);
    let validated = parse(body.to_string().as_bytes())
        .and_then(|body: T| body.validate(fixture.at))
        .map_err(|error| fixture_error(&error))?;
    Ok(NewOrder {
        operation: fixture.operation,
        idempotency_key: None,
        vendor: Vendor::Bizmori,
        api: T::API,
        origin: fixture.origin.to_owned(),
        name: validated.order_name,
        work: validated.work,
        files: validated.files,
        id: None,
        charge: None,
        request_digest: None,
    })
}

/// Translates an error in the body to the field of the fixture. The line and column that serde adds are
/// dropped: the body is not the user's.
fn fixture_error(error: &ApiError) -> FieldError {
    let reason = error
        .reason
        .split_once(" at line ")
        .map_or(error.reason.as_str(), |(reason, _)| reason);
    let (field, message) = reason.split_once(": ").unwrap_or(("", reason));
    let mut names = FIELD_NAMES.into_iter();
    let name = names.find(|(body_field, _)| *body_field == field);
    FieldError::new(name.map_or(field, |(_, name)| name), message)
}
