//! How much there is to do, by kind of job.

use super::Worker;
use crate::model::ids::ClockId;
use crate::model::job::JobKind;
use crate::storage::db::{self, InternalError};

/// The jobs of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    pub kind: JobKind,
    /// All there are.
    pub queued: u64,
    /// Those that are due by their accounts' clocks.
    pub due: u64,
    /// Those that somebody has, or waits for.
    pub running: u64,
}

impl Worker {
    /// How many jobs there are of each kind.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn queue_depths(&self) -> Result<Vec<QueueDepth>, InternalError> {
        let own = self.accounts.all();
        let own = own.iter().map(|account| account.clock_id());
        let own = own.filter(|clock| *clock != ClockId::DEFAULT);
        let clocks = own.chain([ClockId::DEFAULT]);
        let nows: Vec<_> = clocks.map(|it| (it, self.accounts.now(it))).collect();
        let mut reader = self.db.read().await?;
        let queued = db::jobs::count_by_kind(&mut reader).await?;
        let due = db::jobs::count_due_by_kind(&mut reader, &nows).await?;
        drop(reader);
        let under_way = self.claims.running(|_| true);
        let of = |counts: &[(JobKind, u64)], kind| {
            let found = counts.iter().find(|(of, _)| *of == kind);
            found.map_or(0, |(_, count)| *count)
        };
        let depth = |kind| QueueDepth {
            kind,
            queued: of(&queued, kind),
            due: of(&due, kind),
            running: under_way.iter().map(|(of, _)| u64::from(*of == kind)).sum(),
        };
        Ok(JobKind::ALL.into_iter().map(depth).collect())
    }
}
