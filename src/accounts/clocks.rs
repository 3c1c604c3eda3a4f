//! Accounts' clocks, and the default one: read, set, moved.

use std::sync::Arc;

use super::Accounts;
use super::account::held;
use crate::clock::Clock;
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::store::{self, StoreError, apart};

impl Accounts {
    /// That clock; the default one's where the account is gone or has none of its own.
    #[must_use]
    pub fn clock(&self, id: ClockId) -> Clock {
        let own = self
            .by_id(AccountId(id.0))
            .and_then(|account| *held(&account.clock));
        own.unwrap_or_else(|| *held(&self.default_clock))
    }

    /// What that clock shows.
    #[must_use]
    pub fn now(&self, id: ClockId) -> Timestamp {
        self.clock(id).now()
    }

    /// Moves that clock, which its account has already, on to `at`; for who holds it, and sets it
    /// in the end. It is written with what is done then.
    pub fn move_clock(&self, id: ClockId, at: Timestamp) {
        let moved = self.clock(id).moved_to(at);
        match id {
            ClockId::DEFAULT => *held(&self.default_clock) = moved,
            ClockId(of) => match self.by_id(AccountId(of)) {
                Some(account) => *held(&account.clock) = Some(moved),
                None => return,
            },
        }
        self.db.carry(id, moved);
    }

    /// Sets that clock; an account that had none has its own from now on.
    ///
    /// # Errors
    /// If its account is gone, or it cannot be written.
    pub async fn set_clock(self: &Arc<Self>, id: ClockId, clock: Clock) -> Result<(), StoreError> {
        let this = Arc::clone(self);
        apart(async move {
            let account = match id {
                ClockId::DEFAULT => None,
                ClockId(of) => Some(this.by_id(AccountId(of)).ok_or(StoreError::AccountGone)?),
            };
            let mut tx = this.db.begin().await?;
            store::accounts::set_clock(&mut tx, id, clock).await?;
            tx.commit().await?;
            match account {
                Some(account) => *held(&account.clock) = Some(clock),
                None => *held(&this.default_clock) = clock,
            }
            this.db.agenda().look(id);
            Ok(())
        })
        .await
    }

    /// Has the account follow the default clock from now on, with all that is to be done for it.
    ///
    /// # Errors
    /// If it is gone, or it cannot be written.
    pub async fn follow_default_clock(self: &Arc<Self>, id: AccountId) -> Result<(), StoreError> {
        let this = Arc::clone(self);
        apart(async move {
            let account = this.by_id(id).ok_or(StoreError::AccountGone)?;
            let mut tx = this.db.begin().await?;
            store::accounts::unset_clock(&mut tx, id).await?;
            tx.commit().await?;
            *held(&account.clock) = None;
            let agenda = this.db.agenda();
            // What is noted of a clock that is no more is looked at once, and let go.
            agenda.look(ClockId::of(id));
            agenda.look(ClockId::DEFAULT);
            Ok(())
        })
        .await
    }
}
