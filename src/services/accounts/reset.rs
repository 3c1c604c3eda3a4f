//! Deletion of accounts, one or all.
//!
//! The order of steps prevents late writes. First the rows are deleted in one transaction, so that
//! nothing can be written for the account any more. Then its work in flight is cancelled, and then
//! its blobs are deleted.

use std::sync::{Arc, PoisonError};

use super::account::lock;
use super::{Accounts, ClockGuard};
use crate::model::ids::{AccountId, ClockId};
use crate::platform::clock::Clock;
use crate::storage::db::accounts::OwnedCounts;
use crate::storage::db::{self, InternalError, run_to_completion};

impl Accounts {
    /// Deletes the account and everything that belongs to it. Returns the numbers of deleted
    /// objects, all zero if the account does not exist.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn delete(self: &Arc<Self>, key: &str) -> Result<OwnedCounts, InternalError> {
        let (this, key) = (Arc::clone(self), key.to_owned());
        run_to_completion(async move {
            let _guard = this.lifecycle_lock.lock().await;
            this.delete_locked(&key).await
        })
        .await
    }

    pub(super) async fn delete_locked(&self, key: &str) -> Result<OwnedCounts, InternalError> {
        let Some(account) = self.by_key(key) else {
            return Ok(OwnedCounts::default());
        };
        let mut tx = self.db.begin().await?;
        let owned = db::accounts::count_owned(&mut tx, Some(account.id)).await?;
        db::accounts::delete(&mut tx, account.id).await?;
        tx.commit().await?;
        account.cancellation().cancel();
        self.remove(&account);
        self.push_change(None);
        let clock = ClockId::for_account(account.id);
        self.db.due_index().retain(|id| id != clock);
        let removed = self.blobs.remove_account(account.id).await;
        removed.map_err(InternalError::broken)?;
        Ok(owned)
    }

    /// Deletes all accounts and everything without an account, and sets the default clock to real
    /// time. Rows are deleted in one transaction. Blobs are moved away at once and deleted in the
    /// background. Returns the numbers of deleted objects.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn delete_all(self: &Arc<Self>) -> Result<OwnedCounts, InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move {
            let default_clock = this.lock_clock(ClockId::DEFAULT).await;
            this.end_all_accounts(&default_clock).await
        })
        .await
    }

    async fn end_all_accounts(
        &self,
        default_clock: &ClockGuard,
    ) -> Result<OwnedCounts, InternalError> {
        debug_assert_eq!(default_clock.clock(), ClockId::DEFAULT);
        let _guard = self.lifecycle_lock.lock().await;
        let ids: Vec<AccountId> = {
            let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
            registry.by_id.keys().copied().collect()
        };
        let mut tx = self.db.begin().await?;
        let owned = db::accounts::count_owned(&mut tx, None).await?;
        db::accounts::delete_all(&mut tx, ids).await?;
        db::accounts::clear_default_clock(&mut tx).await?;
        tx.commit().await?;
        *lock(&self.default_clock) = Clock::REAL;
        let ended = {
            let mut registry = self
                .registry
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for account in registry.by_id.values() {
                account.cancellation().cancel();
            }
            std::mem::take(&mut *registry)
        };
        drop(ended);
        self.push_change(None);
        self.push_clock_change(ClockId::DEFAULT);
        self.db
            .due_index()
            .retain(|clock| clock == ClockId::DEFAULT);
        self.blobs
            .remove_all()
            .await
            .map_err(InternalError::broken)?;
        Ok(owned)
    }
}
