//! Bodies that create orders, and their validation: anti-AI and AI detection.

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fields::{
    ANTI_AI_EXTENSIONS, DETECTION_EXTENSIONS, FILES_MAX, ORDER_NAME_CHARS_MAX, check_file_count,
    check_file_name, check_idempotency_key, check_order_name, check_url, file_name_schema,
    idempotency_key_schema, require_idempotency_key,
};
use crate::api::bizmori::error::ApiError;
use crate::http::JsonObject;
use crate::model::order::ApiVersion;
use crate::model::picture::Strength;
use crate::model::time::Timestamp;
use crate::model::work::{DetectionOptions, Work};
use crate::platform::clock;
use crate::services::orders::{FileSource, NewFile};

/// Body of a route that creates an order.
pub trait OrderBody: DeserializeOwned {
    /// Version of the API that has the route.
    const API: ApiVersion;

    /// Checks the body. `now` is the now of the account's clock.
    ///
    /// # Errors
    /// Returns the vendor's code for the first field that is invalid.
    fn validate(self, now: Timestamp) -> Result<ValidatedOrder, ApiError>;
}

/// Content of a valid create body.
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

// `F` is the shape of its files.
/// Anti-AI order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = require_idempotency_key)]
pub struct AntiAi<F> {
    #[serde(default)]
    #[schemars(schema_with = "idempotency_key_schema")]
    idempotency_key: Value,
    /// Named after type and date if omitted or empty.
    #[serde(default)]
    #[schemars(length(max = ORDER_NAME_CHARS_MAX))]
    order_name: Option<String>,
    #[serde(bound(deserialize = "F: Deserialize<'de>"))]
    #[schemars(length(min = 1, max = FILES_MAX))]
    files: Vec<JsonObject<F>>,
    #[serde(default)]
    options: Option<JsonObject<AntiAiOptions>>,
    #[serde(default)]
    mode: Option<JsonObject<AntiAiMode>>,
    /// One per file. Required if `zeroCopy` is true.
    #[serde(default)]
    output_targets: Option<Vec<JsonObject<OutputTargetBody>>>,
}

/// File that is uploaded, or fetched from a URL.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AntiAiFile {
    #[schemars(schema_with = "file_name_schema")]
    file_name: String,
    /// The file is fetched from this URL. It is uploaded if omitted.
    #[serde(default)]
    #[schemars(extend("format" = "uri"))]
    original_file_url: Option<String>,
}

/// File that is fetched from a URL.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UrlFile {
    #[schemars(schema_with = "file_name_schema")]
    file_name: String,
    #[schemars(extend("format" = "uri"))]
    image_url: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct AntiAiOptions {
    /// `high` if omitted.
    #[serde(default, deserialize_with = "parse_strength")]
    strength: Option<Strength>,
}

/// Reads a strength by its name. The derived `Deserialize` of an enum would take other shapes as well.
fn parse_strength<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Strength>, D::Error> {
    let name = Option::<String>::deserialize(source)?;
    name.map(|name| Strength::deserialize(name.into_deserializer()))
        .transpose()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AntiAiMode {
    /// Delivers the outputs to `outputTargets`.
    #[serde(default)]
    zero_copy: Option<bool>,
}

/// Presigned URL in the client's storage to which an output is delivered (zero copy).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OutputTargetBody {
    #[schemars(length(min = 1))]
    file_key: String,
    #[schemars(extend("format" = "uri"))]
    url: String,
    #[schemars(extend("format" = "date-time"))]
    presigned_url_expires_at: String,
}

/// Shape of a file in an anti-AI order.
pub trait AntiAiFileBody {
    /// Name of the field with the URL.
    const URL_FIELD: &'static str;

    /// Returns the file's name and its URL. No URL if the file is uploaded.
    fn into_parts(self) -> (String, Option<String>);
}

impl AntiAiFileBody for AntiAiFile {
    const URL_FIELD: &'static str = "originalFileUrl";

    fn into_parts(self) -> (String, Option<String>) {
        (self.file_name, self.original_file_url)
    }
}

impl AntiAiFileBody for UrlFile {
    const URL_FIELD: &'static str = "imageUrl";

    fn into_parts(self) -> (String, Option<String>) {
        (self.file_name, Some(self.image_url))
    }
}

impl<F: AntiAiFileBody + DeserializeOwned> OrderBody for AntiAi<F> {
    const API: ApiVersion = ApiVersion::V2;

    fn validate(self, now: Timestamp) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = check_idempotency_key(&self.idempotency_key)?;
        let order_name = check_order_name(self.order_name)?;
        check_file_count(&self.files)?;
        let zero_copy = self.mode.and_then(|JsonObject(mode)| mode.zero_copy);
        let target_urls = if zero_copy == Some(true) {
            output_target_urls(self.output_targets, self.files.len(), now)?
        } else {
            Vec::new()
        };
        let mut next_target = target_urls.into_iter();
        let mut files = Vec::with_capacity(self.files.len());
        for (index, JsonObject(file)) in self.files.into_iter().enumerate() {
            let (name, url) = file.into_parts();
            let name_field = format!("files[{index}].fileName");
            check_file_name(&name_field, &name, ANTI_AI_EXTENSIONS)?;
            let url_field = format!("files[{index}].{}", F::URL_FIELD);
            files.push(NewFile {
                target: next_target.next(),
                ..NewFile::new(name, file_source(&url_field, url)?)
            });
        }
        let strength = self
            .options
            .and_then(|JsonObject(options)| options.strength);
        Ok(ValidatedOrder {
            idempotency_key,
            order_name,
            work: Work::AntiAi {
                strength: strength.unwrap_or_default(),
            },
            files,
        })
    }
}

/// Returns the source of a file: `url`, the value of `field`, or an upload without it.
///
/// # Errors
/// Returns `VALIDATION_FAILED` if `url` cannot be called.
pub(super) fn file_source(field: &str, url: Option<String>) -> Result<FileSource, ApiError> {
    let Some(url) = url else {
        return Ok(FileSource::Upload);
    };
    check_url(field, &url)?;
    Ok(FileSource::Url(url))
}

/// Checks the targets of zero copy, one per file, and returns their URLs.
fn output_target_urls(
    targets: Option<Vec<JsonObject<OutputTargetBody>>>,
    file_count: usize,
    now: Timestamp,
) -> Result<Vec<String>, ApiError> {
    let targets = targets.unwrap_or_default();
    if targets.len() != file_count {
        return Err(ApiError::invalid(format!(
            "outputTargets: expected {file_count}, one per file, got {}",
            targets.len()
        )));
    }
    let urls = targets
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
                    "{expires_field}: not an ISO 8601 time: {expires_at:?}"
                ))),
                Some(at) if at <= now => Err(ApiError::invalid(format!(
                    "{expires_field}: {expires_at} has passed by the account's clock"
                ))),
                Some(_) => Ok(target.url),
            }
        });
    urls.collect()
}

/// `POST …/ai-detection`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = require_idempotency_key)]
pub struct CreateAiDetection {
    #[serde(default)]
    #[schemars(schema_with = "idempotency_key_schema")]
    idempotency_key: Value,
    /// Named after type and date if omitted or empty.
    #[serde(default)]
    #[schemars(length(max = ORDER_NAME_CHARS_MAX))]
    order_name: Option<String>,
    #[schemars(schema_with = "file_name_schema")]
    file_name: String,
    #[serde(default)]
    options: Option<JsonObject<DetectionOptions>>,
}

impl OrderBody for CreateAiDetection {
    const API: ApiVersion = ApiVersion::V2;

    fn validate(self, _: Timestamp) -> Result<ValidatedOrder, ApiError> {
        let idempotency_key = check_idempotency_key(&self.idempotency_key)?;
        let order_name = check_order_name(self.order_name)?;
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
