//! One account: whose key, what is set, what time it is, which number comes next.

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

/// 2024-01-01T00:00:00Z: what snowflakes count from, so that they have 18 digits these years.
const SNOWFLAKE_EPOCH_MS: i64 = 1_704_067_200_000;
/// A snowflake's lower bits, by which accounts differ.
const SNOWFLAKE_LOW_BITS: u32 = 22;
/// How far an account whose ids run into another's moves on.
const SNOWFLAKE_GAP: u64 = 4_096;

/// One life of an account.
#[derive(Debug)]
pub struct Account {
    pub id: AccountId,
    pub key: String,
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

/// Whether it is a BIZ MORI test key.
#[must_use]
pub fn is_test_key(key: &str) -> bool {
    key.starts_with("sk_test_")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// The account as it was stored.
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

    /// What its clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// The clock it goes by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let own = *lock(&self.clock);
        own.unwrap_or_else(|| *lock(&self.default_clock))
    }

    /// Whose time it goes by.
    #[must_use]
    pub fn clock_id(&self) -> ClockId {
        if lock(&self.clock).is_some() {
            ClockId::for_account(self.id)
        } else {
            ClockId::DEFAULT
        }
    }

    /// A BIZ MORI test key: its orders are made up, and nothing of them is stored.
    #[must_use]
    pub fn is_test(&self) -> bool {
        is_test_key(&self.key)
    }

    /// What is set on it.
    #[must_use]
    pub fn settings(&self) -> AccountSettings {
        lock(&self.settings).clone()
    }

    /// Counts a call to a vendor's front door against the account's calls a minute.
    ///
    /// # Errors
    /// If those of this minute are used up; the call is then not counted.
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

    /// The number of its next order, from 1.
    pub fn next_order(&self) -> u64 {
        self.orders.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The greatest number given to an order of its own. 0 if it has none.
    #[must_use]
    pub fn last_order(&self) -> u64 {
        self.orders.load(Ordering::Relaxed)
    }

    /// The greatest number given to an upload of its own. 0 if it has none.
    #[must_use]
    pub fn last_upload(&self) -> u64 {
        self.uploads.load(Ordering::Relaxed)
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
        let mut last = lock(&self.snowflake);
        *last = (ms << SNOWFLAKE_LOW_BITS | self.snowflake_low).max(*last + 1);
        *last
    }

    /// The id it would give next is another account's: leaves a gap behind that one's.
    pub fn skip_snowflakes(&self) {
        *lock(&self.snowflake) += SNOWFLAKE_GAP;
    }

    /// Is done when this life has ended; then nothing more may be sent or written for it.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }
}
