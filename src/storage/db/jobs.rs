//! Jobs: what is due, and by whose clock.

use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::{ReadConn, StoreError, StoreResult, Tx, sealed::Connected};
use crate::model::ids::{AccountId, ClockId, WebhookId};
use crate::model::job::{Job, JobKind};
use crate::model::time::Timestamp;

/// Makes the job due at `due_at`, or earlier if it is already there and due earlier.
///
/// # Errors
/// If the account is gone.
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

/// Makes a job of that kind due at `due_at` for every pending v2 watermark order that has none,
/// of one account or of all.
///
/// # Errors
/// If it cannot be written.
pub async fn put_for_v2_watermarks(
    tx: &mut Tx,
    account: Option<AccountId>,
    kind: JobKind,
    due_at: Timestamp,
) -> StoreResult<()> {
    // One account's are found by its index; with one condition for both cases all are looked at.
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

/// Takes the job out. False if it was gone: its account was reset, and nothing may be recorded.
///
/// # Errors
/// If it cannot be written.
pub async fn delete(tx: &mut Tx, id: i64) -> StoreResult<bool> {
    let done = sqlx::query("DELETE FROM jobs WHERE id = ?")
        .bind(id)
        .execute(tx.sqlite())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Has the job due at `due_at` instead, if it is still there; its start has ended.
///
/// # Errors
/// If it cannot be written.
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

/// Sets an endpoint's job to the endpoint's next attempt, or takes it out if there is none.
///
/// # Errors
/// If it cannot be written.
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

/// Sets an endpoint's job to the endpoint's next attempt, whether there is one yet or not; for
/// who has claimed it and does not run it.
///
/// # Errors
/// If the account is gone.
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

/// The job is no longer there to be done.
///
/// # Errors
/// If it cannot be written.
pub async fn remove(tx: &mut Tx, kind: JobKind, subject: &str) -> StoreResult<()> {
    tx.invalidate_jobs();
    sqlx::query("DELETE FROM jobs WHERE kind = ? AND subject = ?")
        .bind(kind.name())
        .bind(subject)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// The first `limit` jobs due at or before `now` by that clock, the earliest first.
///
/// # Errors
/// If they cannot be read.
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

/// The first `limit` jobs by that clock that somebody waits for, of one account or of all, the
/// earliest first.
///
/// # Errors
/// If they cannot be read.
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

/// The account's first `limit` jobs, the earliest first.
///
/// # Errors
/// If they cannot be read.
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

/// The job of that kind and subject.
///
/// # Errors
/// If it cannot be read.
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

/// When that job is due, if it is still there.
///
/// # Errors
/// If it cannot be read.
pub async fn due_at(from: &mut impl ReadConn, id: i64) -> StoreResult<Option<Timestamp>> {
    let row = sqlx::query("SELECT due_at FROM jobs WHERE id = ?")
        .bind(id)
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row.map(|row| Timestamp::from_ms(row.get(0))))
}

/// When the first job after `now` is due by that clock.
///
/// # Errors
/// If it cannot be read.
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

/// The earliest due time of every clock that has jobs.
///
/// # Errors
/// If they cannot be read.
pub async fn next_due_by_clock(from: &mut impl ReadConn) -> StoreResult<Vec<(ClockId, Timestamp)>> {
    let rows = sqlx::query("SELECT clock_id, MIN(due_at) FROM jobs GROUP BY clock_id")
        .fetch_all(from.sqlite())
        .await?;
    Ok(rows
        .iter()
        .map(|row| (ClockId(row.get(0)), Timestamp::from_ms(row.get(1))))
        .collect())
}

/// How many jobs there are, by kind.
///
/// # Errors
/// If they cannot be read.
pub async fn count_by_kind(from: &mut impl ReadConn) -> StoreResult<Vec<(JobKind, u64)>> {
    let counted = sqlx::query("SELECT kind, COUNT(*) FROM jobs GROUP BY kind");
    let rows = counted.fetch_all(from.sqlite()).await?;
    rows.iter().map(kind_count).collect()
}

/// How many jobs are due at or before what each of these clocks shows, by kind.
///
/// # Errors
/// If they cannot be read.
pub async fn count_due_by_kind(
    from: &mut impl ReadConn,
    nows: &[(ClockId, Timestamp)],
) -> StoreResult<Vec<(JobKind, u64)>> {
    let nows: Vec<_> = nows
        .iter()
        .map(|(clock, now)| (clock.0, now.ms()))
        .collect();
    // Clock by clock along its index: the order of the tables is as they are written.
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

fn job(row: &SqliteRow) -> StoreResult<Job> {
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

/// A word in a row that this version does not know.
pub(super) fn unknown_value(what: &str, word: &str) -> StoreError {
    let line = format!("the database has an unknown {what}: {word}");
    StoreError::Broken(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
        line,
    )))
}
