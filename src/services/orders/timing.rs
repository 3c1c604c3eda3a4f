//! Durations of a document's steps, and its progress by the account's clock.
//!
//! Durations of the profile `realistic` are derived from the seed, the account and the document's
//! number. Each computation gives the same durations.

use super::Orders;
use crate::model::order::{Order, OrderState};
use crate::model::rule::ProcessingMode;
use crate::model::time::Timestamp;
use crate::platform::rng::SeededRng;
use crate::services::accounts::Account;
use crate::settings::TimingProfile;

/// Durations of a document's steps, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentTiming {
    /// From start until analysis begins. The document is pending for this time.
    pending_ms: u32,
    /// From start until the document is done.
    pub(super) done_ms: u32,
    /// From done until the heatmap is ready.
    heatmap_ms: u32,
    /// From done until the analysis is ready.
    analysis_ms: u32,
}

const QUICK: DocumentTiming = DocumentTiming {
    pending_ms: 100,
    done_ms: 300,
    heatmap_ms: 200,
    analysis_ms: 400,
};

const PENDING_MS: u32 = 1_000;
const DONE_MS_MIN: u32 = 5_000;
const DONE_MS_MAX: u32 = 15_000;
/// Range of the time that heatmap and analysis take after the document is done.
const AFTER_MS_MIN: u32 = 1_000;
const AFTER_MS_MAX: u32 = 20_000;
/// Maximum of all steps together. The vendor's SDK polls for 30 s.
const ALL_MS_MAX: u32 = 27_000;

impl Orders {
    /// Returns the durations of the document's steps.
    #[must_use]
    pub fn document_timing(&self, account: &Account, order: &Order) -> DocumentTiming {
        let settings = self.settings.documents;
        let default = match settings.timing_profile {
            TimingProfile::Quick => QUICK,
            TimingProfile::Realistic => {
                realistic(&mut self.entropy.rng(&account.key, "steps", order.number))
            }
        };
        let delay_ms = match order.processing {
            Some(ProcessingMode::AfterMs(ms)) => Some(ms),
            _ => None,
        };
        let pending_ms = settings.detect_pending_ms.unwrap_or(default.pending_ms);
        DocumentTiming {
            pending_ms: delay_ms.map_or(pending_ms, |ms| pending_ms.min(ms)),
            done_ms: delay_ms
                .or(settings.detect_done_ms)
                .unwrap_or(default.done_ms),
            heatmap_ms: settings.heatmap_delay_ms.unwrap_or(default.heatmap_ms),
            analysis_ms: settings.analysis_delay_ms.unwrap_or(default.analysis_ms),
        }
    }
}

fn realistic(rng: &mut SeededRng) -> DocumentTiming {
    let mut random_between = |min: u32, max: u32| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most max - min, which is a u32"
        )]
        let offset = (rng.unit_f64() * f64::from(max - min)) as u32;
        min + offset
    };
    let done_ms = random_between(DONE_MS_MIN, DONE_MS_MAX);
    let after_ms_max = AFTER_MS_MAX.min(ALL_MS_MAX - done_ms);
    DocumentTiming {
        pending_ms: PENDING_MS,
        done_ms,
        heatmap_ms: random_between(AFTER_MS_MIN, after_ms_max),
        analysis_ms: random_between(AFTER_MS_MIN, after_ms_max),
    }
}

impl DocumentTiming {
    /// `true` if a document in that state is being analysed at `now`. Before that it is pending.
    #[must_use]
    pub fn is_analyzing(self, state: &OrderState, now: Timestamp) -> bool {
        let OrderState::InProgress { started_at, .. } = state else {
            return false;
        };
        now >= started_at.plus_ms(self.pending_ms.into())
    }

    /// Returns the time at which the heatmap of a document is ready.
    #[must_use]
    pub fn heatmap_at(self, completed_at: Timestamp) -> Timestamp {
        completed_at.plus_ms(self.heatmap_ms.into())
    }

    /// Returns the time at which the analysis of a document is ready.
    #[must_use]
    pub fn analysis_at(self, completed_at: Timestamp) -> Timestamp {
        completed_at.plus_ms(self.analysis_ms.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::rng::Entropy;

    #[test]
    fn realistic_durations_spread_over_their_ranges_and_stay_below_the_maximum() {
        let steps = |n| realistic(&mut Entropy::new("s").rng("k", "steps", n));
        let all: Vec<DocumentTiming> = (0..2_000).map(steps).collect();
        assert_eq!(all[1], steps(1));
        for steps in &all {
            assert!((DONE_MS_MIN..DONE_MS_MAX).contains(&steps.done_ms));
            for after_ms in [steps.heatmap_ms, steps.analysis_ms] {
                assert!((AFTER_MS_MIN..AFTER_MS_MAX).contains(&after_ms));
                assert!(steps.done_ms + after_ms < ALL_MS_MAX);
            }
        }
        let range = |of: fn(&DocumentTiming) -> u32| {
            let all = || all.iter().map(of);
            all()
                .max()
                .zip(all().min())
                .map(|(most, least)| most - least)
        };
        assert!(range(|steps| steps.done_ms) > Some(9_500));
        assert!(range(|steps| steps.heatmap_ms) > Some(15_000));
        assert!(range(|steps| steps.analysis_ms) > Some(15_000));
    }
}
