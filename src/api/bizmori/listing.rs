//! Orders of v2 are listed and counted.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};

use super::auth::Caller;
use super::error::Refusal;
use super::request::{LIMIT_MAX, ListQuery, stats_day};
use super::wire::{Listing, RecentStats, View, Whole};
use super::{Answer, answer};
use crate::http::{Called, Context, Origin};
use crate::model::listing::{Filter, Page};
use crate::model::time::DAY_MS;
use crate::services::accounts::Account;
use crate::services::orders::Cursor;
use crate::storage::db::StoreError;

/// So many days are told.
const DAYS: i64 = 7;

/// Where all are asked for, so many are read and written at a time.
const PIECE_ORDERS: u32 = LIMIT_MAX;

pub async fn list(
    State(context): State<Context>,
    Caller(account): Caller,
    called: Called,
    RawQuery(query): RawQuery,
) -> Answer {
    let asked = ListQuery::read(query.as_deref())?;
    let Origin(origin) = Origin::of(&context, &called).await?;
    let nothing = Page {
        items: Vec::new(),
        total: 0,
    };
    let page = match asked.limit {
        _ if asked.only_others => nothing,
        None => return all(context, account, origin, asked.filter).await,
        Some(limit) => {
            let page = context
                .orders
                .list(&account, &asked.filter, limit, asked.offset());
            page.await?
        }
    };
    let view = View::of(&context, &account, &origin);
    Ok(answer(Listing::of(&page, &asked, view)))
}

/// A listing of all orders, under way.
struct All {
    context: Context,
    account: Arc<Account>,
    origin: String,
    filter: Filter,
    cursor: Cursor,
    written: Whole,
}

/// Answers with all orders, which are read as fast as the client takes them and no faster: no
/// more than a piece is in memory.
async fn all(context: Context, account: Arc<Account>, origin: String, filter: Filter) -> Answer {
    let mut all = All {
        context,
        account,
        origin,
        filter,
        cursor: Cursor::default(),
        written: Whole::default(),
    };
    // A fault in the first piece is still answered as one; later it can but break off.
    let (first, more) = all.piece().await?;
    let rest = stream::try_unfold(more.then_some(all), async |all| {
        let Some(mut all) = all else {
            return Ok(None);
        };
        tokio::task::yield_now().await;
        let (piece, more) = all.piece().await?;
        Ok::<_, StoreError>(Some((piece, more.then_some(all))))
    });
    let body = stream::once(async { Ok(first) }).chain(rest);
    let json = [(CONTENT_TYPE, "application/json")];
    Ok((json, Body::from_stream(body)).into_response())
}

impl All {
    /// The next piece, and whether there are more.
    async fn piece(&mut self) -> Result<(String, bool), StoreError> {
        let orders = &self.context.orders;
        let piece = orders.list_on(&self.account, &self.filter, PIECE_ORDERS, &mut self.cursor);
        let orders = piece.await?;
        let view = View::of(&self.context, &self.account, &self.origin);
        let piece = self.written.piece(&orders, view)?;
        Ok((piece, !orders.is_empty()))
    }
}

pub async fn recent(
    State(context): State<Context>,
    Caller(account): Caller,
    RawQuery(query): RawQuery,
) -> Result<axum::response::Response, Refusal> {
    let today = account.now().ms().div_euclid(DAY_MS);
    let last = stats_day(query.as_deref())?.unwrap_or(today);
    let first = last.saturating_sub(DAYS - 1);
    let made = context.orders.daily(&account, first, last).await?;
    Ok(answer(RecentStats::of(first..=last, &made)))
}
