//! What its client has been told of an order.

use super::super::time::Timestamp;
use super::super::work::Outcome;
use super::{Order, OrderState};

impl Order {
    /// Whether its client has yet to be told that it is complete.
    #[must_use]
    pub fn is_completion_unreported(&self) -> bool {
        matches!(&self.state, OrderState::Complete { outcome: Outcome::Detection(found), .. } if found.reported_at.is_none())
    }

    /// Its client is told at `now` that it is complete. False unless that is so, for the first
    /// time, of an order whose client asks until it is told.
    pub fn mark_reported(&mut self, now: Timestamp) -> bool {
        match &mut self.state {
            OrderState::Complete {
                outcome: Outcome::Detection(found),
                ..
            } if found.reported_at.is_none() => {
                found.reported_at = Some(now);
                true
            }
            _ => false,
        }
    }
}
