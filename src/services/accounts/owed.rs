//! Owed uploads: uploads whose URL was issued a moment ago and is not used yet.
//!
//! A clock in mode `jump` does not jump while an account that follows it owes an upload. An upload
//! is owed from just before its URL is created until it arrives, its order ends, or [`OWED_TIMEOUT`] of
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
const OWED_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of remembered URLs. The oldest are forgotten first.
const ISSUED_URLS_MAX: usize = 10_000;

/// Subject of an upload URL. The number identifies the order or upload within its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UploadSubject {
    Order(u64),
    File(u64),
}

type OwedKey = (AccountId, UploadSubject);

/// Uploads that are owed.
#[derive(Debug, Default)]
pub(super) struct OwedUploads {
    by_key: HashMap<OwedKey, OwedUpload>,
    /// URLs in order of time, including those whose upload has arrived.
    issued: VecDeque<(Instant, OwedKey)>,
}

#[derive(Debug)]
struct OwedUpload {
    account: Arc<Account>,
    since: Instant,
}

impl OwedUploads {
    fn insert(&mut self, account: &Arc<Account>, subject: UploadSubject, now: Instant) {
        self.drop_old(now);
        let key = (account.id, subject);
        let account = Arc::clone(account);
        let since = now;
        self.by_key.insert(key, OwedUpload { account, since });
        self.issued.push_back((now, key));
    }

    /// Removes an upload. Returns `true` if it was owed.
    fn remove(&mut self, account: AccountId, subject: UploadSubject) -> bool {
        self.by_key.remove(&(account, subject)).is_some()
    }

    fn drop_old(&mut self, now: Instant) {
        while let Some((since, key)) = self.issued.front().copied() {
            let is_old = now.saturating_duration_since(since) >= OWED_TIMEOUT;
            if !is_old && self.issued.len() < ISSUED_URLS_MAX {
                return;
            }
            self.issued.pop_front();
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
    fn owed_duration(
        &mut self,
        now: Instant,
        matches: impl Fn(&Account) -> bool,
    ) -> Option<Duration> {
        self.drop_old(now);
        let latest = self.issued.iter().rev().find(|(since, key)| {
            let owed = self.by_key.get(key).filter(|owed| owed.since == *since);
            owed.is_some_and(|owed| {
                !owed.account.cancellation().is_cancelled() && matches(&owed.account)
            })
        });
        let (since, _) = latest?;
        Some((*since + OWED_TIMEOUT).saturating_duration_since(now))
    }
}

/// Upload that is owed while this value exists, and longer after [`Self::keep`].
#[derive(Debug)]
pub struct IssuedUpload<'a> {
    accounts: &'a Accounts,
    account: &'a Arc<Account>,
    subject: UploadSubject,
    stays_owed: bool,
}

impl IssuedUpload<'_> {
    /// Leaves the upload owed.
    pub fn keep(mut self) {
        self.stays_owed = true;
    }
}

impl Drop for IssuedUpload<'_> {
    fn drop(&mut self) {
        if !self.stays_owed {
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
    pub fn issue_upload<'a>(
        &'a self,
        account: &'a Arc<Account>,
        subject: UploadSubject,
    ) -> IssuedUpload<'a> {
        self.owed_uploads().insert(account, subject, Instant::now());
        IssuedUpload {
            accounts: self,
            account,
            subject,
            stays_owed: false,
        }
    }

    /// Removes an upload that has arrived, or cannot arrive any more. A clock that waited for it
    /// may then jump.
    pub fn settle_upload(&self, account: &Account, subject: UploadSubject) {
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
        let wait = uploads.owed_duration(Instant::now(), |account| account.clock_id() == clock);
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
            created_at: Timestamp::from_ms(0),
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
    fn owed_duration_after_a_url_was_issued_counts_down_from_five_seconds() {
        let (mut owed, account, start) = (OwedUploads::default(), account(1), Instant::now());
        assert_eq!(owed.owed_duration(start, ANY), None);
        owed.insert(&account, UploadSubject::Order(1), start);
        assert_eq!(owed.owed_duration(start, ANY), Some(ms(5_000)));
        assert_eq!(owed.owed_duration(start + ms(4_999), ANY), Some(ms(1)));
        assert_eq!(owed.owed_duration(start + ms(5_000), ANY), None);
        assert!(owed.by_key.is_empty() && owed.issued.is_empty());
    }

    #[test]
    fn owed_duration_counts_from_the_latest_url_and_each_upload_on_its_own() {
        let (mut owed, account, start) = (OwedUploads::default(), account(1), Instant::now());
        owed.insert(&account, UploadSubject::Order(1), start);
        owed.insert(&account, UploadSubject::File(1), start + ms(1_000));
        owed.insert(&account, UploadSubject::Order(1), start + ms(2_000));
        assert_eq!(owed.owed_duration(start + ms(5_000), ANY), Some(ms(2_000)));
        assert!(owed.remove(account.id, UploadSubject::Order(1)));
        assert_eq!(owed.owed_duration(start + ms(5_000), ANY), Some(ms(1_000)));
        assert!(owed.remove(account.id, UploadSubject::File(1)));
        assert!(
            !owed.remove(account.id, UploadSubject::File(1)),
            "already removed"
        );
        assert_eq!(owed.owed_duration(start + ms(5_000), ANY), None);
    }

    #[test]
    fn owed_duration_leaves_out_other_clocks_and_ended_accounts() {
        let (mut owed, start) = (OwedUploads::default(), Instant::now());
        let (one, other) = (account(1), account(2));
        owed.insert(&one, UploadSubject::Order(1), start);
        owed.insert(&other, UploadSubject::Order(1), start + ms(1_000));
        let of = |id: i64| move |account: &Account| account.id == AccountId(id);
        let now = start + ms(1_000);
        assert_eq!(owed.owed_duration(now, of(1)), Some(ms(4_000)));
        assert_eq!(owed.owed_duration(now, of(2)), Some(ms(5_000)));
        assert_eq!(owed.owed_duration(now, of(3)), None);
        other.cancellation().cancel();
        assert_eq!(owed.owed_duration(now, of(2)), None);
        assert_eq!(owed.owed_duration(now, ANY), Some(ms(4_000)));
    }

    #[test]
    fn insert_beyond_the_maximum_drops_the_oldest_uploads() {
        let (mut owed, account, start) = (OwedUploads::default(), account(1), Instant::now());
        let count = 2 * u64::try_from(ISSUED_URLS_MAX).expect("a number");
        for number in 0..count {
            owed.insert(&account, UploadSubject::Order(number), start);
        }
        assert!(owed.by_key.len() <= ISSUED_URLS_MAX && owed.issued.len() <= ISSUED_URLS_MAX);
        assert!(owed.remove(account.id, UploadSubject::Order(count - 1)));
        assert!(!owed.remove(account.id, UploadSubject::Order(0)), "dropped");
        for _ in 0..count {
            owed.insert(&account, UploadSubject::File(1), start);
        }
        assert!(owed.issued.len() <= ISSUED_URLS_MAX);
        assert!(owed.remove(account.id, UploadSubject::File(1)));
    }
}
