//! Clocks of accounts, and the default clock: read, set and moved.
//!
//! A clock changes only while its lock is held. A [`ClockGuard`] proves this.

use std::sync::Arc;

use super::account::lock;
use super::{Account, Accounts, ClockGuard};
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::platform::change_log::Subject;
use crate::platform::clock::Clock;
use crate::storage::db::{self, InternalError, run_to_completion};

impl Accounts {
    /// Returns a clock. Returns the default clock if the account has ended or has no clock of its
    /// own.
    #[must_use]
    pub fn clock(&self, id: ClockId) -> Clock {
        let own_clock = self
            .by_id(AccountId(id.0))
            .and_then(|account| *lock(&account.clock));
        own_clock.unwrap_or_else(|| *lock(&self.default_clock))
    }

    /// Returns the time of a clock.
    #[must_use]
    pub fn now(&self, id: ClockId) -> Timestamp {
        self.clock(id).now()
    }

    /// Moves a clock forward to `at` in memory. The change is written with the next commit.
    pub fn advance_clock(&self, guard: &ClockGuard, at: Timestamp) {
        let id = guard.clock();
        let moved = self.clock(id).moved_to(at);
        match id {
            ClockId::DEFAULT => *lock(&self.default_clock) = moved,
            ClockId(id) => match self.by_id(AccountId(id)) {
                Some(account) => *lock(&account.clock) = Some(moved),
                None => return,
            },
        }
        self.db.queue_clock_write(id, moved);
        self.push_clock_change(id);
    }

    /// Records in the log of changes that a clock was set or moved.
    pub(super) fn push_clock_change(&self, id: ClockId) {
        let account = (id != ClockId::DEFAULT).then_some(AccountId(id.0));
        self.db.changes().push(account, Subject::Clock);
    }

    /// Sets the account's own clock, or the default clock if `account` is `None`. `set` receives
    /// the current time of that clock. Runs to completion even if the caller is cancelled.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the account has ended, or an error if the database
    /// fails.
    pub async fn set_clock(
        self: &Arc<Self>,
        account: Option<Arc<Account>>,
        set: impl FnOnce(Timestamp) -> Clock + Send + 'static,
    ) -> Result<Clock, InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move {
            let guard = match &account {
                None => this.lock_clock(ClockId::DEFAULT).await,
                Some(account) => this.lock_own_clock(account).await?,
            };
            let clock = set(this.now(guard.clock()));
            this.write_clock(&guard, clock).await?;
            Ok(clock)
        })
        .await
    }

    /// Locks the account's own clock. An account that followed the default clock receives its own
    /// clock, which starts as a copy.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the account has ended, or an error if the database
    /// fails.
    pub async fn lock_own_clock(&self, account: &Account) -> Result<ClockGuard, InternalError> {
        let own_guard = self.lock_clock(ClockId::for_account(account.id)).await;
        if account.clock_id() == ClockId::DEFAULT {
            // The account's jobs leave the default clock, so none of them may be running.
            let default_guard = self.lock_clock(ClockId::DEFAULT).await;
            let followed_clock = self.clock(default_guard.clock());
            self.write_clock(&own_guard, followed_clock).await?;
        }
        Ok(own_guard)
    }

    /// Writes a clock to the database, and then sets it in memory. An account that followed the
    /// default clock then has its own clock.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the account has ended, or an error if the database
    /// fails.
    pub async fn write_clock(&self, guard: &ClockGuard, clock: Clock) -> Result<(), InternalError> {
        let id = guard.clock();
        let account = match id {
            ClockId::DEFAULT => None,
            ClockId(of) => Some(
                self.by_id(AccountId(of))
                    .ok_or(InternalError::AccountGone)?,
            ),
        };
        let mut tx = self.db.begin().await?;
        db::accounts::set_clock(&mut tx, id, clock).await?;
        tx.commit().await?;
        match account {
            Some(account) => *lock(&account.clock) = Some(clock),
            None => *lock(&self.default_clock) = clock,
        }
        self.db.due_index().check_now(id);
        self.push_clock_change(id);
        Ok(())
    }

    /// Makes the account and its jobs follow the default clock.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the account has ended, or an error if the database
    /// fails.
    pub async fn follow_default_clock(
        self: &Arc<Self>,
        id: AccountId,
    ) -> Result<(), InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move {
            let own_guard = this.lock_clock(ClockId::for_account(id)).await;
            // Its guard makes the worker check the jobs that move to the default clock.
            let _default = this.lock_clock(ClockId::DEFAULT).await;
            let account = this.by_id(id).ok_or(InternalError::AccountGone)?;
            let mut tx = this.db.begin().await?;
            db::accounts::unset_clock(&mut tx, id).await?;
            tx.commit().await?;
            *lock(&account.clock) = None;
            this.push_clock_change(own_guard.clock());
            drop(own_guard);
            Ok(())
        })
        .await
    }
}
