//! Orders that an account created through one vendor's API: listed and counted.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row};

use super::orders::is_of_vendor;
use super::{ReadConn, StoreResult};
use crate::model::ids::AccountId;
use crate::model::listing::{OrderFilter, Page};
use crate::model::order::{Order, Vendor};

/// Condition of a listing, with the account, the status and the type of the filter as its parameters.
fn matches(vendor: Vendor) -> String {
    let of_vendor = is_of_vendor(vendor);
    format!(
        "account_id = ?1 AND {of_vendor} AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR type = ?3)"
    )
}

const KEYWORD_FILTER: &str = "(?4 = '' OR instr(lower(name), ?4) OR instr(id, ?4))";

/// Returns a page of the account's orders that match `filter`, the newest first.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn page(
    from: &mut impl ReadConn,
    account: AccountId,
    vendor: Vendor,
    filter: &OrderFilter,
    limit: u32,
    offset: u64,
) -> StoreResult<Page<Arc<Order>>> {
    let total = count(from, account, vendor, filter).await?;
    let matches = matches(vendor);
    let sql = format!(
        "SELECT body FROM orders WHERE seq IN
             (SELECT seq FROM orders WHERE {matches} AND {KEYWORD_FILTER}
              ORDER BY seq DESC LIMIT ?5 OFFSET ?6)
         ORDER BY seq DESC"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(account.0)
        .bind(filter.status)
        .bind(filter.kind)
        .bind(filter.keyword.to_ascii_lowercase())
        .bind(limit)
        .bind(i64::try_from(offset).unwrap_or(i64::MAX))
        .fetch_all(from.sqlite())
        .await?;
    let items = rows
        .iter()
        .map(|row| Ok(serde_json::from_str(row.get(0))?))
        .collect::<StoreResult<_>>()?;
    Ok(Page { items, total })
}

/// Position in a listing that is read in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

impl Default for Cursor {
    fn default() -> Self {
        Self(i64::MAX)
    }
}

/// Returns the next orders of a listing, and moves the cursor behind them. An empty list ends the
/// listing. Returns no order twice, even if orders are created between two
/// pages.
///
/// # Errors
/// Returns an error if the database fails. The cursor is then not moved.
pub async fn next_page(
    from: &mut impl ReadConn,
    account: AccountId,
    vendor: Vendor,
    filter: &OrderFilter,
    limit: u32,
    cursor: &mut Cursor,
) -> StoreResult<Vec<Arc<Order>>> {
    let matches = matches(vendor);
    let sql = format!(
        "SELECT body, seq FROM orders WHERE seq IN
             (SELECT seq FROM orders WHERE {matches} AND {KEYWORD_FILTER} AND seq < ?6
              ORDER BY seq DESC LIMIT ?5)
         ORDER BY seq DESC"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(account.0)
        .bind(filter.status)
        .bind(filter.kind)
        .bind(filter.keyword.to_ascii_lowercase())
        .bind(limit)
        .bind(cursor.0)
        .fetch_all(from.sqlite())
        .await?;
    let orders = rows
        .iter()
        .map(|row| Ok(serde_json::from_str(row.get(0))?))
        .collect::<StoreResult<_>>()?;
    if let Some(last) = rows.last() {
        cursor.0 = last.get(1);
    }
    Ok(orders)
}

/// Counts the orders of a listing: by `order_counts`, or order by order if a keyword is given.
async fn count(
    from: &mut impl ReadConn,
    account: AccountId,
    vendor: Vendor,
    filter: &OrderFilter,
) -> StoreResult<u64> {
    let matches = matches(vendor);
    let sql = if filter.keyword.is_empty() {
        format!("SELECT COALESCE(SUM(count), 0) FROM order_counts WHERE {matches}")
    } else {
        format!("SELECT COUNT(*) FROM orders WHERE {matches} AND {KEYWORD_FILTER}")
    };
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(account.0)
        .bind(filter.status)
        .bind(filter.kind);
    if !filter.keyword.is_empty() {
        query = query.bind(filter.keyword.to_ascii_lowercase());
    }
    let row = query.fetch_one(from.sqlite()).await?;
    Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
}

/// Counts the orders of the account by day (days since 1970, UTC). Days without orders are left out.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn daily_counts(
    from: &mut impl ReadConn,
    account: AccountId,
    vendor: Vendor,
    first_day: i64,
    last_day: i64,
) -> StoreResult<Vec<(i64, u64)>> {
    let rows = sqlx::query(
        "SELECT day, SUM(count) FROM order_counts
         WHERE account_id = ? AND vendor = ? AND day BETWEEN ? AND ? GROUP BY day",
    )
    .bind(account.0)
    .bind(vendor.name())
    .bind(first_day)
    .bind(last_day)
    .fetch_all(from.sqlite())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let orders = u64::try_from(row.get::<i64, _>(1)).unwrap_or(0);
        (row.get(0), orders)
    };
    Ok(rows.iter().map(read).collect())
}
