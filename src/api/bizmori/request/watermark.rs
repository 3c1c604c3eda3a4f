//! Watermark orders: what their create bodies may say.

use serde::Deserialize;
use serde_json::Value;

use super::create::{ValidatedOrder, source};
use super::fields::{
    WATERMARK_EXTENSIONS, WATERMARK_EXTENSIONS_V3, check_count, check_file_name, idempotency_key,
};
use crate::api::bizmori::error::ApiError;
use crate::http::JsonObject;
use crate::model::file::Role;
use crate::model::order::ApiVersion;
use crate::model::picture::FileKind;
use crate::model::work::Work;
use crate::services::orders::{FileSource, NewFile};

const TEXTS_MAX: usize = 10;
const TEXT_CHARS_MAX: usize = 1_000;

/// `POST …/wtr-embed`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateWatermarkEmbed {
    #[serde(default)]
    idempotency_key: Value,
    files: Vec<JsonObject<EmbedFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmbedFile {
    file_name: String,
    #[serde(default)]
    original_file_url: Option<String>,
    watermarks: Vec<JsonObject<WatermarkSpec>>,
}

#[derive(Debug, Deserialize)]
struct WatermarkSpec {
    text: String,
}

impl CreateWatermarkEmbed {
    /// Checks the body, sent to that version of the API.
    ///
    /// # Errors
    /// The vendor's code for what is wrong first.
    pub fn validate(self, api: ApiVersion) -> Result<ValidatedOrder, ApiError> {
        let extensions = match api {
            ApiVersion::V2 => WATERMARK_EXTENSIONS,
            ApiVersion::V3 => WATERMARK_EXTENSIONS_V3,
        };
        let idempotency_key = idempotency_key(&self.idempotency_key)?;
        check_count(&self.files)?;
        let mut files = Vec::with_capacity(self.files.len());
        for (index, JsonObject(file)) in self.files.into_iter().enumerate() {
            let name = file.file_name;
            check_file_name(&format!("files[{index}].fileName"), &name, extensions)?;
            let url_field = format!("files[{index}].originalFileUrl");
            let source = source(&url_field, file.original_file_url)?;
            let texts = texts(index, file.watermarks)?;
            files.push(NewFile {
                texts,
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

fn texts(file: usize, watermarks: Vec<JsonObject<WatermarkSpec>>) -> Result<Vec<String>, ApiError> {
    let field = format!("files[{file}].watermarks");
    if watermarks.is_empty() || watermarks.len() > TEXTS_MAX {
        let count = watermarks.len();
        let line = format!("{field}: {count} of them, 1 to {TEXTS_MAX} are taken");
        return Err(ApiError::invalid(line));
    }
    let texts = watermarks.into_iter().map(|JsonObject(mark)| mark.text);
    let checked = texts.enumerate().map(|(index, text)| {
        let chars = text.chars().count();
        if (1..=TEXT_CHARS_MAX).contains(&chars) {
            return Ok(text);
        }
        Err(ApiError::invalid(format!(
            "{field}[{index}].text: {chars} characters, 1 to {TEXT_CHARS_MAX} are taken"
        )))
    });
    checked.collect()
}

/// `POST …/wtr-extract`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateWatermarkExtract {
    #[serde(default)]
    idempotency_key: Value,
    file: JsonObject<ExtractFileBody>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExtractFileBody {
    file_name: String,
    #[serde(default)]
    include_original: Option<bool>,
    #[serde(default)]
    original_file: Option<JsonObject<OriginalFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OriginalFile {
    file_name: String,
}

impl CreateWatermarkExtract {
    /// Checks the body. The file that is looked at comes first, then its original, if asked for.
    ///
    /// # Errors
    /// The vendor's code for what is wrong first.
    pub fn validate(self) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = idempotency_key(&self.idempotency_key)?;
        let JsonObject(file) = self.file;
        check_file_name("file.fileName", &file.file_name, WATERMARK_EXTENSIONS)?;
        let original = file.original_file.map(|JsonObject(file)| file.file_name);
        if let Some(name) = &original {
            check_file_name("file.originalFile.fileName", name, WATERMARK_EXTENSIONS)?;
        }
        let mut files = vec![of_role(Role::Watermarked, file.file_name)];
        if file.include_original == Some(true) {
            let missing = "file.originalFile: missing, and includeOriginal is true";
            let name = original.ok_or_else(|| ApiError::invalid(missing))?;
            files.push(of_role(Role::Original, name));
            let pdf = files
                .iter()
                .find(|file| FileKind::of_name(&file.name).is_some_and(FileKind::is_pdf));
            if let Some(pdf) = pdf {
                let line = format!("file.includeOriginal: not for PDF, as {} is", pdf.name);
                return Err(ApiError::invalid(line));
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
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateWatermarkExtractV3 {
    #[serde(default)]
    idempotency_key: Value,
    file: JsonObject<ExtractFileV3>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExtractFileV3 {
    file_name: String,
    original_file: JsonObject<OriginalFile>,
}

impl CreateWatermarkExtractV3 {
    /// Checks the body. The original comes first.
    ///
    /// # Errors
    /// The vendor's code for what is wrong first.
    pub fn validate(self) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = idempotency_key(&self.idempotency_key)?;
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
                of_role(Role::Original, original.file_name),
                of_role(Role::Watermarked, file.file_name),
            ],
        })
    }
}

fn of_role(role: Role, name: String) -> NewFile {
    NewFile {
        role: Some(role),
        ..NewFile::new(name, FileSource::Upload)
    }
}
