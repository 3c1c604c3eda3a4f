//! Jumps: a clock in mode `jump` moves to the next due time as soon as it is idle.

use super::Worker;
use crate::services::accounts::ClockGuard;
use crate::storage::db::{self, InternalError};

impl Worker {
    /// Moves a clock in mode `jump` to its next foreground job
    /// ([`JobKind::is_awaited`](crate::model::job::JobKind::is_awaited)). Jobs of other kinds run
    /// on the way, at their own due times. Does nothing while a job of the clock is claimed, or
    /// while a client owes it an upload (`accounts/owed.rs`).
    pub(super) async fn jump_to_next_due(&self, guard: &ClockGuard) -> Result<(), InternalError> {
        let (clock, due_index) = (guard.clock(), self.db.due_index());
        let running = self.claims.running(|account| account.clock_id() == clock);
        if !self.accounts.clock(clock).jumps() || !running.is_empty() {
            return Ok(());
        }
        let version = due_index.version();
        let mut reader = self.db.read().await?;
        let awaited = db::jobs::awaited(&mut reader, clock, None, 1).await?;
        let Some(until) = awaited.first().map(|job| job.due_at) else {
            return Ok(());
        };
        let first = db::jobs::due(&mut reader, clock, until, 1).await?;
        drop(reader);
        let at = first.first().map_or(until, |job| job.due_at);
        let now = self.accounts.now(clock);
        if at <= now {
            return Ok(());
        }
        // A request claims the job that it starts before it reads the clock for the job's due time.
        // The request may have claimed and even committed the job since the rows were read. The
        // clock must not pass that job.
        let jumped = self.claims.if_idle(clock, || {
            if due_index.version() == version {
                self.accounts.jump_over_owed_uploads(guard, at)
            } else {
                Ok(())
            }
        });
        match jumped {
            // The release of the claim wakes the worker.
            None => {}
            Some(Ok(())) => due_index.check_now(clock),
            // The clock runs at the speed of real time: after `wait` no current upload is owed any
            // more.
            Some(Err(wait)) => {
                let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                due_index.wait_until(clock, now.plus_ms(wait_ms.saturating_add(1)));
            }
        }
        Ok(())
    }
}
