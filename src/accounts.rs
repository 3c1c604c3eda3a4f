//! Accounts: who stands behind an API key, what time it is there, and what it may use.
//!
//! Every account that has been used is kept in memory, a few hundred bytes each, beside its
//! row. A reset ends an account's life: its row, its blobs and all that hangs on them go, what
//! is under way for it is cancelled, and the key's next use begins a new life under a new id.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::config::Mode;
use crate::entropy::Entropy;
use crate::model::account::Settings;
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::store::{self, Db, StoreError};

/// 2024-01-01T00:00:00Z: what snowflakes count from, so that they have 18 digits these years.
const SNOWFLAKE_EPOCH_MS: i64 = 1_704_067_200_000;
/// A snowflake's lower bits, by which accounts differ.
const SNOWFLAKE_LOW_BITS: u32 = 22;

/// One life of an account.
#[derive(Debug)]
pub struct Account {
    pub id: AccountId,
    pub key: String,
    settings: Mutex<Settings>,
    clock: Mutex<Option<Clock>>,
    default_clock: Arc<Mutex<Clock>>,
    orders: AtomicU64,
    uploads: AtomicU64,
    requests: AtomicU64,
    snowflake: Mutex<u64>,
    snowflake_low: u64,
    ended: CancellationToken,
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// What its clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let own = *held(&self.clock);
        own.unwrap_or_else(|| *held(&self.default_clock)).now()
    }

    /// Whose time it goes by.
    #[must_use]
    pub fn clock_id(&self) -> ClockId {
        if held(&self.clock).is_some() {
            ClockId::of(self.id)
        } else {
            ClockId::DEFAULT
        }
    }

    /// A BIZ MORI test key: its orders are made up, and nothing of them is stored.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.key.starts_with("sk_test_")
    }

    /// What is set on it.
    #[must_use]
    pub fn settings(&self) -> Settings {
        held(&self.settings).clone()
    }

    /// The number of its next order, from 1.
    pub fn next_order(&self) -> u64 {
        self.orders.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of its next upload, from 1.
    pub fn next_upload(&self) -> u64 {
        self.uploads.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of its next request, from 1.
    pub fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// An id of digits, greater than all it has given, growing with time.
    pub fn next_snowflake(&self, now: Timestamp) -> u64 {
        let ms = now.since_ms(Timestamp::from_ms(SNOWFLAKE_EPOCH_MS));
        let ms = u64::try_from(ms)
            .unwrap_or(0)
            .min(u64::MAX >> (SNOWFLAKE_LOW_BITS + 1));
        let mut last = held(&self.snowflake);
        *last = (ms << SNOWFLAKE_LOW_BITS | self.snowflake_low).max(*last + 1);
        *last
    }

    /// Is done when this life has ended; then nothing more may be sent or written for it.
    #[must_use]
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}

#[derive(Debug, Default)]
struct Registry {
    by_key: HashMap<String, Arc<Account>>,
    by_id: HashMap<AccountId, Arc<Account>>,
}

/// All accounts.
#[derive(Debug)]
pub struct Accounts {
    db: Db,
    blobs: Blobs,
    entropy: Entropy,
    mode: Mode,
    default_clock: Arc<Mutex<Clock>>,
    registry: RwLock<Registry>,
    /// Held while an account begins or ends.
    turn: tokio::sync::Mutex<()>,
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
        mode: Mode,
    ) -> Result<Self, StoreError> {
        let mut reader = db.read().await?;
        let default_clock = store::accounts::default_clock(&mut reader)
            .await?
            .unwrap_or(Clock::REAL);
        let stored = store::accounts::all(&mut reader).await?;
        drop(reader);
        let accounts = Self {
            db,
            blobs,
            entropy,
            mode,
            default_clock: Arc::new(Mutex::new(default_clock)),
            registry: RwLock::default(),
            turn: tokio::sync::Mutex::default(),
        };
        accounts
            .sweep(&stored)
            .await
            .map_err(|error| StoreError::Broken(Arc::new(error)))?;
        for row in stored {
            let opened = accounts.blobs.open_account(row.id).await;
            opened.map_err(|error| StoreError::Broken(Arc::new(error)))?;
            accounts.enter(row);
        }
        Ok(accounts)
    }

    /// Removes the blobs of lives that a crash cut off as they ended.
    async fn sweep(&self, stored: &[store::accounts::Stored]) -> io::Result<()> {
        for id in self.blobs.accounts().await? {
            if id != AccountId::NOBODY && !stored.iter().any(|row| row.id == id) {
                self.blobs.remove_account(id).await?;
            }
        }
        Ok(())
    }

    fn enter(&self, row: store::accounts::Stored) -> Arc<Account> {
        let low =
            self.entropy.draw(&row.key, "snowflake", 0).bits() >> (u64::BITS - SNOWFLAKE_LOW_BITS);
        let account = Arc::new(Account {
            id: row.id,
            key: row.key,
            settings: Mutex::new(row.settings),
            clock: Mutex::new(row.clock),
            default_clock: Arc::clone(&self.default_clock),
            orders: AtomicU64::new(row.orders),
            uploads: AtomicU64::new(row.uploads),
            requests: AtomicU64::new(0),
            snowflake: Mutex::new(row.snowflake),
            snowflake_low: low,
            ended: CancellationToken::new(),
        });
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        registry
            .by_key
            .insert(account.key.clone(), Arc::clone(&account));
        registry.by_id.insert(account.id, Arc::clone(&account));
        account
    }

    fn leave(&self, account: &Account) {
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        registry.by_key.remove(&account.key);
        registry.by_id.remove(&account.id);
    }

    /// The account of that key, if it was used or set up before.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<Account>> {
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

    /// The account behind a key that a client shows: in mode `open` every key has one, in mode
    /// `strict` only those that were set up.
    ///
    /// # Errors
    /// If a new one cannot be written.
    pub async fn admit(&self, key: &str) -> Result<Option<Arc<Account>>, StoreError> {
        match self.get(key) {
            Some(account) => Ok(Some(account)),
            None if self.mode == Mode::Strict => Ok(None),
            None => self.begin(key, None).await.map(Some),
        }
    }

    /// Sets an account up, making it where it is not there yet.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn configure(
        &self,
        key: &str,
        settings: Settings,
    ) -> Result<Arc<Account>, StoreError> {
        let account = self.begin(key, Some(&settings)).await?;
        let mut tx = self.db.begin().await?;
        store::accounts::set(&mut tx, account.id, &settings).await?;
        tx.commit().await?;
        *held(&account.settings) = settings;
        Ok(account)
    }

    async fn begin(
        &self,
        key: &str,
        settings: Option<&Settings>,
    ) -> Result<Arc<Account>, StoreError> {
        let _turn = self.turn.lock().await;
        if let Some(account) = self.get(key) {
            return Ok(account);
        }
        let settings = settings.cloned().unwrap_or_default();
        let mut tx = self.db.begin().await?;
        let id =
            store::accounts::insert(&mut tx, key, &settings, self.now(ClockId::DEFAULT)).await?;
        tx.commit().await?;
        self.blobs
            .open_account(id)
            .await
            .map_err(|error| StoreError::Broken(Arc::new(error)))?;
        let stored = store::accounts::Stored {
            id,
            key: key.to_owned(),
            settings,
            clock: None,
            orders: 0,
            uploads: 0,
            snowflake: 0,
        };
        Ok(self.enter(stored))
    }

    /// Ends the account's life, if there is one, and all that hangs on it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn forget(&self, key: &str) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let Some(account) = self.get(key) else {
            return Ok(());
        };
        account.ended.cancel();
        let mut tx = self.db.begin().await?;
        store::accounts::delete(&mut tx, account.id).await?;
        tx.commit().await?;
        self.leave(&account);
        self.blobs
            .remove_account(account.id)
            .await
            .map_err(|error| StoreError::Broken(Arc::new(error)))
    }

    /// Ends every account's life and sets the default clock to the real time.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn forget_all(&self) -> Result<(), StoreError> {
        for account in self.all() {
            self.forget(&account.key).await?;
        }
        let mut tx = self.db.begin().await?;
        store::accounts::clear_default_clock(&mut tx).await?;
        tx.commit().await?;
        *held(&self.default_clock) = Clock::REAL;
        self.db.agenda().stir();
        let emptied = async {
            self.blobs.remove_account(AccountId::NOBODY).await?;
            self.blobs.open_account(AccountId::NOBODY).await
        };
        emptied
            .await
            .map_err(|error| StoreError::Broken(Arc::new(error)))
    }

    /// Credits the account has used.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn spent(&self, account: &Account) -> Result<u64, StoreError> {
        store::accounts::spent(&mut self.db.read().await?, account.id).await
    }

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

    /// Sets that clock; an account that had none has its own from now on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn set_clock(&self, id: ClockId, clock: Clock) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        store::accounts::set_clock(&mut tx, id, clock).await?;
        tx.commit().await?;
        match self.by_id(AccountId(id.0)) {
            Some(account) => *held(&account.clock) = Some(clock),
            None => *held(&self.default_clock) = clock,
        }
        self.db.agenda().look(id);
        Ok(())
    }
}
