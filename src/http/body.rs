//! JSON bodies, bounded.

use std::error::Error;
use std::marker::PhantomData;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::request_body::BodyStalled;

/// Largest JSON body taken: a hundred files with ten texts of a thousand characters fit.
pub const JSON_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A JSON object of the shape of `T`: what is derived for `T` alone takes arrays as well.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(JsonObject)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Why a body could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    /// The client went away, or its framing is broken.
    Incomplete,
    /// The client sent no byte for too long.
    Stalled(BodyStalled),
}

impl BodyError {
    /// The line for people.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::TooLarge => format!("the body is larger than {JSON_BYTES_MAX} bytes"),
            Self::Incomplete => "the body was cut short".to_owned(),
            Self::Stalled(stalled) => stalled.to_string(),
        }
    }
}

impl From<&(dyn Error + 'static)> for BodyError {
    /// Returns the refusal that an error of reading a body amounts to.
    fn from(error: &(dyn Error + 'static)) -> Self {
        BodyStalled::find(error).map_or(Self::Incomplete, Self::Stalled)
    }
}

/// Reads a body of so many bytes at most.
///
/// # Errors
/// If it is too large, or ends before its end.
pub async fn read_bytes(body: Body, bytes_max: usize) -> Result<Bytes, BodyError> {
    let read = Limited::new(body, bytes_max).collect().await;
    let read = read.map_err(|error| {
        if error.is::<LengthLimitError>() {
            BodyError::TooLarge
        } else {
            let error: &(dyn Error + 'static) = error.as_ref();
            error.into()
        }
    })?;
    Ok(read.to_bytes())
}

/// Reads a body meant to be JSON, and whether it was sent as JSON.
///
/// # Errors
/// If it is too large, or ends before its end.
pub async fn read_json(headers: &HeaderMap, body: Body) -> Result<(Bytes, bool), BodyError> {
    let bytes = read_bytes(body, JSON_BYTES_MAX).await?;
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    Ok((bytes, is_json))
}
