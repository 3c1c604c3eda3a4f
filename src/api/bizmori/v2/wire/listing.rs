//! Responses to `GET /api/v2/orders` and `GET /api/v2/orders/stats/recent`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::detail::CommonFields;
use crate::api::bizmori::request::ListQuery;
use crate::api::bizmori::wire::{
    JsNumber, RenderContext, detection_outcome, detection_word, extraction_outcome, status_code,
};
use crate::model::listing::Page;
use crate::model::order::Order;
use crate::model::work::Work;
use crate::platform::clock;

/// Page of orders.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderListing {
    orders: Vec<ListedOrder>,
    page_info: PageInfo,
}

/// Writes `{"data": OrderListing}` with all orders on one page, in chunks.
#[derive(Debug, Default)]
pub struct ListingWriter {
    orders_written: u64,
}

/// Order in a listing, with its result.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedOrder {
    #[serde(flatten)]
    common: CommonFields,
    #[serde(flatten)]
    result: ResultFields,
}

/// Result of an order, if orders of its type have one that the listing shows.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum ResultFields {
    Detection {
        probability: Option<JsNumber>,
        #[schemars(extend("enum" = ["likely_ai", "uncertain_ai", "uncertain_real", "likely_real", null]))]
        status_code: Option<&'static str>,
    },
    Extraction {
        #[schemars(extend("enum" = ["detected", "undetected", null]))]
        status_code: Option<&'static str>,
    },
    #[schemars(extend("properties" = {"type": {"enum": ["antiAi", "watermarkEmbed", "watermarkExtract"]}}))]
    Nothing {},
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    total_items: u64,
    total_pages: u64,
    current_page: u32,
    items_per_page: u64,
}

impl OrderListing {
    pub fn new(page: &Page<Arc<Order>>, query: &ListQuery, context: RenderContext<'_>) -> Self {
        let items = page.items.iter();
        Self {
            orders: items
                .map(|order| ListedOrder::new(order, context))
                .collect(),
            page_info: match query.limit {
                Some(limit) => PageInfo {
                    total_items: page.total,
                    total_pages: page.total.div_ceil(limit.into()),
                    current_page: query.page,
                    items_per_page: limit.into(),
                },
                None => PageInfo::for_single_page(page.total),
            },
        }
    }
}

impl ListingWriter {
    /// Returns the chunk with `orders`. Without orders, the last chunk.
    ///
    /// # Errors
    /// Returns an error if an order cannot be serialized, which does not happen.
    pub fn next_chunk(
        &mut self,
        orders: &[Arc<Order>],
        context: RenderContext<'_>,
    ) -> serde_json::Result<String> {
        let mut chunk = String::new();
        if self.orders_written == 0 {
            chunk.push_str(r#"{"data":{"orders":["#);
        }
        for order in orders {
            if self.orders_written > 0 {
                chunk.push(',');
            }
            chunk.push_str(&serde_json::to_string(&ListedOrder::new(order, context))?);
            self.orders_written += 1;
        }
        if orders.is_empty() {
            let page_info = serde_json::to_string(&PageInfo::for_single_page(self.orders_written))?;
            for part in [r#"],"pageInfo":"#, &page_info, "}}"] {
                chunk.push_str(part);
            }
        }
        Ok(chunk)
    }
}

impl ListedOrder {
    fn new(order: &Order, context: RenderContext<'_>) -> Self {
        Self {
            common: CommonFields::new(order, context),
            result: ResultFields::new(order),
        }
    }
}

impl PageInfo {
    fn for_single_page(total_items: u64) -> Self {
        Self {
            total_items,
            total_pages: total_items.min(1),
            current_page: 1,
            items_per_page: total_items.max(1),
        }
    }
}

impl ResultFields {
    fn new(order: &Order) -> Self {
        match order.work {
            _ if order.is_v3_watermark() => Self::Nothing {},
            Work::AiDetection { .. } => {
                let probability = detection_outcome(order).map(|it| it.verdict.probability);
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

/// Orders created on each day, and an axis for a chart of them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecentStats {
    daily_stats: Vec<DailyStat>,
    domain: [u64; 2],
    ticks: Vec<u64>,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DailyStat {
    /// `MM.DD`.
    #[schemars(regex(pattern = r"^\d\d\.\d\d$"))]
    usage_date: String,
    usage_count: u64,
}

/// Steps of the axis.
const AXIS_STEPS: u64 = 4;

impl RecentStats {
    /// `days` are counted from 1970. `counts` has the number of orders of each day that has any.
    pub fn new(days: RangeInclusive<i64>, counts: &[(i64, u64)]) -> Self {
        let stat = |day| DailyStat {
            usage_date: clock::month_and_day(day),
            usage_count: counts
                .iter()
                .find(|(counted_day, _)| *counted_day == day)
                .map_or(0, |(_, orders)| *orders),
        };
        let daily_stats: Vec<DailyStat> = days.map(stat).collect();
        let max_count = daily_stats.iter().map(|stat| stat.usage_count).max();
        let step = max_count.unwrap_or(0).div_ceil(AXIS_STEPS).max(1);
        Self {
            daily_stats,
            domain: [0, step * AXIS_STEPS],
            ticks: (0..=AXIS_STEPS).map(|tick| tick * step).collect(),
        }
    }
}
