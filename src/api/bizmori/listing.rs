//! Orders of v2 are listed and counted.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};

use super::auth::AuthenticatedAccount;
use super::error::ApiError;
use super::request::{LIMIT_MAX, ListQuery, stats_day};
use super::wire::{ListingWriter, OrderListing, RecentStats, RenderContext};
use super::{BizmoriResult, data_response};
use crate::http::{AppState, Origin, RequestContext};
use crate::model::listing::{OrderFilter, Page};
use crate::model::order::Vendor;
use crate::model::time::DAY_MS;
use crate::services::accounts::Account;
use crate::services::orders::Cursor;
use crate::storage::db::StoreError;

/// So many days are told.
const DAYS: i64 = 7;

/// Where all are asked for, so many are read and written at a time.
const CHUNK_ORDERS: u32 = LIMIT_MAX;

pub async fn list(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    request_context: RequestContext,
    RawQuery(query): RawQuery,
) -> BizmoriResult {
    let list_query = ListQuery::parse(query.as_deref())?;
    let Origin(origin) = Origin::resolve(&context, &request_context).await?;
    let nothing = Page {
        items: Vec::new(),
        total: 0,
    };
    let page = match list_query.limit {
        _ if list_query.channel_is_not_api => nothing,
        None => return stream_all(context, account, origin, list_query.filter).await,
        Some(limit) => {
            let page = context.orders.list(
                &account,
                Vendor::Bizmori,
                &list_query.filter,
                limit,
                list_query.offset(),
            );
            page.await?
        }
    };
    let view = RenderContext::of(&context, &account, &origin);
    Ok(data_response(OrderListing::of(&page, &list_query, view)))
}

/// A listing of all orders, under way.
struct OrderStream {
    context: AppState,
    account: Arc<Account>,
    origin: String,
    filter: OrderFilter,
    cursor: Cursor,
    written: ListingWriter,
}

/// Answers with all orders, which are read as fast as the client takes them and no faster: no
/// more than a piece is in memory.
async fn stream_all(
    context: AppState,
    account: Arc<Account>,
    origin: String,
    filter: OrderFilter,
) -> BizmoriResult {
    let mut all = OrderStream {
        context,
        account,
        origin,
        filter,
        cursor: Cursor::default(),
        written: ListingWriter::default(),
    };
    // A fault in the first piece is still answered as one; later it can but break off.
    let (first, more) = all.next_chunk().await?;
    let rest = stream::try_unfold(more.then_some(all), async |all| {
        let Some(mut all) = all else {
            return Ok(None);
        };
        tokio::task::yield_now().await;
        let (piece, more) = all.next_chunk().await?;
        Ok::<_, StoreError>(Some((piece, more.then_some(all))))
    });
    let body = stream::once(async { Ok(first) }).chain(rest);
    let json = [(CONTENT_TYPE, "application/json")];
    Ok((json, Body::from_stream(body)).into_response())
}

impl OrderStream {
    /// The next piece, and whether there are more.
    async fn next_chunk(&mut self) -> Result<(String, bool), StoreError> {
        let orders = &self.context.orders;
        let piece = orders.list_next(
            &self.account,
            Vendor::Bizmori,
            &self.filter,
            CHUNK_ORDERS,
            &mut self.cursor,
        );
        let orders = piece.await?;
        let view = RenderContext::of(&self.context, &self.account, &self.origin);
        let piece = self.written.next_chunk(&orders, view)?;
        Ok((piece, !orders.is_empty()))
    }
}

pub async fn recent(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    RawQuery(query): RawQuery,
) -> Result<axum::response::Response, ApiError> {
    let today = account.now().ms().div_euclid(DAY_MS);
    let last = stats_day(query.as_deref())?.unwrap_or(today);
    let first = last.saturating_sub(DAYS - 1);
    let created = context
        .orders
        .count_by_day(&account, Vendor::Bizmori, first, last)
        .await?;
    Ok(data_response(RecentStats::of(first..=last, &created)))
}
