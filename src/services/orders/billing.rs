//! Credits that are refunded when an order ends.

use super::failures::INVALID_IMAGE;
use super::work::requested_failure;
use crate::model::bulk::ItemResult;
use crate::model::order::{Order, OrderState};
use crate::model::picture::FileKind;
use crate::model::work::{Extraction, NoResult, Outcome, Work};

/// Returns the credits of an ended order that are not billed. Undetectable does not bill an SVG
/// that cannot be converted, unless a rule or the file name forced the failure. BIZ MORI does not
/// bill a v3 extraction whose file cannot be processed.
pub(super) fn credits_to_return(order: &Order) -> u32 {
    let unconverted = match (&order.work, order.outcome(), &order.state) {
        (_, Some(Outcome::Extraction(Extraction { no_result, .. })), _) => {
            let is_unsupported = *no_result == Some(NoResult::Unsupported);
            return if is_unsupported { order.charged } else { 0 };
        }
        (Work::Bulk(bulk), Some(Outcome::Bulk(result)), _) => {
            let images = bulk.queued.iter().zip(&result.items);
            let unconverted = images.filter(|(entry, item)| {
                is_svg(&entry.name) && matches!(item, ItemResult::Defect(_))
            });
            unconverted.count()
        }
        (Work::Document(_), _, OrderState::Failed { failure, .. })
            if failure.code == INVALID_IMAGE =>
        {
            let names = || order.files.iter().map(|file| file.name.as_str());
            let is_forced =
                requested_failure(order, order.outcome_override.as_ref(), names()).is_some();
            usize::from(!is_forced && names().any(is_svg))
        }
        _ => 0,
    };
    let unconverted = u32::try_from(unconverted).unwrap_or(u32::MAX);
    unconverted.min(order.charged)
}

fn is_svg(name: &str) -> bool {
    FileKind::of_name(name) == Some(FileKind::Svg)
}
