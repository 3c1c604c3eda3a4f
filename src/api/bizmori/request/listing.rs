//! Query strings of listings and of the statistics.

use serde_json::{Value, json};

use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::http::openapi::Param;
use crate::model::listing::OrderFilter;
use crate::model::order::OrderState;
use crate::model::time::DAY_MS;
use crate::platform::clock;

const LIMIT_DEFAULT: u32 = 10;
/// Items on a page.
pub const LIMIT_MAX: u32 = 100;
/// Value of an enum parameter that does not filter.
const ALL: &str = "all";
/// Types of orders in a listing.
pub const ORDER_TYPES: [&str; 4] = [
    "antiAi",
    "watermarkEmbed",
    "watermarkExtract",
    "aiDetection",
];
/// Values of `channel`. Every order has the first.
const CHANNELS: [&str; 2] = ["api", "web"];

/// `?page&limit&keyword&status&type&channel`. [`ListQuery::params`] describes the parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct ListQuery {
    pub page: u32,
    /// `None` for `-1`: all orders on one page.
    pub limit: Option<u32>,
    pub filter: OrderFilter,
    /// `true` if the query requests orders of another channel. No order has one.
    pub channel_is_not_api: bool,
}

impl ListQuery {
    /// Describes the parameters.
    #[must_use]
    pub fn params() -> Vec<Param> {
        let limit =
            json!({"anyOf": [number_schema(LIMIT_MAX), {"const": -1}], "default": LIMIT_DEFAULT});
        vec![
            param(
                "page",
                json!({"type": "integer", "minimum": 1, "default": 1}),
            ),
            param("limit", limit),
            param("keyword", json!({"type": "string"})),
            param("status", enum_schema(&OrderState::STATUSES)),
            param("type", enum_schema(&ORDER_TYPES)),
            param("channel", enum_schema(&CHANNELS)),
        ]
    }

    /// Reads a query. A missing parameter, an empty word and an unknown parameter are ignored.
    ///
    /// # Errors
    /// Returns `INVALID_PARAMETER` if a number is malformed or out of range, or a word is unknown.
    pub fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let mut list_query = Self {
            page: 1,
            limit: Some(LIMIT_DEFAULT),
            filter: OrderFilter::default(),
            channel_is_not_api: false,
        };
        for (name, value) in parse_query(query) {
            match name.as_ref() {
                "page" => list_query.page = parse_number(&name, &value, u32::MAX)?,
                "limit" if value == "-1" => list_query.limit = None,
                "limit" => list_query.limit = Some(parse_number(&name, &value, LIMIT_MAX)?),
                "keyword" => list_query.filter.keyword = value,
                "status" => {
                    list_query.filter.status = parse_enum(&name, &value, &OrderState::STATUSES)?;
                }
                "type" => list_query.filter.kind = parse_enum(&name, &value, &ORDER_TYPES)?,
                "channel" => {
                    let channel = parse_enum(&name, &value, &CHANNELS)?;
                    list_query.channel_is_not_api =
                        channel.is_some_and(|channel| channel != CHANNELS[0]);
                }
                _ => {}
            }
        }
        Ok(list_query)
    }

    /// Number of orders before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.limit
            .map_or(0, |limit| u64::from(self.page - 1) * u64::from(limit))
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
    /// Describes `page` and `limit`.
    #[must_use]
    pub fn params(limit_default: u32) -> Vec<Param> {
        let mut limit = number_schema(LIMIT_MAX);
        limit["default"] = json!(limit_default);
        vec![
            param(
                "page",
                json!({"type": "integer", "minimum": 1, "default": 1}),
            ),
            param("limit", limit),
        ]
    }

    /// Describes `keyword`.
    #[must_use]
    pub fn keyword_param() -> Param {
        param("keyword", json!({"type": "string"}))
    }

    /// Reads a query. `limit_default` is the limit if the query has none.
    ///
    /// # Errors
    /// Returns `INVALID_PARAMETER` if a number is malformed or out of range.
    pub fn parse(query: Option<&str>, limit_default: u32) -> Result<Self, ApiError> {
        let mut paging = Self {
            page: 1,
            limit: limit_default,
            keyword: String::new(),
        };
        for (name, value) in parse_query(query) {
            match name.as_str() {
                "page" => paging.page = parse_number(&name, &value, u32::MAX)?,
                "limit" => paging.limit = parse_number(&name, &value, LIMIT_MAX)?,
                "keyword" => paging.keyword = value,
                _ => {}
            }
        }
        Ok(paging)
    }

    /// Number of items before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.limit)
    }

    /// Number of pages that `total` items fill.
    #[must_use]
    pub fn pages(&self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.limit))
    }
}

/// Describes `?date` of the statistics.
#[must_use]
pub fn stats_params() -> Vec<Param> {
    vec![param("date", json!({"type": "string"}))]
}

/// Reads `?date` of the statistics: a date, or an instant, of which the UTC day counts. Returns the day
/// as days since 1970. `None` if there is no date.
///
/// # Errors
/// Returns `INVALID_PARAMETER` if the value is neither a date nor an instant.
pub fn stats_day(query: Option<&str>) -> Result<Option<i64>, ApiError> {
    let date = parse_query(query).find(|(name, _)| name == "date");
    let Some((_, date)) = date.filter(|(_, date)| !date.is_empty()) else {
        return Ok(None);
    };
    // A client that does not encode the `+` of an offset sends a blank.
    let text = date.replace(' ', "+");
    let instant_day =
        clock::parse_iso_range(&text).map(|range| range.start().ms().div_euclid(DAY_MS));
    let parsed = instant_day.or_else(|| clock::parse_date(&text));
    let day = parsed.ok_or_else(|| {
        let message = format!("date: expected an ISO 8601 date or instant, got {date:?}");
        ApiError::new(ErrorCode::InvalidParameter, message)
    })?;
    Ok(Some(day))
}

fn param(name: &'static str, schema: Value) -> Param {
    Param {
        name,
        required: false,
        schema,
    }
}

fn number_schema(max: u32) -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": max})
}

/// Returns the schema of a parameter that [`parse_enum`] reads.
fn enum_schema(known: &[&str]) -> Value {
    let words: Vec<&str> = [ALL].into_iter().chain(known.iter().copied()).collect();
    json!({"type": "string", "enum": words, "default": ALL})
}

fn parse_query(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
}

fn parse_number(name: &str, value: &str, max: u32) -> Result<u32, ApiError> {
    match value.parse() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => {
            let message = format!("{name}: expected a number from 1 to {max}, got {value:?}");
            Err(ApiError::new(ErrorCode::InvalidParameter, message))
        }
    }
}

/// Reads one of the words `known`. `None` for `all` and for an empty value: no filter.
fn parse_enum(
    name: &str,
    value: &str,
    known: &[&'static str],
) -> Result<Option<&'static str>, ApiError> {
    if value.is_empty() || value == ALL {
        return Ok(None);
    }
    let word = known.iter().find(|word| **word == value);
    word.copied().map(Some).ok_or_else(|| {
        let words = known.join(", ");
        let message = format!("{name}: must be one of: {ALL}, {words} (got {value})");
        ApiError::new(ErrorCode::InvalidParameter, message)
    })
}
