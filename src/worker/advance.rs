//! Advance: a clock is moved through what falls due on the way.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::Worker;
use crate::accounts::Account;
use crate::model::ids::ClockId;
use crate::model::job::{Job, Kind};
use crate::model::time::Timestamp;
use crate::store::{self, StoreError};

/// So many jobs are read in one go.
const AHEAD_MAX: usize = 64;

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
        let (mut ran, mut ahead) = (Vec::new(), Ahead::default());
        while let Some(one) = self.run_next(clock, target, &mut ahead).await? {
            ran.push(one);
            if self.stop.is_cancelled() {
                let stopped = io::Error::other("the server stops; the clock stands on its way");
                return Err(StoreError::broken(stopped));
            }
        }
        let end = self.accounts.now(clock).max(target);
        let moved = self.accounts.clock(clock).moved_to(end);
        self.accounts.set_clock(clock, moved).await?;
        Ok((self.accounts.now(clock), ran))
    }

    /// Runs the first job due by `target`, the clock showing its due time; none if there is none.
    async fn run_next(
        &self,
        clock: ClockId,
        target: Timestamp,
        ahead: &mut Ahead,
    ) -> Result<Option<Ran>, StoreError> {
        loop {
            self.claims.idle(clock).await;
            let Some(job) = self.first_due(clock, target, ahead).await? else {
                return Ok(None);
            };
            let Some(claim) = self.claim(&job) else {
                ahead.jobs.clear();
                tokio::task::yield_now().await;
                continue;
            };
            let before = self.accounts.now(clock);
            if before < job.due_at {
                self.accounts.move_clock(clock, job.due_at);
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

    async fn first_due(
        &self,
        clock: ClockId,
        target: Timestamp,
        ahead: &mut Ahead,
    ) -> Result<Option<Job>, StoreError> {
        let news = self.db.agenda().news();
        if ahead.jobs.is_empty() || ahead.news != news {
            let mut reader = self.db.read().await?;
            let due = store::jobs::due(&mut reader, clock, target, AHEAD_MAX).await?;
            *ahead = Ahead {
                jobs: due.into(),
                news,
            };
        }
        Ok(ahead.jobs.pop_front())
    }
}

/// The jobs that come next, as long as there are no others.
#[derive(Debug, Default)]
struct Ahead {
    jobs: VecDeque<Job>,
    /// As the agenda had it when they were read.
    news: u64,
}
