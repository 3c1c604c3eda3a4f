//! Overrides of an outbound call by rules.

use std::time::Duration;

use super::Throttle;
use crate::model::rule::{Fault, StubBody, StubResponse};

/// Overrides of a call. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallOverrides {
    /// Delay before the call, in real time. Does not count towards the call's timeout.
    pub delay: Duration,
    /// Response in place of the receiver's, which is not called then.
    pub respond: Option<StubResponse>,
    /// Fault of the connection, and the label of its rule: `rule 3 (flaky)`.
    pub fault: Option<(String, Fault)>,
}

impl CallOverrides {
    /// Waits for the delay.
    pub(super) async fn apply_delay(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// Returns the response in place of the receiver's. `None` if the receiver has to be called.
    ///
    /// # Errors
    /// Returns a message if a fault damages that response.
    pub(super) fn stub_response(&self) -> Result<Option<&StubResponse>, String> {
        let Some(respond) = &self.respond else {
            return Ok(None);
        };
        match self.connection_fault() {
            Some((label, fault)) => Err(response_fault_message(label, fault)),
            None => Ok(Some(respond)),
        }
    }

    /// Returns the fault that makes the call fail, with the label of its rule. `None` for a drip, which
    /// only slows the call down.
    pub(super) fn connection_fault(&self) -> Option<(&str, Fault)> {
        let (label, fault) = self.fault.as_ref()?;
        (!matches!(fault, Fault::Drip { .. })).then_some((label, *fault))
    }

    /// Returns the throttle of a drip. `None` if the rate is not limited.
    pub(super) fn throttle(&self) -> Option<Throttle> {
        match self.fault {
            Some((_, Fault::Drip { bytes_per_second })) => Some(Throttle::new(bytes_per_second)),
            _ => None,
        }
    }
}

/// Returns the message about a request with a fault of the rule `label`.
pub(super) fn request_fault_message(label: &str, fault: Fault) -> String {
    let message = match fault {
        Fault::Reset => "the connection was reset",
        Fault::Empty => "the connection was closed before the request",
        Fault::Truncate => "the request was truncated",
        Fault::Garbage => "the request was not HTTP",
        Fault::Drip { .. } => "the request took too long",
    };
    format!("{label}: {message}")
}

/// Returns the message about a response with a fault of the rule `label`.
pub(super) fn response_fault_message(label: &str, fault: Fault) -> String {
    let message = match fault {
        Fault::Reset => "the connection was reset",
        Fault::Empty => "the connection was closed before the response",
        Fault::Truncate => "the response was truncated",
        Fault::Garbage => "the response was not HTTP",
        Fault::Drip { .. } => "the response took too long",
    };
    format!("{label}: {message}")
}

/// Returns the body of a stub response, and its media type: the stub's own header, else the default for
/// the kind of body.
pub(super) fn content(respond: &StubResponse) -> (&str, Option<&str>) {
    let (body, default_type) = match &respond.body {
        None => ("", None),
        Some(StubBody::Json(text)) => (text.as_str(), Some("application/json")),
        Some(StubBody::Text(text)) => (text.as_str(), Some("text/plain; charset=utf-8")),
    };
    let own_type = respond
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.as_str());
    (body, own_type.or(default_type))
}
