//! Accounts, clocks, credits, and the hosts that URLs were made for.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::tx::write_clock;
use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::account::AccountSettings;
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::platform::clock::Clock;

/// An account as it stands in its row, and how far its numbers have come.
#[derive(Debug, Clone)]
pub struct AccountRow {
    pub id: AccountId,
    pub key: String,
    pub settings: AccountSettings,
    pub clock: Option<Clock>,
    /// The greatest number given to an order of its own.
    pub orders: u64,
    /// The greatest number given to an upload of its own.
    pub uploads: u64,
    /// The greatest snowflake given to an order or an endpoint of its own.
    pub snowflake: u64,
}

/// Every account.
///
/// # Errors
/// If they cannot be read.
pub async fn all(from: &mut impl ReadConn) -> StoreResult<Vec<AccountRow>> {
    sqlx::query(
        "SELECT id, key, settings, clock,
                (SELECT COALESCE(MAX(number), 0) FROM orders WHERE account_id = accounts.id),
                (SELECT COALESCE(MAX(number), 0) FROM uploads WHERE account_id = accounts.id),
                MAX((SELECT COALESCE(MAX(CAST(id AS INTEGER)), 0) FROM orders
                      WHERE account_id = accounts.id AND id NOT LIKE '%-%'),
                    (SELECT COALESCE(MAX(snowflake), 0) FROM endpoints
                      WHERE account_id = accounts.id))
         FROM accounts",
    )
    .fetch_all(from.sqlite())
    .await?
    .iter()
    .map(account)
    .collect()
}

fn account(row: &SqliteRow) -> StoreResult<AccountRow> {
    let number = |column: usize| u64::try_from(row.get::<i64, _>(column)).unwrap_or(0);
    Ok(AccountRow {
        id: AccountId(row.get(0)),
        key: row.get(1),
        settings: serde_json::from_str(row.get(2))?,
        clock: row
            .get::<Option<&str>, _>(3)
            .map(serde_json::from_str)
            .transpose()?,
        orders: number(4),
        uploads: number(5),
        snowflake: number(6),
    })
}

/// Makes an account, or finds the one that a start cut short has made for this key.
///
/// # Errors
/// If it cannot be written.
pub async fn insert(
    tx: &mut Tx,
    key: &str,
    settings: &AccountSettings,
    now: Timestamp,
) -> StoreResult<AccountId> {
    let row = sqlx::query(
        "INSERT INTO accounts (key, settings, created_at) VALUES (?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET settings = excluded.settings RETURNING id",
    )
    .bind(key)
    .bind(serde_json::to_string(settings)?)
    .bind(now.ms())
    .fetch_one(tx.sqlite())
    .await?;
    Ok(AccountId(row.get(0)))
}

/// Replaces what is set on an account.
///
/// # Errors
/// If it cannot be written.
pub async fn update_settings(
    tx: &mut Tx,
    id: AccountId,
    settings: &AccountSettings,
) -> StoreResult<()> {
    sqlx::query("UPDATE accounts SET settings = ? WHERE id = ?")
        .bind(serde_json::to_string(settings)?)
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Numbers of rows that hang on an account, or on all accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnedCounts {
    pub accounts: u64,
    /// Orders and documents.
    pub orders: u64,
    pub webhooks: u64,
}

/// Counts what hangs on the account, or on all accounts if it is `None`.
///
/// # Errors
/// If it cannot be read.
pub async fn count_owned(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
) -> StoreResult<OwnedCounts> {
    // One account's rows are found by their indexes; a condition for both cases would read them all.
    let (of, id) = match account {
        Some(_) => ("account_id = ?1", "id = ?1"),
        None => ("?1 IS NULL", "?1 IS NULL"),
    };
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT (SELECT COUNT(*) FROM accounts WHERE {id}),
                (SELECT COALESCE(SUM(orders), 0) FROM tallies WHERE {of}),
                (SELECT COUNT(*) FROM endpoints WHERE {of})"
    )))
    .bind(account.map(|account| account.0))
    .fetch_one(from.sqlite())
    .await?;
    let count = |column: usize| u64::try_from(row.get::<i64, _>(column)).unwrap_or(0);
    Ok(OwnedCounts {
        accounts: count(0),
        orders: count(1),
        webhooks: count(2),
    })
}

/// Ends an account's life: its row, and every row that hangs on it.
///
/// # Errors
/// If it cannot be written.
pub async fn delete(tx: &mut Tx, id: AccountId) -> StoreResult<()> {
    sqlx::query("DELETE FROM accounts WHERE id = ?")
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    tx.record_account_end(id);
    Ok(())
}

/// Ends the lives of all accounts, which are those of `ids`: their rows, and every row that hangs on
/// them.
///
/// # Errors
/// If it cannot be written.
pub async fn delete_all(tx: &mut Tx, ids: impl IntoIterator<Item = AccountId>) -> StoreResult<()> {
    // Rows that others refer to go last: SQLite would look for the others row by row.
    sqlx::query(
        "DELETE FROM jobs; DELETE FROM attempts; DELETE FROM deliveries; DELETE FROM events;
         DELETE FROM endpoints; DELETE FROM uploads; DELETE FROM tallies; DELETE FROM orders;
         DELETE FROM rules WHERE account_id IS NOT NULL; DELETE FROM accounts",
    )
    .execute(tx.sqlite())
    .await?;
    for id in ids {
        tx.record_account_end(id);
    }
    Ok(())
}

/// Gives a clock its new state. An account's own clock takes over the account's jobs.
///
/// # Errors
/// If it cannot be written.
pub async fn set_clock(tx: &mut Tx, clock_id: ClockId, clock: Clock) -> StoreResult<()> {
    tx.discard_queued_clock_write(clock_id);
    if clock_id != ClockId::DEFAULT {
        sqlx::query(
            "UPDATE jobs SET clock_id = ?1 WHERE account_id = ?1
             AND EXISTS (SELECT 1 FROM accounts WHERE id = ?1 AND clock IS NULL)",
        )
        .bind(clock_id.0)
        .execute(tx.sqlite())
        .await?;
        // They are no longer the default clock's.
        tx.invalidate_jobs();
    }
    write_clock(tx.sqlite(), clock_id, clock).await
}

/// Takes an account's own clock away: its jobs are the default clock's from now on.
///
/// # Errors
/// If it cannot be written.
pub async fn unset_clock(tx: &mut Tx, id: AccountId) -> StoreResult<()> {
    tx.discard_queued_clock_write(ClockId::for_account(id));
    tx.invalidate_jobs();
    sqlx::query(
        "UPDATE accounts SET clock = NULL WHERE id = ?1;
         UPDATE jobs SET clock_id = ?2 WHERE account_id = ?1",
    )
    .bind(id.0)
    .bind(ClockId::DEFAULT.0)
    .execute(tx.sqlite())
    .await?;
    Ok(())
}

/// The default clock, if it was ever set.
///
/// # Errors
/// If it cannot be read.
pub async fn default_clock(from: &mut impl ReadConn) -> StoreResult<Option<Clock>> {
    let row = sqlx::query("SELECT clock FROM default_clock")
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row
        .map(|row| serde_json::from_str(row.get(0)))
        .transpose()?)
}

/// The default clock is the real time again.
///
/// # Errors
/// If it cannot be written.
pub async fn clear_default_clock(tx: &mut Tx) -> StoreResult<()> {
    tx.discard_queued_clock_write(ClockId::DEFAULT);
    sqlx::query("DELETE FROM default_clock")
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Credits an account has used.
///
/// # Errors
/// If they cannot be read.
pub async fn credits_used(from: &mut impl ReadConn, id: AccountId) -> StoreResult<u64> {
    let row = sqlx::query("SELECT spent FROM accounts WHERE id = ?")
        .bind(id.0)
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row.map_or(0, |row| u64::try_from(row.get::<i64, _>(0)).unwrap_or(0)))
}

/// Uses up `credits` if `limit` allows. False: it does not, and none was used.
///
/// # Errors
/// If it cannot be written.
pub async fn charge_credits(
    tx: &mut Tx,
    id: AccountId,
    credits: u32,
    limit: u64,
) -> StoreResult<bool> {
    let done =
        sqlx::query("UPDATE accounts SET spent = spent + ?1 WHERE id = ?2 AND spent + ?1 <= ?3")
            .bind(i64::from(credits))
            .bind(id.0)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .execute(tx.sqlite())
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives back `credits` that were spent.
///
/// # Errors
/// If it cannot be written.
pub async fn refund_credits(tx: &mut Tx, id: AccountId, credits: u32) -> StoreResult<()> {
    sqlx::query("UPDATE accounts SET spent = MAX(spent - ?, 0) WHERE id = ?")
        .bind(i64::from(credits))
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// The hosts that presigned URLs were made for, the latest first.
///
/// # Errors
/// If they cannot be read.
pub async fn hosts(from: &mut impl ReadConn) -> StoreResult<Vec<String>> {
    let rows = sqlx::query("SELECT host FROM hosts ORDER BY seq DESC")
        .fetch_all(from.sqlite())
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Keeps a host that presigned URLs were made for, and no more than `hosts_max` of them.
///
/// # Errors
/// If it cannot be written.
pub async fn insert_host(tx: &mut Tx, host: &str, hosts_max: u32) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO hosts (host) VALUES (?) ON CONFLICT DO NOTHING;
         DELETE FROM hosts WHERE seq <= (SELECT MAX(seq) FROM hosts) - ?",
    )
    .bind(host)
    .bind(hosts_max)
    .execute(tx.sqlite())
    .await?;
    Ok(())
}
