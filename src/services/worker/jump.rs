//! Jumps: a clock in mode `jump` does not wait for its work.

use super::Worker;
use crate::services::accounts::ClockGuard;
use crate::storage::db::{self, InternalError};

impl Worker {
    /// Moves a clock that jumps on to the next job that somebody waits for ([`JobKind::is_awaited`]).
    /// Jobs of other kinds run on the way, at their own due times. Nothing happens while a job is
    /// in flight by the clock, or an upload is owed by it (`accounts/owed.rs`).
    ///
    /// [`Kind::is_awaited`]: crate::model::job::Kind::is_awaited
    pub(super) async fn jump_to_next_due(&self, guard: &ClockGuard) -> Result<(), InternalError> {
        let (clock, agenda) = (guard.clock(), self.db.agenda());
        let in_flight = self.claims.running(|of| of.clock_id() == clock);
        if !self.accounts.clock(clock).jumps() || !in_flight.is_empty() {
            return Ok(());
        }
        let news = agenda.version();
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
        // A request claims the job that it starts before it reads the clock for the job's due time. It
        // may have done so since the rows were read, and may have committed since: the clock must not
        // pass that job.
        let leapt = self.claims.if_idle(clock, || {
            if agenda.version() == news {
                self.accounts.jump_over_owed_uploads(guard, at)
            } else {
                Ok(())
            }
        });
        match leapt {
            // The release of the claim has the worker look again.
            None => {}
            Some(Ok(())) => agenda.check_now(clock),
            // The clock runs as real time does: by then no upload is owed of those that are now.
            Some(Err(wait)) => {
                let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                agenda.wait_until(clock, now.plus_ms(wait_ms.saturating_add(1)));
            }
        }
        Ok(())
    }
}
