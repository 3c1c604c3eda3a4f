//! Advance: a clock is moved through what falls due on the way.

use std::io;
use std::sync::Arc;

use super::Worker;
use crate::accounts::Account;
use crate::model::ids::ClockId;
use crate::model::job::Kind;
use crate::model::time::Timestamp;
use crate::store::{self, StoreError};

/// A job that was run while a clock was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub at: Timestamp,
    pub kind: Kind,
    pub subject: String,
}

impl Worker {
    /// Moves a clock `by_ms` on, the account's own or the default one, running on the way what
    /// falls due, earliest first, each job while the clock shows its due time; also what these
    /// jobs bring about in turn. An account that followed the default clock has one of its own
    /// from then on. Answers what the clock shows in the end and what was run. What has begun is
    /// carried through, whether anybody waits for it or not.
    ///
    /// # Errors
    /// If a job cannot be run or the clock not be written, or the server stops; the clock then
    /// stands where it is.
    pub async fn advance(
        self: &Arc<Self>,
        account: Option<Arc<Account>>,
        by_ms: i64,
    ) -> Result<(Timestamp, Vec<Ran>), StoreError> {
        let this = Arc::clone(self);
        let moved = self
            .tasks
            .spawn(async move { this.move_on(account, by_ms).await });
        moved
            .await
            .unwrap_or_else(|error| Err(StoreError::broken(error)))
    }

    async fn move_on(
        &self,
        account: Option<Arc<Account>>,
        by_ms: i64,
    ) -> Result<(Timestamp, Vec<Ran>), StoreError> {
        let own = account.as_ref().map(|account| ClockId::of(account.id));
        let clock = own.unwrap_or(ClockId::DEFAULT);
        let _step = self.hold(clock).await;
        if account.is_some_and(|account| account.clock_id() != clock) {
            let followed = self.accounts.clock(ClockId::DEFAULT);
            self.accounts.set_clock(clock, followed).await?;
        }
        let target = self.accounts.now(clock).plus_ms(by_ms);
        let mut ran = Vec::new();
        while let Some(one) = self.run_next(clock, target).await? {
            ran.push(one);
            if self.stop.is_cancelled() {
                let stopped = io::Error::other("the server stops; the clock stands on its way");
                return Err(StoreError::broken(stopped));
            }
        }
        if self.accounts.now(clock) < target {
            let moved = self.accounts.clock(clock).moved_to(target);
            self.accounts.set_clock(clock, moved).await?;
        }
        Ok((self.accounts.now(clock), ran))
    }

    /// Runs the first job due by `target`, the clock showing its due time; none if there is none.
    async fn run_next(&self, clock: ClockId, target: Timestamp) -> Result<Option<Ran>, StoreError> {
        loop {
            self.claims.idle(clock).await;
            let due = store::jobs::due(&mut self.db.read().await?, clock, target, 1).await?;
            let Some(job) = due.into_iter().next() else {
                return Ok(None);
            };
            let Some(claim) = self.claim(&job) else {
                tokio::task::yield_now().await;
                continue;
            };
            let before = self.accounts.now(clock);
            if before < job.due_at {
                let moved = self.accounts.clock(clock).moved_to(job.due_at);
                self.accounts.set_clock(clock, moved).await?;
            }
            self.run_job(&job).await?;
            drop(claim);
            return Ok(Some(Ran {
                at: job.due_at.max(before),
                kind: job.kind,
                subject: job.subject,
            }));
        }
    }
}
