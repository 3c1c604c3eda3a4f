//! What clients send: bodies and queries, and what the vendor takes of them.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

mod create;
mod fields;
mod listing;
mod watermark;

use super::error::{Code, Refusal};
use crate::web::{Context, Object, read_json};

const WEBHOOK_NAME_CHARS_MAX: usize = 100;

pub use create::{Asked, CreateAiDetection, CreateAntiAi, CreateAntiAiWithUrls};
use fields::{check_url, idempotency_key};
pub use listing::{ListQuery, stats_day};
pub use watermark::{CreateWatermarkEmbed, CreateWatermarkExtract, CreateWatermarkExtractV3};

/// A JSON body, sent as JSON, of the shape of `T`.
#[derive(Debug)]
pub struct Read<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Context> for Read<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Refusal> {
        let Sent(bytes) = Sent::from_request(request, context).await?;
        parse(&bytes).map(Self)
    }
}

/// The same, with the SHA-256 of what the body says, in hex; the order of its fields and its
/// blanks do not count.
#[derive(Debug)]
pub struct ReadWithDigest<T>(pub T, pub String);

impl<T: DeserializeOwned> FromRequest<Context> for ReadWithDigest<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Refusal> {
        let bytes = Sent::from_request(request, context).await?.0;
        let body = parse(&bytes)?;
        let said: Value = parse(&bytes)?;
        Ok(Self(body, hex::encode(Sha256::digest(said.to_string()))))
    }
}

/// The same, or no body at all, which is as good as `{}`.
#[derive(Debug)]
pub struct ReadOrEmpty<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<Context> for ReadOrEmpty<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Context) -> Result<Self, Refusal> {
        let (parts, body): (_, Body) = request.into_parts();
        let (bytes, sent_as_json) = read_json(&parts.headers, body).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        as_json(sent_as_json)?;
        parse(&bytes).map(Self)
    }
}

/// A body that was sent as JSON.
struct Sent(Bytes);

impl FromRequest<Context> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Context) -> Result<Self, Refusal> {
        let (parts, body): (_, Body) = request.into_parts();
        let (bytes, sent_as_json) = read_json(&parts.headers, body).await?;
        as_json(sent_as_json)?;
        Ok(Self(bytes))
    }
}

fn as_json(sent_as_json: bool) -> Result<(), Refusal> {
    if sent_as_json {
        Ok(())
    } else {
        Err(Refusal::invalid("Content-Type: is not application/json"))
    }
}

fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Refusal> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let Object(parsed) = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        Refusal::invalid(if inner.is_data() && path != "." {
            format!("{path}: {inner}")
        } else {
            format!("body: {inner}")
        })
    })?;
    source
        .end()
        .map_err(|error| Refusal::invalid(format!("body: {error}")))?;
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
    pub fn key(&self) -> Result<String, Refusal> {
        idempotency_key(&self.idempotency_key)
    }
}

/// `POST …/reports`.
#[derive(Debug, Default, Deserialize)]
pub struct ReportBody {
    #[serde(default)]
    pub locale: Option<String>,
}

/// `POST …/webhooks` and `PUT …/webhooks/{id}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookBody {
    #[serde(default)]
    pub name: Option<String>,
    pub url: String,
    #[serde(default)]
    pub is_test: Option<bool>,
}

impl WebhookBody {
    /// Checks the body.
    ///
    /// # Errors
    /// If the name is too long, or the URL none that can be posted to.
    pub fn check(self) -> Result<Self, Refusal> {
        let name_chars = self.name.as_deref().map_or(0, |name| name.chars().count());
        if name_chars > WEBHOOK_NAME_CHARS_MAX {
            return Err(Refusal::invalid(format!(
                "name: {name_chars} characters, {WEBHOOK_NAME_CHARS_MAX} are taken"
            )));
        }
        check_url("url", &self.url)?;
        Ok(self)
    }
}

/// `?page&limit&keyword` of a listing.
#[derive(Debug, PartialEq, Eq)]
pub struct Paging {
    pub page: u32,
    pub limit: u32,
    pub keyword: String,
}

impl Paging {
    /// Reads a query, `limit` being `by_default` where it is not given.
    ///
    /// # Errors
    /// If a number is none, or out of its range.
    pub fn read(query: Option<&str>, by_default: u32) -> Result<Self, Refusal> {
        const LIMIT_MAX: u32 = 100;
        let mut paging = Self {
            page: 1,
            limit: by_default,
            keyword: String::new(),
        };
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let number = |max: u32| {
                value
                    .parse::<u32>()
                    .ok()
                    .filter(|number| (1..=max).contains(number))
                    .ok_or_else(|| {
                        let line = format!("{name}: {value} is not a number from 1 to {max}");
                        Refusal::new(Code::InvalidParameter, line)
                    })
            };
            match name.as_ref() {
                "page" => paging.page = number(u32::MAX)?,
                "limit" => paging.limit = number(LIMIT_MAX)?,
                "keyword" => paging.keyword = value.into_owned(),
                _ => {}
            }
        }
        Ok(paging)
    }

    /// How many items stand before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.limit)
    }

    /// How many pages so many items fill.
    #[must_use]
    pub fn pages(&self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.limit))
    }
}
