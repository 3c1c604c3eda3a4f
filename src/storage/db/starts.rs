//! Starts of jobs, counted in their rows. A start is taken back when the job's run ends. A count above
//! zero after a crash is a start that did not end.

use super::{StoreResult, Tx, sealed::Connected};

/// Adds a start to each of the jobs. Ignores jobs that were removed.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn add(tx: &mut Tx, ids: &[i64]) -> StoreResult<()> {
    change(
        tx,
        "UPDATE jobs SET starts = starts + 1 WHERE id IN (SELECT value FROM json_each(?))",
        ids,
    )
    .await
}

/// Takes back a start of each of the jobs. Ignores jobs that were removed.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn decrement(tx: &mut Tx, ids: &[i64]) -> StoreResult<()> {
    change(
        tx,
        "UPDATE jobs SET starts = MAX(starts - 1, 0)
         WHERE id IN (SELECT value FROM json_each(?))",
        ids,
    )
    .await
}

async fn change(tx: &mut Tx, sql: &'static str, ids: &[i64]) -> StoreResult<()> {
    sqlx::query(sql)
        .bind(serde_json::to_string(ids)?)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}
