//! Orders of v2 are listed and counted.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use super::auth::Caller;
use super::error::Refusal;
use super::request::{ListQuery, stats_day};
use super::wire::{Listing, RecentStats, View};
use super::{Answer, answer};
use crate::model::listing::Page;
use crate::web::{Context, Origin};

/// So many days are told.
const DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;

pub async fn list(
    State(context): State<Context>,
    Caller(account): Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Answer {
    let asked = ListQuery::read(query.as_deref())?;
    let Origin(origin) = Origin::of(&context, &headers).await?;
    let orders = &context.orders;
    let page = if asked.only_others {
        Page {
            items: Vec::new(),
            total: 0,
        }
    } else {
        let page = orders.list(&account, &asked.filter, asked.limit, asked.offset());
        page.await?
    };
    let view = View::of(&context, &account, &origin);
    Ok(answer(Listing::of(&page, &asked, view)))
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
