//! Accounts, clocks, credits, and hosts of presigned URLs.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::tx::write_clock;
use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::account::AccountSettings;
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::platform::clock::Clock;

/// Row of an account, with its highest sequence numbers.
#[derive(Debug, Clone)]
pub struct AccountRow {
    pub id: AccountId,
    pub key: String,
    pub settings: AccountSettings,
    pub clock: Option<Clock>,
    /// Time of the default clock when the account was created.
    pub created_at: Timestamp,
    /// Highest sequence number of its orders.
    pub orders: u64,
    /// Highest sequence number of its uploads.
    pub uploads: u64,
    /// Highest snowflake of its orders and endpoints.
    pub snowflake: u64,
}

/// Returns all accounts.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn all(from: &mut impl ReadConn) -> StoreResult<Vec<AccountRow>> {
    sqlx::query(
        "SELECT id, key, settings, clock,
                (SELECT COALESCE(MAX(account_seq), 0) FROM orders WHERE account_id = accounts.id),
                (SELECT COALESCE(MAX(account_seq), 0) FROM uploads WHERE account_id = accounts.id),
                MAX((SELECT COALESCE(MAX(CAST(id AS INTEGER)), 0) FROM orders
                      WHERE account_id = accounts.id AND id NOT LIKE '%-%'),
                    (SELECT COALESCE(MAX(snowflake), 0) FROM endpoints
                      WHERE account_id = accounts.id)),
                created_at
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
        created_at: Timestamp::from_ms(row.get(7)),
        orders: number(4),
        uploads: number(5),
        snowflake: number(6),
    })
}

/// Inserts an account, or updates the settings of the one that an interrupted start has inserted for
/// `key`.
///
/// # Errors
/// Returns an error if the database fails.
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

/// Replaces the settings of an account.
///
/// # Errors
/// Returns an error if the database fails.
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

/// Numbers of rows of an account, or of all accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnedCounts {
    pub accounts: u64,
    /// Orders and documents.
    pub orders: u64,
    pub webhooks: u64,
}

/// Counts the rows of `account`, or of all accounts if it is `None`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn count_owned(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
) -> StoreResult<OwnedCounts> {
    // Indexes find the rows of one account. A condition for both cases would read all rows.
    let (of, id) = match account {
        Some(_) => ("account_id = ?1", "id = ?1"),
        None => ("?1 IS NULL", "?1 IS NULL"),
    };
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT (SELECT COUNT(*) FROM accounts WHERE {id}),
                (SELECT COALESCE(SUM(count), 0) FROM order_counts WHERE {of}),
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

/// Deletes an account and all rows that refer to it.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delete(tx: &mut Tx, id: AccountId) -> StoreResult<()> {
    sqlx::query("DELETE FROM accounts WHERE id = ?")
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    tx.record_account_end(id);
    Ok(())
}

/// Deletes all accounts, which are those of `ids`, and all rows that refer to them.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delete_all(tx: &mut Tx, ids: impl IntoIterator<Item = AccountId>) -> StoreResult<()> {
    // Referenced rows go last. Otherwise SQLite would search for references row by row.
    sqlx::query(
        "DELETE FROM jobs; DELETE FROM attempts; DELETE FROM deliveries; DELETE FROM events;
         DELETE FROM endpoints; DELETE FROM uploads; DELETE FROM order_counts; DELETE FROM orders;
         DELETE FROM rules WHERE account_id IS NOT NULL; DELETE FROM accounts",
    )
    .execute(tx.sqlite())
    .await?;
    for id in ids {
        tx.record_account_end(id);
    }
    Ok(())
}

/// Writes the state of a clock. An account that gets its own clock takes its jobs along.
///
/// # Errors
/// Returns an error if the database fails.
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
        // The jobs leave the default clock.
        tx.invalidate_jobs();
    }
    write_clock(tx.sqlite(), clock_id, clock).await
}

/// Removes an account's own clock. Its jobs go back to the default clock.
///
/// # Errors
/// Returns an error if the database fails.
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

/// Returns the default clock. `None` if it was never set.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn default_clock(from: &mut impl ReadConn) -> StoreResult<Option<Clock>> {
    let row = sqlx::query("SELECT clock FROM default_clock")
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row
        .map(|row| serde_json::from_str(row.get(0)))
        .transpose()?)
}

/// Resets the default clock to the real time.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn clear_default_clock(tx: &mut Tx) -> StoreResult<()> {
    tx.discard_queued_clock_write(ClockId::DEFAULT);
    sqlx::query("DELETE FROM default_clock")
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Returns the credits that an account has used.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn credits_used(from: &mut impl ReadConn, id: AccountId) -> StoreResult<u64> {
    let row = sqlx::query("SELECT credits_used FROM accounts WHERE id = ?")
        .bind(id.0)
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row.map_or(0, |row| u64::try_from(row.get::<i64, _>(0)).unwrap_or(0)))
}

/// Charges `credits` unless the sum would exceed `limit`. Returns `false`, and charges nothing, if it
/// would.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn charge_credits(
    tx: &mut Tx,
    id: AccountId,
    credits: u32,
    limit: u64,
) -> StoreResult<bool> {
    let done =
        sqlx::query("UPDATE accounts SET credits_used = credits_used + ?1 WHERE id = ?2 AND credits_used + ?1 <= ?3")
            .bind(i64::from(credits))
            .bind(id.0)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .execute(tx.sqlite())
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Refunds `credits`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn refund_credits(tx: &mut Tx, id: AccountId, credits: u32) -> StoreResult<()> {
    sqlx::query("UPDATE accounts SET credits_used = MAX(credits_used - ?, 0) WHERE id = ?")
        .bind(i64::from(credits))
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Returns the hosts of issued presigned URLs, the latest first.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn hosts(from: &mut impl ReadConn) -> StoreResult<Vec<String>> {
    let rows = sqlx::query("SELECT host FROM presign_hosts ORDER BY seq DESC")
        .fetch_all(from.sqlite())
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Records a host of presigned URLs. Keeps the latest `hosts_max` hosts.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn insert_host(tx: &mut Tx, host: &str, hosts_max: u32) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO presign_hosts (host) VALUES (?) ON CONFLICT DO NOTHING;
         DELETE FROM presign_hosts WHERE seq <= (SELECT MAX(seq) FROM presign_hosts) - ?",
    )
    .bind(host)
    .bind(hosts_max)
    .execute(tx.sqlite())
    .await?;
    Ok(())
}
