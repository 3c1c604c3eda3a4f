//! What clients send: bodies and queries, and what the vendor takes of them.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{Code, Refusal};
use crate::model::picture::Strength;
use crate::model::work::DetectionOptions;
use crate::web::{Context, Object, read_json};

const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
const ORDER_NAME_CHARS_MAX: usize = 64;
const FILE_NAME_CHARS_MAX: usize = 255;
/// With what stands before it in any key, no more than S3's 1024 bytes.
const FILE_NAME_BYTES_MAX: usize = 960;
const FILES_MAX: usize = 100;
const PICTURE_EXTENSIONS: [&str; 7] = ["jpg", "jpeg", "png", "webp", "bmp", "tiff", "tif"];

/// A JSON body, sent as JSON, of the shape of `T`.
#[derive(Debug)]
pub struct Read<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Context> for Read<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Context) -> Result<Self, Refusal> {
        let (parts, body): (_, Body) = request.into_parts();
        let (bytes, sent_as_json) = read_json(&parts.headers, body).await?;
        if !sent_as_json {
            return Err(Refusal::invalid("Content-Type: is not application/json"));
        }
        parse(&bytes).map(Self)
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

/// `POST …/anti-ai`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateAntiAi {
    #[serde(default)]
    idempotency_key: Value,
    #[serde(default)]
    order_name: Option<String>,
    files: Vec<Object<AntiAiFile>>,
    #[serde(default)]
    options: Option<Object<AntiAiOptions>>,
    #[serde(default)]
    mode: Option<Object<Mode>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AntiAiFile {
    file_name: String,
    #[serde(default)]
    original_file_url: Option<String>,
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
struct Mode {
    #[serde(default)]
    zero_copy: Option<bool>,
}

/// A create body that was found in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked<T> {
    pub idempotency_key: String,
    pub order_name: Option<String>,
    pub file_names: Vec<String>,
    pub what: T,
}

impl CreateAntiAi {
    /// Checks the body.
    ///
    /// # Errors
    /// The vendor's code for what is wrong first.
    pub fn check(self) -> Result<Asked<Strength>, Refusal> {
        let idempotency_key = idempotency_key(&self.idempotency_key)?;
        let order_name = order_name(self.order_name)?;
        if self.files.is_empty() || self.files.len() > FILES_MAX {
            return Err(Refusal::invalid(format!(
                "files: {} of them, 1 to {FILES_MAX} are taken",
                self.files.len()
            )));
        }
        for (index, Object(file)) in self.files.iter().enumerate() {
            check_file_name(&format!("files[{index}].fileName"), &file.file_name)?;
        }
        if self
            .files
            .iter()
            .any(|Object(file)| file.original_file_url.is_some())
        {
            return Err(not_emulated("files[].originalFileUrl"));
        }
        if self.mode.and_then(|Object(mode)| mode.zero_copy) == Some(true) {
            return Err(not_emulated("mode.zeroCopy"));
        }
        Ok(Asked {
            idempotency_key,
            order_name,
            file_names: self
                .files
                .into_iter()
                .map(|Object(file)| file.file_name)
                .collect(),
            what: self
                .options
                .and_then(|Object(options)| options.strength)
                .unwrap_or_default(),
        })
    }
}

fn not_emulated(field: &str) -> Refusal {
    Refusal::new(
        Code::ServiceUnavailable,
        format!("{field}: stuntdouble does not emulate this yet"),
    )
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
    options: Option<Object<DetectionOptions>>,
}

impl CreateAiDetection {
    /// Checks the body.
    ///
    /// # Errors
    /// The vendor's code for what is wrong first.
    pub fn check(self) -> Result<Asked<Option<DetectionOptions>>, Refusal> {
        let idempotency_key = idempotency_key(&self.idempotency_key)?;
        let order_name = order_name(self.order_name)?;
        check_file_name("fileName", &self.file_name)?;
        Ok(Asked {
            idempotency_key,
            order_name,
            file_names: vec![self.file_name],
            what: self.options.map(|Object(options)| options),
        })
    }
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

fn idempotency_key(value: &Value) -> Result<String, Refusal> {
    let refused = |line: String| {
        Err(Refusal::new(
            Code::ValidationIdempotencyKeyInvalid,
            format!("idempotencyKey: {line}"),
        ))
    };
    let key = match value {
        Value::String(key) => key,
        Value::Null => return refused("missing".to_owned()),
        other => return refused(format!("{other} is no string")),
    };
    match key.chars().count() {
        0 => refused("empty".to_owned()),
        chars if chars > IDEMPOTENCY_KEY_CHARS_MAX => refused(format!(
            "{chars} characters, {IDEMPOTENCY_KEY_CHARS_MAX} are taken"
        )),
        _ => Ok(key.clone()),
    }
}

/// An empty name is as good as none.
fn order_name(name: Option<String>) -> Result<Option<String>, Refusal> {
    let chars = name.as_deref().map_or(0, |name| name.chars().count());
    if chars > ORDER_NAME_CHARS_MAX {
        return Err(Refusal::invalid(format!(
            "orderName: {chars} characters, {ORDER_NAME_CHARS_MAX} are taken"
        )));
    }
    Ok(name.filter(|name| !name.is_empty()))
}

fn check_file_name(field: &str, name: &str) -> Result<(), Refusal> {
    let chars = name.chars().count();
    let refused = |line: String| Err(Refusal::invalid(format!("{field}: {line}")));
    if chars > FILE_NAME_CHARS_MAX {
        return refused(format!(
            "{chars} characters, {FILE_NAME_CHARS_MAX} are taken"
        ));
    }
    if name.len() > FILE_NAME_BYTES_MAX {
        return refused(format!(
            "{} bytes, {FILE_NAME_BYTES_MAX} are taken",
            name.len()
        ));
    }
    if let Some(bad) = name
        .chars()
        .find(|c| matches!(c, '/' | '\\') || c.is_control())
    {
        return refused(format!("{bad:?} has no place in a file name"));
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => {
            if PICTURE_EXTENSIONS
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
            {
                Ok(())
            } else {
                refused(format!("extension .{extension} is not supported"))
            }
        }
        _ => refused(format!("{name:?} has no extension")),
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
