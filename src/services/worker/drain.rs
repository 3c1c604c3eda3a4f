//! Drain: waits until orders, reports and webhooks have ended.

use std::time::Duration;

use tokio::time::Instant;

use super::Worker;
use super::waiting::{DueWindow, NeededAction, PendingWork};
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::Job;
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

/// Longest sleep between two checks. Work that ends by a reset sends no signal.
const RECHECK: Duration = Duration::from_millis(250);

/// Result of a drain.
#[derive(Debug)]
pub enum DrainOutcome {
    /// All work has ended. `next` is a job that is due later than the drain waits.
    Idle { next: Option<Job> },
    /// The work cannot go on until a frozen clock is advanced.
    Frozen {
        waiting: Vec<PendingWork>,
        advance: AdvanceNeeded,
    },
    /// Some work has not ended in time.
    TimedOut { waiting: Vec<PendingWork> },
}

/// Advance that a frozen clock needs for its work to continue.
#[derive(Debug, PartialEq, Eq)]
pub struct AdvanceNeeded {
    /// API key of the clock's account. `None` for the default clock.
    pub account: Option<String>,
    pub by_ms: i64,
}

impl Worker {
    /// Waits until all orders, reports and webhooks have ended that are in progress or due within
    /// `timeout` by their clocks. `None` as `account` means all accounts.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn drain(
        &self,
        account: Option<&Account>,
        timeout: Duration,
    ) -> Result<DrainOutcome, InternalError> {
        let end = Instant::now() + timeout;
        loop {
            let progress = self.claims.released();
            tokio::pin!(progress);
            progress.as_mut().enable();
            let left = end.saturating_duration_since(Instant::now());
            let window = DueWindow {
                total: timeout,
                left,
            };
            let mut waiting = self.awaited_jobs(account, window).await?;
            let can_continue = waiting
                .iter()
                .any(|item| item.needed_action == NeededAction::None);
            if !can_continue || left.is_zero() {
                waiting.extend(self.held_orders(account).await?);
            }
            if waiting.is_empty() {
                let next = match account {
                    Some(_) => self.next_job(account).await?,
                    None => self.next_job_of_all().await?,
                };
                return Ok(DrainOutcome::Idle { next });
            }
            if !can_continue && let Some(advance) = self.advance_needed(account, &waiting) {
                return Ok(DrainOutcome::Frozen { waiting, advance });
            }
            if left.is_zero() {
                return Ok(DrainOutcome::TimedOut { waiting });
            }
            let _ = tokio::time::timeout(left.min(RECHECK), progress).await;
        }
    }

    /// Returns the advance of the first frozen clock that work waits for. `None` if there is none,
    /// or if the clock is being advanced.
    fn advance_needed(
        &self,
        account: Option<&Account>,
        waiting: &[PendingWork],
    ) -> Option<AdvanceNeeded> {
        let clock = waiting.iter().find_map(|item| match item.needed_action {
            NeededAction::Advance(clock) => Some(clock),
            NeededAction::None | NeededAction::Call => None,
        })?;
        if self.accounts.is_clock_in_use(clock) {
            return None;
        }
        let now = self.accounts.now(clock);
        let of_clock = waiting
            .iter()
            .filter(|item| item.needed_action == NeededAction::Advance(clock));
        let by_ms = of_clock
            .filter_map(|item| item.at)
            .map(|at| at.since_ms(now));
        let key = match (account, clock) {
            (Some(account), _) => Some(account.key.clone()),
            (None, ClockId::DEFAULT) => None,
            (None, ClockId(id)) => Some(self.accounts.by_id(AccountId(id))?.key.clone()),
        };
        Some(AdvanceNeeded {
            account: key,
            by_ms: by_ms.max()?,
        })
    }
}
