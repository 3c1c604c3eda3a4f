//! Accounts: settings, clock and limits of an API key.
//!
//! Every account that was ever used is held in memory, a few hundred bytes each, and has a row. A
//! reset ends an account: its row, its blobs and everything that belongs to it are deleted, and its
//! work in flight is cancelled. The next use of the key creates an account with a new id.

mod account;
mod clock_lock;
mod clocks;
mod lifecycle;
mod owed;
mod rate;
mod reset;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub use account::Account;
pub use account::is_test_key;
use account::lock;
pub use clock_lock::ClockGuard;
use clock_lock::ClockLocks;
pub use lifecycle::LifecycleGuard;
use owed::OwedUploads;
pub use owed::{IssuedUpload, UploadSubject};
pub use rate::RateLimited;

use crate::model::account::AccountSettings;
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::JobKind;
use crate::model::time::Timestamp;
use crate::platform::change_log::Subject;
use crate::platform::clock::Clock;
use crate::platform::rng::Entropy;
use crate::settings::KeyMode;
use crate::storage::blobs::Blobs;
use crate::storage::db::{self, Db, InternalError, run_to_completion};

/// Maximum length of an API key in characters. Bounds the memory of accounts, because
/// clients choose their keys.
pub const KEY_CHARS_MAX: usize = 1_000;

/// `true` if `key` has more characters than [`KEY_CHARS_MAX`].
#[must_use]
pub fn is_too_long(key: &str) -> bool {
    key.len() > KEY_CHARS_MAX && key.chars().count() > KEY_CHARS_MAX
}

/// Returns the reason why [`Accounts::authenticate`] returns no account for `key`.
#[must_use]
pub fn reason_not_admitted(key: &str) -> &'static str {
    if is_too_long(key) {
        "the key is longer than 1000 characters"
    } else {
        "no account has this key, and unknown keys are rejected (mode strict)"
    }
}

#[derive(Debug, Default)]
struct Registry {
    by_key: HashMap<String, Arc<Account>>,
    by_id: HashMap<AccountId, Arc<Account>>,
}

impl Registry {
    fn insert(&mut self, account: &Arc<Account>) {
        self.by_key.insert(account.key.clone(), Arc::clone(account));
        self.by_id.insert(account.id, Arc::clone(account));
    }

    fn remove(&mut self, account: &Account) {
        self.by_key.remove(&account.key);
        self.by_id.remove(&account.id);
    }
}

/// Registry of all accounts.
#[derive(Debug)]
pub struct Accounts {
    db: Db,
    blobs: Blobs,
    entropy: Entropy,
    mode: KeyMode,
    default_clock: Arc<Mutex<Clock>>,
    clock_locks: ClockLocks,
    owed_uploads: Mutex<OwedUploads>,
    registry: RwLock<Registry>,
    /// Held while an account is created or deleted.
    lifecycle_lock: tokio::sync::Mutex<()>,
}

impl Accounts {
    /// Loads the accounts of the database.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn load(
        db: Db,
        blobs: Blobs,
        entropy: Entropy,
        mode: KeyMode,
    ) -> Result<Self, InternalError> {
        let mut reader = db.read().await?;
        let default_clock = db::accounts::default_clock(&mut reader)
            .await?
            .unwrap_or(Clock::REAL);
        let rows = db::accounts::all(&mut reader).await?;
        drop(reader);
        let accounts = Self {
            db,
            blobs,
            entropy,
            mode,
            default_clock: Arc::new(Mutex::new(default_clock)),
            clock_locks: ClockLocks::default(),
            owed_uploads: Mutex::default(),
            registry: RwLock::default(),
            lifecycle_lock: tokio::sync::Mutex::default(),
        };
        accounts
            .remove_orphaned_blobs(&rows)
            .await
            .map_err(InternalError::broken)?;
        for row in rows {
            accounts.blobs.create_account_dir(row.id);
            accounts.insert(row);
        }
        Ok(accounts)
    }

    /// Deletes blobs of accounts whose deletion was cut off by a crash. The files are deleted in
    /// the background.
    async fn remove_orphaned_blobs(&self, rows: &[db::accounts::AccountRow]) -> io::Result<()> {
        let existing: HashSet<AccountId> = rows.iter().map(|row| row.id).collect();
        for id in self.blobs.accounts().await? {
            if id != AccountId::UNOWNED && !existing.contains(&id) {
                self.blobs.discard_account(id).await?;
            }
        }
        Ok(())
    }

    fn account(&self, row: db::accounts::AccountRow) -> Arc<Account> {
        let default_clock = Arc::clone(&self.default_clock);
        Arc::new(Account::from_row(row, &self.entropy, default_clock))
    }

    fn insert(&self, row: db::accounts::AccountRow) -> Arc<Account> {
        let account = self.account(row);
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        registry.insert(&account);
        account
    }

    fn remove(&self, account: &Account) {
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        registry.remove(account);
    }

    /// Returns the account of an API key. `None` if the key was never used.
    #[must_use]
    pub fn by_key(&self, key: &str) -> Option<Arc<Account>> {
        self.registry
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_key
            .get(key)
            .cloned()
    }

    /// Returns the account with that id. `None` if the account has ended.
    #[must_use]
    pub fn by_id(&self, id: AccountId) -> Option<Arc<Account>> {
        self.registry
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .get(&id)
            .cloned()
    }

    /// Returns all accounts, ordered by key.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Account>> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = registry.by_key.values().cloned().collect();
        all.sort_by(|one, other| one.key.cmp(&other.key));
        all
    }

    /// Returns the first `limit` accounts whose keys come after `after`, by key.
    #[must_use]
    pub fn page(&self, after: Option<&str>, limit: usize) -> Vec<Arc<Account>> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let is_after = |key: &str| after.is_none_or(|after| key > after);
        let accounts = registry.by_key.values();
        let mut page: Vec<_> = accounts.filter(|account| is_after(&account.key)).collect();
        if limit < page.len() {
            page.select_nth_unstable_by(limit, |one, other| one.key.cmp(&other.key));
            page.truncate(limit);
        }
        page.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        page.into_iter().cloned().collect()
    }

    /// Returns the number of accounts.
    #[must_use]
    pub fn count(&self) -> usize {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        registry.by_key.len()
    }

    /// Returns the account of the API key that a client sends, and creates it if needed. `None` if
    /// the key is too long, or unknown in mode `strict`.
    ///
    /// # Errors
    /// Returns an error if a new account cannot be written.
    pub async fn authenticate(
        self: &Arc<Self>,
        key: &str,
    ) -> Result<Option<Arc<Account>>, InternalError> {
        match self.by_key(key) {
            Some(account) => Ok(Some(account)),
            None if self.mode == KeyMode::Strict || is_too_long(key) => Ok(None),
            None => {
                let (this, key) = (Arc::clone(self), key.to_owned());
                run_to_completion(async move { this.upsert(&key, None).await })
                    .await
                    .map(Some)
            }
        }
    }

    /// Sets an account's settings, and creates the account if needed. If `sunset` is given, its
    /// pending v2 watermark orders receive a sunset job.
    ///
    /// # Errors
    /// Returns an error if the database fails. The settings then do not change.
    pub async fn configure(
        self: &Arc<Self>,
        key: &str,
        settings: AccountSettings,
        sunset: Option<Timestamp>,
    ) -> Result<Arc<Account>, InternalError> {
        let (this, key) = (Arc::clone(self), key.to_owned());
        run_to_completion(async move { this.upsert(&key, Some((settings, sunset))).await }).await
    }

    /// Deletes an account and creates it again with new settings.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn recreate(
        self: &Arc<Self>,
        key: &str,
        settings: AccountSettings,
    ) -> Result<Arc<Account>, InternalError> {
        let (this, key) = (Arc::clone(self), key.to_owned());
        run_to_completion(async move {
            let _guard = this.lifecycle_lock.lock().await;
            this.delete_locked(&key).await?;
            this.upsert_locked(&key, Some((settings, None))).await
        })
        .await
    }

    async fn upsert(
        &self,
        key: &str,
        set: Option<(AccountSettings, Option<Timestamp>)>,
    ) -> Result<Arc<Account>, InternalError> {
        let _guard = self.lifecycle_lock.lock().await;
        self.upsert_locked(key, set).await
    }

    /// Creates the account if it does not exist, and updates its settings if `set` is given. The
    /// caller holds the lifecycle lock.
    async fn upsert_locked(
        &self,
        key: &str,
        set: Option<(AccountSettings, Option<Timestamp>)>,
    ) -> Result<Arc<Account>, InternalError> {
        if let Some(account) = self.by_key(key) {
            if let Some((settings, sunset)) = set {
                self.update_settings(&account, settings, sunset).await?;
            }
            return Ok(account);
        }
        let (settings, _) = set.unwrap_or_default();
        let mut tx = self.db.begin().await?;
        let now = self.now(ClockId::DEFAULT);
        let id = db::accounts::insert(&mut tx, key, &settings, now).await?;
        tx.commit().await?;
        self.blobs.create_account_dir(id);
        let row = db::accounts::AccountRow {
            id,
            key: key.to_owned(),
            settings,
            clock: None,
            created_at: now,
            orders: 0,
            uploads: 0,
            snowflake: 0,
        };
        let account = self.insert(row);
        self.push_change(Some(id));
        Ok(account)
    }

    /// Records in the log of changes that an account changed. `None` for all accounts, and for an account
    /// that is gone.
    fn push_change(&self, account: Option<AccountId>) {
        self.db.changes().push(account, Subject::Accounts);
    }

    async fn update_settings(
        &self,
        account: &Account,
        settings: AccountSettings,
        sunset: Option<Timestamp>,
    ) -> Result<(), InternalError> {
        let mut tx = self.db.begin().await?;
        db::accounts::update_settings(&mut tx, account.id, &settings).await?;
        if let Some(at) = sunset {
            let account_id = Some(account.id);
            db::jobs::put_for_v2_watermarks(&mut tx, account_id, JobKind::Sunset, at).await?;
        }
        // Set before the commit: an order that shares the commit must already use these settings.
        let before = std::mem::replace(&mut *lock(&account.settings), settings);
        let committed = tx.commit().await;
        if committed.is_err() {
            *lock(&account.settings) = before;
        } else {
            self.push_change(Some(account.id));
        }
        committed
    }

    /// Returns the credits that the account has used.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn credits_used(&self, account: &Account) -> Result<u64, InternalError> {
        db::accounts::credits_used(&mut self.db.read().await?, account.id).await
    }
}
