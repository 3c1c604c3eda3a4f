//! Orders that no clock brings to their end: their client's reads do, or the control plane.

use super::super::rule::ProcessingMode;
use super::super::time::Timestamp;
use super::{Order, OrderState};

impl Order {
    /// Whether it is in progress until it is read so often, or told to be done.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        let held = matches!(
            self.processing,
            Some(ProcessingMode::AfterPolls(1..) | ProcessingMode::UntilReleased)
        );
        matches!(self.state, OrderState::InProgress { .. }) && held
    }

    /// Whether the read that it waited for has come, and it is not at its end yet.
    #[must_use]
    pub const fn is_released(&self) -> bool {
        let in_progress = matches!(self.state, OrderState::InProgress { .. });
        in_progress && matches!(self.processing, Some(ProcessingMode::AfterPolls(0)))
    }

    /// Its client reads it: whether this was the last read that it waits for. None, and nothing
    /// changed, unless it waits for reads.
    pub fn poll(&mut self) -> Option<bool> {
        match &mut self.processing {
            Some(ProcessingMode::AfterPolls(left @ 1..))
                if matches!(self.state, OrderState::InProgress { .. }) =>
            {
                *left -= 1;
                Some(*left == 0)
            }
            _ => None,
        }
    }

    /// It is to come to its end now, whatever held it: it starts if it has not. False, and nothing
    /// changed, if it is at its end, or an upload is still to come.
    pub fn release(&mut self, now: Timestamp) -> bool {
        match self.state {
            OrderState::Pending if !self.has_pending_uploads() => {
                self.state = OrderState::started(now);
            }
            OrderState::InProgress { .. } => {}
            _ => return false,
        }
        self.processing = None;
        self.updated_at = now;
        true
    }
}
