//! Filter of a listing of requests.

use super::{Exchange, StatusFilter};
use crate::model::glob::glob;

/// Filter of a listing. The texts are globs.
#[derive(Debug, Clone, Default)]
pub struct RequestQuery {
    pub account: Option<String>,
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub status: Option<StatusFilter>,
    /// Returns only requests about the order with this id.
    pub order_id: Option<String>,
    /// Returns only entries with a higher number.
    pub since: Option<u64>,
    /// Maximum number of entries: the first after `since` if given, else the last.
    pub limit: usize,
}

impl RequestQuery {
    /// `true` if the exchange matches. Accounts are not compared.
    pub(super) fn matches(&self, exchange: &Exchange) -> bool {
        let matches_glob = |pattern: Option<&String>, text: &str| {
            pattern.is_none_or(|pattern| glob(pattern, text))
        };
        matches_glob(self.operation.as_ref(), exchange.operation)
            && matches_glob(self.method.as_ref(), exchange.method())
            && matches_glob(self.path.as_ref(), exchange.path())
            && self.since.is_none_or(|since| exchange.seq() > since)
            && self
                .status
                .is_none_or(|filter| filter.matches(exchange.status()))
            && self
                .order_id
                .as_ref()
                .is_none_or(|order_id| exchange.is_about(order_id))
    }
}
