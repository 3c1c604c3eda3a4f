//! The turn: while somebody has it, no rule comes or goes. Who replaces many at once takes it.

use std::sync::{Arc, PoisonError};

use tokio::sync::MutexGuard;

use super::{ActiveRule, Rules};
use crate::services::accounts::Account;
use crate::storage::db::rules::RuleRow;

/// Rules as they stand.
#[derive(Debug)]
pub struct RulesWriteGuard<'r> {
    rules: &'r Rules,
    _held: MutexGuard<'r, ()>,
}

impl Rules {
    /// Takes the turn as soon as nobody else has it.
    pub async fn lock_for_writing(&self) -> RulesWriteGuard<'_> {
        RulesWriteGuard {
            rules: self,
            _held: self.write_lock.lock().await,
        }
    }
}

impl RulesWriteGuard<'_> {
    /// These stand from now on, each with the account that it is about; those of accounts that are
    /// gone go, and `of_all` those about all accounts. Their rows are seen to by who calls.
    pub fn replace(&self, of_all: bool, added: Vec<(RuleRow, Option<Arc<Account>>)>) {
        let mut standing = self
            .rules
            .active
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let goes = |it: &ActiveRule| it.is_account_ended() || (of_all && it.account.is_none());
        standing.retain(|it| !goes(it));
        let added = added.into_iter();
        standing.extend(added.map(|(row, account)| Arc::new(ActiveRule::from_row(row, account))));
        standing.sort_by_key(|it| it.id);
    }
}
