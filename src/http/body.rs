//! Reading request bodies, with a limit on their size.

use std::borrow::Cow;
use std::error::Error;
use std::marker::PhantomData;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::request_body::BodyStalled;

/// Largest accepted JSON body. A hundred files with ten texts of a thousand characters each fit.
pub const JSON_BYTES_MAX: usize = 8 * 1024 * 1024;

/// JSON object, also where a derived `Deserialize` would accept an array.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct JsonObject<T>(pub T);

/// The schema of `T`. A derived schema would add the description of this type.
impl<T: JsonSchema> JsonSchema for JsonObject<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

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

/// Reason why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    /// The client closed the connection, or the framing is malformed.
    Incomplete,
    /// The client sent no byte within the timeout.
    Stalled(BodyStalled),
}

impl BodyError {
    /// Returns the message for people.
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
    /// Returns [`Self::Stalled`] if a stall caused the error, else [`Self::Incomplete`].
    fn from(error: &(dyn Error + 'static)) -> Self {
        BodyStalled::find(error).map_or(Self::Incomplete, Self::Stalled)
    }
}

/// Reads a body of at most `bytes_max` bytes.
///
/// # Errors
/// Returns a [`BodyError`] if the body is too large, incomplete or stalled.
pub async fn read_bytes(body: Body, bytes_max: usize) -> Result<Bytes, BodyError> {
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Err(error) => {
            let error: &(dyn Error + 'static) = error.as_ref();
            Err(error.into())
        }
    }
}

/// Reads a body of at most [`JSON_BYTES_MAX`] bytes. Returns `true` as well if its media type is JSON.
///
/// # Errors
/// Returns a [`BodyError`] if the body is too large, incomplete or stalled.
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

/// Returns a copy of the body, and leaves the body in the request. `None` if the body is incomplete, or
/// larger than [`JSON_BYTES_MAX`]. The request's body can be read as before in either case.
pub async fn peek_body(request: &mut Request) -> Option<Bytes> {
    let mut body = std::mem::take(request.body_mut());
    let mut bytes = BytesMut::new();
    let error = loop {
        match body.frame().await {
            None => {
                let whole = bytes.freeze();
                *request.body_mut() = Body::from(whole.clone());
                return Some(whole);
            }
            Some(Err(error)) => break Some(Err(error)),
            Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
        }
        if bytes.len() > JSON_BYTES_MAX {
            break None;
        }
    };
    let head = stream::iter(Some(Ok(bytes.freeze())).into_iter().chain(error));
    *request.body_mut() = Body::from_stream(head.chain(body.into_data_stream()));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the length of the peeked body, and of the body that is read afterwards.
    async fn peek_and_read(body: Body) -> (Option<usize>, Option<usize>) {
        let mut request = Request::new(body);
        let peeked = peek_body(&mut request).await.map(|bytes| bytes.len());
        let read = request.into_body().collect().await;
        (peeked, read.ok().map(|body| body.to_bytes().len()))
    }

    #[tokio::test]
    async fn peek_body_leaves_the_body_as_it_was() {
        assert_eq!(peek_and_read(Body::from("{}")).await, (Some(2), Some(2)));
        assert_eq!(peek_and_read(Body::empty()).await, (Some(0), Some(0)));
        let pieces = stream::iter(0..9).map(|_| Ok::<_, axum::Error>(vec![0; 1024 * 1024]));
        let too_large = peek_and_read(Body::from_stream(pieces)).await;
        assert_eq!(too_large, (None, Some(9 * 1024 * 1024)));
        let pieces = [Ok("{"), Err(std::io::Error::other("reset")), Ok("}")];
        let incomplete = peek_and_read(Body::from_stream(stream::iter(pieces))).await;
        assert_eq!(incomplete, (None, None));
    }
}
