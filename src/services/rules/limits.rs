//! How many rules there may be, and how large.

use super::{AddRuleError, Rules};
use crate::model::rule::Rule;
use crate::storage::db;

/// So many stand at once at most.
pub const RULES_MAX: usize = 10_000;
/// All rules together, as JSON.
const RULES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Checks that so many rules may stand, of so many bytes together.
pub(super) fn check_limits(count: usize, bytes: usize) -> Result<(), AddRuleError> {
    if count > RULES_MAX {
        let line = format!("there would be more than {RULES_MAX} rules");
        return Err(AddRuleError::LimitExceeded(line));
    }
    if bytes > RULES_BYTES_MAX {
        let line = format!("all rules together would be more than {RULES_BYTES_MAX} bytes");
        return Err(AddRuleError::LimitExceeded(line));
    }
    Ok(())
}

impl Rules {
    /// Checks that there is room for the `coming` once those are gone that `goes` says.
    ///
    /// # Errors
    /// If there is not.
    pub fn check_capacity(
        &self,
        goes: impl Fn(&Rule) -> bool,
        coming: &[Rule],
    ) -> Result<(), AddRuleError> {
        let mut staying = self.list(None);
        staying.retain(|standing| !goes(&standing.rule));
        let mut bytes: usize = staying.iter().map(|standing| standing.bytes).sum();
        for rule in coming {
            bytes += db::rules::bytes(rule)?;
        }
        check_limits(staying.len() + coming.len(), bytes)
    }
}
