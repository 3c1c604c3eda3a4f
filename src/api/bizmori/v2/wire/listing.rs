//! The answers to `GET /api/v2/orders` and `GET /api/v2/orders/stats/recent`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::Serialize;

use super::detail::{CommonFields, detection_word, extraction_outcome};
use super::{JsNumber, RenderContext, detection, status_code};
use crate::api::bizmori::request::ListQuery;
use crate::model::listing::Page;
use crate::model::order::Order;
use crate::model::work::Work;
use crate::platform::clock;

/// A page of orders.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderListing {
    orders: Vec<ListedOrder>,
    page_info: PageInfo,
}

/// A listing written piece by piece: the bytes of `{"data": Listing}`, all orders on one page.
#[derive(Debug, Default)]
pub struct ListingWriter {
    written: u64,
}

#[derive(Debug, Serialize)]
struct ListedOrder {
    #[serde(flatten)]
    common: CommonFields,
    #[serde(flatten)]
    found: ResultFields,
}

/// What was found, as far as an order of its type finds anything.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum ResultFields {
    Detection {
        probability: Option<JsNumber>,
        status_code: Option<&'static str>,
    },
    Extraction {
        status_code: Option<&'static str>,
    },
    Nothing {},
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    total_items: u64,
    total_pages: u64,
    current_page: u32,
    items_per_page: u64,
}

impl OrderListing {
    /// The page as it was asked for.
    pub fn of(page: &Page<Arc<Order>>, query: &ListQuery, view: RenderContext<'_>) -> Self {
        let items = page.items.iter();
        Self {
            orders: items.map(|order| ListedOrder::of(order, view)).collect(),
            page_info: match query.limit {
                Some(limit) => PageInfo {
                    total_items: page.total,
                    total_pages: page.total.div_ceil(limit.into()),
                    current_page: query.page,
                    items_per_page: limit.into(),
                },
                None => PageInfo::of_all(page.total),
            },
        }
    }
}

impl ListingWriter {
    /// The next orders; where there are none, the end.
    ///
    /// # Errors
    /// Never: it is what serde asks for.
    pub fn next_chunk(
        &mut self,
        orders: &[Arc<Order>],
        view: RenderContext<'_>,
    ) -> serde_json::Result<String> {
        let mut written = String::new();
        if self.written == 0 {
            written.push_str(r#"{"data":{"orders":["#);
        }
        for order in orders {
            if self.written > 0 {
                written.push(',');
            }
            written.push_str(&serde_json::to_string(&ListedOrder::of(order, view))?);
            self.written += 1;
        }
        if orders.is_empty() {
            let page_info = serde_json::to_string(&PageInfo::of_all(self.written))?;
            for part in [r#"],"pageInfo":"#, &page_info, "}}"] {
                written.push_str(part);
            }
        }
        Ok(written)
    }
}

impl ListedOrder {
    fn of(order: &Order, view: RenderContext<'_>) -> Self {
        Self {
            common: CommonFields::of(order, view),
            found: ResultFields::of(order),
        }
    }
}

impl PageInfo {
    /// One page of all of them.
    fn of_all(total_items: u64) -> Self {
        Self {
            total_items,
            total_pages: total_items.min(1),
            current_page: 1,
            items_per_page: total_items.max(1),
        }
    }
}

impl ResultFields {
    fn of(order: &Order) -> Self {
        match order.work {
            _ if order.is_v3_watermark() => Self::Nothing {},
            Work::AiDetection { .. } => {
                let probability = detection(order).map(|found| found.verdict.probability);
                Self::Detection {
                    probability: probability.map(JsNumber),
                    status_code: probability.map(|probability| status_code(probability).0),
                }
            }
            Work::WatermarkExtract => Self::Extraction {
                status_code: extraction_outcome(order).map(detection_word),
            },
            _ => Self::Nothing {},
        }
    }
}

/// How much was used on each day, and an axis for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentStats {
    daily_stats: Vec<DailyStat>,
    domain: [u64; 2],
    ticks: Vec<u64>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct DailyStat {
    usage_date: String,
    usage_count: u64,
}

/// An axis has so many steps.
const STEPS: u64 = 4;

impl RecentStats {
    /// Of those days (since 1970), `fields` having been made on some.
    pub fn of(days: RangeInclusive<i64>, fields: &[(i64, u64)]) -> Self {
        let stat = |day| DailyStat {
            usage_date: clock::month_and_day(day),
            usage_count: fields
                .iter()
                .find(|(of, _)| *of == day)
                .map_or(0, |(_, orders)| *orders),
        };
        let daily_stats: Vec<DailyStat> = days.map(stat).collect();
        let most = daily_stats.iter().map(|stat| stat.usage_count).max();
        let step = most.unwrap_or(0).div_ceil(STEPS).max(1);
        Self {
            daily_stats,
            domain: [0, step * STEPS],
            ticks: (0..=STEPS).map(|tick| tick * step).collect(),
        }
    }
}
