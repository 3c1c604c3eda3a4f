//! Accounts' clocks, and the default one: read, set, moved.
//!
//! A clock changes only in the hands of who holds its lock, which a [`ClockGuard`] proves.

use std::sync::Arc;

use super::account::lock;
use super::{Account, Accounts, ClockGuard};
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::platform::clock::Clock;
use crate::storage::db::{self, InternalError, run_to_completion};

impl Accounts {
    /// That clock; the default one's where the account is gone or has none of its own.
    #[must_use]
    pub fn clock(&self, id: ClockId) -> Clock {
        let own = self
            .by_id(AccountId(id.0))
            .and_then(|account| *lock(&account.clock));
        own.unwrap_or_else(|| *lock(&self.default_clock))
    }

    /// What that clock shows.
    #[must_use]
    pub fn now(&self, id: ClockId) -> Timestamp {
        self.clock(id).now()
    }

    /// Moves a clock on to `at` in memory. It is written with the next commit.
    pub fn advance_clock(&self, guard: &ClockGuard, at: Timestamp) {
        let id = guard.clock();
        let moved = self.clock(id).moved_to(at);
        match id {
            ClockId::DEFAULT => *lock(&self.default_clock) = moved,
            ClockId(of) => match self.by_id(AccountId(of)) {
                Some(account) => *lock(&account.clock) = Some(moved),
                None => return,
            },
        }
        self.db.queue_clock_write(id, moved);
    }

    /// Sets the account's own clock, or the default clock if `account` is `None`, to what `set`
    /// makes of the instant that the account's clock shows now. It is carried through, whether
    /// anybody waits for it or not.
    ///
    /// # Errors
    /// If the account is gone, or the clock cannot be written.
    pub async fn set_clock(
        self: &Arc<Self>,
        account: Option<Arc<Account>>,
        set: impl FnOnce(Timestamp) -> Clock + Send + 'static,
    ) -> Result<Clock, InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move {
            let guard = match &account {
                None => this.lock_clock(ClockId::DEFAULT).await,
                Some(account) => this.own_clock(account).await?,
            };
            let clock = set(this.now(guard.clock()));
            this.write_clock(&guard, clock).await?;
            Ok(clock)
        })
        .await
    }

    /// Locks the account's own clock. An account that followed the default clock has one of its
    /// own from then on, which shows the same.
    ///
    /// # Errors
    /// If the account is gone, or the clock cannot be written.
    pub async fn own_clock(&self, account: &Account) -> Result<ClockGuard, InternalError> {
        let own = self.lock_clock(ClockId::for_account(account.id)).await;
        if account.clock_id() == ClockId::DEFAULT {
            // The account's jobs leave the default clock: nobody may be running them by it.
            let default = self.lock_clock(ClockId::DEFAULT).await;
            let followed = self.clock(default.clock());
            self.write_clock(&own, followed).await?;
        }
        Ok(own)
    }

    /// Writes a clock, and sets it once it is written. An account that followed the default clock
    /// has its own from then on.
    ///
    /// # Errors
    /// If its account is gone, or it cannot be written.
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
        self.db.agenda().check_now(id);
        Ok(())
    }

    /// Has the account follow the default clock from now on, with all that is to be done for it.
    ///
    /// # Errors
    /// If it is gone, or it cannot be written.
    pub async fn follow_default_clock(
        self: &Arc<Self>,
        id: AccountId,
    ) -> Result<(), InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move {
            let own = this.lock_clock(ClockId::for_account(id)).await;
            // Its guard makes the worker look at the jobs that the default clock takes over.
            let _default = this.lock_clock(ClockId::DEFAULT).await;
            let account = this.by_id(id).ok_or(InternalError::AccountGone)?;
            let mut tx = this.db.begin().await?;
            db::accounts::unset_clock(&mut tx, id).await?;
            tx.commit().await?;
            *lock(&account.clock) = None;
            drop(own);
            Ok(())
        })
        .await
    }
}
