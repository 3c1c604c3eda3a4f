//! Restore of a snapshot: its accounts are created again as they were.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{BLOBS, STATE, SnapshotError, SnapshotManifest, Snapshots};
use crate::model::ids::{AccountId, ClockId};
use crate::platform::clock::{self, Clock};
use crate::services::accounts::Account;
use crate::storage::db::accounts::AccountRow;
use crate::storage::db::rules::RuleRow;
use crate::storage::db::snapshots::Snapshot;
use crate::storage::db::{self, Tx, run_to_completion};

/// Account that is restored.
struct RestoredAccount {
    /// Row in the snapshot.
    saved: AccountRow,
    /// New row, under a new id.
    new: AccountRow,
}

impl Snapshots {
    /// Restores a snapshot: everything, or only the account of `key`. An account is restored from
    /// its own snapshot of this name, else from the snapshot of everything.
    ///
    /// # Errors
    /// Returns the reason why nothing was restored. The state does not change then.
    pub async fn restore(
        self: &Arc<Self>,
        name: &str,
        key: Option<&str>,
    ) -> Result<SnapshotManifest, SnapshotError> {
        let (this, name, key) = (Arc::clone(self), name.to_owned(), key.map(str::to_owned));
        run_to_completion(async move { this.restore_inner(&name, key.as_deref()).await }).await
    }

    async fn restore_inner(
        &self,
        name: &str,
        key: Option<&str>,
    ) -> Result<SnapshotManifest, SnapshotError> {
        let _guard = self.lock.lock().await;
        let (dir, manifest) = self.find(name, key)?;
        let file = dir.join(STATE);
        let mut rows = Snapshot::open(&file).await?;
        let elapsed_ms = clock::real_now().since_ms(manifest.taken_at);
        let mut account_rows = db::accounts::all(&mut rows).await?;
        // A missing or empty file reads as a database without rows.
        if account_rows.len() != manifest.accounts {
            let message = format!(
                "{}: expected {} accounts, got {}",
                file.display(),
                manifest.accounts,
                account_rows.len()
            );
            return Err(io::Error::other(message).into());
        }
        let one = key.or(manifest.account.as_deref());
        if let Some(key) = one {
            account_rows.retain(|account| account.key == key);
            if account_rows.is_empty() {
                return Err(SnapshotError::UnknownAccount);
            }
        }
        // Only a restore of everything changes the default clock.
        let guard = match one {
            None => Some(self.accounts.lock_clock(ClockId::DEFAULT).await),
            Some(_) => None,
        };
        let accounts = self.accounts.lock_lifecycle().await;
        let active_rules = self.rules.lock_for_writing().await;
        let restored = self.plan_accounts(account_rows, elapsed_ms).await?;
        let ended = match one {
            None => self.accounts.all(),
            Some(key) => self.accounts.by_key(key).into_iter().collect(),
        };
        let default_clock = db::accounts::default_clock(&mut rows)
            .await?
            .map(|clock| clock.rewound_by(elapsed_ms));
        let mut rules = db::rules::all(&mut rows).await?;
        rules.retain_mut(|rule| match rule.account {
            None => one.is_none(),
            Some(id) => {
                let account = restored.iter().find(|account| account.saved.id == id);
                rule.account = account.map(|account| account.new.id);
                account.is_some()
            }
        });
        let new_default_clock = one.is_none().then_some(default_clock);
        let written = async {
            for account in &restored {
                let from = dir.join(BLOBS).join(account.saved.id.0.to_string());
                self.blobs.link_from(account.new.id, &from).await?;
            }
            self.write_back(&mut rows, &restored, &rules, &ended, new_default_clock)
                .await
        };
        if let Err(error) = written.await {
            // The ids are used again, so the linked objects must not stay.
            for account in &restored {
                self.blobs.remove_account(account.new.id).await?;
            }
            return Err(error);
        }

        let added = accounts.replace(
            &ended,
            restored.into_iter().map(|account| account.new).collect(),
        );
        if let Some(guard) = &guard {
            accounts.set_default_clock(guard, default_clock.unwrap_or(Clock::REAL));
        }
        let account_of = |id: AccountId| added.iter().find(|account| account.id == id).cloned();
        let rules = rules.into_iter().map(|rule| {
            let account = rule.account.and_then(account_of);
            (rule, account)
        });
        active_rules.replace(one.is_none(), rules.collect());
        self.wake_worker(&ended, &added);
        self.clear_blobs(&ended, one.is_none(), &dir).await?;
        rows.close().await?;
        Ok(manifest)
    }

    /// Deletes the accounts `ended`, and creates the restored accounts with their rules, in one
    /// transaction. `default_clock` is given if everything is restored. Then it also replaces the
    /// global rules and the default clock.
    async fn write_back(
        &self,
        rows: &mut Snapshot,
        restored: &[RestoredAccount],
        rules: &[RuleRow],
        ended: &[Arc<Account>],
        default_clock: Option<Option<Clock>>,
    ) -> Result<(), SnapshotError> {
        let mut tx = self.db.begin().await?;
        let ended_ids = ended.iter().map(|account| account.id);
        if let Some(default_clock) = default_clock {
            db::accounts::delete_all(&mut tx, ended_ids).await?;
            clear_global_state(&mut tx, default_clock).await?;
        } else {
            for id in ended_ids {
                db::accounts::delete(&mut tx, id).await?;
            }
        }
        for RestoredAccount { saved, new } in restored {
            db::snapshots::restore_account(&mut tx, rows, saved, new.id, new.clock).await?;
        }
        for rule in rules {
            db::snapshots::insert_rule(&mut tx, rule).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Returns each account with a new id and its clock as it was when the snapshot was taken.
    async fn plan_accounts(
        &self,
        rows: Vec<AccountRow>,
        elapsed_ms: i64,
    ) -> Result<Vec<RestoredAccount>, SnapshotError> {
        let mut reader = self.db.read().await?;
        let ids = db::snapshots::next_accounts(&mut reader, rows.len()).await?;
        let restore = |(saved, id): (AccountRow, AccountId)| RestoredAccount {
            new: AccountRow {
                id,
                clock: saved.clock.map(|clock| clock.rewound_by(elapsed_ms)),
                ..saved.clone()
            },
            saved,
        };
        Ok(rows.into_iter().zip(ids).map(restore).collect())
    }

    /// Makes the worker forget the clocks of ended accounts, and check the clocks of new accounts.
    fn wake_worker(&self, ended: &[Arc<Account>], added: &[Arc<Account>]) {
        let due_index = self.db.due_index();
        let ended: HashSet<ClockId> = ended
            .iter()
            .map(|account| ClockId::for_account(account.id))
            .collect();
        due_index.retain(|clock| !ended.contains(&clock));
        due_index.check_now(ClockId::DEFAULT);
        let clocks = added.iter().map(|account| account.clock_id());
        for clock in clocks.filter(|clock| *clock != ClockId::DEFAULT) {
            due_index.check_now(clock);
        }
    }

    /// Deletes the objects of ended accounts. With `everything`, also restores the objects that
    /// belong to no account.
    async fn clear_blobs(
        &self,
        ended: &[Arc<Account>],
        everything: bool,
        dir: &Path,
    ) -> Result<(), SnapshotError> {
        for account in ended {
            self.blobs.remove_account(account.id).await?;
        }
        if everything {
            let unowned = dir.join(BLOBS).join(AccountId::UNOWNED.0.to_string());
            self.blobs.remove_account(AccountId::UNOWNED).await?;
            self.blobs.link_from(AccountId::UNOWNED, &unowned).await?;
        }
        Ok(())
    }
}

/// Deletes the global rules, and sets the default clock. `None` is real time.
async fn clear_global_state(
    tx: &mut Tx,
    default_clock: Option<Clock>,
) -> Result<(), SnapshotError> {
    db::rules::delete_global(tx).await?;
    match default_clock {
        Some(clock) => db::accounts::set_clock(tx, ClockId::DEFAULT, clock).await?,
        None => db::accounts::clear_default_clock(tx).await?,
    }
    Ok(())
}
