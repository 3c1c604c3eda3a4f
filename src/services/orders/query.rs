//! Queries for orders.

use std::sync::Arc;

use super::{KeyOwner, Orders, key_owner};
use crate::model::listing::{OrderFilter, Page, Span};
use crate::model::order::{Order, Vendor};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

pub use crate::storage::db::listing::Cursor;
pub use crate::storage::db::orders::ListingScope;

/// Owner of an object.
#[derive(Debug, Clone)]
pub enum ObjectOwner {
    Account {
        account: Arc<Account>,
        /// The order that the object belongs to. `None` for an upload of Undetectable.
        order_id: Option<String>,
    },
    /// The key belongs to an order or upload that does not exist, or no longer exists.
    Deleted,
    /// The key has none of the formats that this server issues.
    Unowned,
}

impl Orders {
    /// Returns the vendor's order `id`, of any account.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn find(
        &self,
        vendor: Vendor,
        id: &str,
    ) -> Result<Option<Arc<Order>>, InternalError> {
        let order = self.db.order(id).await?;
        Ok(order.filter(|order| order.vendor == vendor))
    }

    /// Returns a page of the account's orders of `vendor` that match `filter`, newest first.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn list(
        &self,
        account: &Account,
        vendor: Vendor,
        filter: &OrderFilter,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Arc<Order>>, InternalError> {
        let mut reader = self.db.read().await?;
        db::listing::page(&mut reader, account.id, vendor, filter, limit, offset).await
    }

    /// Returns the next orders of a listing that is read in chunks of at most `limit`. Empty at the
    /// end of the listing. Orders created after the first chunk are left out.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn list_next(
        &self,
        account: &Account,
        vendor: Vendor,
        filter: &OrderFilter,
        limit: u32,
        cursor: &mut Cursor,
    ) -> Result<Vec<Arc<Order>>, InternalError> {
        let mut reader = self.db.read().await?;
        db::listing::next_page(&mut reader, account.id, vendor, filter, limit, cursor).await
    }

    /// Returns the span of the newest `limit` orders whose number is below `before`. `scope`
    /// restricts the orders to an account or a vendor. `None` if there are no such orders.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn span(
        &self,
        scope: ListingScope,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Option<Span>, InternalError> {
        let mut reader = self.db.read().await?;
        db::orders::span(&mut reader, scope, before, limit).await
    }

    /// Returns the orders numbered `first` to `last` with their numbers, oldest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn in_span(
        &self,
        scope: ListingScope,
        (first, last): (i64, i64),
        limit: u32,
    ) -> Result<Vec<(i64, Arc<Order>)>, InternalError> {
        let mut reader = self.db.read().await?;
        db::orders::in_span(&mut reader, scope, (first, last), limit).await
    }

    /// Returns the number of orders that the account created through `vendor`'s API on each day from
    /// `first_day` to `last_day`. Days are counted from 1970-01-01 UTC. Days without orders are left out.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn count_by_day(
        &self,
        account: &Account,
        vendor: Vendor,
        first_day: i64,
        last_day: i64,
    ) -> Result<Vec<(i64, u64)>, InternalError> {
        let mut reader = self.db.read().await?;
        db::listing::daily_counts(&mut reader, account.id, vendor, first_day, last_day).await
    }

    /// Returns the owner of the object `key`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
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

    /// Records the time at which the client first learned that the document is done.
    ///
    /// # Errors
    /// Returns an error if the database fails.
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
