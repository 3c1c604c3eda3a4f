//! Jobs as people see them: listed by due time, and the next job of an order.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::jobs::job;
use super::{ReadConn, StoreResult};
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::{Job, JobKind};
use crate::model::report::Locale;
use crate::model::time::Timestamp;

/// Row of a listing of jobs.
#[derive(Debug, Clone)]
pub struct JobRow {
    pub job: Job,
    pub clock: ClockId,
    /// Order of the next delivery. `None` for jobs of other kinds than deliveries.
    pub order_of_delivery: Option<String>,
}

/// Returns a page of the account's jobs, or of all jobs, the earliest first, at most `limit`. Begins
/// after the job with the due time and id `after`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn page(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
    after: Option<(Timestamp, i64)>,
    limit: u32,
) -> StoreResult<Vec<JobRow>> {
    // An index finds the jobs of one account. A condition for both cases would read all jobs.
    let filter = match account {
        Some(_) => "account_id = ?1",
        None => "?1 IS NULL",
    };
    let (after_at, after_id) = after.map_or((i64::MIN, i64::MIN), |(at, id)| (at.ms(), id));
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT id, account_id, kind, subject, due_at, starts, clock_id,
             IIF(kind = ?2, (
                 SELECT order_id FROM deliveries JOIN events ON events.id = event_id
                 WHERE endpoint_id = CAST(jobs.subject AS INTEGER)
                   AND deliveries.due_at IS NOT NULL
                 ORDER BY deliveries.due_at, deliveries.id LIMIT 1
             ), NULL)
         FROM jobs WHERE {filter} AND (due_at, id) > (?3, ?4) ORDER BY due_at, id LIMIT ?5"
    )))
    .bind(account.map(|account| account.0))
    .bind(JobKind::Deliver.name())
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .fetch_all(from.sqlite())
    .await?;
    let read = |row: &SqliteRow| {
        Ok(JobRow {
            job: job(row)?,
            clock: ClockId(row.get(6)),
            order_of_delivery: row.get(7),
        })
    };
    rows.iter().map(read).collect()
}

/// Returns the first due job of an order: of itself or of one of its reports. `None` if there is none.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn next_of_order(from: &mut impl ReadConn, order: &str) -> StoreResult<Option<Job>> {
    let of_order = [
        JobKind::Process,
        JobKind::Expire,
        JobKind::ExpireUploads,
        JobKind::Sunset,
    ]
    .map(|kind| (kind.name(), order.to_owned()));
    let of_reports = Locale::ALL.map(|locale| {
        let subject = format!("{order}/{}", locale.tag());
        (JobKind::Report.name(), subject)
    });
    let keys: Vec<_> = of_order.into_iter().chain(of_reports).collect();
    // `CROSS JOIN` keeps the order of the tables, so that each job is found by the index.
    let row = sqlx::query(
        "SELECT jobs.id, account_id, kind, subject, due_at, starts
         FROM json_each(?) AS key CROSS JOIN jobs
         ON kind = key.value ->> 0 AND subject = key.value ->> 1
         ORDER BY due_at, jobs.id LIMIT 1",
    )
    .bind(serde_json::to_string(&keys)?)
    .fetch_optional(from.sqlite())
    .await?;
    row.as_ref().map(job).transpose()
}
