//! Orders are read.

use std::sync::Arc;

use super::{KeyOwner, Orders, key_owner};
use crate::model::listing::{OrderFilter, Page, Span};
use crate::model::order::{Order, Vendor};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

pub use crate::storage::db::listing::Cursor;
pub use crate::storage::db::orders::Listed;

/// Whose object it is.
#[derive(Debug, Clone)]
pub enum ObjectOwner {
    Account {
        account: Arc<Account>,
        /// The order that waits for it, or made it; none for Undetectable's uploads.
        order_id: Option<String>,
    },
    /// The key is of an order or upload that is not there (any more).
    Deleted,
    /// The key is none of those that are given out.
    Unowned,
}

impl Orders {
    /// The order of that id and vendor, whosever it is.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn find(
        &self,
        vendor: Vendor,
        id: &str,
    ) -> Result<Option<Arc<Order>>, InternalError> {
        let found = self.db.order(id).await?;
        Ok(found.filter(|order| order.vendor == vendor))
    }

    /// The account's BIZ MORI orders of that filter, the newest first: `limit` of them behind
    /// the first `offset`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn list(
        &self,
        account: &Account,
        filter: &OrderFilter,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Arc<Order>>, InternalError> {
        let mut reader = self.db.read().await?;
        db::listing::page(&mut reader, account.id, filter, limit, offset).await
    }

    /// All of them, piece by piece: the next at most `limit`, none when all have been. Those made
    /// meanwhile are left out.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn list_next(
        &self,
        account: &Account,
        filter: &OrderFilter,
        limit: u32,
        cursor: &mut Cursor,
    ) -> Result<Vec<Arc<Order>>, InternalError> {
        let mut reader = self.db.read().await?;
        db::listing::next_page(&mut reader, account.id, filter, limit, cursor).await
    }

    /// Returns the newest `limit` orders and documents of those older than number `before`, of any
    /// account or vendor if none is given. `None` if there are none.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn span(
        &self,
        listed: Listed,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Option<Span>, InternalError> {
        let mut reader = self.db.read().await?;
        db::orders::span(&mut reader, listed, before, limit).await
    }

    /// Returns the orders and documents numbered `first` to `last` with their numbers, the oldest
    /// first, `limit` of them at most.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn in_span(
        &self,
        listed: Listed,
        (first, last): (i64, i64),
        limit: u32,
    ) -> Result<Vec<(i64, Arc<Order>)>, InternalError> {
        let mut reader = self.db.read().await?;
        db::orders::in_span(&mut reader, listed, (first, last), limit).await
    }

    /// How many BIZ MORI orders the account made on each of those days (since 1970, UTC); a day
    /// without any is left out.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn count_by_day(
        &self,
        account: &Account,
        first_day: i64,
        last_day: i64,
    ) -> Result<Vec<(i64, u64)>, InternalError> {
        let mut reader = self.db.read().await?;
        db::listing::daily_counts(&mut reader, account.id, first_day, last_day).await
    }

    /// Whom an object belongs to, by its key.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn object_owner(&self, key: &str) -> Result<ObjectOwner, InternalError> {
        let (id, order_id) = match key_owner(key) {
            None => return Ok(ObjectOwner::Unowned),
            Some(KeyOwner::Order(id)) => (
                self.db.order(id).await?.map(|order| order.account),
                Some(id.to_owned()),
            ),
            Some(KeyOwner::Upload(id)) => {
                let account = db::uploads::account_of(&mut self.db.read().await?, id).await?;
                (account, None)
            }
        };
        let account = id.and_then(|id| self.accounts.by_id(id));
        Ok(
            account.map_or(ObjectOwner::Deleted, |account| ObjectOwner::Account {
                account,
                order_id,
            }),
        )
    }

    /// The client is told at `now` that the document is done: the first time is kept.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn mark_completion_reported(
        &self,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), InternalError> {
        if !order.is_completion_unreported() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let Some(mut current) = db::orders::find(&mut tx, &order.id).await? else {
            return Err(InternalError::AccountGone);
        };
        if Arc::make_mut(&mut current).mark_reported(now) {
            db::orders::update(&mut tx, current).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
