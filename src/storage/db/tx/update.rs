//! New state of an order, written together with the next statement of its transaction.

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite};

use super::Tx;
use crate::storage::db::{StoreResult, sealed};

const UPDATE_ORDER: &str = "UPDATE orders SET status = ?, body = ? WHERE id = ?; ";

/// New state of an order, to be written.
#[derive(Debug)]
pub struct OrderUpdate {
    pub id: String,
    pub status: &'static str,
    pub body: String,
}

/// Statement with its bound values.
pub type SqlQuery = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

impl Tx {
    /// Queues the new state of an order, which is written with the next statement or at the commit.
    pub(in crate::storage::db) async fn update_order(
        &mut self,
        update: OrderUpdate,
    ) -> StoreResult<()> {
        self.flush().await?;
        self.update = Some(update);
        Ok(())
    }

    /// Builds a query of `sql`, preceded by the queued update of an order, whose values are bound.
    pub(in crate::storage::db) fn prepend_order_update(&mut self, sql: &str) -> SqlQuery {
        match self.update.take() {
            None => sqlx::query(AssertSqlSafe(sql.to_owned())),
            Some(OrderUpdate { id, status, body }) => {
                let query = sqlx::query(AssertSqlSafe(format!("{UPDATE_ORDER}{sql}")));
                query.bind(status).bind(body).bind(id)
            }
        }
    }

    pub(super) async fn flush(&mut self) -> StoreResult<()> {
        if self.update.is_some() {
            let update = self.prepend_order_update("");
            update.execute(sealed::Connected::sqlite(self)).await?;
        }
        Ok(())
    }
}
