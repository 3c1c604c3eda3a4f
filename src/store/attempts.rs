//! Attempts at deliveries: one row each, the oldest of an account going when there are too many.

use sqlx::Row;

use super::{Result, Source, Tx, sealed::Connected};
use crate::model::ids::AccountId;
use crate::model::webhook::Attempt;

/// So many of an account's attempts are kept,
const KEPT_MAX: i64 = 1_000;
/// looked after once in so many.
const TRIM_EVERY: i64 = 64;

/// An attempt with what it was an attempt at.
#[derive(Debug, Clone)]
pub struct Stored {
    pub account: AccountId,
    pub endpoint: String,
    pub delivery: String,
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// What was sent.
    pub body: String,
    pub attempt: Attempt,
}

/// Which attempts; none: any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub account: Option<AccountId>,
    pub endpoint: Option<String>,
    pub kind: Option<String>,
    pub delivery: Option<String>,
}

/// Keeps an attempt.
///
/// # Errors
/// If its delivery is gone.
pub async fn insert(
    tx: &mut Tx,
    account: AccountId,
    delivery: &str,
    attempt: &Attempt,
) -> Result<()> {
    let row = sqlx::query(
        "INSERT INTO attempts (account_id, delivery_id, body) VALUES (?, ?, ?) RETURNING id",
    )
    .bind(account.0)
    .bind(delivery)
    .bind(serde_json::to_string(attempt)?)
    .fetch_one(tx.sqlite())
    .await?;
    if row.get::<i64, _>(0) % TRIM_EVERY == 0 {
        sqlx::query(
            "DELETE FROM attempts WHERE account_id = ?1 AND id <=
                 (SELECT id FROM attempts WHERE account_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(account.0)
        .bind(KEPT_MAX)
        .execute(tx.sqlite())
        .await?;
    }
    Ok(())
}

/// The last `limit` attempts of that filter, the newest last.
///
/// # Errors
/// If they cannot be read.
pub async fn list(from: &mut impl Source, filter: &Filter, limit: u32) -> Result<Vec<Stored>> {
    let rows = sqlx::query(
        "SELECT attempts.account_id, endpoint_id, deliveries.id, events.id, kind, events.body,
                attempts.body
         FROM attempts JOIN deliveries ON deliveries.id = delivery_id
         JOIN events ON events.id = event_id
         WHERE (?1 IS NULL OR attempts.account_id = ?1) AND (?2 IS NULL OR endpoint_id = ?2)
           AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR deliveries.id = ?4)
         ORDER BY attempts.id DESC LIMIT ?5",
    )
    .bind(filter.account.map(|account| account.0))
    .bind(filter.endpoint.as_deref())
    .bind(filter.kind.as_deref())
    .bind(filter.delivery.as_deref())
    .bind(limit)
    .fetch_all(from.sqlite())
    .await?;
    let of = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Stored {
            account: AccountId(row.get(0)),
            endpoint: row.get(1),
            delivery: row.get(2),
            event: row.get(3),
            kind: row.get(4),
            body: row.get(5),
            attempt: serde_json::from_str(row.get(6))?,
        })
    };
    rows.iter().rev().map(of).collect()
}
