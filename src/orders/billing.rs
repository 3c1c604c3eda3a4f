//! Credits that come back when an order ends.

use super::work::{self, INVALID_IMAGE};
use crate::model::bulk::Judged;
use crate::model::order::Order;
use crate::model::picture::Media;
use crate::model::work::{Outcome, Work};

/// Number of an order's credits that are not billed in the end: one for each SVG of Undetectable's that
/// could not be converted. An SVG that fails because its name or a rule says so is billed.
pub(super) fn unbilled_credits(order: &Order, result: &work::Result) -> u32 {
    let unbilled = match (&order.work, result) {
        (Work::Bulk(bulk), Ok(Outcome::Bulk(found))) => {
            let pictures = bulk.queued.iter().zip(&found.items);
            let unconverted = pictures.filter(|(queued, judged)| {
                is_svg(&queued.name) && matches!(judged, Judged::Defect(_))
            });
            unconverted.count()
        }
        (Work::Document(_), Err(failure)) if failure.code == INVALID_IMAGE => {
            let names = || order.files.iter().map(|file| file.name.as_str());
            let is_forced = work::told_to_fail(order, order.ruled.as_ref(), names()).is_some();
            usize::from(!is_forced && names().any(is_svg))
        }
        _ => 0,
    };
    u32::try_from(unbilled)
        .unwrap_or(u32::MAX)
        .min(order.charged)
}

fn is_svg(name: &str) -> bool {
    Media::of_name(name) == Some(Media::Svg)
}
