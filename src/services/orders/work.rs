//! Tasks of orders: from input files to an outcome. No transaction is open while a task runs.

use super::failures::{TaskResult, failure};
use super::{Orders, detect, overrides};
use crate::engine::verdict;
use crate::model::order::Order;
use crate::model::picture::{Label, Provenance, Verdict, VerdictSource};
use crate::model::rule::OutcomeOverride;
use crate::model::work::{Detection, Extraction, Failure, Outcome, Outputs, Work};
use crate::services::accounts::Account;

/// Probability in the verdict of a test order whose file is not read.
const TEST_KEY_PROBABILITY: f64 = 0.02;

impl Orders {
    /// Runs the order's task. A forced failure and the outcome of a test order need no files. Other
    /// tasks first fetch their inputs.
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
                let options = detect::detection_inspect_options(options.unwrap_or_default());
                self.detect(account, order, options).await
            }
            Work::Document(options) => {
                let options = detect::document_inspect_options(*options);
                self.detect(account, order, options).await
            }
            Work::Bulk(bulk) => self.classify_all(account, order, bulk).await,
        }
    }
}

/// Returns the failure that a rule or the control plane forces on the order or bulk item. Without
/// an override, a file name with the suffix `_fail` forces a failure. `None` if no failure is
/// forced.
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
    Some(failure(
        order,
        format!("{name}: forced failure (file name suffix _fail)"),
    ))
}

/// Returns the outcome of a test order. Its files are not read, and nothing is stored.
fn placeholder_outcome(order: &Order) -> Outcome {
    let name = order.primary_file().map_or("", |file| file.name.as_str());
    let default_verdict = || Verdict {
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
        // Only BIZ MORI has test keys, and it has no bulks.
        Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_) => {
            Outcome::Detection(Box::new(Detection {
                verdict: overrides::forced_verdict(order.outcome_override.as_ref())
                    .or_else(|| verdict::from_detection_suffix(name))
                    .unwrap_or_else(default_verdict),
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
