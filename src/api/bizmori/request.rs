//! Request bodies and queries, and their validation.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Buf, Bytes};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

mod create;
mod fields;
mod listing;
mod watermark;
mod webhooks;

use super::error::ApiError;
use crate::http::{AppState, JsonObject, read_json};
use crate::model::report::Locale;

pub use create::{CreateAiDetection, CreateAntiAi, CreateAntiAiWithUrls, OrderBody};
use fields::{check_idempotency_key, idempotency_key_schema, require_idempotency_key};
pub use listing::{LIMIT_MAX, ListQuery, ORDER_TYPES, Paging, stats_day, stats_params};
pub use watermark::{
    CreateWatermarkEmbed, CreateWatermarkEmbedV3, CreateWatermarkExtract, CreateWatermarkExtractV3,
};
pub use webhooks::{LegacyWebhookBody, RetryFailed, WebhookBody};

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// JSON object of the shape of `T`, sent as JSON.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// JSON object of the shape of `T`. A missing body counts as `{}`.
#[derive(Debug)]
pub struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalJsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        let (bytes, is_json) = read_body(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(is_json)?;
        parse(&bytes).map(Self)
    }
}

/// Bytes of a body that was sent as JSON.
pub struct JsonBytes(pub Bytes);

impl FromRequest<AppState> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        let (bytes, is_json) = read_body(request).await?;
        require_json(is_json)?;
        Ok(Self(bytes))
    }
}

/// Reads the body of a request. Returns `true` beside it if the body was sent as JSON. A leading byte
/// order mark is skipped, as Express does.
async fn read_body(request: Request) -> Result<(Bytes, bool), ApiError> {
    let (parts, body): (_, Body) = request.into_parts();
    let (mut bytes, is_json) = read_json(&parts.headers, body).await?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.advance(BYTE_ORDER_MARK.len());
    }
    Ok((bytes, is_json))
}

fn require_json(is_json: bool) -> Result<(), ApiError> {
    if is_json {
        Ok(())
    } else {
        Err(ApiError::invalid("Content-Type: expected application/json"))
    }
}

/// Parses a body that is a JSON object.
///
/// # Errors
/// Returns `VALIDATION_FAILED`, with the field that does not have the shape of `T`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let JsonObject(parsed) = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        ApiError::invalid(if inner.is_data() && path != "." {
            format!("{path}: {inner}")
        } else {
            format!("body: {inner}")
        })
    })?;
    source
        .end()
        .map_err(|error| ApiError::invalid(format!("body: {error}")))?;
    Ok(parsed)
}

/// Returns the SHA-256 of a JSON body, in hex. Whitespace and the order of fields do not count.
///
/// # Errors
/// Returns `VALIDATION_FAILED` if the body is not a JSON object.
pub fn content_digest(bytes: &[u8]) -> Result<String, ApiError> {
    let json: Value = parse(bytes)?;
    Ok(hex::encode(Sha256::digest(json.to_string())))
}

/// `POST …/confirm`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = require_idempotency_key)]
pub struct Confirm {
    #[serde(default)]
    #[schemars(schema_with = "idempotency_key_schema")]
    idempotency_key: Value,
    pub order_id: String,
}

impl Confirm {
    /// Returns the idempotency key.
    ///
    /// # Errors
    /// Returns `VALIDATION_IDEMPOTENCY_KEY_INVALID` if the key is missing or invalid.
    pub fn key(&self) -> Result<String, ApiError> {
        check_idempotency_key(&self.idempotency_key)
    }
}

/// `POST …/reports`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ReportBody {
    /// `ko-KR` if omitted.
    #[serde(default)]
    #[schemars(extend("enum" = locales()))]
    pub locale: Option<String>,
}

/// Returns the tags of all locales, and null.
fn locales() -> Vec<Value> {
    let tags = Locale::ALL.iter().map(|locale| json!(locale.tag()));
    tags.chain([Value::Null]).collect()
}
