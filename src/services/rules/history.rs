//! History of a rule: its counts, and its last matches. An edit of the rule keeps both.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ActiveRule;
use crate::model::rule::{MatchInput, RuleCounts};
use crate::model::time::Timestamp;

/// Maximum number of last matches of a rule.
const LAST_MATCHES_MAX: usize = 5;

/// Counts and last matches of a rule. The matches are in memory only: after a restart a rule has its
/// counts, and no matches.
#[derive(Debug, Default)]
pub(super) struct RuleHistory {
    pub(super) counts: RuleCounts,
    /// Newest first.
    last_matches: VecDeque<RuleMatch>,
}

/// Match of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMatch {
    pub at: Timestamp,
    /// Key of the account. `None` if there was none.
    pub account: Option<String>,
    pub operation: String,
    /// Number of the request in its account's journal. `None` for orders and outbound calls.
    pub seq: Option<u64>,
    /// Order that matched. `None` for requests and outbound calls.
    pub order_id: Option<String>,
    /// `true` if the rule was applied to the match.
    pub applied: bool,
}

/// Facts of a match that its rule remembers.
#[derive(Debug, Clone, Copy)]
pub struct MatchOccasion<'a> {
    pub at: Timestamp,
    pub account: Option<&'a str>,
    pub operation: &'a str,
    pub seq: Option<u64>,
    pub order_id: Option<&'a str>,
}

impl<'a> MatchOccasion<'a> {
    /// Creates the occasion of a match at `at`, without a request and an order.
    #[must_use]
    pub fn new(input: &MatchInput<'a>, at: Timestamp) -> Self {
        Self {
            at,
            account: input.account,
            operation: input.operation,
            seq: None,
            order_id: None,
        }
    }
}

impl RuleHistory {
    pub(super) fn shared(counts: RuleCounts) -> Arc<Mutex<Self>> {
        let last_matches = VecDeque::new();
        Arc::new(Mutex::new(Self {
            counts,
            last_matches,
        }))
    }

    /// Adds a match, and drops the oldest one if there are too many.
    pub(super) fn add(&mut self, occasion: MatchOccasion<'_>, applied: bool) {
        self.last_matches.truncate(LAST_MATCHES_MAX - 1);
        self.last_matches.push_front(RuleMatch {
            at: occasion.at,
            account: occasion.account.map(str::to_owned),
            operation: occasion.operation.to_owned(),
            seq: occasion.seq,
            order_id: occasion.order_id.map(str::to_owned),
            applied,
        });
    }
}

impl ActiveRule {
    pub(super) fn history(&self) -> MutexGuard<'_, RuleHistory> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the last matches of the rule, the newest first.
    #[must_use]
    pub fn last_matches(&self) -> Vec<RuleMatch> {
        self.history().last_matches.iter().cloned().collect()
    }
}
