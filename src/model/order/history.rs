//! History of an order: the states that it has entered, and the cause of each.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::super::time::Timestamp;
use super::{Order, OrderState};

/// Change of an order's state. In JSON an array, `[at, to, by]`, because the bodies of orders are
/// written often. The state before is that of the previous change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange(Timestamp, Cow<'static, str>, Cow<'static, str>);

impl StateChange {
    /// Returns the time of the change by the account's clock.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.0
    }

    /// Returns the status word ([`OrderState::status`]) of the state that the order entered.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.1
    }

    /// Returns the cause: the name of an operation, or of the kind of a job.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.2
    }
}

impl Order {
    /// Adds the current state to the history.
    pub fn record_state(&mut self, by: &'static str, now: Timestamp) {
        let status = Cow::Borrowed(self.state.status());
        self.history
            .push(StateChange(now, status, Cow::Borrowed(by)));
    }

    /// Enters `state` at `now`, because of the operation or the kind of job named `by`. Every change
    /// of the state goes through this function.
    pub(super) fn enter(&mut self, state: OrderState, by: &'static str, now: Timestamp) {
        self.state = state;
        self.updated_at = now;
        self.record_state(by, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::order::ConfirmRejection;
    use crate::model::work::{Outcome, Outputs};

    #[test]
    fn history_has_each_state_once_and_survives_a_round_trip() {
        let at = Timestamp::from_ms;
        let mut order = Order::sample();
        order.record_state("bizmori.createAntiAi", at(1));
        let confirmed = order.confirm("k", "bizmori.confirmAntiAi", at(2));
        assert_eq!(confirmed, Ok(true));
        let repeated = order.confirm("l", "bizmori.confirmAntiAi", at(3));
        assert_eq!(repeated, Err(ConfirmRejection::AlreadyConfirmed));
        let outcome = || Ok(Outcome::Outputs(Outputs::default()));
        assert!(order.finish(outcome(), "order.process", at(4)));
        assert!(!order.finish(outcome(), "order.process", at(5)));
        assert!(order.expire("order.expire", at(6)));
        assert!(!order.expire("order.expire", at(7)));
        let json = serde_json::to_value(&order.history).expect("JSON");
        let expected = serde_json::json!([
            [1, "pending", "bizmori.createAntiAi"],
            [2, "inProgress", "bizmori.confirmAntiAi"],
            [4, "complete", "order.process"],
            [6, "expired", "order.expire"],
        ]);
        assert_eq!(json, expected);
        let text = serde_json::to_string(&order).expect("JSON");
        assert_eq!(serde_json::from_str::<Order>(&text).ok(), Some(order));
    }
}
