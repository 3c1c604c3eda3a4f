//! Removal of the oldest expired rows of an account, so that a server that runs for long does not grow.

use sqlx::Row;

use super::{StoreResult, Tx, sealed::Connected};
use crate::model::ids::AccountId;

/// Maximum number of rows that one call removes. The next call removes the rest.
const BATCH_ROWS: u32 = 64;

/// Removes the account's oldest expired orders with a sequence number of at most `number_max`, and
/// returns their ids. Removes at most `BATCH_ROWS`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn remove_expired_orders(
    tx: &mut Tx,
    account: AccountId,
    number_max: u64,
) -> StoreResult<Vec<String>> {
    // `account_seq` grows with `seq`, by which the index finds the oldest orders.
    let removed = sqlx::query(
        "DELETE FROM orders WHERE seq IN (
             SELECT seq FROM (
                 SELECT seq, account_seq FROM orders
                 WHERE account_id = ?1 AND status = 'expired' ORDER BY seq LIMIT ?2
             ) WHERE account_seq <= ?3
         ) RETURNING id, vendor, type, status, created_at",
    )
    .bind(account.0)
    .bind(BATCH_ROWS)
    .bind(i64::try_from(number_max).unwrap_or(i64::MAX))
    .fetch_all(tx.sqlite())
    .await?;
    for row in &removed {
        sqlx::query(
            "UPDATE order_counts SET count = count - 1
             WHERE account_id = ? AND vendor = ? AND type = ? AND status = ? AND day = ? / 86400000",
        )
        .bind(account.0)
        .bind(row.get::<String, _>("vendor"))
        .bind(row.get::<String, _>("type"))
        .bind(row.get::<String, _>("status"))
        .bind(row.get::<i64, _>("created_at"))
        .execute(tx.sqlite())
        .await?;
    }
    let ids: Vec<String> = removed.iter().map(|row| row.get("id")).collect();
    tx.removed(&ids);
    Ok(ids)
}

/// Removes the account's oldest expired uploads with a sequence number of at most `number_max`. Removes
/// at most `BATCH_ROWS`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn remove_expired_uploads(
    tx: &mut Tx,
    account: AccountId,
    number_max: u64,
) -> StoreResult<()> {
    sqlx::query(
        "DELETE FROM uploads WHERE id IN (
             SELECT id FROM uploads
             WHERE account_id = ? AND account_seq <= ? AND expired ORDER BY account_seq LIMIT ?
         )",
    )
    .bind(account.0)
    .bind(i64::try_from(number_max).unwrap_or(i64::MAX))
    .bind(BATCH_ROWS)
    .execute(tx.sqlite())
    .await?;
    Ok(())
}

/// Removes an event with its deliveries and attempts.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn remove_event(tx: &mut Tx, account: AccountId, event: &str) -> StoreResult<()> {
    sqlx::query(
        "DELETE FROM attempts WHERE account_id = ?1 AND event_id = ?2;
         DELETE FROM events WHERE account_id = ?1 AND id = ?2",
    )
    .bind(account.0)
    .bind(event)
    .execute(tx.sqlite())
    .await?;
    Ok(())
}
