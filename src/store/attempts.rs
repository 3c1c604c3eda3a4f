//! Attempts at deliveries: one row each, the oldest of an account going when there are too many.

use sqlx::{AssertSqlSafe, Row};

use super::{Result, Source, Tx, sealed::Connected};
use crate::model::ids::AccountId;
use crate::model::webhook::{Attempt, Delivery};

/// So many of an account's attempts are kept.
const KEPT_MAX: i64 = 1_000;

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
}

/// Keeps attempts at a delivery to that endpoint, also where that is gone.
///
/// # Errors
/// If the account is gone.
pub async fn insert(
    tx: &mut Tx,
    account: AccountId,
    endpoint: &str,
    delivery: &Delivery,
    attempts: &[Attempt],
) -> Result<()> {
    for attempt in attempts {
        sqlx::query(
            "INSERT INTO attempts (account_id, number, endpoint_id, delivery_id, event_id, body)
             SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5
             FROM attempts WHERE account_id = ?1;
             DELETE FROM attempts WHERE account_id = ?1
             AND number <= (SELECT MAX(number) FROM attempts WHERE account_id = ?1) - ?6",
        )
        .bind(account.0)
        .bind(endpoint)
        .bind(&delivery.id)
        .bind(&delivery.event.id)
        .bind(serde_json::to_string(attempt)?)
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
    // Each is found by an index; with one condition for both cases all are looked at.
    let (whose, order) = match (filter.account, &filter.endpoint) {
        (_, Some(_)) => ("(?1 IS NULL OR attempts.account_id = ?1)", "attempts.id"),
        (Some(_), None) => ("attempts.account_id = ?1", "number"),
        (None, None) => ("?1 IS NULL", "attempts.id"),
    };
    let endpoint = match &filter.endpoint {
        Some(_) => "endpoint_id = ?2",
        None => "?2 IS NULL",
    };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT attempts.account_id, endpoint_id, delivery_id, event_id, kind, events.body,
                attempts.body
         FROM attempts JOIN events ON events.id = event_id
         WHERE {whose} AND {endpoint} AND (?3 IS NULL OR kind = ?3)
         ORDER BY {order} DESC LIMIT ?4"
    )))
    .bind(filter.account.map(|account| account.0))
    .bind(filter.endpoint.as_deref())
    .bind(filter.kind.as_deref())
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
