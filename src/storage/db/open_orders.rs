//! Orders that have not ended and have no job that ends them.

use sqlx::{AssertSqlSafe, Row};

use super::{ReadConn, StoreResult};
use crate::model::ids::AccountId;
use crate::model::job::JobKind;
use crate::model::order::Order;

/// Returns the accounts that have orders with one of `statuses`. Considers only `account` if it is
/// given.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn accounts_having(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
    statuses: &[&str],
) -> StoreResult<Vec<AccountId>> {
    // The key finds the counts of one account. A condition for both cases would read all of them.
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

/// Returns the account's oldest orders with one of `statuses` and without a processing job, at most
/// `limit`.
///
/// # Errors
/// Returns an error if the database fails.
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
