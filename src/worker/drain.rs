//! Drain: waiting until nothing is due or under way.

use std::time::Duration;

use super::Worker;
use crate::accounts::Account;
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::{Job, Kind};
use crate::store::{self, Reader, StoreError};

/// So many waiting jobs are named.
const WAITING_MAX: usize = 256;

impl Worker {
    /// Waits until nothing is due or under way, for one account if one is given, else for all:
    /// what still is when `timeout` is over, as kind and subject.
    ///
    /// # Errors
    /// If the jobs cannot be read.
    pub async fn drain(
        &self,
        account: Option<&Account>,
        timeout: Duration,
    ) -> Result<Vec<(Kind, String)>, StoreError> {
        let over = tokio::time::Instant::now() + timeout;
        loop {
            let progress = self.claims.progress();
            tokio::pin!(progress);
            progress.as_mut().enable();
            let waiting = self.waiting(account).await?;
            if waiting.is_empty() {
                return Ok(waiting);
            }
            if tokio::time::timeout_at(over, progress).await.is_err() {
                return self.waiting(account).await;
            }
        }
    }

    async fn waiting(&self, account: Option<&Account>) -> Result<Vec<(Kind, String)>, StoreError> {
        let mut reader = self.db.read().await?;
        let mut due = Vec::new();
        match account {
            Some(account) => {
                // The time is looked at after the rows: what was just made due is due by then.
                due = store::jobs::first_of(&mut reader, account.id, WAITING_MAX).await?;
                let now = account.now();
                due.retain(|job| job.due_at <= now);
                let (clock, of) = (account.clock_id(), Some(account.id));
                due.extend(self.leapt_to(&mut reader, clock, of).await?);
            }
            None => {
                for (clock, at) in store::jobs::earliest(&mut reader).await? {
                    let now = self.accounts.now(clock);
                    if at <= now {
                        due.extend(store::jobs::due(&mut reader, clock, now, WAITING_MAX).await?);
                    }
                    due.extend(self.leapt_to(&mut reader, clock, None).await?);
                }
            }
        }
        let mut waiting = self
            .claims
            .under_way(|of| account.is_none_or(|asked| of.id == asked.id));
        waiting.extend(due.into_iter().map(|job| (job.kind, job.subject)));
        waiting.sort_by(|one, other| (one.0.name(), &one.1).cmp(&(other.0.name(), &other.1)));
        waiting.dedup();
        waiting.truncate(WAITING_MAX);
        Ok(waiting)
    }

    /// What that clock does not wait for, if it jumps: it is about to be there.
    async fn leapt_to(
        &self,
        reader: &mut Reader,
        clock: ClockId,
        of: Option<AccountId>,
    ) -> Result<Vec<Job>, StoreError> {
        if self.accounts.clock(clock).jumps() {
            store::jobs::awaited(reader, clock, of, WAITING_MAX).await
        } else {
            Ok(Vec::new())
        }
    }
}
