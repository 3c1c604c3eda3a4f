//! Bodies that create watermark orders, and their validation.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::create::{OrderBody, ValidatedOrder, file_source};
use super::fields::{
    FILES_MAX, WATERMARK_EXTENSIONS, WATERMARK_EXTENSIONS_V3, check_file_count, check_file_name,
    check_idempotency_key, file_name_schema, idempotency_key_schema, require_idempotency_key,
};
use crate::api::bizmori::error::ApiError;
use crate::http::JsonObject;
use crate::model::file::Role;
use crate::model::order::ApiVersion;
use crate::model::picture::FileKind;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::orders::{FileSource, NewFile};

/// Watermarks per file.
const TEXTS_MAX: usize = 10;
const TEXT_CHARS_MAX: usize = 1_000;

/// `POST /api/v2/orders/wtr-embed`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = require_idempotency_key)]
pub struct CreateWatermarkEmbed {
    #[serde(default)]
    #[schemars(schema_with = "idempotency_key_schema")]
    idempotency_key: Value,
    #[schemars(length(min = 1, max = FILES_MAX))]
    files: Vec<JsonObject<EmbedFile>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EmbedFile {
    #[schemars(schema_with = "file_name_schema")]
    file_name: String,
    /// The file is fetched from this URL. It is uploaded if omitted.
    #[serde(default)]
    #[schemars(extend("format" = "uri"))]
    original_file_url: Option<String>,
    #[schemars(length(min = 1, max = TEXTS_MAX))]
    watermarks: Vec<JsonObject<WatermarkSpec>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct WatermarkSpec {
    #[schemars(length(min = 1, max = TEXT_CHARS_MAX))]
    text: String,
}

/// `POST /api/v3/orders/wtr-embed`: the body of v2, with more file types.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CreateWatermarkEmbedV3(CreateWatermarkEmbed);

impl OrderBody for CreateWatermarkEmbed {
    const API: ApiVersion = ApiVersion::V2;

    fn validate(self, _: Timestamp) -> Result<ValidatedOrder, ApiError> {
        self.validate_with(WATERMARK_EXTENSIONS)
    }
}

impl OrderBody for CreateWatermarkEmbedV3 {
    const API: ApiVersion = ApiVersion::V3;

    fn validate(self, _: Timestamp) -> Result<ValidatedOrder, ApiError> {
        self.0.validate_with(WATERMARK_EXTENSIONS_V3)
    }
}

impl CreateWatermarkEmbed {
    fn validate_with(self, extensions: &[&str]) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = check_idempotency_key(&self.idempotency_key)?;
        check_file_count(&self.files)?;
        let mut files = Vec::with_capacity(self.files.len());
        for (index, JsonObject(file)) in self.files.into_iter().enumerate() {
            let name = file.file_name;
            check_file_name(&format!("files[{index}].fileName"), &name, extensions)?;
            let url_field = format!("files[{index}].originalFileUrl");
            let source = file_source(&url_field, file.original_file_url)?;
            files.push(NewFile {
                watermark_texts: watermark_texts(index, file.watermarks)?,
                ..NewFile::new(name, source)
            });
        }
        Ok(ValidatedOrder {
            idempotency_key,
            order_name: None,
            work: Work::WatermarkEmbed,
            files,
        })
    }
}

/// Checks the watermarks of file `file_index`, and returns their texts.
fn watermark_texts(
    file_index: usize,
    watermarks: Vec<JsonObject<WatermarkSpec>>,
) -> Result<Vec<String>, ApiError> {
    let field = format!("files[{file_index}].watermarks");
    if watermarks.is_empty() || watermarks.len() > TEXTS_MAX {
        return Err(ApiError::invalid(format!(
            "{field}: expected 1 to {TEXTS_MAX}, got {}",
            watermarks.len()
        )));
    }
    let texts = watermarks.into_iter().map(|JsonObject(spec)| spec.text);
    let checked = texts.enumerate().map(|(index, text)| {
        let chars = text.chars().count();
        if (1..=TEXT_CHARS_MAX).contains(&chars) {
            return Ok(text);
        }
        Err(ApiError::invalid(format!(
            "{field}[{index}].text: expected 1 to {TEXT_CHARS_MAX} characters, got {chars}"
        )))
    });
    checked.collect()
}

/// `POST /api/v2/orders/wtr-extract`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = require_idempotency_key)]
pub struct CreateWatermarkExtract {
    #[serde(default)]
    #[schemars(schema_with = "idempotency_key_schema")]
    idempotency_key: Value,
    file: JsonObject<ExtractFileBody>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExtractFileBody {
    #[schemars(schema_with = "file_name_schema")]
    file_name: String,
    /// Not supported for PDF.
    #[serde(default)]
    include_original: Option<bool>,
    /// Required if `includeOriginal` is true.
    #[serde(default)]
    original_file: Option<JsonObject<OriginalFile>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OriginalFile {
    #[schemars(schema_with = "file_name_schema")]
    file_name: String,
}

impl OrderBody for CreateWatermarkExtract {
    const API: ApiVersion = ApiVersion::V2;

    /// Lists the inspected file first, then its original if `includeOriginal` is true.
    fn validate(self, _: Timestamp) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = check_idempotency_key(&self.idempotency_key)?;
        let JsonObject(file) = self.file;
        check_file_name("file.fileName", &file.file_name, WATERMARK_EXTENSIONS)?;
        let original = file.original_file.map(|JsonObject(file)| file.file_name);
        if let Some(name) = &original {
            check_file_name("file.originalFile.fileName", name, WATERMARK_EXTENSIONS)?;
        }
        let mut files = vec![new_file(Role::Watermarked, file.file_name)];
        if file.include_original == Some(true) {
            let missing = "file.originalFile: required if includeOriginal is true";
            let name = original.ok_or_else(|| ApiError::invalid(missing))?;
            files.push(new_file(Role::Original, name));
            let pdf = files
                .iter()
                .find(|file| FileKind::of_name(&file.name).is_some_and(FileKind::is_pdf));
            if let Some(pdf) = pdf {
                return Err(ApiError::invalid(format!(
                    "file.includeOriginal: not supported for PDF: {}",
                    pdf.name
                )));
            }
        }
        Ok(ValidatedOrder {
            idempotency_key,
            order_name: None,
            work: Work::WatermarkExtract,
            files,
        })
    }
}

/// `POST /api/v3/orders/wtr-extract`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = require_idempotency_key)]
pub struct CreateWatermarkExtractV3 {
    #[serde(default)]
    #[schemars(schema_with = "idempotency_key_schema")]
    idempotency_key: Value,
    file: JsonObject<ExtractFileV3>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExtractFileV3 {
    #[schemars(schema_with = "file_name_schema")]
    file_name: String,
    original_file: JsonObject<OriginalFile>,
}

impl OrderBody for CreateWatermarkExtractV3 {
    const API: ApiVersion = ApiVersion::V3;

    /// Lists the original first.
    fn validate(self, _: Timestamp) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = check_idempotency_key(&self.idempotency_key)?;
        let JsonObject(file) = self.file;
        let JsonObject(original) = file.original_file;
        check_file_name("file.fileName", &file.file_name, WATERMARK_EXTENSIONS_V3)?;
        let field = "file.originalFile.fileName";
        check_file_name(field, &original.file_name, WATERMARK_EXTENSIONS_V3)?;
        Ok(ValidatedOrder {
            idempotency_key,
            order_name: None,
            work: Work::WatermarkExtract,
            files: vec![
                new_file(Role::Original, original.file_name),
                new_file(Role::Watermarked, file.file_name),
            ],
        })
    }
}

fn new_file(role: Role, name: String) -> NewFile {
    NewFile {
        role: Some(role),
        ..NewFile::new(name, FileSource::Upload)
    }
}
