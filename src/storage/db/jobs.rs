//! Jobs: work with a due time on a clock.

use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::{InternalError, ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::{AccountId, ClockId, WebhookId};
use crate::model::job::{Job, JobKind};
use crate::model::time::Timestamp;

/// Inserts a job that is due at `due_at`. An existing job keeps the earlier due time.
///
/// # Errors
/// Returns [`InternalError::AccountGone`] if the account was deleted.
pub async fn upsert(
    tx: &mut Tx,
    account: AccountId,
    kind: JobKind,
    subject: &str,
    due_at: Timestamp,
) -> StoreResult<()> {
    let query = tx.prepend_order_update(
        "INSERT INTO jobs (account_id, clock_id, kind, subject, due_at)
         VALUES (?, COALESCE((SELECT id FROM accounts WHERE id = ? AND clock IS NOT NULL), 0), ?, ?, ?)
         ON CONFLICT (kind, subject) DO UPDATE SET due_at = MIN(due_at, excluded.due_at)
         RETURNING clock_id, due_at",
    );
    let row = query
        .bind(account.0)
        .bind(account.0)
        .bind(kind.name())
        .bind(subject.to_owned())
        .bind(due_at.ms())
        .fetch_one(tx.sqlite())
        .await?;
    tx.schedule(ClockId(row.get(0)), Timestamp::from_ms(row.get(1)));
    Ok(())
}

/// Inserts a job of `kind`, due at `due_at`, for each pending v2 watermark order without one. Considers
/// all accounts if `account` is `None`.
///
/// # Errors
/// If the database fails.
pub async fn put_for_v2_watermarks(
    tx: &mut Tx,
    account: Option<AccountId>,
    kind: JobKind,
    due_at: Timestamp,
) -> StoreResult<()> {
    // An index finds the orders of one account. A condition for both cases would read all orders.
    let filter = match account {
        Some(_) => "orders.account_id = ?3",
        None => "?3 IS NULL",
    };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO jobs (account_id, clock_id, kind, subject, due_at)
         SELECT orders.account_id, IIF(accounts.clock IS NULL, 0, accounts.id), ?1, orders.id, ?2
         FROM orders JOIN accounts ON accounts.id = orders.account_id
         WHERE {filter} AND status = 'pending'
           AND type IN ('watermarkEmbed', 'watermarkExtract')
           AND COALESCE(body ->> '$.api', 'v2') = 'v2'
         ON CONFLICT DO NOTHING RETURNING clock_id"
    )))
    .bind(kind.name())
    .bind(due_at.ms())
    .bind(account.map(|account| account.0))
    .fetch_all(tx.sqlite())
    .await?;
    for row in &rows {
        tx.schedule(ClockId(row.get(0)), due_at);
    }
    Ok(())
}

/// Deletes a job. Returns `false` if it was already deleted because its account was reset. The caller
/// must then record nothing.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delete(tx: &mut Tx, id: i64) -> StoreResult<bool> {
    let done = sqlx::query("DELETE FROM jobs WHERE id = ?")
        .bind(id)
        .execute(tx.sqlite())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Sets the due time of a job, if the job exists, and resets its starts.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn postpone(tx: &mut Tx, id: i64, due_at: Timestamp) -> StoreResult<()> {
    let row = tx
        .prepend_order_update(
            "UPDATE jobs SET due_at = ?, starts = 0 WHERE id = ? RETURNING clock_id",
        )
        .bind(due_at.ms())
        .bind(id)
        .fetch_optional(tx.sqlite())
        .await?;
    if let Some(row) = &row {
        tx.schedule(ClockId(row.get(0)), due_at);
    }
    Ok(())
}

/// Sets the due time of an endpoint's job to the time of the endpoint's next attempt. Deletes the job if
/// there is no next attempt.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn reschedule_endpoint(tx: &mut Tx, id: i64, endpoint: WebhookId) -> StoreResult<()> {
    let row = sqlx::query(
        "DELETE FROM jobs WHERE id = ? AND NOT EXISTS
             (SELECT 1 FROM deliveries WHERE endpoint_id = ? AND due_at IS NOT NULL);
         UPDATE jobs SET due_at =
             (SELECT MIN(due_at) FROM deliveries WHERE endpoint_id = ? AND due_at IS NOT NULL)
         WHERE id = ? RETURNING clock_id, due_at",
    )
    .bind(id)
    .bind(endpoint.0)
    .bind(endpoint.0)
    .bind(id)
    .fetch_optional(tx.sqlite())
    .await?;
    if let Some(row) = &row {
        tx.schedule(ClockId(row.get(0)), Timestamp::from_ms(row.get(1)));
    }
    Ok(())
}

/// Sets the due time of an endpoint's job to the time of the endpoint's next attempt. Creates the job if
/// needed. For callers that have claimed the job and do not run it.
///
/// # Errors
/// Returns [`InternalError::AccountGone`] if the account was deleted.
pub async fn upsert_endpoint(
    tx: &mut Tx,
    account: AccountId,
    endpoint: WebhookId,
) -> StoreResult<()> {
    let subject = endpoint.to_string();
    let row = sqlx::query(
        "SELECT MIN(due_at) FROM deliveries WHERE endpoint_id = ? AND due_at IS NOT NULL",
    )
    .bind(endpoint.0)
    .fetch_one(tx.sqlite())
    .await?;
    let Some(due_at) = row.get::<Option<i64>, _>(0).map(Timestamp::from_ms) else {
        return remove(tx, JobKind::Deliver, &subject).await;
    };
    upsert(tx, account, JobKind::Deliver, &subject, due_at).await?;
    sqlx::query("UPDATE jobs SET due_at = ? WHERE kind = ? AND subject = ?")
        .bind(due_at.ms())
        .bind(JobKind::Deliver.name())
        .bind(subject)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Deletes the job of `kind` for `subject`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn remove(tx: &mut Tx, kind: JobKind, subject: &str) -> StoreResult<()> {
    tx.invalidate_jobs();
    sqlx::query("DELETE FROM jobs WHERE kind = ? AND subject = ?")
        .bind(kind.name())
        .bind(subject)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Returns the jobs on `clock` that are due at or before `now`, the earliest first, at most `limit`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn due(
    from: &mut impl ReadConn,
    clock: ClockId,
    now: Timestamp,
    limit: usize,
) -> StoreResult<Vec<Job>> {
    sqlx::query(
        "SELECT id, account_id, kind, subject, due_at, starts FROM jobs
         WHERE clock_id = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?",
    )
    .bind(clock.0)
    .bind(now.ms())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(from.sqlite())
    .await?
    .iter()
    .map(job)
    .collect()
}

/// Returns the jobs on `clock` that a client waits for, the earliest first, at most `limit`. Considers
/// all accounts if `account` is `None`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn awaited(
    from: &mut impl ReadConn,
    clock: ClockId,
    account: Option<AccountId>,
    limit: usize,
) -> StoreResult<Vec<Job>> {
    let kinds: Vec<&str> = JobKind::ALL
        .into_iter()
        .filter(|kind| kind.is_foreground())
        .map(JobKind::name)
        .collect();
    sqlx::query(
        "SELECT id, account_id, kind, subject, due_at, starts FROM jobs
         WHERE clock_id = ?1 AND kind IN (SELECT value FROM json_each(?2))
           AND (?3 IS NULL OR account_id = ?3)
         ORDER BY due_at, id LIMIT ?4",
    )
    .bind(clock.0)
    .bind(serde_json::to_string(&kinds)?)
    .bind(account.map(|account| account.0))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(from.sqlite())
    .await?
    .iter()
    .map(job)
    .collect()
}

/// Returns the account's jobs, the earliest first, at most `limit`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn by_account(
    from: &mut impl ReadConn,
    account: AccountId,
    limit: usize,
) -> StoreResult<Vec<Job>> {
    sqlx::query(
        "SELECT id, account_id, kind, subject, due_at, starts FROM jobs
         WHERE account_id = ? ORDER BY due_at, id LIMIT ?",
    )
    .bind(account.0)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(from.sqlite())
    .await?
    .iter()
    .map(job)
    .collect()
}

/// Returns the job of `kind` for `subject`. `None` if there is no such job.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn find(
    from: &mut impl ReadConn,
    kind: JobKind,
    subject: &str,
) -> StoreResult<Option<Job>> {
    let row = sqlx::query(
        "SELECT id, account_id, kind, subject, due_at, starts FROM jobs
         WHERE kind = ? AND subject = ?",
    )
    .bind(kind.name())
    .bind(subject)
    .fetch_optional(from.sqlite())
    .await?;
    row.as_ref().map(job).transpose()
}

/// Returns the due time of a job. `None` if the job no longer exists.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn due_at(from: &mut impl ReadConn, id: i64) -> StoreResult<Option<Timestamp>> {
    let row = sqlx::query("SELECT due_at FROM jobs WHERE id = ?")
        .bind(id)
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row.map(|row| Timestamp::from_ms(row.get(0))))
}

/// Returns the due time of the first job on `clock` after `now`. `None` if there is none.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn next_after(
    from: &mut impl ReadConn,
    clock: ClockId,
    now: Timestamp,
) -> StoreResult<Option<Timestamp>> {
    let row = sqlx::query("SELECT MIN(due_at) FROM jobs WHERE clock_id = ? AND due_at > ?")
        .bind(clock.0)
        .bind(now.ms())
        .fetch_one(from.sqlite())
        .await?;
    Ok(row.get::<Option<i64>, _>(0).map(Timestamp::from_ms))
}

/// Returns the earliest due time of each clock that has jobs.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn next_due_by_clock(from: &mut impl ReadConn) -> StoreResult<Vec<(ClockId, Timestamp)>> {
    let rows = sqlx::query("SELECT clock_id, MIN(due_at) FROM jobs GROUP BY clock_id")
        .fetch_all(from.sqlite())
        .await?;
    Ok(rows
        .iter()
        .map(|row| (ClockId(row.get(0)), Timestamp::from_ms(row.get(1))))
        .collect())
}

/// Counts the jobs by kind.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn count_by_kind(from: &mut impl ReadConn) -> StoreResult<Vec<(JobKind, u64)>> {
    let counted = sqlx::query("SELECT kind, COUNT(*) FROM jobs GROUP BY kind");
    let rows = counted.fetch_all(from.sqlite()).await?;
    rows.iter().map(kind_count).collect()
}

/// Counts the jobs that are due on their clocks, by kind. `nows` has the time of each clock.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn count_due_by_kind(
    from: &mut impl ReadConn,
    nows: &[(ClockId, Timestamp)],
) -> StoreResult<Vec<(JobKind, u64)>> {
    let nows: Vec<_> = nows
        .iter()
        .map(|(clock, now)| (clock.0, now.ms()))
        .collect();
    // `CROSS JOIN` keeps the order of the tables, so that each clock's jobs are found by the index.
    let rows = sqlx::query(
        "SELECT kind, COUNT(*) FROM json_each(?) AS clock CROSS JOIN jobs
         ON clock_id = clock.value ->> 0 AND due_at <= clock.value ->> 1 GROUP BY kind",
    )
    .bind(serde_json::to_string(&nows)?)
    .fetch_all(from.sqlite())
    .await?;
    rows.iter().map(kind_count).collect()
}

fn kind_count(row: &SqliteRow) -> StoreResult<(JobKind, u64)> {
    let kind: String = row.get(0);
    let count: i64 = row.get(1);
    let kind = JobKind::from_name(&kind).ok_or_else(|| unknown_value("job kind", &kind))?;
    Ok((kind, u64::try_from(count).unwrap_or_default()))
}

pub(super) fn job(row: &SqliteRow) -> StoreResult<Job> {
    let kind: String = row.get(2);
    Ok(Job {
        id: row.get(0),
        account: AccountId(row.get(1)),
        kind: JobKind::from_name(&kind).ok_or_else(|| unknown_value("job kind", &kind))?,
        subject: row.get(3),
        due_at: Timestamp::from_ms(row.get(4)),
        starts: row.get(5),
    })
}

/// Error for a word in a row that this version does not know.
pub(super) fn unknown_value(what: &str, word: &str) -> InternalError {
    let line = format!("the database has an unknown {what}: {word}");
    InternalError::Broken(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
        line,
    )))
}
