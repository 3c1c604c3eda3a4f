//! Listings: which orders are meant, and a page of whatever is listed.

/// A page of a listing: what is on it, and how much there is in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub total: u64,
}

/// Which orders are meant; what is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// [`State::status`](super::order::State::status).
    pub status: Option<&'static str>,
    /// [`Work::name`](super::work::Work::name).
    pub kind: Option<&'static str>,
    /// Stands in the name, ASCII letters in either case, or in the id.
    pub keyword: String,
}
