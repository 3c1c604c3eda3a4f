//! Uploads that clients owe: their upload URLs were handed out a moment ago, and are not used yet.
//!
//! A clock in mode `jump` does not leap while an upload is owed by an account that goes by it.
//! An upload is owed from just before the URL is made until it arrives, its order ends, or
//! [`OWED_FOR`] of real time has passed. While it is owed its URL cannot expire by a leap, because
//! there is none; afterwards the clock may leap past the expiry.
//!
//! The check and the leap are one step under this module's mutex. The URL's date is read after its
//! upload was entered here. So a URL is either dated after a leap, or prevents it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Account, Accounts, ClockGuard};
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;

/// Real time for which an upload is owed at most.
const OWED_FOR: Duration = Duration::from_secs(5);
/// Number of URLs that are remembered at most. The oldest are forgotten first.
const HANDED_OUT_MAX: usize = 10_000;

/// Subject of an upload URL: the number, within its account, of an order or of an upload of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UploadFor {
    Order(u64),
    File(u64),
}

type OwedKey = (AccountId, UploadFor);

/// The uploads that are owed.
#[derive(Debug, Default)]
pub(super) struct OwedUploads {
    by_key: HashMap<OwedKey, OwedUpload>,
    /// In the order of time, uploads that have arrived since included.
    handed_out: VecDeque<(Instant, OwedKey)>,
}

#[derive(Debug)]
struct OwedUpload {
    account: Arc<Account>,
    since: Instant,
}

impl OwedUploads {
    fn insert(&mut self, account: &Arc<Account>, subject: UploadFor, now: Instant) {
        self.drop_old(now);
        let key = (account.id, subject);
        let account = Arc::clone(account);
        let since = now;
        self.by_key.insert(key, OwedUpload { account, since });
        self.handed_out.push_back((now, key));
    }

    /// Returns `true` if the upload was owed.
    fn remove(&mut self, account: AccountId, subject: UploadFor) -> bool {
        self.by_key.remove(&(account, subject)).is_some()
    }

    fn drop_old(&mut self, now: Instant) {
        while let Some((since, key)) = self.handed_out.front().copied() {
            let is_old = now.saturating_duration_since(since) >= OWED_FOR;
            if !is_old && self.handed_out.len() < HANDED_OUT_MAX {
                return;
            }
            self.handed_out.pop_front();
            // A later URL for the same subject stands further back.
            if self
                .by_key
                .get(&key)
                .is_some_and(|owed| owed.since == since)
            {
                self.by_key.remove(&key);
            }
        }
    }

    /// Returns how long an account for which `goes_by` is true still owes an upload. `None` if no
    /// such account owes one.
    fn owed_for(&mut self, now: Instant, goes_by: impl Fn(&Account) -> bool) -> Option<Duration> {
        self.drop_old(now);
        let latest = self.handed_out.iter().rev().find(|(since, key)| {
            let owed = self.by_key.get(key);
            let owed = owed.filter(|owed| owed.since == *since);
            owed.is_some_and(|owed| {
                !owed.account.cancellation().is_cancelled() && goes_by(&owed.account)
            })
        });
        let (since, _) = latest?;
        Some((*since + OWED_FOR).saturating_duration_since(now))
    }
}

/// An upload that is owed as long as this exists, and longer if it is kept.
#[derive(Debug)]
pub struct HandedOutUpload<'a> {
    accounts: &'a Accounts,
    account: &'a Arc<Account>,
    subject: UploadFor,
    is_kept: bool,
}

impl HandedOutUpload<'_> {
    /// Leaves the upload owed.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for HandedOutUpload<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.accounts.settle_upload(self.account, self.subject);
        }
    }
}

impl Accounts {
    fn owed_uploads(&self) -> MutexGuard<'_, OwedUploads> {
        self.owed_uploads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters an upload as owed. To be called before the clock is read for the URL's date.
    pub fn hand_out_upload<'a>(
        &'a self,
        account: &'a Arc<Account>,
        subject: UploadFor,
    ) -> HandedOutUpload<'a> {
        self.owed_uploads().insert(account, subject, Instant::now());
        HandedOutUpload {
            accounts: self,
            account,
            subject,
            is_kept: false,
        }
    }

    /// Removes an upload that has arrived, or that cannot arrive any more. A clock that waited for
    /// it leaps.
    pub fn settle_upload(&self, account: &Account, subject: UploadFor) {
        let was_owed = self.owed_uploads().remove(account.id, subject);
        if was_owed && account.clock().jumps() {
            self.db.agenda().check_now(account.clock_id());
        }
    }

    /// Moves a clock on to `at`, unless an upload is owed by that clock.
    ///
    /// # Errors
    /// Returns how long to wait if an upload is owed.
    pub fn jump_over_owed_uploads(
        &self,
        guard: &ClockGuard,
        at: Timestamp,
    ) -> Result<(), Duration> {
        let clock: ClockId = guard.clock();
        let mut owed = self.owed_uploads();
        let wait = owed.owed_for(Instant::now(), |account| account.clock_id() == clock);
        if let Some(wait) = wait {
            return Err(wait);
        }
        self.advance_clock(guard, at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::account::AccountSettings;
    use crate::platform::clock::Clock;
    use crate::platform::rng::Entropy;
    use crate::storage::db::accounts::AccountRow;

    const ANY: fn(&Account) -> bool = |_| true;

    fn account(id: i64) -> Arc<Account> {
        let row = AccountRow {
            id: AccountId(id),
            key: format!("key {id}"),
            settings: AccountSettings::default(),
            clock: None,
            orders: 0,
            uploads: 0,
            snowflake: 0,
        };
        let clock = Arc::new(Mutex::new(Clock::REAL));
        Arc::new(Account::from_row(row, &Entropy::new("seed"), clock))
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn owed_for_after_a_url_was_handed_out_counts_down_from_five_seconds() {
        let (mut owed, account, start) = (OwedUploads::default(), account(1), Instant::now());
        assert_eq!(owed.owed_for(start, ANY), None);
        owed.insert(&account, UploadFor::Order(1), start);
        assert_eq!(owed.owed_for(start, ANY), Some(ms(5_000)));
        assert_eq!(owed.owed_for(start + ms(4_999), ANY), Some(ms(1)));
        assert_eq!(owed.owed_for(start + ms(5_000), ANY), None);
        assert!(owed.by_key.is_empty() && owed.handed_out.is_empty());
    }

    #[test]
    fn owed_for_counts_from_the_latest_url_and_each_upload_on_its_own() {
        let (mut owed, account, start) = (OwedUploads::default(), account(1), Instant::now());
        owed.insert(&account, UploadFor::Order(1), start);
        owed.insert(&account, UploadFor::File(1), start + ms(1_000));
        owed.insert(&account, UploadFor::Order(1), start + ms(2_000));
        assert_eq!(owed.owed_for(start + ms(5_000), ANY), Some(ms(2_000)));
        assert!(owed.remove(account.id, UploadFor::Order(1)));
        assert_eq!(owed.owed_for(start + ms(5_000), ANY), Some(ms(1_000)));
        assert!(owed.remove(account.id, UploadFor::File(1)));
        assert!(
            !owed.remove(account.id, UploadFor::File(1)),
            "it has arrived"
        );
        assert_eq!(owed.owed_for(start + ms(5_000), ANY), None);
    }

    #[test]
    fn owed_for_leaves_out_other_clocks_and_lives_that_have_ended() {
        let (mut owed, start) = (OwedUploads::default(), Instant::now());
        let (one, other) = (account(1), account(2));
        owed.insert(&one, UploadFor::Order(1), start);
        owed.insert(&other, UploadFor::Order(1), start + ms(1_000));
        let of = |id: i64| move |account: &Account| account.id == AccountId(id);
        let now = start + ms(1_000);
        assert_eq!(owed.owed_for(now, of(1)), Some(ms(4_000)));
        assert_eq!(owed.owed_for(now, of(2)), Some(ms(5_000)));
        assert_eq!(owed.owed_for(now, of(3)), None);
        other.cancellation().cancel();
        assert_eq!(owed.owed_for(now, of(2)), None);
        assert_eq!(owed.owed_for(now, ANY), Some(ms(4_000)));
    }

    #[test]
    fn owed_uploads_are_bounded_in_number_and_the_latest_stay() {
        let (mut owed, account, start) = (OwedUploads::default(), account(1), Instant::now());
        let count = 2 * u64::try_from(HANDED_OUT_MAX).expect("a number");
        for number in 0..count {
            owed.insert(&account, UploadFor::Order(number), start);
        }
        assert!(owed.by_key.len() <= HANDED_OUT_MAX && owed.handed_out.len() <= HANDED_OUT_MAX);
        assert!(owed.remove(account.id, UploadFor::Order(count - 1)));
        assert!(!owed.remove(account.id, UploadFor::Order(0)), "forgotten");
        for _ in 0..count {
            owed.insert(&account, UploadFor::File(1), start);
        }
        assert!(owed.handed_out.len() <= HANDED_OUT_MAX);
        assert!(owed.remove(account.id, UploadFor::File(1)));
    }
}
