//! Write lock: while it is held, no rule is added, edited or removed.

use std::sync::{Arc, PoisonError};

use tokio::sync::MutexGuard;

use super::{ActiveRule, Rules};
use crate::platform::change_log::Subject;
use crate::services::accounts::Account;
use crate::storage::db::rules::RuleRow;

/// Guard of the write lock. Needed to replace several rules at once.
#[derive(Debug)]
pub struct RulesWriteGuard<'r> {
    rules: &'r Rules,
    _guard: MutexGuard<'r, ()>,
}

impl Rules {
    /// Waits for the write lock.
    pub async fn lock_for_writing(&self) -> RulesWriteGuard<'_> {
        RulesWriteGuard {
            rules: self,
            _guard: self.write_lock.lock().await,
        }
    }

    /// Records in the log of changes that `changed` were added or removed.
    pub(super) fn push_changes(&self, changed: &[Arc<ActiveRule>]) {
        for active in changed {
            self.push_change(active);
        }
    }

    /// Records in the log of changes that a rule was added or removed, or counted a match.
    pub(super) fn push_change(&self, active: &ActiveRule) {
        let account = active.account.as_ref().map(|account| account.id);
        self.db.changes().push(account, Subject::Rules);
    }
}

impl RulesWriteGuard<'_> {
    /// Adds the rules `added`, each with its account. Removes rules of ended accounts, and with
    /// `replace_global` all rules without an account. The caller takes care of the rows.
    pub fn replace(&self, replace_global: bool, added: Vec<(RuleRow, Option<Arc<Account>>)>) {
        let mut active = self
            .rules
            .active
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let is_removed = |rule: &ActiveRule| {
            rule.is_account_ended() || (replace_global && rule.account.is_none())
        };
        active.retain(|rule| !is_removed(rule));
        let added = added.into_iter();
        active.extend(added.map(|(row, account)| Arc::new(ActiveRule::from_row(row, account))));
        active.sort_by_key(|rule| rule.id);
        drop(active);
        self.rules.db.changes().push(None, Subject::Rules);
    }
}
