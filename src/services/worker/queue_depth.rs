//! Number of jobs by kind.

use super::Worker;
use crate::model::ids::ClockId;
use crate::model::job::JobKind;
use crate::storage::db::{self, InternalError};

/// Jobs of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    pub kind: JobKind,
    /// Number of jobs in the database.
    pub queued: u64,
    /// Number of jobs that are due by their accounts' clocks.
    pub due: u64,
    /// Number of jobs that are claimed or waited for.
    pub running: u64,
}

impl Worker {
    /// Returns the queue depth of each kind of job.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn queue_depths(&self) -> Result<Vec<QueueDepth>, InternalError> {
        let accounts = self.accounts.all();
        let own_clocks = accounts
            .iter()
            .map(|account| account.clock_id())
            .filter(|clock| *clock != ClockId::DEFAULT);
        let clocks = own_clocks.chain([ClockId::DEFAULT]);
        let nows: Vec<_> = clocks
            .map(|clock| (clock, self.accounts.now(clock)))
            .collect();
        let mut reader = self.db.read().await?;
        let queued = db::jobs::count_by_kind(&mut reader).await?;
        let due = db::jobs::count_due_by_kind(&mut reader, &nows).await?;
        drop(reader);
        let running = self.claims.running(|_| true);
        let count_of = |counts: &[(JobKind, u64)], kind| {
            let entry = counts.iter().find(|(counted, _)| *counted == kind);
            entry.map_or(0, |(_, count)| *count)
        };
        let depth = |kind| QueueDepth {
            kind,
            queued: count_of(&queued, kind),
            due: count_of(&due, kind),
            running: running
                .iter()
                .map(|(running, _)| u64::from(*running == kind))
                .sum(),
        };
        Ok(JobKind::ALL.into_iter().map(depth).collect())
    }
}
