//! Accounts: who stands behind an API key, what time it is there, and what it may use.
//!
//! Every account that has been used is kept in memory, a few hundred bytes each, beside its
//! row. A reset ends an account's life: its row, its blobs and all that hangs on them go, what
//! is under way for it is cancelled, and the key's next use begins a new life under a new id.

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
pub use owed::{HandedOutUpload, UploadFor};
pub use rate::RateLimited;

use crate::model::account::AccountSettings;
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::JobKind;
use crate::model::time::Timestamp;
use crate::platform::clock::Clock;
use crate::platform::rng::Entropy;
use crate::settings::KeyMode;
use crate::storage::blobs::Blobs;
use crate::storage::db::{self, Db, InternalError, run_to_completion};

/// Characters of a key at most: an account is kept for each key that a client shows.
pub const KEY_CHARS_MAX: usize = 1_000;

/// `true` if `key` has more characters than [`KEY_CHARS_MAX`].
#[must_use]
pub fn is_too_long(key: &str) -> bool {
    key.len() > KEY_CHARS_MAX && key.chars().count() > KEY_CHARS_MAX
}

/// Returns why [`Accounts::authenticate`] finds no account for `key`.
#[must_use]
pub fn reason_not_admitted(key: &str) -> &'static str {
    if is_too_long(key) {
        "the key has more than 1000 characters"
    } else {
        "no account has this key, and the mode is strict"
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

/// All accounts.
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
    /// Held while an account begins or ends.
    lifecycle_lock: tokio::sync::Mutex<()>,
}

impl Accounts {
    /// Brings the accounts of the database to mind.
    ///
    /// # Errors
    /// If they cannot be read.
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
        let stored = db::accounts::all(&mut reader).await?;
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
            .remove_orphaned_blobs(&stored)
            .await
            .map_err(InternalError::broken)?;
        for row in stored {
            accounts.blobs.create_account_dir(row.id);
            accounts.insert(row);
        }
        Ok(accounts)
    }

    /// Removes the blobs of lives that a crash cut off as they ended; deletes them in the background.
    async fn remove_orphaned_blobs(&self, stored: &[db::accounts::AccountRow]) -> io::Result<()> {
        let alive: HashSet<AccountId> = stored.iter().map(|row| row.id).collect();
        for id in self.blobs.accounts().await? {
            if id != AccountId::UNOWNED && !alive.contains(&id) {
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

    /// The account of that key, if it was used or set up before.
    #[must_use]
    pub fn by_key(&self, key: &str) -> Option<Arc<Account>> {
        self.registry
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_key
            .get(key)
            .cloned()
    }

    /// The account of that life.
    #[must_use]
    pub fn by_id(&self, id: AccountId) -> Option<Arc<Account>> {
        self.registry
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .get(&id)
            .cloned()
    }

    /// Every account, by key.
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
        let mut page: Vec<_> = accounts.filter(|it| is_after(&it.key)).collect();
        if limit < page.len() {
            page.select_nth_unstable_by(limit, |one, other| one.key.cmp(&other.key));
            page.truncate(limit);
        }
        page.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        page.into_iter().cloned().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        registry.by_key.len()
    }

    /// The account behind a key that a client shows: in mode `open` every key has one, in mode
    /// `strict` only those that were set up. `None` also if the key is too long.
    ///
    /// # Errors
    /// If a new one cannot be written.
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

    /// Sets an account up, making it where it is not there yet. Its pending v2 watermark orders
    /// have the job of the sunset from then on, where one is given.
    ///
    /// # Errors
    /// If it cannot be written; then nothing is set.
    pub async fn configure(
        self: &Arc<Self>,
        key: &str,
        settings: AccountSettings,
        sunset: Option<Timestamp>,
    ) -> Result<Arc<Account>, InternalError> {
        let (this, key) = (Arc::clone(self), key.to_owned());
        run_to_completion(async move { this.upsert(&key, Some((settings, sunset))).await }).await
    }

    /// Begins an account anew: the life it has ends, and in the same turn another begins, set up so.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn recreate(
        self: &Arc<Self>,
        key: &str,
        settings: AccountSettings,
    ) -> Result<Arc<Account>, InternalError> {
        let (this, key) = (Arc::clone(self), key.to_owned());
        run_to_completion(async move {
            let _turn = this.lifecycle_lock.lock().await;
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
        let _turn = self.lifecycle_lock.lock().await;
        self.upsert_locked(key, set).await
    }

    /// Makes the account, if it is not there, and sets it up, if anything is to be set.
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
        let key = key.to_owned();
        let (clock, orders, uploads, snowflake) = (None, 0, 0, 0);
        let stored = db::accounts::AccountRow {
            id,
            key,
            settings,
            clock,
            orders,
            uploads,
            snowflake,
        };
        Ok(self.insert(stored))
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
            let of = Some(account.id);
            db::jobs::put_for_v2_watermarks(&mut tx, of, JobKind::Sunset, at).await?;
        }
        // The order that is made next may share the commit, and goes by these settings already.
        let before = std::mem::replace(&mut *lock(&account.settings), settings);
        let committed = tx.commit().await;
        if committed.is_err() {
            *lock(&account.settings) = before;
        }
        committed
    }

    /// Credits the account has used.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn credits_used(&self, account: &Account) -> Result<u64, InternalError> {
        db::accounts::credits_used(&mut self.db.read().await?, account.id).await
    }
}
