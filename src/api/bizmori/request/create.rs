//! Orders over pictures: what their create bodies may say.

use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fields::{
    ANTI_AI_EXTENSIONS, DETECTION_EXTENSIONS, check_count, check_file_name, check_url,
    idempotency_key, order_name,
};
use crate::api::bizmori::error::ApiError;
use crate::http::JsonObject;
use crate::model::picture::Strength;
use crate::model::time::Timestamp;
use crate::model::work::{DetectionOptions, Work};
use crate::platform::clock;
use crate::services::orders::{FileSource, NewFile};

/// A create body that was found in order.
#[derive(Debug)]
pub struct ValidatedOrder {
    pub idempotency_key: String,
    pub order_name: Option<String>,
    pub work: Work,
    pub files: Vec<NewFile>,
}

/// `POST …/anti-ai`.
pub type CreateAntiAi = AntiAi<AntiAiFile>;
/// `POST …/anti-ai/with-urls`.
pub type CreateAntiAiWithUrls = AntiAi<UrlFile>;

/// An anti-AI order, its files given as `F`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AntiAi<F> {
    #[serde(default)]
    idempotency_key: Value,
    #[serde(default)]
    order_name: Option<String>,
    #[serde(bound(deserialize = "F: Deserialize<'de>"))]
    files: Vec<JsonObject<F>>,
    #[serde(default)]
    options: Option<JsonObject<AntiAiOptions>>,
    #[serde(default)]
    mode: Option<JsonObject<AntiAiMode>>,
    #[serde(default)]
    output_targets: Option<Vec<JsonObject<OutputTargetBody>>>,
}

/// A file that is uploaded, or taken from a URL.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AntiAiFile {
    file_name: String,
    #[serde(default)]
    original_file_url: Option<String>,
}

/// A file that is taken from a URL.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlFile {
    file_name: String,
    image_url: String,
}

#[derive(Debug, Deserialize)]
struct AntiAiOptions {
    #[serde(default, deserialize_with = "strength")]
    strength: Option<Strength>,
}

/// A strength by name, and by nothing else that is derived for an enum.
fn strength<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Strength>, D::Error> {
    let name = Option::<String>::deserialize(source)?;
    name.map(|name| Strength::deserialize(name.into_deserializer()))
        .transpose()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AntiAiMode {
    #[serde(default)]
    zero_copy: Option<bool>,
}

/// Where an output is put, in zero copy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputTargetBody {
    file_key: String,
    url: String,
    presigned_url_expires_at: String,
}

/// A way of giving a file.
pub trait UrlField {
    /// The name of the field that has its URL; the file's name; the URL, if there is one.
    fn into_parts(self) -> (&'static str, String, Option<String>);
}

impl UrlField for AntiAiFile {
    fn into_parts(self) -> (&'static str, String, Option<String>) {
        ("originalFileUrl", self.file_name, self.original_file_url)
    }
}

impl UrlField for UrlFile {
    fn into_parts(self) -> (&'static str, String, Option<String>) {
        ("imageUrl", self.file_name, Some(self.image_url))
    }
}

impl<F: UrlField> AntiAi<F> {
    /// Checks the body, as asked at `now`.
    ///
    /// # Errors
    /// The vendor's code for what is wrong first.
    pub fn validate(self, now: Timestamp) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = idempotency_key(&self.idempotency_key)?;
        let order_name = order_name(self.order_name)?;
        check_count(&self.files)?;
        let zero_copy = self.mode.and_then(|JsonObject(mode)| mode.zero_copy);
        let targets = match zero_copy {
            Some(true) => targets(self.output_targets, self.files.len(), now)?,
            Some(false) | None => Vec::new(),
        };
        let mut targets = targets.into_iter();
        let mut files = Vec::with_capacity(self.files.len());
        for (index, JsonObject(file)) in self.files.into_iter().enumerate() {
            let (url_field, name, url) = file.into_parts();
            check_file_name(
                &format!("files[{index}].fileName"),
                &name,
                ANTI_AI_EXTENSIONS,
            )?;
            let field = format!("files[{index}].{url_field}");
            files.push(NewFile {
                target: targets.next(),
                ..NewFile::new(name, source(&field, url)?)
            });
        }
        let options = self
            .options
            .and_then(|JsonObject(options)| options.strength);
        Ok(ValidatedOrder {
            idempotency_key,
            order_name,
            work: Work::AntiAi {
                strength: options.unwrap_or_default(),
            },
            files,
        })
    }
}

/// An upload, or the URL that stands in `field`.
pub(super) fn source(field: &str, url: Option<String>) -> Result<FileSource, ApiError> {
    let Some(url) = url else {
        return Ok(FileSource::Upload);
    };
    check_url(field, &url)?;
    Ok(FileSource::Url(url))
}

/// Where the outputs of so many files go.
fn targets(
    provided: Option<Vec<JsonObject<OutputTargetBody>>>,
    files: usize,
    now: Timestamp,
) -> Result<Vec<String>, ApiError> {
    let provided = provided.unwrap_or_default();
    if provided.len() != files {
        let line = format!(
            "outputTargets: {} of them for {files} files in zero copy",
            provided.len()
        );
        return Err(ApiError::invalid(line));
    }
    let targets = provided
        .into_iter()
        .enumerate()
        .map(|(index, JsonObject(target))| {
            let field = |name: &str| format!("outputTargets[{index}].{name}");
            if target.file_key.is_empty() {
                return Err(ApiError::invalid(format!("{}: empty", field("fileKey"))));
            }
            check_url(&field("url"), &target.url)?;
            let expires_at = &target.presigned_url_expires_at;
            let expires_field = field("presignedUrlExpiresAt");
            match clock::parse_iso(expires_at) {
                None => Err(ApiError::invalid(format!(
                    "{expires_field}: {expires_at} is no ISO 8601 time"
                ))),
                Some(at) if at <= now => Err(ApiError::invalid(format!(
                    "{expires_field}: {expires_at} has passed by the account's clock"
                ))),
                Some(_) => Ok(target.url),
            }
        });
    targets.collect()
}

/// `POST …/ai-detection`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateAiDetection {
    #[serde(default)]
    idempotency_key: Value,
    #[serde(default)]
    order_name: Option<String>,
    file_name: String,
    #[serde(default)]
    options: Option<JsonObject<DetectionOptions>>,
}

impl CreateAiDetection {
    /// Checks the body.
    ///
    /// # Errors
    /// The vendor's code for what is wrong first.
    pub fn validate(self) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = idempotency_key(&self.idempotency_key)?;
        let order_name = order_name(self.order_name)?;
        check_file_name("fileName", &self.file_name, DETECTION_EXTENSIONS)?;
        Ok(ValidatedOrder {
            idempotency_key,
            order_name,
            work: Work::AiDetection {
                options: self.options.map(|JsonObject(options)| options),
            },
            files: vec![NewFile::new(self.file_name, FileSource::Upload)],
        })
    }
}
