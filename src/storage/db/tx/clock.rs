//! State of a clock: the queue for the next commit, and the statement that writes it.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use sqlx::sqlite::SqliteConnection;

use super::DbWriter;
use crate::model::ids::ClockId;
use crate::platform::clock::Clock;
use crate::storage::db::StoreResult;

/// Writes the state of the default clock, or of the clock of an existing account.
pub(in crate::storage::db) async fn write_clock(
    sqlite: &mut SqliteConnection,
    clock_id: ClockId,
    clock: Clock,
) -> StoreResult<()> {
    let json = serde_json::to_string(&clock)?;
    let query = match clock_id {
        ClockId::DEFAULT => sqlx::query(
            "INSERT INTO default_clock VALUES (1, ?)
             ON CONFLICT DO UPDATE SET clock = excluded.clock",
        )
        .bind(json),
        ClockId(account) => sqlx::query("UPDATE accounts SET clock = ? WHERE id = ?")
            .bind(json)
            .bind(account),
    };
    query.execute(sqlite).await?;
    Ok(())
}

impl DbWriter {
    /// Queues the state of a clock for the next commit. `None` removes a queued state, because the
    /// clock is written in another way.
    pub(in crate::storage::db) fn queue_clock_write(&self, id: ClockId, clock: Option<Clock>) {
        match clock {
            Some(clock) => self.queued_clock_writes().insert(id, clock),
            None => self.queued_clock_writes().remove(&id),
        };
    }

    pub(super) fn queued_clock_writes(&self) -> MutexGuard<'_, HashMap<ClockId, Clock>> {
        self.queued_clock_writes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
