//! Orders: one row each, found by id, listed by account; the body is the whole order.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row};

use super::cache::CachedOrder;
use super::tx::OrderUpdate;
use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::AccountId;
use crate::model::listing::Span;
use crate::model::order::{Order, Vendor};

/// Keeps a new order. False, and nothing is written, if its id is taken, or its account has an
/// order made by the same operation with the same idempotency key.
///
/// # Errors
/// If the account is gone.
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
         (id, account_id, number, type, status, name, created_at, operation, idempotency_key, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&order.id)
    .bind(order.account.0)
    .bind(i64::try_from(order.number).unwrap_or(i64::MAX))
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

/// The order an account made by that operation with that idempotency key.
///
/// # Errors
/// If it cannot be read.
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

/// The order of that id, whosever it is, as the transaction sees it.
///
/// # Errors
/// If it cannot be read.
pub async fn find(tx: &mut Tx, id: &str) -> StoreResult<Option<Arc<Order>>> {
    match tx.cached_order(id) {
        Some(order) => Ok(Some(order)),
        None => Ok(read(tx, id).await?.map(|store| store.order)),
    }
}

/// The orders of a listing. `None` is any account or any vendor.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    pub account: Option<AccountId>,
    pub vendor: Option<Vendor>,
}

impl Listed {
    fn condition(self) -> String {
        // One account's are found by its index; with one condition for both cases all are looked at.
        let of_account = match self.account {
            Some(_) => "account_id = ?1",
            None => "?1 IS NULL",
        };
        let of_vendor = match self.vendor {
            None => "TRUE",
            Some(Vendor::Bizmori) => "type NOT IN ('document', 'bulk')",
            Some(Vendor::Undetectable) => "type IN ('document', 'bulk')",
        };
        format!("{of_account} AND {of_vendor}")
    }
}

/// Returns the newest `limit` orders of those older than order number `before`. `None` if there are
/// none.
///
/// # Errors
/// If they cannot be read.
pub async fn span(
    from: &mut impl ReadConn,
    listed: Listed,
    before: Option<i64>,
    limit: u32,
) -> StoreResult<Option<Span>> {
    let condition = listed.condition();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT seq FROM orders WHERE {condition} AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
    )))
    .bind(listed.account.map(|account| account.0))
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit) + 1)
    .fetch_all(from.sqlite())
    .await?;
    let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Span::from_numbers(&numbers, limit))
}

/// Returns the orders numbered `first` to `last` with their numbers, the oldest first, `limit` of
/// them at most.
///
/// # Errors
/// If they cannot be read.
pub async fn in_span(
    from: &mut impl ReadConn,
    listed: Listed,
    (first, last): (i64, i64),
    limit: u32,
) -> StoreResult<Vec<(i64, Arc<Order>)>> {
    let condition = listed.condition();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT seq, body FROM orders WHERE {condition} AND seq BETWEEN ?2 AND ?3
         ORDER BY seq LIMIT ?4"
    )))
    .bind(listed.account.map(|account| account.0))
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

/// Returns an order from its row, with the length of its JSON.
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

/// Writes an order's new state.
///
/// # Errors
/// If it cannot be written.
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
