//! The memory that work on pictures may take.
//!
//! Work leases bytes before it allocates them, as many as its peak takes by what the file's header
//! declares. Guarantees: the leases together never exceed the budget; leases are granted in the
//! order in which they were asked for, so that a large picture is not starved by small ones; work
//! never waits while it holds a lease, so that no two pictures wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::picture::FileDefect;

/// The most that is taken of a large machine.
const TOTAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Share of the memory that the process may use; the rest is for all else that it does.
const SHARE_PERCENT: u64 = 40;
/// The least: samples, reports and small pictures are always made.
pub const TOTAL_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// Bytes of one permit.
const UNIT_BYTES: u64 = 1024;

/// Bytes that are leased; clones share them.
#[derive(Debug, Clone)]
pub struct Budget(Arc<BudgetInner>);

#[derive(Debug)]
struct BudgetInner {
    permits: Arc<Semaphore>,
    total_bytes: u64,
    /// Counted apart from the permits, so that a test sees whether those are right.
    leased_bytes: AtomicU64,
    leased_bytes_max: AtomicU64,
}

/// Bytes that work may allocate. They go back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    budget: Budget,
    permit: OwnedSemaphorePermit,
    bytes: u64,
    /// Bytes of results that stay until the work ends.
    held_bytes: u64,
    /// Bytes that the work needs in all, if there was no room for them.
    needed_bytes: Option<u64>,
}

impl Budget {
    /// A budget of `total_bytes`, and of no less than [`TOTAL_BYTES_MIN`].
    #[must_use]
    pub fn new(total_bytes: u64) -> Self {
        let units = total_bytes.max(TOTAL_BYTES_MIN) / UNIT_BYTES;
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let permits = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(BudgetInner {
            permits: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            total_bytes: u64::from(units) * UNIT_BYTES,
            leased_bytes: AtomicU64::default(),
            leased_bytes_max: AtomicU64::default(),
        }))
    }

    /// The budget of a process that may use `process_bytes`.
    #[must_use]
    pub fn of_process(process_bytes: Option<u64>) -> Self {
        let share = process_bytes.map(|bytes| bytes / 100 * SHARE_PERCENT);
        Self::new(share.map_or(TOTAL_BYTES_MAX, |share| share.min(TOTAL_BYTES_MAX)))
    }

    /// All that can be leased.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.0.total_bytes
    }

    /// Bytes that are leased now.
    #[must_use]
    pub fn leased_bytes(&self) -> u64 {
        self.0.leased_bytes.load(Ordering::Relaxed)
    }

    /// The most that was leased at once.
    #[must_use]
    pub fn leased_bytes_max(&self) -> u64 {
        self.0.leased_bytes_max.load(Ordering::Relaxed)
    }

    /// Waits for `bytes` in turn.
    ///
    /// # Errors
    /// Returns [`FileDefect::TooLarge`] if the budget is smaller.
    pub async fn lease(&self, bytes: u64) -> Result<Lease, FileDefect> {
        let units = self.units(bytes)?;
        let permits = Arc::clone(&self.0.permits);
        // never closed
        let permit = permits.acquire_many_owned(units).await;
        let permit = permit.map_err(|_| self.too_large(bytes))?;
        Ok(self.leased(permit, units))
    }

    fn leased(&self, permit: OwnedSemaphorePermit, units: u32) -> Lease {
        let bytes = u64::from(units) * UNIT_BYTES;
        self.count(bytes);
        Lease {
            budget: self.clone(),
            permit,
            bytes,
            held_bytes: 0,
            needed_bytes: None,
        }
    }

    fn count(&self, bytes: u64) {
        let before = self.0.leased_bytes.fetch_add(bytes, Ordering::SeqCst);
        let now = before + bytes;
        self.0.leased_bytes_max.fetch_max(now, Ordering::SeqCst);
    }

    fn units(&self, bytes: u64) -> Result<u32, FileDefect> {
        if bytes > self.0.total_bytes {
            return Err(self.too_large(bytes));
        }
        u32::try_from(bytes.div_ceil(UNIT_BYTES)).map_err(|_| self.too_large(bytes))
    }

    fn too_large(&self, bytes: u64) -> FileDefect {
        FileDefect::TooLarge(format!(
            "takes {} MiB of memory to work on, and {} MiB are all that may be taken here; give the \
             server's container more memory, or raise --engine-memory",
            bytes.div_ceil(1024 * 1024),
            self.0.total_bytes >> 20
        ))
    }
}

impl Lease {
    /// Makes sure that the lease has `bytes` in all, before they are allocated.
    ///
    /// # Errors
    /// Returns [`FileDefect::TooLarge`] if there is no room. The work has to end with that error; if
    /// there is room for `bytes` later, it is then done anew with a lease of so many.
    pub fn require(&mut self, bytes: u64) -> Result<(), FileDefect> {
        let bytes = bytes.saturating_add(self.held_bytes);
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let units = self.budget.units(bytes).and(self.budget.units(more));
        let permits = Arc::clone(&self.budget.0.permits);
        let permit = units.and_then(|units| {
            let permit = permits.try_acquire_many_owned(units);
            permit.map_err(|_| self.budget.too_large(bytes))
        });
        match permit {
            Ok(permit) => {
                let more = permit.num_permits() as u64 * UNIT_BYTES;
                self.permit.merge(permit);
                self.budget.count(more);
                self.bytes += more;
                Ok(())
            }
            Err(defect) => {
                self.needed_bytes = Some(bytes);
                Err(defect)
            }
        }
    }

    /// Keeps `bytes` of the lease for a result that stays in memory until the work ends. All later
    /// requirements come on top of them.
    pub fn hold(&mut self, bytes: u64) {
        self.held_bytes = self.held_bytes.saturating_add(bytes);
    }

    /// The bytes that were required in vain. `None` if all were there.
    #[must_use]
    pub fn needed_bytes(&self) -> Option<u64> {
        self.needed_bytes
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // before the permits go, which are dropped behind this
        let leased = &self.budget.0.leased_bytes;
        leased.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn text(defect: &FileDefect) -> &str {
        assert!(matches!(defect, FileDefect::TooLarge(_)), "{defect:?}");
        defect.message()
    }

    #[test]
    fn a_budget_is_two_fifths_of_the_memory_up_to_a_gibibyte() {
        for (process_bytes, total_mib) in [
            (Some(512 * MIB), 204),
            (Some(64 * MIB), 25),
            (Some(8 * MIB), 16),
            (Some(64 * 1024 * MIB), 1024),
            (None, 1024),
        ] {
            let budget = Budget::of_process(process_bytes);
            assert_eq!(budget.total_bytes() / MIB, total_mib, "{process_bytes:?}");
        }
    }

    #[tokio::test]
    async fn leasing_more_than_the_budget_is_refused_with_the_remedy() {
        let budget = Budget::new(16 * MIB);
        let refused = budget.lease(16 * MIB + 1).await.expect_err("too much");
        assert_eq!(
            text(&refused),
            "takes 17 MiB of memory to work on, and 16 MiB are all that may be taken here; give the \
             server's container more memory, or raise --engine-memory"
        );
        let whole = budget.lease(16 * MIB).await.expect("all of it");
        assert_eq!(budget.leased_bytes(), 16 * MIB);
        drop(whole);
        assert_eq!(budget.leased_bytes(), 0);
    }

    #[tokio::test]
    async fn requiring_more_than_is_free_says_how_much_is_needed() {
        let budget = Budget::new(16 * MIB);
        let mut lease = budget.lease(MIB).await.expect("some");
        let other = budget.lease(10 * MIB).await.expect("most");
        lease.require(6 * MIB).expect("the rest");
        assert_eq!(budget.leased_bytes(), 16 * MIB);
        assert_eq!(lease.needed_bytes(), None);
        lease.require(7 * MIB).expect_err("there is no more");
        assert_eq!(lease.needed_bytes(), Some(7 * MIB));
        drop(other);
        drop(lease);
        assert_eq!(budget.leased_bytes(), 0);
        assert_eq!(budget.leased_bytes_max(), 16 * MIB);
    }

    #[tokio::test]
    async fn requiring_bytes_while_holding_a_result_leases_both() {
        let budget = Budget::new(16 * MIB);
        let mut lease = budget.lease(4 * MIB).await.expect("some");
        lease.hold(2 * MIB);
        lease.require(2 * MIB).expect("within the lease");
        assert_eq!(budget.leased_bytes(), 4 * MIB);
        lease.require(3 * MIB).expect("one more");
        assert_eq!(budget.leased_bytes(), 5 * MIB);
        lease.hold(MIB);
        lease.require(14 * MIB).expect_err("17 MiB in all");
        assert_eq!(lease.needed_bytes(), Some(17 * MIB));
    }

    #[tokio::test]
    async fn waiting_leases_are_granted_in_order_and_none_grows_past_them() {
        let budget = Budget::new(16 * MIB);
        let mut small = budget.lease(4 * MIB).await.expect("some");
        let large = waiting(budget.clone(), 14 * MIB);
        let later = waiting(budget.clone(), MIB);
        assert!(is_pending(&large).await);
        assert!(is_pending(&later).await, "it does not overtake");
        small.require(5 * MIB).expect_err("the large one is before");
        drop(small);
        let large = large.await.expect("no panic").expect("a lease");
        let later = later.await.expect("no panic").expect("a lease");
        assert_eq!(budget.leased_bytes(), 15 * MIB);
        drop((large, later));
    }

    fn waiting(budget: Budget, bytes: u64) -> tokio::task::JoinHandle<Result<Lease, FileDefect>> {
        tokio::spawn(async move { budget.lease(bytes).await })
    }

    /// Lets the other tasks run, and says whether this one has not ended.
    async fn is_pending<T>(task: &tokio::task::JoinHandle<T>) -> bool {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        !task.is_finished()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

        #[test]
        fn leases_together_never_exceed_the_budget_and_all_come_to_their_turn(
            works in proptest::collection::vec((0..=16_384_u64, 0..=20_000_u64), 1..40),
        ) {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(4)
                .build()
                .expect("a runtime");
            let budget = Budget::new(16 * MIB);
            let works = works.into_iter().map(|(first, then)| {
                let budget = budget.clone();
                runtime.spawn(async move { work(&budget, first * 1024, then * 1024).await })
            });
            let works: Vec<_> = works.collect();
            for done in works {
                runtime.block_on(done).expect("no panic");
            }
            proptest::prop_assert!(budget.leased_bytes_max() <= budget.total_bytes());
            proptest::prop_assert_eq!(budget.leased_bytes(), 0);
            let free = budget.0.permits.available_permits() as u64 * UNIT_BYTES;
            proptest::prop_assert_eq!(free, budget.total_bytes());
        }
    }

    /// Leases as the engine does: what there is no room for now is waited for with empty hands.
    async fn work(budget: &Budget, first: u64, then: u64) {
        let mut bytes = first;
        loop {
            let Ok(mut lease) = budget.lease(bytes).await else {
                assert!(bytes > budget.total_bytes());
                return;
            };
            tokio::task::yield_now().await;
            if lease.require(then).is_ok() {
                return;
            }
            assert_eq!(lease.needed_bytes(), Some(then));
            bytes = then;
        }
    }
}
