//! Memory budget of the engine.
//!
//! Work leases its peak memory, which the file's header determines, before it allocates.
//! Guarantees: all leases together never exceed the budget. Leases are granted in the order of the
//! requests, so that small pictures cannot starve a large one. Work never waits while it holds a
//! lease, so that there is no deadlock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::picture::FileDefect;

/// Maximum budget, for machines with much memory.
const TOTAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Share of the memory that the process may use. The rest is for everything else.
const SHARE_PERCENT: u64 = 40;
/// Minimum budget: enough for samples, reports and small pictures.
pub const TOTAL_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// Bytes of one semaphore permit.
const UNIT_BYTES: u64 = 1024;

/// Memory budget. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<BudgetInner>);

#[derive(Debug)]
struct BudgetInner {
    permits: Arc<Semaphore>,
    total_bytes: u64,
    /// Counted independently of the permits, so that tests can compare both.
    leased_bytes: AtomicU64,
    leased_bytes_max: AtomicU64,
}

/// Bytes that work may allocate. Dropping the lease returns them to the budget.
#[derive(Debug)]
pub struct Lease {
    budget: Budget,
    permit: OwnedSemaphorePermit,
    bytes: u64,
    /// Bytes of results that stay in memory until the work ends.
    held_bytes: u64,
    /// Total bytes that the work needs. `None` unless a requirement failed.
    needed_bytes: Option<u64>,
}

impl Budget {
    /// Creates a budget of `total_bytes`, or of [`TOTAL_BYTES_MIN`] if that is more.
    #[must_use]
    pub fn new(total_bytes: u64) -> Self {
        let units =
            u32::try_from(total_bytes.max(TOTAL_BYTES_MIN) / UNIT_BYTES).unwrap_or(u32::MAX);
        let permits = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(BudgetInner {
            permits: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            total_bytes: u64::from(units) * UNIT_BYTES,
            leased_bytes: AtomicU64::default(),
            leased_bytes_max: AtomicU64::default(),
        }))
    }

    /// Creates the budget of a process that may use `process_bytes`. `None` means unlimited.
    #[must_use]
    pub fn for_process(process_bytes: Option<u64>) -> Self {
        let share = process_bytes.map(|bytes| bytes / 100 * SHARE_PERCENT);
        Self::new(share.map_or(TOTAL_BYTES_MAX, |share| share.min(TOTAL_BYTES_MAX)))
    }

    /// Size of the budget in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.0.total_bytes
    }

    /// Bytes that are leased at the moment.
    #[must_use]
    pub fn leased_bytes(&self) -> u64 {
        self.0.leased_bytes.load(Ordering::Relaxed)
    }

    /// Highest value of [`Budget::leased_bytes`] so far.
    #[must_use]
    pub fn leased_bytes_max(&self) -> u64 {
        self.0.leased_bytes_max.load(Ordering::Relaxed)
    }

    /// Waits in line for `bytes`.
    ///
    /// # Errors
    /// Returns [`FileDefect::TooLarge`] if `bytes` exceeds the whole budget.
    pub async fn lease(&self, bytes: u64) -> Result<Lease, FileDefect> {
        let units = self.units(bytes)?;
        let permits = Arc::clone(&self.0.permits);
        let acquired = permits.acquire_many_owned(units).await;
        // The semaphore is never closed.
        let permit = acquired.map_err(|_| self.too_large(bytes))?;
        Ok(self.new_lease(permit, units))
    }

    fn new_lease(&self, permit: OwnedSemaphorePermit, units: u32) -> Lease {
        let bytes = u64::from(units) * UNIT_BYTES;
        self.add_leased(bytes);
        Lease {
            budget: self.clone(),
            permit,
            bytes,
            held_bytes: 0,
            needed_bytes: None,
        }
    }

    fn add_leased(&self, bytes: u64) {
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
            "needs {} MiB of memory, the limit is {} MiB; give the server's container more memory, or \
             raise --engine-memory",
            bytes.div_ceil(1024 * 1024),
            self.0.total_bytes >> 20
        ))
    }
}

impl Lease {
    /// Grows the lease to `bytes`, plus the held bytes, if it is smaller. Call before allocating.
    ///
    /// # Errors
    /// Returns [`FileDefect::TooLarge`] if there is no room. The work must then end with that
    /// error; the engine runs it again once it has a lease of [`Lease::needed_bytes`].
    pub fn require(&mut self, bytes: u64) -> Result<(), FileDefect> {
        let total = bytes.saturating_add(self.held_bytes);
        let more = total.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let units = self.budget.units(total).and(self.budget.units(more));
        let permits = Arc::clone(&self.budget.0.permits);
        let permit = units.and_then(|units| {
            let acquired = permits.try_acquire_many_owned(units);
            acquired.map_err(|_| self.budget.too_large(total))
        });
        match permit {
            Ok(permit) => {
                let added = permit.num_permits() as u64 * UNIT_BYTES;
                self.permit.merge(permit);
                self.budget.add_leased(added);
                self.bytes += added;
                Ok(())
            }
            Err(defect) => {
                self.needed_bytes = Some(total);
                Err(defect)
            }
        }
    }

    /// Reserves `bytes` of the lease for a result that stays in memory until the work ends. Later
    /// requirements are added to it.
    pub fn hold(&mut self, bytes: u64) {
        self.held_bytes = self.held_bytes.saturating_add(bytes);
    }

    /// Total bytes of the requirement that failed. `None` if none failed.
    #[must_use]
    pub fn needed_bytes(&self) -> Option<u64> {
        self.needed_bytes
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Fields are dropped after this function: the count shrinks before the permits return.
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
    fn for_process_takes_two_fifths_of_memory_up_to_1_gib() {
        for (process_bytes, total_mib) in [
            (Some(512 * MIB), 204),
            (Some(64 * MIB), 25),
            (Some(8 * MIB), 16),
            (Some(64 * 1024 * MIB), 1024),
            (None, 1024),
        ] {
            let budget = Budget::for_process(process_bytes);
            assert_eq!(budget.total_bytes() / MIB, total_mib, "{process_bytes:?}");
        }
    }

    #[tokio::test]
    async fn lease_above_budget_answers_too_large_with_remedy() {
        let budget = Budget::new(16 * MIB);
        let error = budget
            .lease(16 * MIB + 1)
            .await
            .expect_err("more than the budget");
        assert_eq!(
            text(&error),
            "needs 17 MiB of memory, the limit is 16 MiB; give the server's container more memory, or \
             raise --engine-memory"
        );
        let all = budget.lease(16 * MIB).await.expect("a lease");
        assert_eq!(budget.leased_bytes(), 16 * MIB);
        drop(all);
        assert_eq!(budget.leased_bytes(), 0);
    }

    #[tokio::test]
    async fn require_more_than_is_free_records_needed_bytes() {
        let budget = Budget::new(16 * MIB);
        let mut lease = budget.lease(MIB).await.expect("a lease");
        let other = budget.lease(10 * MIB).await.expect("a lease");
        lease.require(6 * MIB).expect("the rest");
        assert_eq!(budget.leased_bytes(), 16 * MIB);
        assert_eq!(lease.needed_bytes(), None);
        lease.require(7 * MIB).expect_err("no free memory");
        assert_eq!(lease.needed_bytes(), Some(7 * MIB));
        drop(other);
        drop(lease);
        assert_eq!(budget.leased_bytes(), 0);
        assert_eq!(budget.leased_bytes_max(), 16 * MIB);
    }

    #[tokio::test]
    async fn require_after_hold_leases_both() {
        let budget = Budget::new(16 * MIB);
        let mut lease = budget.lease(4 * MIB).await.expect("a lease");
        lease.hold(2 * MIB);
        lease.require(2 * MIB).expect("within the lease");
        assert_eq!(budget.leased_bytes(), 4 * MIB);
        lease.require(3 * MIB).expect("free memory");
        assert_eq!(budget.leased_bytes(), 5 * MIB);
        lease.hold(MIB);
        lease.require(14 * MIB).expect_err("17 MiB in all");
        assert_eq!(lease.needed_bytes(), Some(17 * MIB));
    }

    #[tokio::test]
    async fn waiting_leases_are_granted_in_order() {
        let budget = Budget::new(16 * MIB);
        let mut small = budget.lease(4 * MIB).await.expect("a lease");
        let large = spawn_lease(budget.clone(), 14 * MIB);
        let small_later = spawn_lease(budget.clone(), MIB);
        assert!(is_pending(&large).await);
        assert!(is_pending(&small_later).await, "a later lease overtook");
        small
            .require(5 * MIB)
            .expect_err("the large lease is first in line");
        drop(small);
        let large_lease = large.await.expect("no panic").expect("a lease");
        let small_lease = small_later.await.expect("no panic").expect("a lease");
        assert_eq!(budget.leased_bytes(), 15 * MIB);
        drop((large_lease, small_lease));
    }

    fn spawn_lease(
        budget: Budget,
        bytes: u64,
    ) -> tokio::task::JoinHandle<Result<Lease, FileDefect>> {
        tokio::spawn(async move { budget.lease(bytes).await })
    }

    /// Lets other tasks run, then returns `true` if `task` has not finished.
    async fn is_pending<T>(task: &tokio::task::JoinHandle<T>) -> bool {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        !task.is_finished()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

        #[test]
        fn leases_never_exceed_the_budget_and_all_are_granted(
            works in proptest::collection::vec((0..=16_384_u64, 0..=20_000_u64), 1..40),
        ) {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(4)
                .build()
                .expect("a runtime");
            let budget = Budget::new(16 * MIB);
            let tasks: Vec<_> = works
                .into_iter()
                .map(|(first, then)| {
                    let budget = budget.clone();
                    runtime.spawn(async move { work(&budget, first * 1024, then * 1024).await })
                })
                .collect();
            for task in tasks {
                runtime.block_on(task).expect("no panic");
            }
            proptest::prop_assert!(budget.leased_bytes_max() <= budget.total_bytes());
            proptest::prop_assert_eq!(budget.leased_bytes(), 0);
            let free = budget.0.permits.available_permits() as u64 * UNIT_BYTES;
            proptest::prop_assert_eq!(free, budget.total_bytes());
        }
    }

    /// Leases as the engine does: waits for missing memory without holding any.
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
