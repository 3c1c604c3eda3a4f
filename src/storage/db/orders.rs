//! Orders. Each row has the whole order as JSON, and the columns that finders and listings need.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row};

use super::cache::CachedOrder;
use super::tx::OrderUpdate;
use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::AccountId;
use crate::model::listing::Span;
use crate::model::order::{Order, Vendor};

/// Inserts a new order. Returns `false`, and writes nothing, if its id exists, or if the account has an
/// order of the same operation with the same idempotency key.
///
/// # Errors
/// Returns [`AccountGone`](super::InternalError::AccountGone) if the account was deleted.
pub async fn insert(
    tx: &mut Tx,
    order: &Arc<Order>,
    operation: &str,
    idempotency_key: Option<&str>,
) -> StoreResult<bool> {
    let json = serde_json::to_string(order.as_ref())?;
    let bytes = json.len();
    let done = sqlx::query(
        "INSERT INTO orders
         (id, account_id, account_seq, vendor, type, status, name, created_at, operation, idempotency_key, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&order.id)
    .bind(order.account.0)
    .bind(i64::try_from(order.number).unwrap_or(i64::MAX))
    .bind(order.vendor.name())
    .bind(order.work.name())
    .bind(order.state.status())
    .bind(&order.name)
    .bind(order.created_at.ms())
    .bind(operation)
    .bind(idempotency_key)
    .bind(json)
    .execute(tx.sqlite())
    .await?;
    let inserted = done.rows_affected() == 1;
    if inserted {
        tx.record_write(CachedOrder {
            order: Arc::clone(order),
            bytes,
        });
    }
    Ok(inserted)
}

/// Returns the order that the account created by `operation` with `idempotency_key`. `None` if there is
/// no such order.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn by_idempotency_key(
    from: &mut impl ReadConn,
    account: AccountId,
    operation: &str,
    idempotency_key: Option<&str>,
) -> StoreResult<Option<Arc<Order>>> {
    let row = sqlx::query(
        "SELECT body FROM orders WHERE account_id = ? AND operation = ? AND idempotency_key = ?",
    )
    .bind(account.0)
    .bind(operation)
    .bind(idempotency_key)
    .fetch_optional(from.sqlite())
    .await?;
    Ok(row
        .map(|row| serde_json::from_str(row.get(0)))
        .transpose()?)
}

/// Returns the order with `id` as the transaction sees it, of any account. `None` if there is no such
/// order.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn find(tx: &mut Tx, id: &str) -> StoreResult<Option<Arc<Order>>> {
    match tx.cached_order(id) {
        Some(order) => Ok(Some(order)),
        None => Ok(read(tx, id).await?.map(|store| store.order)),
    }
}

/// Returns the SQL condition for rows of `vendor`.
pub(super) fn is_of_vendor(vendor: Vendor) -> String {
    format!("vendor = '{}'", vendor.name())
}

/// Filter of a listing. `None` matches any account or any vendor.
#[derive(Debug, Clone, Copy)]
pub struct ListingScope {
    pub account: Option<AccountId>,
    pub vendor: Option<Vendor>,
}

impl ListingScope {
    fn condition(self) -> String {
        // An index finds the orders of one account. A condition for both cases would read all orders.
        let of_account = match self.account {
            Some(_) => "account_id = ?1",
            None => "?1 IS NULL",
        };
        let of_vendor = self.vendor.map_or_else(|| "TRUE".to_owned(), is_of_vendor);
        format!("{of_account} AND {of_vendor}")
    }
}

/// Returns the span of the newest orders with a sequence number below `before`, at most `limit`. `None`
/// if there are none.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn span(
    from: &mut impl ReadConn,
    scope: ListingScope,
    before: Option<i64>,
    limit: u32,
) -> StoreResult<Option<Span>> {
    let condition = scope.condition();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT seq FROM orders WHERE {condition} AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
    )))
    .bind(scope.account.map(|account| account.0))
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit) + 1)
    .fetch_all(from.sqlite())
    .await?;
    let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Span::from_numbers(&numbers, limit))
}

/// Returns the orders with sequence numbers from `first` to `last`, the oldest first, at most `limit`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn in_span(
    from: &mut impl ReadConn,
    scope: ListingScope,
    (first, last): (i64, i64),
    limit: u32,
) -> StoreResult<Vec<(i64, Arc<Order>)>> {
    let condition = scope.condition();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT seq, body FROM orders WHERE {condition} AND seq BETWEEN ?2 AND ?3
         ORDER BY seq LIMIT ?4"
    )))
    .bind(scope.account.map(|account| account.0))
    .bind(first)
    .bind(last)
    .bind(limit)
    .fetch_all(from.sqlite())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok((row.get(0), Arc::new(serde_json::from_str(row.get(1))?)))
    };
    rows.iter().map(read).collect()
}

/// Reads an order and the length of its JSON.
pub(super) async fn read(from: &mut impl ReadConn, id: &str) -> StoreResult<Option<CachedOrder>> {
    let row = sqlx::query("SELECT body FROM orders WHERE id = ?")
        .bind(id)
        .fetch_optional(from.sqlite())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let json: &str = row.get(0);
    Ok(Some(CachedOrder {
        order: Arc::new(serde_json::from_str(json)?),
        bytes: json.len(),
    }))
}

/// Writes the new state of an order.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn update(tx: &mut Tx, order: Arc<Order>) -> StoreResult<()> {
    let json = serde_json::to_string(order.as_ref())?;
    let bytes = json.len();
    tx.update_order(OrderUpdate {
        id: order.id.clone(),
        status: order.state.status(),
        body: json,
    })
    .await?;
    tx.record_write(CachedOrder { order, bytes });
    Ok(())
}
