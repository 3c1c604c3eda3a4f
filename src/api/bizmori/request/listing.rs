//! Queries of listings and of the statistics.

use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::model::listing::OrderFilter;
use crate::model::order::OrderState;
use crate::model::time::DAY_MS;
use crate::model::work::Work;
use crate::platform::clock;

const LIMIT: u32 = 10;
/// The most orders of a page.
pub const LIMIT_MAX: u32 = 100;
const ALL: &str = "all";
/// What `channel` may be: ours are all of the first.
const CHANNELS: [&str; 2] = ["api", "web"];

/// `?page&limit&keyword&status&type&channel`.
#[derive(Debug, PartialEq, Eq)]
pub struct ListQuery {
    pub page: u32,
    /// None: all of them on one page.
    pub limit: Option<u32>,
    pub filter: OrderFilter,
    /// Orders of another channel than the API's are meant, of which there are none.
    pub channel_is_not_api: bool,
}

impl ListQuery {
    /// Reads a query; what is left out, and a word that is empty, does not matter.
    ///
    /// # Errors
    /// If a number is none or out of its range, or a word none that is known.
    pub fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let mut list_query = Self {
            page: 1,
            limit: Some(LIMIT),
            filter: OrderFilter::default(),
            channel_is_not_api: false,
        };
        for (name, value) in parameters(query) {
            match name.as_ref() {
                "page" => list_query.page = parse_number(&name, &value, u32::MAX)?,
                "limit" if value == "-1" => list_query.limit = None,
                "limit" => list_query.limit = Some(parse_number(&name, &value, LIMIT_MAX)?),
                "keyword" => list_query.filter.keyword = value,
                "status" => {
                    list_query.filter.status = parse_enum(&name, &value, &OrderState::STATUSES)?;
                }
                "type" => list_query.filter.kind = parse_enum(&name, &value, &Work::BIZMORI)?,
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

    /// How many orders stand before the page.
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
    /// Reads a query, `limit` being `by_default` where it is not given.
    ///
    /// # Errors
    /// If a number is none, or out of its range.
    pub fn parse(query: Option<&str>, by_default: u32) -> Result<Self, ApiError> {
        let mut paging = Self {
            page: 1,
            limit: by_default,
            keyword: String::new(),
        };
        for (name, value) in parameters(query) {
            match name.as_str() {
                "page" => paging.page = parse_number(&name, &value, u32::MAX)?,
                "limit" => paging.limit = parse_number(&name, &value, LIMIT_MAX)?,
                "keyword" => paging.keyword = value,
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

/// Reads `?date` of the statistics: a date, or an instant, of which the UTC day counts. Returns the day
/// as days since 1970.
///
/// # Errors
/// If it is neither.
pub fn stats_day(query: Option<&str>) -> Result<Option<i64>, ApiError> {
    let date = parameters(query).find(|(name, _)| name == "date");
    let Some((_, date)) = date.filter(|(_, date)| !date.is_empty()) else {
        return Ok(None);
    };
    // The + of an offset that a client did not encode.
    let text = date.replace(' ', "+");
    let begin = clock::parse_iso_range(&text).map(|range| range.start().ms().div_euclid(DAY_MS));
    let day = begin.or_else(|| clock::parse_date(&text)).ok_or_else(|| {
        let line = format!("date: {date} is not a date or an instant of ISO 8601");
        ApiError::new(ErrorCode::InvalidParameter, line)
    });
    day.map(Some)
}

fn parameters(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
}

fn parse_number(name: &str, value: &str, max: u32) -> Result<u32, ApiError> {
    let number = value.parse().ok();
    let number = number.filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| {
        let line = format!("{name}: {value} is not a number from 1 to {max}");
        ApiError::new(ErrorCode::InvalidParameter, line)
    })
}

/// The word, none for `all` and where it is empty.
fn parse_enum(
    name: &str,
    value: &str,
    known: &[&'static str],
) -> Result<Option<&'static str>, ApiError> {
    if value.is_empty() || value == ALL {
        return Ok(None);
    }
    let found = known.iter().find(|word| **word == value);
    found.copied().map(Some).ok_or_else(|| {
        let line = format!("{name}: {value} is none of {ALL}, {}", known.join(", "));
        ApiError::new(ErrorCode::InvalidParameter, line)
    })
}
