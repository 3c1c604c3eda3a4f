//! Edits of rules in place.

use std::sync::{Arc, PoisonError};

use super::{ActiveRule, AddRuleError, Rules, check_limits};
use crate::model::rule::{Rule, RuleId};
use crate::storage::db::{self, run_to_completion};

impl Rules {
    /// Replaces a rule, and keeps its id, its place, its counts and its last matches. The caller
    /// keeps the account. Returns `None` if the rule does not exist.
    ///
    /// # Errors
    /// Returns an error if the rules become too large, or the database fails.
    pub async fn update(
        self: &Arc<Self>,
        id: RuleId,
        rule: Rule,
    ) -> Result<Option<Arc<ActiveRule>>, AddRuleError> {
        let this = Arc::clone(self);
        run_to_completion(async move { this.replace_one(id, rule).await }).await
    }

    async fn replace_one(
        &self,
        id: RuleId,
        rule: Rule,
    ) -> Result<Option<Arc<ActiveRule>>, AddRuleError> {
        let _guard = self.write_lock.lock().await;
        let existing = self.list(None);
        let Some(old) = existing.iter().find(|active| active.id == id) else {
            return Ok(None);
        };
        let mut tx = self.db.begin().await?;
        let bytes = db::rules::update(&mut tx, id, &rule).await?;
        let others = existing.iter().filter(|active| active.id != id);
        let bytes_of_others: usize = others.map(|active| active.bytes).sum();
        check_limits(existing.len(), bytes_of_others + bytes)?;
        tx.commit().await?;
        let edited = Arc::new(ActiveRule {
            id,
            rule,
            account: old.account.clone(),
            number: old.number,
            bytes,
            history: Arc::clone(&old.history),
        });
        let mut rules = self.active.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(active) = rules.iter_mut().find(|active| active.id == id) {
            *active = Arc::clone(&edited);
        }
        drop(rules);
        self.push_change(&edited);
        Ok(Some(edited))
    }
}
