//! Orders whose processing ends by reads of their client, or by the control API, not by the clock.

use super::super::rule::ProcessingMode;
use super::super::time::Timestamp;
use super::{Order, OrderState};

impl Order {
    const fn is_in_progress(&self) -> bool {
        matches!(self.state, OrderState::InProgress { .. })
    }

    /// `true` if the order is in progress and waits for reads of its client or for the control API.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.is_in_progress()
            && matches!(
                self.processing,
                Some(ProcessingMode::AfterPolls(1..) | ProcessingMode::UntilReleased)
            )
    }

    /// `true` if the order is in progress and its client has read it often enough.
    #[must_use]
    pub const fn is_released(&self) -> bool {
        self.is_in_progress() && matches!(self.processing, Some(ProcessingMode::AfterPolls(0)))
    }

    /// Counts a read of the order by its client. Returns `Some(true)` if this was the last read that the
    /// order waited for. `None`, without a change, if the order does not wait for reads.
    pub fn poll(&mut self) -> Option<bool> {
        let is_in_progress = self.is_in_progress();
        match &mut self.processing {
            Some(ProcessingMode::AfterPolls(remaining @ 1..)) if is_in_progress => {
                *remaining -= 1;
                Some(*remaining == 0)
            }
            _ => None,
        }
    }

    /// Ends the wait of the order, so that its processing can end now. Starts the order if it is
    /// pending. Returns `false`, without a change, if the order has ended or uploads are
    /// pending. `by` is the cause in the history.
    pub fn release(&mut self, by: &'static str, now: Timestamp) -> bool {
        match self.state {
            OrderState::Pending if !self.has_pending_uploads() => {
                self.enter(OrderState::started(now), by, now);
            }
            OrderState::InProgress { .. } => {}
            _ => return false,
        }
        self.processing = None;
        self.updated_at = now;
        true
    }
}
