//! Owed uploads: uploads whose URL was issued a moment ago and is not used yet.
//!
//! A clock in mode `jump` does not jump while an account that follows it owes an upload. An upload
//! is owed from just before its URL is created until it arrives, its order ends, or [`OWED_FOR`] of
//! real time has passed. So a URL does not expire by a jump while its upload is owed.
//!
//! The check and the jump are one step under this module's mutex. A URL's date is read after its
//! upload was entered here. So a URL is either dated after a jump, or prevents it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Account, Accounts, ClockGuard};
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;

/// Longest real time for which an upload is owed.
const OWED_FOR: Duration = Duration::from_secs(5);
/// Maximum number of remembered URLs. The oldest are forgotten first.
const HANDED_OUT_MAX: usize = 10_000;

/// Subject of an upload URL. The number is that of the order or upload within its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UploadFor {
    Order(u64),
    File(u64),
}

type OwedKey = (AccountId, UploadFor);

/// Uploads that are owed.
#[derive(Debug, Default)]
pub(super) struct OwedUploads {
    by_key: HashMap<OwedKey, OwedUpload>,
    /// URLs in order of time, including those whose upload has arrived.
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

    /// Removes an upload. Returns `true` if it was owed.
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
            // A later URL for the same subject has its own entry.
            if self
                .by_key
                .get(&key)
                .is_some_and(|owed| owed.since == since)
            {
                self.by_key.remove(&key);
            }
        }
    }

    /// Returns the time for which an account that `matches` still owes an upload. `None` if none
    /// does.
    fn owed_for(&mut self, now: Instant, matches: impl Fn(&Account) -> bool) -> Option<Duration> {
        self.drop_old(now);
        let latest = self.handed_out.iter().rev().find(|(since, key)| {
            let owed = self.by_key.get(key).filter(|owed| owed.since == *since);
            owed.is_some_and(|owed| {
                !owed.account.cancellation().is_cancelled() && matches(&owed.account)
            })
        });
        let (since, _) = latest?;
        Some((*since + OWED_FOR).saturating_duration_since(now))
    }
}

/// Upload that is owed while this value exists, and longer after [`Self::keep`].
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

    /// Enters an upload as owed. To be called before the clock is read for the date of the URL.
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

    /// Removes an upload that has arrived, or cannot arrive any more. A clock that waited for it
    /// may then jump.
    pub fn settle_upload(&self, account: &Account, subject: UploadFor) {
        let was_owed = self.owed_uploads().remove(account.id, subject);
        if was_owed && account.clock().jumps() {
            self.db.due_index().check_now(account.clock_id());
        }
    }

    /// Moves a clock forward to `at`, unless an upload is owed.
    ///
    /// # Errors
    /// Returns the time to wait if an upload is owed.
    pub fn jump_over_owed_uploads(
        &self,
        guard: &ClockGuard,
        at: Timestamp,
    ) -> Result<(), Duration> {
        let clock: ClockId = guard.clock();
        let mut uploads = self.owed_uploads();
        let wait = uploads.owed_for(Instant::now(), |account| account.clock_id() == clock);
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
            "already removed"
        );
        assert_eq!(owed.owed_for(start + ms(5_000), ANY), None);
    }

    #[test]
    fn owed_for_leaves_out_other_clocks_and_ended_accounts() {
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
    fn insert_beyond_the_maximum_drops_the_oldest_uploads() {
        let (mut owed, account, start) = (OwedUploads::default(), account(1), Instant::now());
        let count = 2 * u64::try_from(HANDED_OUT_MAX).expect("a number");
        for number in 0..count {
            owed.insert(&account, UploadFor::Order(number), start);
        }
        assert!(owed.by_key.len() <= HANDED_OUT_MAX && owed.handed_out.len() <= HANDED_OUT_MAX);
        assert!(owed.remove(account.id, UploadFor::Order(count - 1)));
        assert!(!owed.remove(account.id, UploadFor::Order(0)), "dropped");
        for _ in 0..count {
            owed.insert(&account, UploadFor::File(1), start);
        }
        assert!(owed.handed_out.len() <= HANDED_OUT_MAX);
        assert!(owed.remove(account.id, UploadFor::File(1)));
    }
}
