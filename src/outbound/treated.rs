//! What is done to a call of ours before it is made, and in place of it.

use std::time::Duration;

use crate::model::rule::{Fault, Respond};

/// What is done to a call; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Treatment {
    /// Real time that passes before anything is done about it, on no timeout's account.
    pub delay: Duration,
    /// Nobody is called, and it is as though this had been answered.
    pub respond: Option<Respond>,
    /// What becomes of it on its way, and who says so: `rule 3 (flaky)`.
    pub fault: Option<(String, Fault)>,
}

impl Treatment {
    /// Lets the delay pass: the status that is answered in the receiver's place, if one is.
    pub(super) async fn begin(&self) -> Option<u16> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.respond.as_ref().map(|respond| respond.status)
    }
}
