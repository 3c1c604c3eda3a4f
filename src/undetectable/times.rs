//! When a document is told to be how far, by its account's clock.

use crate::accounts::Account;
use crate::model::order::Order;
use crate::model::time::Timestamp;
use crate::web::Verbs;

/// How long the steps of one document take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pending_ms: u32,
    heatmap_ms: u32,
    analysis_ms: u32,
}

impl Times {
    /// Those of the account's document.
    pub fn of(verbs: &Verbs, _: &Account, _: &Order) -> Self {
        let settings = &verbs.config.undetectable;
        Self {
            pending_ms: settings.detect_pending_ms,
            heatmap_ms: settings.heatmap_ms,
            analysis_ms: settings.analysis_ms,
        }
    }

    /// When one that started then is no longer pending.
    pub fn analyzing_at(self, started_at: Timestamp) -> Timestamp {
        later(started_at, self.pending_ms)
    }

    /// When the heatmap of one that was done then is ready.
    pub fn heatmap_at(self, completed_at: Timestamp) -> Timestamp {
        later(completed_at, self.heatmap_ms)
    }

    /// When its analysis is.
    pub fn analysis_at(self, completed_at: Timestamp) -> Timestamp {
        later(completed_at, self.analysis_ms)
    }
}

fn later(at: Timestamp, ms: u32) -> Timestamp {
    at.plus_ms(i64::from(ms))
}
