//! Log of changes, by which readers learn what to read again.
//!
//! Every change gets a revision from one counter. The counter starts at the time at which the process
//! started, in microseconds since 1970, so that a later process continues above the revisions of an
//! earlier one. The log keeps the last [`CHANGES_MAX`] changes. A reader that falls further behind is
//! given the number of changes that it missed, and never holds any of them.
//!
//! Recording a change is one short lock of a mutex.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::ids::{AccountId, DeliveryId};
use crate::model::time::Timestamp;

/// Number of changes that the log keeps.
pub const CHANGES_MAX: usize = 8_192;
/// Number of readers at a time.
pub const READERS_MAX: usize = 16;
const MICROSECONDS_PER_MS: u64 = 1_000;

/// Subject of a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The request with this number within its account was stored or answered.
    Request(u64),
    /// Recorded requests were deleted.
    Requests,
    /// The order with this id was written.
    Order(Arc<str>),
    /// An attempt at the delivery was recorded or deferred.
    Delivery(DeliveryId),
    /// A clock was set or moved.
    Clock,
    /// Rules were added or removed, or counted a match.
    Rules,
    /// An account was added, removed or set up.
    Accounts,
    /// The inbox with this name received a message.
    Inbox(Arc<str>),
}

/// Change of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub revision: u64,
    /// `None` if the change concerns no account, or all.
    pub account: Option<AccountId>,
    pub subject: Subject,
}

/// Changes that a reader has not read yet.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UnreadChanges {
    /// Revisions of the first and the last change that the log does not keep any more. `None` if it keeps
    /// all of them.
    pub skipped: Option<(u64, u64)>,
    /// Kept changes, oldest first.
    pub changes: Vec<Change>,
}

/// Log of the last changes. Clones share the log.
#[derive(Debug, Clone)]
pub struct ChangeLog(Arc<ChangeLogInner>);

#[derive(Debug)]
struct ChangeLogInner {
    /// Revision before the first change of this process.
    start: u64,
    ring: Mutex<Ring>,
    /// Notified at a change for which a reader waits.
    changed: Notify,
}

/// The last changes. Their revisions are consecutive.
#[derive(Debug)]
struct Ring {
    changes: VecDeque<(Option<AccountId>, Subject)>,
    /// Revision of the last change.
    revision: u64,
    /// `true` if a reader waits for the next change.
    is_awaited: bool,
    readers: usize,
}

/// Place in the log up to which changes have been read.
#[derive(Debug)]
pub struct ChangeReader {
    log: ChangeLog,
    revision: u64,
}

impl Default for ChangeLog {
    fn default() -> Self {
        Self::new(Timestamp::from_ms(0))
    }
}

impl ChangeLog {
    /// Creates an empty log for a process that started at `started_at` in real time.
    #[must_use]
    pub fn new(started_at: Timestamp) -> Self {
        let start = u64::try_from(started_at.ms()).unwrap_or(0) * MICROSECONDS_PER_MS;
        Self(Arc::new(ChangeLogInner {
            start,
            ring: Mutex::new(Ring {
                changes: VecDeque::new(),
                revision: start,
                is_awaited: false,
                readers: 0,
            }),
            changed: Notify::new(),
        }))
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a change. Returns its revision.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers do not need the revision"
    )]
    pub fn push(&self, account: Option<AccountId>, subject: Subject) -> u64 {
        let mut ring = self.ring();
        ring.push(account, subject);
        let revision = ring.revision;
        self.wake(ring);
        revision
    }

    /// Records changes in one step.
    pub fn push_all(&self, changes: impl IntoIterator<Item = (Option<AccountId>, Subject)>) {
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_none() {
            return;
        }
        let mut ring = self.ring();
        for (account, subject) in changes {
            ring.push(account, subject);
        }
        self.wake(ring);
    }

    fn wake(&self, mut ring: MutexGuard<'_, Ring>) {
        let is_awaited = std::mem::take(&mut ring.is_awaited);
        drop(ring);
        if is_awaited {
            self.0.changed.notify_waiters();
        }
    }

    /// Returns the revision of the last change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.ring().revision
    }

    /// `true` if `revision` is one that this process has given out. `false` for revisions of earlier
    /// processes.
    #[must_use]
    pub fn has_issued(&self, revision: u64) -> bool {
        (self.0.start..=self.revision()).contains(&revision)
    }

    /// Returns the number of readers.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.ring().readers
    }

    /// Adds a reader of the changes after `revision`, or after the last change if `revision` is `None`.
    /// Returns `None` if there are [`READERS_MAX`] readers.
    #[must_use]
    pub fn reader(&self, revision: Option<u64>) -> Option<ChangeReader> {
        let mut ring = self.ring();
        if ring.readers >= READERS_MAX {
            return None;
        }
        ring.readers += 1;
        let revision = revision.unwrap_or(ring.revision);
        drop(ring);
        let log = self.clone();
        Some(ChangeReader { log, revision })
    }
}

impl Ring {
    fn push(&mut self, account: Option<AccountId>, subject: Subject) {
        if self.changes.len() == CHANGES_MAX {
            self.changes.pop_front();
        }
        self.changes.push_back((account, subject));
        self.revision += 1;
    }

    /// Returns the revision before the oldest kept change.
    fn floor(&self) -> u64 {
        self.revision - u64::try_from(self.changes.len()).unwrap_or(u64::MAX)
    }
}

impl ChangeReader {
    /// Returns the revision up to which changes have been read.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the changes since the last call.
    #[must_use]
    pub fn read(&mut self) -> UnreadChanges {
        let ring = self.log.ring();
        let floor = ring.floor();
        let skipped = (self.revision < floor).then(|| (self.revision + 1, floor));
        let mut revision = self.revision.clamp(floor, ring.revision);
        let offset = usize::try_from(revision - floor).unwrap_or(usize::MAX);
        let changes = ring.changes.range(offset..).map(|(account, subject)| {
            revision += 1;
            Change {
                revision,
                account: *account,
                subject: subject.clone(),
            }
        });
        let changes = changes.collect();
        drop(ring);
        self.revision = revision;
        UnreadChanges { skipped, changes }
    }

    /// Waits for a change that has not been read.
    pub async fn changed(&self) {
        loop {
            let changed = self.log.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.has_unread() {
                return;
            }
            changed.await;
        }
    }

    /// `true` if a change has not been read. If `false`, the next change wakes the readers that wait.
    fn has_unread(&self) -> bool {
        let mut ring = self.log.ring();
        let has_unread = ring.revision > self.revision;
        ring.is_awaited |= !has_unread;
        has_unread
    }
}

impl Drop for ChangeReader {
    fn drop(&mut self) {
        self.log.ring().readers -= 1;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const START: u64 = 1_773_309_600_007_000;

    fn log() -> ChangeLog {
        ChangeLog::new(Timestamp::from_ms(1_773_309_600_007))
    }

    fn push_requests(log: &ChangeLog, count: u64) {
        for seq in 1..=count {
            log.push(None, Subject::Request(seq));
        }
    }

    fn revisions(unread: &UnreadChanges) -> Vec<u64> {
        let revision = |change: &Change| change.revision;
        unread.changes.iter().map(revision).collect()
    }

    #[test]
    fn push_counts_up_from_the_start_of_the_process() {
        let log = log();
        assert_eq!(log.revision(), START);
        let account = Some(AccountId(7));
        assert_eq!(log.push(account, Subject::Clock), START + 1);
        log.push_all([
            (None, Subject::Rules),
            (account, Subject::Order("o".into())),
        ]);
        log.push_all([]);
        assert_eq!(log.revision(), START + 3);
        let mut reader = log.reader(Some(START)).expect("a reader");
        let change = |more, account, subject| Change {
            revision: START + more,
            account,
            subject,
        };
        let expected = [
            change(1, account, Subject::Clock),
            change(2, None, Subject::Rules),
            change(3, account, Subject::Order("o".into())),
        ];
        assert_eq!(reader.read().changes, expected);
        assert_eq!(reader.read(), UnreadChanges::default());
    }

    #[test]
    fn reader_continues_after_its_revision() {
        let log = log();
        push_requests(&log, 5);
        let mut reader = log.reader(Some(START + 3)).expect("a reader");
        let unread = reader.read();
        assert_eq!(unread.skipped, None);
        assert_eq!(revisions(&unread), [START + 4, START + 5]);
        let mut from_now = log.reader(None).expect("a reader");
        assert_eq!(from_now.read(), UnreadChanges::default());
        push_requests(&log, 1);
        assert_eq!(revisions(&from_now.read()), [START + 6]);
        assert_eq!(reader.revision(), START + 5);
    }

    #[test]
    fn read_after_falling_behind_reports_what_was_skipped() {
        let log = log();
        let mut reader = log.reader(None).expect("a reader");
        let ring_len = u64::try_from(CHANGES_MAX).expect("a number");
        push_requests(&log, ring_len + 10);
        let unread = reader.read();
        assert_eq!(unread.skipped, Some((START + 1, START + 10)));
        assert_eq!(unread.changes.len(), CHANGES_MAX);
        assert_eq!(unread.changes[0].revision, START + 11);
        assert_eq!(reader.revision(), START + ring_len + 10);
        assert_eq!(reader.read(), UnreadChanges::default());
        push_requests(&log, 1);
        assert_eq!(reader.read().skipped, None);
    }

    #[test]
    fn has_issued_of_another_process_is_false() {
        let log = log();
        push_requests(&log, 2);
        for (revision, expected) in [
            (0, false),
            (START - 1, false),
            (START, true),
            (START + 2, true),
            (START + 3, false),
            (u64::MAX, false),
        ] {
            assert_eq!(log.has_issued(revision), expected, "{revision}");
        }
        let mut ahead = log.reader(Some(u64::MAX)).expect("a reader");
        assert_eq!(ahead.read(), UnreadChanges::default());
    }

    #[test]
    fn reader_beyond_the_limit_is_refused_until_one_is_dropped() {
        let log = log();
        let mut readers: Vec<_> = (0..READERS_MAX).map_while(|_| log.reader(None)).collect();
        assert_eq!(readers.len(), READERS_MAX);
        assert!(log.reader(None).is_none());
        readers.pop();
        assert_eq!(log.readers(), READERS_MAX - 1);
        assert!(log.reader(None).is_some());
    }

    #[test]
    fn changed_completes_at_the_next_change() {
        let log = log();
        let mut reader = log.reader(None).expect("a reader");
        let mut changed = Box::pin(reader.changed());
        assert!(changed.as_mut().now_or_never().is_none());
        push_requests(&log, 1);
        assert!(changed.as_mut().now_or_never().is_some());
        drop(changed);
        let is_unread = reader.changed().now_or_never();
        assert!(is_unread.is_some(), "it has not been read");
        assert_eq!(reader.read().changes.len(), 1);
        assert!(reader.changed().now_or_never().is_none());
    }

    #[test]
    fn changed_of_all_readers_completes_at_one_change() {
        let log = log();
        let readers = [log.reader(None), log.reader(None)].map(|it| it.expect("a reader"));
        let [mut one, mut other] = readers.each_ref().map(|reader| Box::pin(reader.changed()));
        assert!(one.as_mut().now_or_never().is_none());
        assert!(other.as_mut().now_or_never().is_none());
        push_requests(&log, 1);
        assert!(one.now_or_never().is_some());
        assert!(other.now_or_never().is_some());
    }
}
