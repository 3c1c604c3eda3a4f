//! Limits on the number and size of rules.

use super::Rules;
use crate::model::rule::Rule;
use crate::storage::db::{self, InternalError};

/// Maximum number of rules.
pub const RULES_MAX: usize = 10_000;
/// Maximum size of all rules together as JSON.
const RULES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reason why a rule was not added or edited.
#[derive(Debug, Clone)]
pub enum AddRuleError {
    /// There are too many rules, or they are too large. The text names the limit.
    LimitExceeded(String),
    Internal(InternalError),
}

impl From<InternalError> for AddRuleError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Checks the number and total size of rules.
pub(super) fn check_limits(count: usize, bytes: usize) -> Result<(), AddRuleError> {
    if count > RULES_MAX {
        let message = format!("too many rules: maximum {RULES_MAX}");
        return Err(AddRuleError::LimitExceeded(message));
    }
    if bytes > RULES_BYTES_MAX {
        let message = format!("rules too large: maximum {RULES_BYTES_MAX} bytes in total");
        return Err(AddRuleError::LimitExceeded(message));
    }
    Ok(())
}

impl Rules {
    /// Checks that the rules `added` have room after all rules for which `is_removed` returns
    /// `true` are removed.
    ///
    /// # Errors
    /// Returns [`AddRuleError::LimitExceeded`] if they have not.
    pub fn check_capacity(
        &self,
        is_removed: impl Fn(&Rule) -> bool,
        added: &[Rule],
    ) -> Result<(), AddRuleError> {
        let mut remaining = self.list(None);
        remaining.retain(|active| !is_removed(&active.rule));
        let mut bytes: usize = remaining.iter().map(|active| active.bytes).sum();
        for rule in added {
            bytes += db::rules::bytes(rule)?;
        }
        check_limits(remaining.len() + added.len(), bytes)
    }
}
