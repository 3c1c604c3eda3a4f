//! Paged lists: `limit` and `after` in the query, `next` in the response.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::response::Response;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::json;

use super::error::ControlError;
use super::error_code::ControlErrorCode;
use super::query::ControlQuery;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{StreamError, serialize_item, stream_listing};
use crate::model::listing::Span;
use crate::storage::db::InternalError;

const LIMIT_DEFAULT: u32 = 100;
const LIMITS: RangeInclusive<u32> = 1..=1_000;
/// Rows that are held in memory at a time while a client reads a list.
const CHUNK_ROWS: u32 = 32;

/// Page that a query selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageParams<C> {
    pub limit: u32,
    /// Cursor, which is the `next` of the previous page. `None` for the first page.
    pub after: Option<C>,
}

impl<C: FromStr> PageParams<C> {
    /// Reads `limit` and `after`.
    ///
    /// # Errors
    /// Returns an error if a parameter is malformed.
    pub fn read(query: &ControlQuery) -> Result<Self, ControlError> {
        let after = query.text("after").map(|value| {
            value.parse().map_err(|_| {
                let message = format!("after: invalid cursor {value}");
                ControlError::new(
                    ControlErrorCode::BadQuery,
                    message,
                    "send the value of next of the previous page",
                )
            })
        });
        Ok(Self {
            limit: query.limit(LIMIT_DEFAULT, LIMITS)?,
            after: after.transpose()?,
        })
    }
}

/// Returns `others` and the parameters of a page.
pub fn describe_params(others: impl IntoIterator<Item = Param>) -> Vec<Param> {
    let input = |name, schema| Param {
        name,
        required: false,
        schema,
    };
    let (limit_min, limit_max) = LIMITS.into_inner();
    let limit = json!({"type": "integer", "minimum": limit_min, "maximum": limit_max});
    let page = [
        input("limit", limit),
        input("after", json!({"type": "string"})),
    ];
    others.into_iter().chain(page).collect()
}

/// Describes the parameters of a page.
pub fn describe_page(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    doc.describe_param(
        "limit",
        "Maximum number of entries on the page; 100 if omitted.",
    )
    .describe_param(
        "after",
        "Value of `next` of the previous page; the first page if omitted.",
    )
}

/// Returns the cursor of the page after a span of rows. `None` if the span is the last page.
pub fn next_of(span: Option<Span>) -> Option<String> {
    let span = span.filter(|span| span.has_more)?;
    Some(span.first.to_string())
}

/// Cuts a list of up to `limit` + 1 entries to `limit` and returns the cursor of the next page.
/// `None` if there is no next page.
pub fn cut_page<T, C: Display>(
    entries: &mut Vec<T>,
    limit: u32,
    cursor: impl Fn(&T) -> C,
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if entries.len() <= limit {
        return None;
    }
    entries.truncate(limit);
    entries.last().map(|last| cursor(last).to_string())
}

/// Responds with `frame`, whose list `field` is filled with the entries.
///
/// # Errors
/// Returns an error if an entry cannot be serialised.
pub async fn page_response<T, S: Serialize>(
    frame: &impl Serialize,
    field: &str,
    entries: Vec<T>,
    show: impl Fn(T) -> Option<S> + Send + 'static,
) -> Result<Response, ControlError>
where
    T: Send + 'static,
{
    let items = stream::iter(entries).filter_map(move |entry| {
        let shown = show(entry).map(|shown| serialize_item(&shown));
        std::future::ready(shown)
    });
    Ok(stream_listing(frame, field, items).await?)
}

/// Responds with `frame`, whose list `field` is filled with the rows of the span. Rows are read
/// from the database as the client reads the response.
///
/// # Errors
/// Returns an error if the first rows cannot be read.
pub async fn span_response<T, S, F>(
    frame: &impl Serialize,
    field: &str,
    span: Option<Span>,
    read: impl Fn((i64, i64), u32) -> F + Send + 'static,
    show: impl Fn(T) -> Option<S> + Clone + Send + 'static,
) -> Result<Response, ControlError>
where
    T: Send + 'static,
    S: Serialize,
    F: Future<Output = Result<Vec<(i64, T)>, InternalError>> + Send + 'static,
{
    let items = span_rows(span, read).try_filter_map(move |row| {
        let shown = show(row).map(|shown| serialize_item(&shown));
        std::future::ready(shown.transpose())
    });
    Ok(stream_listing(frame, field, items).await?)
}

/// Streams the rows of the span, which are read from the database as the stream is polled.
pub fn span_rows<T, F>(
    span: Option<Span>,
    read: impl Fn((i64, i64), u32) -> F + Send + 'static,
) -> impl Stream<Item = Result<T, StreamError>> + Send + 'static
where
    T: Send + 'static,
    F: Future<Output = Result<Vec<(i64, T)>, InternalError>> + Send + 'static,
{
    let range = span.map(|span| (span.first, span.last));
    let chunks = stream::try_unfold(range, move |range| {
        let rows = range.map(|range| (range, read(range, CHUNK_ROWS)));
        async {
            let Some(((_, last), rows)) = rows else {
                return Ok::<_, InternalError>(None);
            };
            let rows = rows.await?;
            let read_to = rows.last().map(|(number, _)| *number);
            let rest = read_to.filter(|number| *number < last);
            Ok(Some((rows, rest.map(|number| (number + 1, last)))))
        }
    });
    let chunks = chunks.map_ok(|rows| stream::iter(rows.into_iter().map(Ok::<_, InternalError>)));
    let rows = chunks.try_flatten().map_ok(|(_, row)| row);
    rows.map_err(Into::into)
}
