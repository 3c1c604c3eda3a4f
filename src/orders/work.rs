//! What is done for an order, from its files to its outcome. No transaction is open meanwhile.

use super::{Orders, look, ruled};
use crate::accounts::Account;
use crate::engine::verdict;
use crate::model::order::Order;
use crate::model::picture::{Basis, Defect, Label, Provenance, Verdict};
use crate::model::rule::Ruled;
use crate::model::work::{Detection, Extraction, Failure, Outcome, Outputs, Work};
use crate::store::StoreError;

/// What came of an order's work.
pub(super) type Result = std::result::Result<Outcome, Failure>;

/// Code of a failure by a picture that cannot be read.
pub(super) const INVALID_IMAGE: &str = "AI_DETECTION_INVALID_IMAGE";

/// What a picture nobody looks at is given.
const TEST_KEY_PROBABILITY: f64 = 0.02;

impl Orders {
    /// Does the order's work: what is settled by its names or its key is made up, else its files
    /// are brought together and worked on.
    pub(super) async fn work(
        &self,
        account: &Account,
        order: &Order,
    ) -> std::result::Result<Result, StoreError> {
        let names = order.files.iter().map(|file| file.name.as_str());
        if let Some(failure) = told_to_fail(order, order.ruled.as_ref(), names) {
            return Ok(Err(failure));
        }
        if order.test {
            return Ok(Ok(made_up(order)));
        }
        if let Err(failure) = self.gather(account, order).await? {
            return Ok(Err(failure));
        }
        match &order.work {
            Work::AntiAi { .. } | Work::WatermarkEmbed => self.make_outputs(account, order).await,
            Work::WatermarkExtract => self.extract(account, order).await,
            Work::AiDetection { options } => {
                let wants = look::wants_of_detection(options.unwrap_or_default());
                self.look(account, order, wants).await
            }
            Work::Document(options) => {
                let wants = look::wants_of_document(*options);
                self.look(account, order, wants).await
            }
            Work::Bulk(bulk) => self.judge_each(account, order, bulk).await,
        }
    }
}

/// How the order, or a picture of it, fails, if a rule has it fail or, where no rule says
/// anything, one of those names does.
pub(super) fn told_to_fail<'n>(
    order: &Order,
    ruled: Option<&Ruled>,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<Failure> {
    if ruled.is_some_and(|ruled| !ruled.outcome.leaves_result()) {
        return ruled::failure(order, ruled);
    }
    let mut suffixes = names
        .into_iter()
        .filter_map(|name| Some((name, verdict::suffix(name)?)));
    let (name, _) = suffixes.find(|(_, suffix)| suffix.eq_ignore_ascii_case("fail"))?;
    Some(failure(order, format!("{name} is named so as to fail")))
}

/// A failure by the vendor's general code for such orders.
pub(super) fn failure(order: &Order, message: String) -> Failure {
    let code = match order.work {
        _ if order.test => "PROCESSING_ERROR",
        Work::AntiAi { .. } | Work::WatermarkEmbed | Work::WatermarkExtract => "PROCESSING_ERROR",
        Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_) => "AI_DETECTION_FAILED",
    };
    Failure {
        code: code.to_owned(),
        message,
    }
}

/// The failure that a file's defect is.
pub(super) fn defective(order: &Order, file_name: &str, defect: &Defect) -> Failure {
    let code = match (&order.work, defect) {
        (Work::AntiAi { .. }, _) => "PROCESSING_ERROR",
        (Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_), _) => INVALID_IMAGE,
        (_, Defect::NotAPicture(_) | Defect::OtherFormat(_)) => "WATERMARK_FILE_FORMAT_UNSUPPORTED",
        (_, Defect::Corrupt(_)) => "WATERMARK_FILE_CORRUPTED",
        (_, Defect::FileSize(_)) => "WATERMARK_FILE_SIZE_UNSUPPORTED",
        (_, Defect::ColorMode(_)) => "WATERMARK_IMAGE_COLOR_MODE_UNSUPPORTED",
        (_, Defect::TooLarge(_) | Defect::TooSmall(_)) => "WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED",
        (_, Defect::Several(_)) => "WATERMARK_INPUT_UNSUPPORTED",
        (_, Defect::Encrypted(_)) => "WATERMARK_PDF_UNSUPPORTED",
    };
    Failure {
        code: code.to_owned(),
        message: format!("{file_name}: {}", defect.text()),
    }
}

/// What a test order comes to: nobody looks, and nothing is stored.
fn made_up(order: &Order) -> Outcome {
    let name = order.subject().map_or("", |file| file.name.as_str());
    let nobodys = || Verdict {
        label: Label::Human,
        probability: TEST_KEY_PROBABILITY,
        basis: Basis::TestKey,
        provenance: Provenance::Unknown,
    };
    match order.work {
        Work::AntiAi { .. } | Work::WatermarkEmbed => Outcome::Outputs(Outputs::default()),
        Work::WatermarkExtract => {
            let by_name = || verdict::of_extraction_name(name, order.api);
            let forced = ruled::watermark(order).or_else(by_name);
            let (result, basis) = forced.unwrap_or((Ok(None), Basis::TestKey));
            Outcome::Extraction(Extraction::new(result, basis, None))
        }
        // Test keys are BIZ MORI's, which has no bulks.
        Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_) => {
            Outcome::Detection(Box::new(Detection {
                verdict: ruled::verdict(order.ruled.as_ref())
                    .or_else(|| verdict::of_detection_name(name))
                    .unwrap_or_else(nobodys),
                measures: None,
                thumbnail: None,
                preview: None,
                heatmap: None,
                overlay: None,
                told_at: None,
            }))
        }
    }
}
