//! The turn: while somebody has it, no rule comes or goes. Who replaces many at once takes it.

use std::sync::{Arc, PoisonError};

use tokio::sync::MutexGuard;

use super::{Rules, Standing};
use crate::services::accounts::Account;
use crate::storage::db::rules::Stored;

/// Rules as they stand.
#[derive(Debug)]
pub struct Turn<'r> {
    rules: &'r Rules,
    _held: MutexGuard<'r, ()>,
}

impl Rules {
    /// Takes the turn as soon as nobody else has it.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            rules: self,
            _held: self.turn.lock().await,
        }
    }
}

impl Turn<'_> {
    /// These stand from now on, each with the account that it is about; those of accounts that are
    /// gone go, and `of_all` those about all accounts. Their rows are seen to by who calls.
    pub fn swap(&self, of_all: bool, begun: Vec<(Stored, Option<Arc<Account>>)>) {
        let mut standing = self
            .rules
            .standing
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let goes = |it: &Standing| it.is_gone() || (of_all && it.account.is_none());
        standing.retain(|it| !goes(it));
        let begun = begun.into_iter();
        standing.extend(begun.map(|(row, account)| Arc::new(Standing::of(row, account))));
        standing.sort_by_key(|it| it.id);
    }
}
