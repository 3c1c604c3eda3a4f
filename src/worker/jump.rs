//! Jumps: a clock in mode `jump` does not wait for its work.

use std::sync::Arc;

use super::Worker;
use crate::model::ids::ClockId;
use crate::store::{self, StoreError};

impl Worker {
    /// Moves a clock that jumps on to what is due next, if nothing is under way by it and
    /// something is to come that somebody waits for ([`Kind::is_awaited`]); what ends meanwhile
    /// of other kinds ends on the way, at its own time.
    ///
    /// [`Kind::is_awaited`]: crate::model::job::Kind::is_awaited
    pub(super) async fn leap(self: &Arc<Self>, clock: ClockId) -> Result<(), StoreError> {
        let Some(_turn) = self.steps.try_take(clock) else {
            return Ok(());
        };
        let shown = self.accounts.clock(clock);
        let at_rest = || {
            self.claims
                .under_way(|of| of.clock_id() == clock)
                .is_empty()
        };
        if !shown.jumps() || !at_rest() {
            return Ok(());
        }
        let mut reader = self.db.read().await?;
        let awaited = store::jobs::awaited(&mut reader, clock, None, 1).await?;
        let Some(until) = awaited.first().map(|job| job.due_at) else {
            return Ok(());
        };
        let first = store::jobs::due(&mut reader, clock, until, 1).await?;
        drop(reader);
        let at = first.first().map_or(until, |job| job.due_at);
        if self.accounts.now(clock) < at {
            let moved = self.accounts.set_clock(clock, shown.moved_to(at)).await;
            // Its account was reset meanwhile: there is nothing to move any more.
            return match moved {
                Err(StoreError::AccountGone) => Ok(()),
                moved => moved,
            };
        }
        Ok(())
    }
}
