//! Numbers of orders and deliveries by status.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::webhooks::count;
use super::{Db, ReadConn, StoreResult};
use crate::model::ids::AccountId;

/// Numbers of rows by status. A status without rows may be missing.
type StatusCounts = BTreeMap<String, u64>;

fn counts_of(rows: &[SqliteRow]) -> StatusCounts {
    let counts = rows.iter().map(|row| (row.get(1), count(row)));
    counts.collect()
}

impl Db {
    /// Returns the numbers of orders and of deliveries by status: of `account`, or of all accounts.
    /// Delivered deliveries are not counted.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn status_counts(
        &self,
        account: Option<AccountId>,
    ) -> StoreResult<(StatusCounts, StatusCounts)> {
        let mut reader = self.read().await?;
        let orders = order_counts(&mut reader, account).await?;
        let deliveries = delivery_counts(&mut reader, account).await?;
        Ok((orders, deliveries))
    }
}

async fn order_counts(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
) -> StoreResult<StatusCounts> {
    let query = match account {
        Some(_) => {
            "SELECT SUM(count), status FROM order_counts WHERE account_id = ? GROUP BY status"
        }
        None => "SELECT SUM(count), status FROM order_counts WHERE ? IS NULL GROUP BY status",
    };
    let rows = sqlx::query(query)
        .bind(account.map(|account| account.0))
        .fetch_all(from.sqlite())
        .await?;
    Ok(counts_of(&rows))
}

async fn delivery_counts(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
) -> StoreResult<StatusCounts> {
    let query = match account {
        Some(_) => {
            "SELECT COUNT(*), status FROM deliveries
             WHERE status <> 'SENT' AND endpoint_id IN
                 (SELECT id FROM endpoints WHERE account_id = ?)
             GROUP BY status"
        }
        None => {
            "SELECT COUNT(*), status FROM deliveries
             WHERE status <> 'SENT' AND ? IS NULL GROUP BY status"
        }
    };
    let rows = sqlx::query(query)
        .bind(account.map(|account| account.0))
        .fetch_all(from.sqlite())
        .await?;
    Ok(counts_of(&rows))
}
