//! Starts of jobs, counted in their rows: what is left of a count when the process has died is a start
//! that did not end.

use super::{StoreResult, Tx, sealed::Connected};

/// Counts a start of each of the jobs. Jobs that are gone are passed over.
///
/// # Errors
/// If it cannot be written.
pub async fn add(tx: &mut Tx, ids: &[i64]) -> StoreResult<()> {
    change(
        tx,
        "UPDATE jobs SET starts = starts + 1 WHERE id IN (SELECT value FROM json_each(?))",
        ids,
    )
    .await
}

/// Takes a counted start of each of the jobs back. Jobs that are gone are passed over.
///
/// # Errors
/// If it cannot be written.
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
