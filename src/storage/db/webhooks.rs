//! Events, and deliveries of events to endpoints.

use std::ops::RangeInclusive;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::jobs::unknown_value;
use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::{AccountId, DeliveryId, WebhookId};
use crate::model::listing::Page;
use crate::model::time::Timestamp;
use crate::model::vendor::Vendor;
use crate::model::webhook::{DeferredAttempt, Delivery, DeliveryStatus, Event};

const DELIVERY: &str =
    "SELECT deliveries.id, event_id, vendor, type, body, status, retries, last_sent_at, created_at, deferred_attempt, order_id
     FROM deliveries JOIN events ON events.id = event_id";

/// Returns the account of an event. `None` if there is no such event.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn account_of_event(
    from: &mut impl ReadConn,
    event: &str,
) -> StoreResult<Option<AccountId>> {
    let row = sqlx::query("SELECT account_id FROM events WHERE id = ?")
        .bind(event)
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row.map(|row| AccountId(row.get(0))))
}

/// Inserts an event and a delivery to each active endpoint of the account that takes events of its
/// vendor and of test orders or other orders. Returns the endpoints. Inserts nothing if there are none.
///
/// # Errors
/// Returns [`InternalError::AccountGone`](super::InternalError::AccountGone) if the account was deleted.
pub async fn publish(
    tx: &mut Tx,
    account: AccountId,
    test: bool,
    event: &Event,
    now: Timestamp,
) -> StoreResult<Vec<WebhookId>> {
    let rows = sqlx::query(
        "SELECT id FROM endpoints
         WHERE account_id = ? AND vendor = ? AND active AND test = ? ORDER BY id",
    )
    .bind(account.0)
    .bind(event.vendor.name())
    .bind(test)
    .fetch_all(tx.sqlite())
    .await?;
    let endpoints: Vec<_> = rows.iter().map(|row| WebhookId(row.get(0))).collect();
    if endpoints.is_empty() {
        return Ok(endpoints);
    }
    let mut writes = String::from(
        "INSERT INTO events (id, account_id, vendor, type, order_id, body) VALUES (?, ?, ?, ?, ?, ?)",
    );
    for _ in &endpoints {
        writes += "; INSERT INTO deliveries
                  (event_id, endpoint_id, status, retries, due_at, created_at)
                  VALUES (?, ?, ?, 0, ?, ?)";
    }
    let mut query = tx
        .prepend_order_update(&writes)
        .bind(event.id.clone())
        .bind(account.0)
        .bind(event.vendor.name())
        .bind(event.event_type.clone())
        .bind(event.order_id.clone())
        .bind(event.body.clone());
    for endpoint in &endpoints {
        query = query
            .bind(event.id.clone())
            .bind(endpoint.0)
            .bind(DeliveryStatus::Pending.name())
            .bind(now.ms())
            .bind(now.ms());
    }
    query.execute(tx.sqlite()).await?;
    Ok(endpoints)
}

/// Returns the endpoint's first delivery with a due time of at most `now`. `None` if there is none.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn due(
    from: &mut impl ReadConn,
    endpoint: WebhookId,
    now: Timestamp,
) -> StoreResult<Option<Delivery>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "{DELIVERY} WHERE endpoint_id = ? AND due_at <= ? ORDER BY due_at, deliveries.id LIMIT 1"
    )))
    .bind(endpoint.0)
    .bind(now.ms())
    .fetch_optional(from.sqlite())
    .await?;
    row.as_ref().map(delivery_of).transpose()
}

/// Records an attempt: the new state of the delivery, and the due time of its next attempt. The first
/// attempt makes the deliveries due that a rule holds back until a later delivery (`outOfOrder`).
/// Returns `false` if the delivery was removed with its endpoint.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn record_attempt(
    tx: &mut Tx,
    endpoint: WebhookId,
    delivery: &Delivery,
    due_at: Option<Timestamp>,
    now: Timestamp,
) -> StoreResult<bool> {
    let done = sqlx::query(
        "UPDATE deliveries SET due_at = ?1
         WHERE ?2 = 0 AND endpoint_id = ?3 AND deferred_attempt IS NOT NULL AND due_at > ?1
           AND id < ?4
           AND deferred_attempt ->> '$.webhook.outOfOrder';
         UPDATE deliveries
         SET status = ?5, retries = ?2, due_at = ?6, last_sent_at = ?1, deferred_attempt = NULL
         WHERE id = ?4;
         UPDATE endpoints SET last_sent_at = ?1 WHERE id = ?3",
    )
    .bind(now.ms())
    .bind(delivery.retries)
    .bind(endpoint.0)
    .bind(delivery.id.0)
    .bind(delivery.status.name())
    .bind(due_at.map(Timestamp::ms))
    .execute(tx.sqlite())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Defers the next attempt of a delivery of `account` until `due_at`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn defer(
    tx: &mut Tx,
    account: AccountId,
    delivery: DeliveryId,
    due_at: Timestamp,
    decided: &DeferredAttempt,
) -> StoreResult<()> {
    tx.record_delivery(account, delivery);
    sqlx::query("UPDATE deliveries SET due_at = ?, deferred_attempt = ? WHERE id = ?")
        .bind(due_at.ms())
        .bind(serde_json::to_string(decided)?)
        .bind(delivery.0)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Returns the account and the endpoint of a delivery. `None` if there is no such delivery.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delivery_account(
    from: &mut impl ReadConn,
    id: DeliveryId,
) -> StoreResult<Option<(AccountId, WebhookId)>> {
    let row = sqlx::query(
        "SELECT account_id, endpoint_id FROM deliveries
         JOIN endpoints ON endpoints.id = endpoint_id WHERE deliveries.id = ?",
    )
    .bind(id.0)
    .fetch_optional(from.sqlite())
    .await?;
    Ok(row.map(|row| (AccountId(row.get(0)), WebhookId(row.get(1)))))
}

/// Returns the endpoint's delivery with `id`. `None` if there is no such delivery.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delivery(
    from: &mut impl ReadConn,
    endpoint: WebhookId,
    id: DeliveryId,
) -> StoreResult<Option<Delivery>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "{DELIVERY} WHERE deliveries.id = ? AND endpoint_id = ?"
    )))
    .bind(id.0)
    .bind(endpoint.0)
    .fetch_optional(from.sqlite())
    .await?;
    row.as_ref().map(delivery_of).transpose()
}

/// Returns the ids of the endpoint's oldest failed deliveries that were created in `window`, at most
/// `limit`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn failed(
    from: &mut impl ReadConn,
    endpoint: WebhookId,
    window: &RangeInclusive<Timestamp>,
    limit: u32,
) -> StoreResult<Vec<DeliveryId>> {
    let rows = sqlx::query(
        "SELECT id FROM deliveries WHERE endpoint_id = ? AND status = ?
         AND created_at BETWEEN ? AND ? ORDER BY created_at, id LIMIT ?",
    )
    .bind(endpoint.0)
    .bind(DeliveryStatus::Failed.name())
    .bind(window.start().ms())
    .bind(window.end().ms())
    .bind(limit)
    .fetch_all(from.sqlite())
    .await?;
    Ok(rows.iter().map(|row| DeliveryId(row.get(0))).collect())
}

/// Returns a page of an endpoint's deliveries, the newest first.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn deliveries(
    from: &mut impl ReadConn,
    endpoint: WebhookId,
    limit: u32,
    offset: u64,
) -> StoreResult<Page<Delivery>> {
    let total = sqlx::query("SELECT COUNT(*) FROM deliveries WHERE endpoint_id = ?")
        .bind(endpoint.0)
        .fetch_one(from.sqlite())
        .await?;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{DELIVERY} WHERE endpoint_id = ? ORDER BY deliveries.id DESC LIMIT ? OFFSET ?"
    )))
    .bind(endpoint.0)
    .bind(limit)
    .bind(i64::try_from(offset).unwrap_or(i64::MAX))
    .fetch_all(from.sqlite())
    .await?;
    let items = rows.iter().map(delivery_of).collect::<StoreResult<_>>()?;
    Ok(Page {
        items,
        total: count(&total),
    })
}

/// Returns the due time of the next attempt at a delivery of the event. `None` if none is due.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn next_attempt_at(
    from: &mut impl ReadConn,
    event: &str,
) -> StoreResult<Option<Timestamp>> {
    let row = sqlx::query("SELECT MIN(due_at) FROM deliveries WHERE event_id = ?")
        .bind(event)
        .fetch_one(from.sqlite())
        .await?;
    Ok(row.get::<Option<i64>, _>(0).map(Timestamp::from_ms))
}

/// Counts the deliveries of all accounts that have an attempt due.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn count_pending(from: &mut impl ReadConn) -> StoreResult<u64> {
    let row = sqlx::query("SELECT COUNT(*) FROM deliveries WHERE due_at IS NOT NULL")
        .fetch_one(from.sqlite())
        .await?;
    Ok(count(&row))
}

pub(super) fn count(row: &SqliteRow) -> u64 {
    u64::try_from(row.get::<i64, _>(0)).unwrap_or(0)
}

fn delivery_of(row: &SqliteRow) -> StoreResult<Delivery> {
    let vendor: String = row.get(2);
    let status: String = row.get(5);
    Ok(Delivery {
        id: DeliveryId(row.get(0)),
        event: Event {
            id: row.get(1),
            vendor: Vendor::from_name(&vendor).ok_or_else(|| unknown_value("vendor", &vendor))?,
            event_type: row.get(3),
            order_id: row.get(10),
            body: row.get(4),
        },
        status: DeliveryStatus::from_name(&status)
            .ok_or_else(|| unknown_value("delivery status", &status))?,
        retries: row.get(6),
        last_sent_at: row.get::<Option<i64>, _>(7).map(Timestamp::from_ms),
        created_at: Timestamp::from_ms(row.get(8)),
        deferred: row
            .get::<Option<&str>, _>(9)
            .map(serde_json::from_str)
            .transpose()?,
    })
}
