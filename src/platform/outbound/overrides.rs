//! What is done to a call of ours before it is made, and in place of it.

use std::time::Duration;

use super::Throttle;
use crate::model::rule::{Fault, StubBody, StubResponse};

/// What is done to a call; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallOverrides {
    /// Real time that passes before anything is done about it, on no timeout's account.
    pub delay: Duration,
    /// Nobody is called, and it is as though this had been answered.
    pub respond: Option<StubResponse>,
    /// What becomes of it on its way, and who says so: `rule 3 (flaky)`.
    pub fault: Option<(String, Fault)>,
}

impl CallOverrides {
    /// Lets the delay pass.
    pub(super) async fn apply_delay(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// What is answered in the receiver's place, if anything is.
    ///
    /// # Errors
    /// One line: that answer does not come whole.
    pub(super) fn stub_response(&self) -> Result<Option<&StubResponse>, String> {
        let Some(respond) = &self.respond else {
            return Ok(None);
        };
        match self.connection_fault() {
            Some((title, fault)) => Err(response_fault_message(title, fault)),
            None => Ok(Some(respond)),
        }
    }

    /// The fault that keeps the call from coming to its end, and whose it is.
    pub(super) fn connection_fault(&self) -> Option<(&str, Fault)> {
        let (title, fault) = self.fault.as_ref()?;
        (!matches!(fault, Fault::Drip { .. })).then_some((title, *fault))
    }

    /// The pace that its bytes go at, if it is one.
    pub(super) fn throttle(&self) -> Option<Throttle> {
        match self.fault {
            Some((_, Fault::Drip { bytes_per_second })) => Some(Throttle::new(bytes_per_second)),
            _ => None,
        }
    }
}

/// What is told of a request that came to that.
pub(super) fn request_fault_message(title: &str, fault: Fault) -> String {
    let what = match fault {
        Fault::Reset => "the connection was reset",
        Fault::Empty => "the connection was closed before the request",
        Fault::Truncate => "the request was cut half way",
        Fault::Garbage => "what was sent is no HTTP",
        Fault::Drip { .. } => "the request took too long",
    };
    format!("{title}: {what}")
}

/// What is told of an answer that came to that.
pub(super) fn response_fault_message(title: &str, fault: Fault) -> String {
    let what = match fault {
        Fault::Reset => "the connection was reset",
        Fault::Empty => "the connection was closed before the answer",
        Fault::Truncate => "the answer was cut half way",
        Fault::Garbage => "what was answered is no HTTP",
        Fault::Drip { .. } => "the answer took too long",
    };
    format!("{title}: {what}")
}

/// The body of an answer and its media type, unless a header says another.
pub(super) fn content(respond: &StubResponse) -> (&str, Option<&str>) {
    let (body, usual) = match &respond.body {
        None => ("", None),
        Some(StubBody::Json(text)) => (text.as_str(), Some("application/json")),
        Some(StubBody::Text(text)) => (text.as_str(), Some("text/plain; charset=utf-8")),
    };
    let mut headers = respond.headers.iter();
    let message = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    (body, message.map(|(_, value)| value.as_str()).or(usual))
}
