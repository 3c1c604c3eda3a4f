//! How long a document's steps take, and when it is how far, by its account's clock.
//!
//! What the profile `realistic` draws follows from the seed, the account and the document's
//! number: the same every time it is asked for.

use super::Orders;
use crate::model::order::{Order, OrderState};
use crate::model::rule::ProcessingMode;
use crate::model::time::Timestamp;
use crate::platform::rng::SeededRng;
use crate::services::accounts::Account;
use crate::settings::TimingProfile;

/// The steps of one document, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentTiming {
    /// From its start on it is so long pending,
    pending_ms: u32,
    /// and from its start on so long not done.
    pub(super) done_ms: u32,
    /// From done on its heatmap takes so long,
    heatmap_ms: u32,
    /// and its analysis so long.
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
/// What comes after done takes so long at least and at most,
const AFTER_MS_MIN: u32 = 1_000;
const AFTER_MS_MAX: u32 = 20_000;
/// and everything together so long at most: the vendor's SDK asks for 30 s.
const ALL_MS_MAX: u32 = 27_000;

impl Orders {
    /// The steps of the account's document.
    #[must_use]
    pub fn document_timing(&self, account: &Account, order: &Order) -> DocumentTiming {
        let set = self.settings.documents;
        let usual = match set.timing_profile {
            TimingProfile::Quick => QUICK,
            TimingProfile::Realistic => {
                realistic(&mut self.entropy.rng(&account.key, "steps", order.number))
            }
        };
        let delay_ms = match order.processing {
            Some(ProcessingMode::AfterMs(ms)) => Some(ms),
            _ => None,
        };
        let pending_ms = set.detect_pending_ms.unwrap_or(usual.pending_ms);
        DocumentTiming {
            pending_ms: delay_ms.map_or(pending_ms, |ms| pending_ms.min(ms)),
            done_ms: delay_ms.or(set.detect_done_ms).unwrap_or(usual.done_ms),
            heatmap_ms: set.heatmap_delay_ms.unwrap_or(usual.heatmap_ms),
            analysis_ms: set.analysis_delay_ms.unwrap_or(usual.analysis_ms),
        }
    }
}

fn realistic(chance: &mut SeededRng) -> DocumentTiming {
    let mut between = |least: u32, most: u32| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a u32"
        )]
        let more = (chance.unit_f64() * f64::from(most - least)) as u32;
        least + more
    };
    let done_ms = between(DONE_MS_MIN, DONE_MS_MAX);
    let after_ms_max = AFTER_MS_MAX.min(ALL_MS_MAX - done_ms);
    DocumentTiming {
        pending_ms: PENDING_MS,
        done_ms,
        heatmap_ms: between(AFTER_MS_MIN, after_ms_max),
        analysis_ms: between(AFTER_MS_MIN, after_ms_max),
    }
}

impl DocumentTiming {
    /// Whether an order in that state is being looked at by now; before that it is pending.
    #[must_use]
    pub fn is_analyzing(self, state: &OrderState, now: Timestamp) -> bool {
        let OrderState::InProgress { started_at, .. } = state else {
            return false;
        };
        now >= started_at.plus_ms(self.pending_ms.into())
    }

    /// When the heatmap of one that was done then is ready.
    #[must_use]
    pub fn heatmap_at(self, completed_at: Timestamp) -> Timestamp {
        completed_at.plus_ms(self.heatmap_ms.into())
    }

    /// When the analysis of one that was done then is ready.
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
    fn a_realistic_document_takes_its_time_and_not_too_long() {
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
        let spread = |of: fn(&DocumentTiming) -> u32| {
            let all = || all.iter().map(of);
            all()
                .max()
                .zip(all().min())
                .map(|(most, least)| most - least)
        };
        assert!(spread(|steps| steps.done_ms) > Some(9_500));
        assert!(spread(|steps| steps.heatmap_ms) > Some(15_000));
        assert!(spread(|steps| steps.analysis_ms) > Some(15_000));
    }
}
