//! Orders that have not come to their end, and that no job brings there.

use sqlx::{AssertSqlSafe, Row};

use super::{ReadConn, StoreResult};
use crate::model::ids::AccountId;
use crate::model::job::JobKind;
use crate::model::order::Order;

/// Returns the accounts that have orders of one of these statuses; only `account`, if one is given.
///
/// # Errors
/// If they cannot be read.
pub async fn accounts_having(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
    statuses: &[&str],
) -> StoreResult<Vec<AccountId>> {
    // One account's tallies are found by their key; a condition for both cases would read them all.
    let of_account = match account {
        Some(_) => "account_id = ?2",
        None => "?2 IS NULL",
    };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT DISTINCT account_id FROM order_counts
         WHERE {of_account} AND count > 0 AND status IN (SELECT value FROM json_each(?1))
         ORDER BY account_id"
    )))
    .bind(serde_json::to_string(statuses)?)
    .bind(account.map(|account| account.0))
    .fetch_all(from.sqlite())
    .await?;
    Ok(rows.iter().map(|row| AccountId(row.get(0))).collect())
}

/// Returns the account's first `limit` orders of one of these statuses that have no processing job,
/// the oldest first.
///
/// # Errors
/// If they cannot be read.
pub async fn without_job(
    from: &mut impl ReadConn,
    account: AccountId,
    statuses: &[&str],
    limit: usize,
) -> StoreResult<Vec<Order>> {
    let rows = sqlx::query(
        "SELECT body FROM orders
         WHERE account_id = ?1 AND status IN (SELECT value FROM json_each(?2))
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE kind = ?3 AND subject = orders.id)
         ORDER BY seq LIMIT ?4",
    )
    .bind(account.0)
    .bind(serde_json::to_string(statuses)?)
    .bind(JobKind::Process.name())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(from.sqlite())
    .await?;
    let orders = rows.iter().map(|row| serde_json::from_str(row.get(0)));
    Ok(orders.collect::<std::result::Result<_, _>>()?)
}
