//! What clients send: bodies and queries, and what the vendor takes of them.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Buf, Bytes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

mod create;
mod fields;
mod listing;
mod watermark;
mod webhooks;

use super::error::ApiError;
use crate::http::{AppState, JsonObject, read_json};

pub use create::{CreateAiDetection, CreateAntiAi, CreateAntiAiWithUrls, ValidatedOrder};
use fields::idempotency_key;
pub use listing::{LIMIT_MAX, ListQuery, Paging, stats_day};
pub use watermark::{CreateWatermarkEmbed, CreateWatermarkExtract, CreateWatermarkExtractV3};
pub use webhooks::{LegacyWebhookBody, RetryFailed, WebhookBody};

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A JSON body, sent as JSON, of the shape of `T`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, context: &AppState) -> Result<Self, ApiError> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, context).await?;
        parse(&bytes).map(Self)
    }
}

/// The same, with the SHA-256 of what the body says, in hex; the order of its fields and its
/// blanks do not count.
#[derive(Debug)]
pub struct JsonBodyWithDigest<T>(pub T, pub String);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBodyWithDigest<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, context: &AppState) -> Result<Self, ApiError> {
        let bytes = JsonBytes::from_request(request, context).await?.0;
        let body = parse(&bytes)?;
        let json: Value = parse(&bytes)?;
        Ok(Self(body, hex::encode(Sha256::digest(json.to_string()))))
    }
}

/// The same, or no body at all, which is as good as `{}`.
#[derive(Debug)]
pub struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalJsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        let (bytes, sent_as_json) = read_body(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(sent_as_json)?;
        parse(&bytes).map(Self)
    }
}

/// A body that was sent as JSON.
struct JsonBytes(Bytes);

impl FromRequest<AppState> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        let (bytes, sent_as_json) = read_body(request).await?;
        require_json(sent_as_json)?;
        Ok(Self(bytes))
    }
}

/// Reads the body of a request, and whether it was sent as JSON. A leading byte order mark is skipped, as
/// Express does.
async fn read_body(request: Request) -> Result<(Bytes, bool), ApiError> {
    let (parts, body): (_, Body) = request.into_parts();
    let (mut bytes, sent_as_json) = read_json(&parts.headers, body).await?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.advance(BYTE_ORDER_MARK.len());
    }
    Ok((bytes, sent_as_json))
}

fn require_json(sent_as_json: bool) -> Result<(), ApiError> {
    if sent_as_json {
        Ok(())
    } else {
        Err(ApiError::invalid("Content-Type: is not application/json"))
    }
}

/// The body, if it is a JSON object of the shape of `T`.
///
/// # Errors
/// Names the field that does not fit.
pub fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiError> {
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

/// `POST …/confirm`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirm {
    #[serde(default)]
    idempotency_key: Value,
    pub order_id: String,
}

impl Confirm {
    /// Its idempotency key.
    ///
    /// # Errors
    /// If there is none that is taken.
    pub fn key(&self) -> Result<String, ApiError> {
        idempotency_key(&self.idempotency_key)
    }
}

/// `POST …/reports`.
#[derive(Debug, Default, Deserialize)]
pub struct ReportBody {
    #[serde(default)]
    pub locale: Option<String>,
}
