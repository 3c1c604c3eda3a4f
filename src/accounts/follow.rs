//! Accounts give up a clock of their own.

use std::sync::Arc;

use super::Accounts;
use super::account::held;
use crate::model::ids::{AccountId, ClockId};
use crate::store::{self, StoreError, apart};

impl Accounts {
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
