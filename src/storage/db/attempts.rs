//! Attempts at deliveries, one row each. The oldest attempts of an account are removed when there are
//! too many.

use sqlx::{AssertSqlSafe, Row};

use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::{AccountId, DeliveryId, WebhookId};
use crate::model::listing::Span;
use crate::model::webhook::{Attempt, Delivery};

/// Maximum number of stored attempts of an account.
const ATTEMPTS_STORED_MAX: i64 = 1_000;

/// Attempt, with its endpoint, delivery and event.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    pub account: AccountId,
    pub endpoint: WebhookId,
    pub delivery: DeliveryId,
    pub event: String,
    /// Type of the event.
    pub event_type: String,
    /// Order that the event is about.
    pub order: String,
    /// Body of the event, as sent.
    pub body: String,
    pub attempt: Attempt,
}

/// Filter of attempts. `None` matches any.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    pub account: Option<AccountId>,
    pub endpoint: Option<WebhookId>,
    pub event_type: Option<String>,
    /// Id of the event.
    pub event: Option<String>,
}

/// Inserts attempts at a delivery. The endpoint and the delivery may have been removed.
///
/// # Errors
/// Returns [`InternalError::AccountGone`](super::InternalError::AccountGone) if the account was deleted.
pub async fn insert(
    tx: &mut Tx,
    account: AccountId,
    endpoint: WebhookId,
    delivery: &Delivery,
    attempts: &[Attempt],
) -> StoreResult<()> {
    tx.record_delivery(account, delivery.id);
    for attempt in attempts {
        sqlx::query(
            "INSERT INTO attempts (account_id, account_seq, endpoint_id, delivery_id, event_id, body)
             SELECT ?1, COALESCE(MAX(account_seq), 0) + 1, ?2, ?3, ?4, ?5
             FROM attempts WHERE account_id = ?1;
             DELETE FROM attempts WHERE account_id = ?1
             AND account_seq <= (SELECT MAX(account_seq) FROM attempts WHERE account_id = ?1) - ?6",
        )
        .bind(account.0)
        .bind(endpoint.0)
        .bind(delivery.id.0)
        .bind(&delivery.event.id)
        .bind(serde_json::to_string(attempt)?)
        .bind(ATTEMPTS_STORED_MAX)
        .execute(tx.sqlite())
        .await?;
    }
    Ok(())
}

impl AttemptFilter {
    /// Returns the SQL condition, and the column that orders and numbers the attempts.
    fn condition(&self) -> (String, &'static str) {
        // An index serves each case. A condition for all cases would read all attempts.
        let (of_account, number) = match (self.account, self.endpoint) {
            (_, Some(_)) => ("(?1 IS NULL OR attempts.account_id = ?1)", "attempts.id"),
            (Some(_), None) => ("attempts.account_id = ?1", "account_seq"),
            (None, None) => ("?1 IS NULL", "attempts.id"),
        };
        let of_endpoint = match self.endpoint {
            Some(_) => "endpoint_id = ?2",
            None => "?2 IS NULL",
        };
        let condition = format!(
            "{of_account} AND {of_endpoint} AND (?3 IS NULL OR type = ?3)
             AND (?4 IS NULL OR event_id = ?4)"
        );
        (condition, number)
    }
}

/// Returns the span of the newest attempts with a number below `before`, at most `limit`. `None` if
/// there are none. Numbers are per account if the filter names an account and no
/// endpoint, else global.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn span(
    from: &mut impl ReadConn,
    filter: &AttemptFilter,
    before: Option<i64>,
    limit: u32,
) -> StoreResult<Option<Span>> {
    let (condition, number) = filter.condition();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {number} FROM attempts JOIN events ON events.id = event_id
         WHERE {condition} AND {number} < ?5 ORDER BY {number} DESC LIMIT ?6"
    )))
    .bind(filter.account.map(|account| account.0))
    .bind(filter.endpoint.map(|endpoint| endpoint.0))
    .bind(filter.event_type.as_deref())
    .bind(filter.event.as_deref())
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit) + 1)
    .fetch_all(from.sqlite())
    .await?;
    let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Span::from_numbers(&numbers, limit))
}

/// Returns the attempts with numbers from `first` to `last`, the oldest first, at most `limit`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn in_span(
    from: &mut impl ReadConn,
    filter: &AttemptFilter,
    (first, last): (i64, i64),
    limit: u32,
) -> StoreResult<Vec<(i64, AttemptRow)>> {
    let (condition, number) = filter.condition();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT attempts.account_id, endpoint_id, delivery_id, event_id, type, events.body,
                attempts.body, {number}, order_id
         FROM attempts JOIN events ON events.id = event_id
         WHERE {condition} AND {number} BETWEEN ?5 AND ?6 ORDER BY {number} LIMIT ?7"
    )))
    .bind(filter.account.map(|account| account.0))
    .bind(filter.endpoint.map(|endpoint| endpoint.0))
    .bind(filter.event_type.as_deref())
    .bind(filter.event.as_deref())
    .bind(first)
    .bind(last)
    .bind(limit)
    .fetch_all(from.sqlite())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let stored = AttemptRow {
            account: AccountId(row.get(0)),
            endpoint: WebhookId(row.get(1)),
            delivery: DeliveryId(row.get(2)),
            event: row.get(3),
            event_type: row.get(4),
            order: row.get(8),
            body: row.get(5),
            attempt: serde_json::from_str(row.get(6))?,
        };
        Ok((row.get(7), stored))
    };
    rows.iter().map(read).collect()
}
