//! What is done for an order, from its files to its outcome. No transaction is open meanwhile.

use super::failures::{TaskResult, failure};
use super::{Orders, detect, overrides};
use crate::engine::verdict;
use crate::model::order::Order;
use crate::model::picture::{Label, Provenance, Verdict, VerdictSource};
use crate::model::rule::OutcomeOverride;
use crate::model::work::{Detection, Extraction, Failure, Outcome, Outputs, Work};
use crate::services::accounts::Account;

/// What a picture nobody looks at is given.
const TEST_KEY_PROBABILITY: f64 = 0.02;

impl Orders {
    /// Does the order's work: what is settled by its names or its key is made up, else its files
    /// are brought together and worked on.
    pub(super) async fn run_task(&self, account: &Account, order: &Order) -> TaskResult {
        let names = order.files.iter().map(|file| file.name.as_str());
        if let Some(failure) = requested_failure(order, order.outcome_override.as_ref(), names) {
            return Err(failure.into());
        }
        if order.test {
            return Ok(placeholder_outcome(order));
        }
        self.fetch_inputs(account, order).await?;
        match &order.work {
            Work::AntiAi { .. } | Work::WatermarkEmbed => self.create_outputs(account, order).await,
            Work::WatermarkExtract => self.extract(account, order).await,
            Work::AiDetection { options } => {
                let wants = detect::detection_inspect_options(options.unwrap_or_default());
                self.detect(account, order, wants).await
            }
            Work::Document(options) => {
                let wants = detect::document_inspect_options(*options);
                self.detect(account, order, wants).await
            }
            Work::Bulk(bulk) => self.classify_all(account, order, bulk).await,
        }
    }
}

/// How the order, or a picture of it, fails, if a rule has it fail or, where no rule says
/// anything, one of those names does.
pub(super) fn requested_failure<'n>(
    order: &Order,
    outcome_override: Option<&OutcomeOverride>,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<Failure> {
    if outcome_override.is_some_and(|outcome_override| !outcome_override.outcome.leaves_result()) {
        return overrides::forced_failure(order, outcome_override);
    }
    let mut suffixes = names
        .into_iter()
        .filter_map(|name| Some((name, verdict::suffix(name)?)));
    let (name, _) = suffixes.find(|(_, suffix)| suffix.eq_ignore_ascii_case("fail"))?;
    Some(failure(order, format!("{name} is named so as to fail")))
}

/// What a test order comes to: nobody looks, and nothing is stored.
fn placeholder_outcome(order: &Order) -> Outcome {
    let name = order.primary_file().map_or("", |file| file.name.as_str());
    let unowned = || Verdict {
        label: Label::Human,
        probability: TEST_KEY_PROBABILITY,
        source: VerdictSource::TestKey,
        provenance: Provenance::Unknown,
    };
    match order.work {
        Work::AntiAi { .. } | Work::WatermarkEmbed => Outcome::Outputs(Outputs::default()),
        Work::WatermarkExtract => {
            let by_name = || verdict::from_extraction_name(name, order.api);
            let forced = overrides::forced_watermark(order).or_else(by_name);
            let (result, basis) = forced.unwrap_or((Ok(None), VerdictSource::TestKey));
            Outcome::Extraction(Extraction::new(result, basis, None))
        }
        // Test keys are BIZ MORI's, which has no bulks.
        Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_) => {
            Outcome::Detection(Box::new(Detection {
                verdict: overrides::forced_verdict(order.outcome_override.as_ref())
                    .or_else(|| verdict::from_bizmori_name(name))
                    .unwrap_or_else(unowned),
                measures: None,
                thumbnail: None,
                preview: None,
                heatmap: None,
                overlay: None,
                reported_at: None,
            }))
        }
    }
}
