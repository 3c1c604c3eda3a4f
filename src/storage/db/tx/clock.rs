//! The state of a clock, as a commit writes it.

use sqlx::sqlite::SqliteConnection;

use crate::model::ids::ClockId;
use crate::platform::clock::Clock;
use crate::storage::db::StoreResult;

/// Writes the state of a clock, which an account has already.
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
