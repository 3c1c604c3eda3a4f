//! Listings: which orders are meant, and a page of whatever is listed.

/// A page of a listing: what is on it, and how much there is in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub total: u64,
}

/// The rows on a page of a listing that goes from the newest row to the oldest, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: i64,
    pub last: i64,
    /// `true` if there are older rows.
    pub has_more: bool,
}

impl Span {
    /// Returns the span of the rows with those numbers, the newest first, of which `limit` are on
    /// the page. `None` if there are none.
    #[must_use]
    pub fn of_page(numbers: &[i64], limit: u32) -> Option<Self> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let page = &numbers[..numbers.len().min(limit)];
        Some(Self {
            first: *page.last()?,
            last: *page.first()?,
            has_more: numbers.len() > page.len(),
        })
    }
}

/// Which orders are meant; what is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// [`OrderState::status`](super::order::State::status).
    pub status: Option<&'static str>,
    /// [`Work::name`](super::work::Work::name).
    pub kind: Option<&'static str>,
    /// Stands in the name, ASCII letters in either case, or in the id.
    pub keyword: String,
}
