//! Back from a snapshot: the accounts that it holds begin anew as they were.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{BLOBS, STATE, SnapshotError, SnapshotManifest, Snapshots};
use crate::model::ids::{AccountId, ClockId};
use crate::platform::clock::{self, Clock};
use crate::services::accounts::Account;
use crate::storage::db::accounts::AccountRow;
use crate::storage::db::rules::RuleRow as Ruling;
use crate::storage::db::snapshots::Snapshot;
use crate::storage::db::{self, Tx, run_to_completion};

/// An account that comes back.
struct RestoredAccount {
    /// As the snapshot has it.
    saved: AccountRow,
    /// As it begins.
    new: AccountRow,
}

impl Snapshots {
    /// Brings a snapshot back: everything is as it holds it, or the account of `key` alone. That is of
    /// the account's own snapshot of this name, or else of the one of everything.
    ///
    /// # Errors
    /// If there is none of that name, it does not hold that account, or it cannot be read or
    /// written; then everything stands as it did.
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
        let _turn = self.lock.lock().await;
        let (dir, about) = self.find(name, key)?;
        let file = dir.join(STATE);
        let mut rows = Snapshot::open(&file).await?;
        let elapsed_ms = clock::real_now().since_ms(about.taken_at);
        let mut account_rows = db::accounts::all(&mut rows).await?;
        // What is gone from the disk, or empty, is read as a database that has no rows.
        if account_rows.len() != about.accounts {
            let (found, expected_count) = (account_rows.len(), about.accounts);
            let line = format!(
                "{} has {found} accounts, and not {expected_count}",
                file.display()
            );
            return Err(io::Error::other(line).into());
        }
        let one = key.or(about.account.as_deref());
        if let Some(key) = one {
            account_rows.retain(|account| account.key == key);
            if account_rows.is_empty() {
                return Err(SnapshotError::UnknownAccount);
            }
        }
        // Nobody but who restores everything has to do with the default clock.
        let guard = match one {
            None => Some(self.accounts.lock_clock(ClockId::DEFAULT).await),
            Some(_) => None,
        };
        let (accounts, standing) = (
            self.accounts.lock_lifecycle().await,
            self.rules.lock_for_writing().await,
        );
        let back = self.plan_accounts(account_rows, elapsed_ms).await?;
        let ended = match one {
            None => self.accounts.all(),
            Some(key) => self.accounts.by_key(key).into_iter().collect(),
        };
        let default_clock = db::accounts::default_clock(&mut rows).await?;
        let default_clock = default_clock.map(|clock| clock.rewound_by(elapsed_ms));
        let mut rules = db::rules::all(&mut rows).await?;
        rules.retain_mut(|rule| match rule.account {
            None => one.is_none(),
            Some(of) => {
                let back = back.iter().find(|back| back.saved.id == of);
                rule.account = back.map(|back| back.new.id);
                back.is_some()
            }
        });
        let all = one.is_none().then_some(default_clock);
        let written = async {
            for RestoredAccount {
                saved: account_rows,
                new: added,
            } in &back
            {
                let from = dir.join(BLOBS).join(account_rows.id.0.to_string());
                self.blobs.link_from(added.id, &from).await?;
            }
            self.write_back(&mut rows, &back, &rules, &ended, all).await
        };
        if let Err(error) = written.await {
            // The next accounts have these ids.
            for RestoredAccount { new: added, .. } in &back {
                self.blobs.remove_account(added.id).await?;
            }
            return Err(error);
        }

        let added = accounts.replace(&ended, back.into_iter().map(|back| back.new).collect());
        if let Some(guard) = &guard {
            accounts.set_default_clock(guard, default_clock.unwrap_or(Clock::REAL));
        }
        let account_of = |id: AccountId| added.iter().find(|account| account.id == id).cloned();
        let rules = rules.into_iter().map(|rule| {
            let account = rule.account.and_then(account_of);
            (rule, account)
        });
        standing.replace(one.is_none(), rules.collect());
        self.wake_worker(&ended, &added);
        self.clear_blobs(&ended, one.is_none(), &dir).await?;
        rows.close().await?;
        Ok(about)
    }

    /// Ends these lives and begins those, with their rules, in one transaction; of a restore of
    /// everything also what is of no account, and the default clock.
    async fn write_back(
        &self,
        rows: &mut Snapshot,
        back: &[RestoredAccount],
        rules: &[Ruling],
        ended: &[Arc<Account>],
        all: Option<Option<Clock>>,
    ) -> Result<(), SnapshotError> {
        let mut tx = self.db.begin().await?;
        let ended = ended.iter().map(|account| account.id);
        if let Some(default_clock) = all {
            db::accounts::delete_all(&mut tx, ended).await?;
            clear_global_state(&mut tx, default_clock).await?;
        } else {
            for account in ended {
                db::accounts::delete(&mut tx, account).await?;
            }
        }
        for RestoredAccount {
            saved: row,
            new: added,
        } in back
        {
            db::snapshots::restore_account(&mut tx, rows, row, added.id, added.clock).await?;
        }
        for rule in rules {
            db::snapshots::insert_rule(&mut tx, rule).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Each account as it begins: under a new id, by its clock as it was.
    async fn plan_accounts(
        &self,
        rows: Vec<AccountRow>,
        elapsed_ms: i64,
    ) -> Result<Vec<RestoredAccount>, SnapshotError> {
        let mut reader = self.db.read().await?;
        let ids = db::snapshots::next_accounts(&mut reader, rows.len()).await?;
        let begin = |(rows, id): (AccountRow, AccountId)| RestoredAccount {
            new: AccountRow {
                id,
                clock: rows.clock.map(|clock| clock.rewound_by(elapsed_ms)),
                ..rows.clone()
            },
            saved: rows,
        };
        Ok(rows.into_iter().zip(ids).map(begin).collect())
    }

    /// Makes the worker forget the clocks of the lives that have ended, and look at those of the
    /// new ones, whose jobs it has not been told of.
    fn wake_worker(&self, ended: &[Arc<Account>], added: &[Arc<Account>]) {
        let agenda = self.db.agenda();
        let ended: HashSet<ClockId> = ended.iter().map(|it| ClockId::for_account(it.id)).collect();
        agenda.retain(|clock| !ended.contains(&clock));
        agenda.check_now(ClockId::DEFAULT);
        let own = added.iter().map(|account| account.clock_id());
        for clock in own.filter(|clock| *clock != ClockId::DEFAULT) {
            agenda.check_now(clock);
        }
    }

    /// Removes the objects of the lives that have ended, and what belonged to nobody, where that
    /// was brought back as well.
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
            let nobody = dir.join(BLOBS).join(AccountId::UNOWNED.0.to_string());
            self.blobs.remove_account(AccountId::UNOWNED).await?;
            self.blobs.link_from(AccountId::UNOWNED, &nobody).await?;
        }
        Ok(())
    }
}

/// Takes out the rules about all accounts, and sets the default clock.
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
