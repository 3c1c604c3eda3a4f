//! Listings: the filter for orders, and pages of any rows.

/// A page of a listing, with the number of all rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub total: u64,
}

/// Row numbers of a page, in a listing from the newest row to the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: i64,
    pub last: i64,
    /// `true` if there are older rows.
    pub has_more: bool,
}

impl Span {
    /// Returns the span of the first `limit` of `numbers`, which are sorted from the newest row.
    /// `None` if `numbers` is empty.
    #[must_use]
    pub fn from_numbers(numbers: &[i64], limit: u32) -> Option<Self> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let page = &numbers[..numbers.len().min(limit)];
        Some(Self {
            first: *page.last()?,
            last: *page.first()?,
            has_more: numbers.len() > page.len(),
        })
    }
}

/// Filter for orders. An empty field matches all orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Status word ([`OrderState::status`](super::order::OrderState::status)).
    pub status: Option<&'static str>,
    /// Name of the work ([`Work::name`](super::work::Work::name)).
    pub kind: Option<&'static str>,
    /// Part of the name (ASCII letters in any case) or of the id.
    pub keyword: String,
}
