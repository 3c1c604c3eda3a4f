//! Listing of orders, and statistics of recent days.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};

use super::wire::{ListingWriter, OrderListing, RecentStats};
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::ErrorCode;
use crate::api::bizmori::openapi::{describe_data, with_key_errors};
use crate::api::bizmori::request::{LIMIT_MAX, ListQuery, stats_day, stats_params};
use crate::api::bizmori::wire::RenderContext;
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Origin, RequestContext, Routes};
use crate::model::listing::{OrderFilter, Page};
use crate::model::time::DAY_MS;
use crate::model::vendor::Vendor;
use crate::services::accounts::Account;
use crate::services::orders::Cursor;
use crate::storage::db::InternalError;

/// Days that the statistics cover.
const STATS_DAYS: i64 = 7;

/// Orders that a listing without a limit reads and writes at a time.
const CHUNK_ORDERS: u32 = LIMIT_MAX;

/// Adds the listing and the statistics.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("bizmori.listOrders", Method::GET, "/api/v2/orders", list)
        .docs(describe_list)
        .on(
            "bizmori.getRecentStats",
            Method::GET,
            "/api/v2/orders/stats/recent",
            recent_stats,
        )
        .docs(describe_recent_stats)
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("List orders", "Newest first.")
        .query_params(ListQuery::params())
        .describe_param("page", "Page, from 1.")
        .describe_param("limit", "Orders on a page. -1 for all orders on one page.")
        .describe_param("keyword", "Part of the name or the id.")
        .describe_param("status", "Status.")
        .describe_param("type", "Type.")
        .describe_param("channel", "Channel. Every order has `api`.");
    let doc = describe_data::<OrderListing>(doc, "Page of orders.");
    with_key_errors(doc, &[ErrorCode::InvalidParameter])
}

fn describe_recent_stats(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get statistics",
            "Orders of each of the seven days up to a date.",
        )
        .query_params(stats_params())
        .describe_param("date", "ISO 8601 date or instant. Today if omitted.");
    let doc = describe_data::<RecentStats>(doc, "Counts, and the axis of a chart of them.");
    with_key_errors(doc, &[ErrorCode::InvalidParameter])
}

async fn list(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    request_context: RequestContext,
    RawQuery(query): RawQuery,
) -> BizmoriResult {
    let list_query = ListQuery::parse(query.as_deref())?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let empty_page = Page {
        items: Vec::new(),
        total: 0,
    };
    let page = match list_query.limit {
        _ if list_query.channel_is_not_api => empty_page,
        None => return stream_all(state, account, origin, list_query.filter).await,
        Some(limit) => {
            let offset = list_query.offset();
            state
                .orders
                .list(&account, Vendor::Bizmori, &list_query.filter, limit, offset)
                .await?
        }
    };
    let context = RenderContext::new(&state, &account, &origin);
    Ok(data_response(OrderListing::new(
        &page,
        &list_query,
        context,
    )))
}

/// Listing of all orders that is being written.
struct OrderStream {
    state: AppState,
    account: Arc<Account>,
    origin: String,
    filter: OrderFilter,
    cursor: Cursor,
    writer: ListingWriter,
}

/// Responds with all orders. Orders are read at the client's pace, so that at most one chunk is in
/// memory.
async fn stream_all(
    state: AppState,
    account: Arc<Account>,
    origin: String,
    filter: OrderFilter,
) -> BizmoriResult {
    let mut orders = OrderStream {
        state,
        account,
        origin,
        filter,
        cursor: Cursor::default(),
        writer: ListingWriter::default(),
    };
    // An error in the first chunk is answered as one. A later error can only break the body off.
    let (first, has_more) = orders.next_chunk().await?;
    let rest = stream::try_unfold(has_more.then_some(orders), async |orders| {
        let Some(mut orders) = orders else {
            return Ok(None);
        };
        tokio::task::yield_now().await;
        let (chunk, has_more) = orders.next_chunk().await?;
        Ok::<_, InternalError>(Some((chunk, has_more.then_some(orders))))
    });
    let body = stream::once(async { Ok(first) }).chain(rest);
    let json = [(CONTENT_TYPE, "application/json")];
    Ok((json, Body::from_stream(body)).into_response())
}

impl OrderStream {
    /// Returns the next chunk of the body, and `true` if more chunks follow.
    async fn next_chunk(&mut self) -> Result<(String, bool), InternalError> {
        let orders = self
            .state
            .orders
            .list_next(
                &self.account,
                Vendor::Bizmori,
                &self.filter,
                CHUNK_ORDERS,
                &mut self.cursor,
            )
            .await?;
        let context = RenderContext::new(&self.state, &self.account, &self.origin);
        let chunk = self.writer.next_chunk(&orders, context)?;
        Ok((chunk, !orders.is_empty()))
    }
}

async fn recent_stats(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    RawQuery(query): RawQuery,
) -> BizmoriResult {
    let today = account.now().ms().div_euclid(DAY_MS);
    let last_day = stats_day(query.as_deref())?.unwrap_or(today);
    let first_day = last_day.saturating_sub(STATS_DAYS - 1);
    let counts = state
        .orders
        .count_by_day(&account, Vendor::Bizmori, first_day, last_day)
        .await?;
    Ok(data_response(RecentStats::new(
        first_day..=last_day,
        &counts,
    )))
}
