//! Account: settings, clock and counters of an API key.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::rate::{RateLimited, RateWindow};
use crate::model::account::AccountSettings;
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::platform::clock::Clock;
use crate::platform::rng::Entropy;
use crate::storage::db;

/// 2024-01-01T00:00:00Z: epoch of snowflake ids, chosen so that current ids have 18 digits.
const SNOWFLAKE_EPOCH_MS: i64 = 1_704_067_200_000;
/// Number of lower bits of a snowflake, which differ between accounts.
const SNOWFLAKE_LOW_BITS: u32 = 22;
/// Distance that an account skips if its next id is in use by another account.
const SNOWFLAKE_GAP: u64 = 4_096;

/// Account of an API key. A reset ends the account; the key's next use creates another one.
#[derive(Debug)]
pub struct Account {
    pub id: AccountId,
    pub key: String,
    /// Time of the default clock when the account was created.
    pub created_at: Timestamp,
    pub(super) settings: Mutex<AccountSettings>,
    pub(super) clock: Mutex<Option<Clock>>,
    pub(super) default_clock: Arc<Mutex<Clock>>,
    pub(super) orders: AtomicU64,
    pub(super) uploads: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) snowflake: Mutex<u64>,
    pub(super) snowflake_low: u64,
    pub(super) window: Mutex<RateWindow>,
    pub(super) cancellation: CancellationToken,
}

/// `true` if `key` is a test key of BIZ MORI.
#[must_use]
pub fn is_test_key(key: &str) -> bool {
    key.starts_with("sk_test_")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// Creates the account from its row.
    pub(crate) fn from_row(
        row: db::accounts::AccountRow,
        entropy: &Entropy,
        default_clock: Arc<Mutex<Clock>>,
    ) -> Self {
        let low =
            entropy.rng(&row.key, "snowflake", 0).next_u64() >> (u64::BITS - SNOWFLAKE_LOW_BITS);
        Self {
            id: row.id,
            key: row.key,
            created_at: row.created_at,
            settings: Mutex::new(row.settings),
            clock: Mutex::new(row.clock),
            default_clock,
            orders: AtomicU64::new(row.orders),
            uploads: AtomicU64::new(row.uploads),
            requests: AtomicU64::new(0),
            snowflake: Mutex::new(row.snowflake),
            snowflake_low: low,
            window: Mutex::default(),
            cancellation: CancellationToken::new(),
        }
    }

    /// Returns the time of the account's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// Returns the account's own clock, or the default clock if it has none.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let own_clock = *lock(&self.clock);
        own_clock.unwrap_or_else(|| *lock(&self.default_clock))
    }

    /// Returns the id of the clock that the account follows.
    #[must_use]
    pub fn clock_id(&self) -> ClockId {
        if lock(&self.clock).is_some() {
            ClockId::for_account(self.id)
        } else {
            ClockId::DEFAULT
        }
    }

    /// `true` if the account has a test key of BIZ MORI. Results of its orders are placeholders,
    /// and no files are stored.
    #[must_use]
    pub fn is_test(&self) -> bool {
        is_test_key(&self.key)
    }

    /// Returns the account's settings.
    #[must_use]
    pub fn settings(&self) -> AccountSettings {
        lock(&self.settings).clone()
    }

    /// Counts a call to a vendor's API against the account's rate limit.
    ///
    /// # Errors
    /// Returns an error if the limit is reached. The call is then not counted.
    pub fn check_rate_limit(&self) -> Result<(), RateLimited> {
        let (plan, limit) = {
            let settings = lock(&self.settings);
            (settings.plan, settings.calls_per_minute())
        };
        let Some(calls_max) = limit else {
            return Ok(());
        };
        lock(&self.window).count(self.now(), plan, calls_max)
    }

    /// Returns the number for the account's next order, starting at 1.
    pub fn next_order(&self) -> u64 {
        self.orders.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns the highest number of an order. 0 if there is none.
    #[must_use]
    pub fn last_order(&self) -> u64 {
        self.orders.load(Ordering::Relaxed)
    }

    /// Returns the highest number of an upload. 0 if there is none.
    #[must_use]
    pub fn last_upload(&self) -> u64 {
        self.uploads.load(Ordering::Relaxed)
    }

    /// Returns the number for the account's next upload, starting at 1.
    pub fn next_upload(&self) -> u64 {
        self.uploads.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns the number for the account's next request, starting at 1.
    pub fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns a numeric id that is greater than all earlier ids of the account and grows with
    /// time.
    pub fn next_snowflake(&self, now: Timestamp) -> u64 {
        let since_epoch_ms = now.since_ms(Timestamp::from_ms(SNOWFLAKE_EPOCH_MS));
        let ms = u64::try_from(since_epoch_ms)
            .unwrap_or(0)
            .min(u64::MAX >> (SNOWFLAKE_LOW_BITS + 1));
        let mut last = lock(&self.snowflake);
        *last = (ms << SNOWFLAKE_LOW_BITS | self.snowflake_low).max(*last + 1);
        *last
    }

    /// Skips ids after the account's next id turned out to be in use by another account.
    pub fn skip_snowflakes(&self) {
        *lock(&self.snowflake) += SNOWFLAKE_GAP;
    }

    /// Returns a token that is cancelled when the account ends. After that nothing may be sent or
    /// written for it.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }
}
