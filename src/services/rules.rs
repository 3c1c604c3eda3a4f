//! Rules: stored, and evaluated on requests, outbound calls and new orders.
//!
//! All rules are in memory, beside their rows, in the order of their creation. For each kind of
//! effect the first rule that applies wins. A rule does not apply if it skips the match, if its
//! `times` are used up, or if its `probability` says no; then the next rule is tried. Matches are
//! counted in the transaction that decides. Transactions run one after the other, so two concurrent
//! requests cannot both use the last of a rule's `times`. If no rule matches, nothing is written.
//!
//! A rule that names an account ends with that account.

mod applied;
mod decision;
mod history;
mod limits;
mod outbound;
mod update;
mod write_lock;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::model::rule::{MatchInput, Rule, RuleCounts, RuleId};
use crate::model::time::Timestamp;
use crate::platform::rng::Entropy;
use crate::services::accounts::Account;
use crate::storage::db::rules::RuleRow;
use crate::storage::db::{self, Db, InternalError, Tx, run_to_completion};
pub use decision::RuleDecision;
use history::RuleHistory;
pub use history::{MatchOccasion, RuleMatch};
use limits::check_limits;
pub use limits::{AddRuleError, RULES_MAX};

/// Registry of all rules.
#[derive(Debug)]
pub struct Rules {
    db: Db,
    entropy: Entropy,
    active: RwLock<Vec<Arc<ActiveRule>>>,
    /// Held while rules are added, edited or removed.
    write_lock: tokio::sync::Mutex<()>,
}

/// Rule that is in force. An edit replaces it by another one with the same history, so whoever
/// evaluates rules sees all of the rule before the edit, or all of the rule after it.
#[derive(Debug)]
pub struct ActiveRule {
    pub id: RuleId,
    pub rule: Rule,
    account: Option<Arc<Account>>,
    number: u64,
    bytes: usize,
    history: Arc<Mutex<RuleHistory>>,
}

impl ActiveRule {
    fn from_row(row: RuleRow, account: Option<Arc<Account>>) -> Self {
        Self {
            id: row.id,
            rule: row.rule,
            account,
            number: row.number,
            bytes: row.bytes,
            history: RuleHistory::shared(row.counts),
        }
    }

    /// Returns how often the rule was applied.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.counts().applied
    }

    fn counts(&self) -> RuleCounts {
        self.history().counts
    }

    fn is_account_ended(&self) -> bool {
        let account = self.account.as_ref();
        account.is_some_and(|account| account.cancellation().is_cancelled())
    }

    /// `true` if the rule can never be applied again after `counts`.
    fn is_exhausted(&self, counts: RuleCounts) -> bool {
        let times = self.rule.times;
        self.is_account_ended() || times.is_some_and(|times| counts.applied >= times)
    }

    /// Returns the label for messages: `rule 3`, with the name if the rule has one.
    fn label(&self) -> String {
        match &self.rule.name {
            Some(name) => format!("rule {} ({name})", self.id),
            None => format!("rule {}", self.id),
        }
    }

    /// `true` if the rule applies to its next match, the first one after `counts`.
    fn applies_to_next_match(&self, counts: RuleCounts, entropy: &Entropy) -> bool {
        let next = counts.matched + 1;
        let draw = || {
            let account = self.rule.account.as_deref().unwrap_or_default();
            let mut rng = entropy.rng(account, &format!("rule {}", self.number), next);
            rng.unit_f64()
        };
        next > self.rule.skip && (self.rule.probability >= 1.0 || draw() < self.rule.probability)
    }
}

impl Rules {
    /// Loads the rules of the database. `account` returns the account of a rule.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn load(
        db: Db,
        entropy: Entropy,
        account: impl Fn(crate::model::ids::AccountId) -> Option<Arc<Account>>,
    ) -> Result<Self, InternalError> {
        let rows = db::rules::all(&mut db.read().await?).await?;
        let active = rows
            .into_iter()
            .map(|row| {
                let account = row.account.and_then(&account);
                Arc::new(ActiveRule::from_row(row, account))
            })
            .collect();
        Ok(Self {
            db,
            entropy,
            active: RwLock::new(active),
            write_lock: tokio::sync::Mutex::default(),
        })
    }

    /// Returns the rules that name the account, or all rules if `account` is `None`, in the order
    /// of their creation.
    #[must_use]
    pub fn list(&self, account: Option<&str>) -> Vec<Arc<ActiveRule>> {
        let rules = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let names_account = |rule: &Rule| account.is_none() || rule.account.as_deref() == account;
        let listed = rules
            .iter()
            .filter(|active| !active.is_account_ended() && names_account(&active.rule));
        listed.cloned().collect()
    }

    /// Adds a rule. `account` is the account that the rule names, if any.
    ///
    /// # Errors
    /// Returns an error if there are too many rules, the account has ended, or the database fails.
    pub async fn add(
        self: &Arc<Self>,
        account: Option<Arc<Account>>,
        rule: Rule,
    ) -> Result<Arc<ActiveRule>, AddRuleError> {
        let this = Arc::clone(self);
        run_to_completion(async move { this.insert(account, rule).await }).await
    }

    async fn insert(
        &self,
        account: Option<Arc<Account>>,
        rule: Rule,
    ) -> Result<Arc<ActiveRule>, AddRuleError> {
        let _guard = self.write_lock.lock().await;
        let existing = self.list(None);
        let bytes: usize = existing.iter().map(|rule| rule.bytes).sum();
        let mut tx = self.db.begin().await?;
        let account_id = account.as_ref().map(|account| account.id);
        let row = db::rules::insert(&mut tx, account_id, rule).await?;
        check_limits(existing.len() + 1, bytes + row.bytes)?;
        tx.commit().await?;
        let added = Arc::new(ActiveRule::from_row(row, account));
        let mut rules = self.active.write().unwrap_or_else(PoisonError::into_inner);
        rules.retain(|active| !active.is_account_ended());
        rules.push(Arc::clone(&added));
        drop(rules);
        self.push_change(&added);
        Ok(added)
    }

    /// Removes a rule. Returns `false` if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn remove(self: &Arc<Self>, id: RuleId) -> Result<bool, InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move { this.remove_where(|active| active.id == id).await }).await
    }

    /// Removes the rules that name the account, or all rules if `account` is `None`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn clear(self: &Arc<Self>, account: Option<&str>) -> Result<(), InternalError> {
        let (this, account) = (Arc::clone(self), account.map(str::to_owned));
        run_to_completion(async move {
            let is_removed =
                |active: &ActiveRule| account.is_none() || active.rule.account == account;
            this.remove_where(is_removed).await.map(drop)
        })
        .await
    }

    /// Removes the rules that name no account.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn clear_global(self: &Arc<Self>) -> Result<(), InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move {
            let is_global = |active: &ActiveRule| active.rule.account.is_none();
            this.remove_where(is_global).await.map(drop)
        })
        .await
    }

    async fn remove_where(
        &self,
        is_removed: impl Fn(&ActiveRule) -> bool,
    ) -> Result<bool, InternalError> {
        let _guard = self.write_lock.lock().await;
        let mut removed = self.list(None);
        removed.retain(|rule| is_removed(rule));
        if removed.is_empty() {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        for active in &removed {
            db::rules::delete(&mut tx, active.id).await?;
        }
        tx.commit().await?;
        let mut rules = self.active.write().unwrap_or_else(PoisonError::into_inner);
        rules.retain(|active| !active.is_account_ended() && !is_removed(active));
        drop(rules);
        self.push_changes(&removed);
        Ok(true)
    }

    /// `true` if a rule may match the input for any account. Cheap, and cheapest if there are no
    /// rules. The account of `input` is ignored.
    #[must_use]
    pub fn may_match(&self, input: MatchInput<'_>) -> bool {
        let rules = self.active.read().unwrap_or_else(PoisonError::into_inner);
        rules.iter().any(|active| {
            let account = active.rule.account.as_deref();
            active.rule.matches(&MatchInput { account, ..input })
                && !active.is_exhausted(active.counts())
        })
    }

    /// Evaluates the rules on a request or call at `at`, counts the matches, and logs the applied
    /// rules. `seq` is the number of the request.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn evaluate_and_count(
        &self,
        input: MatchInput<'_>,
        at: Timestamp,
        seq: Option<u64>,
    ) -> Result<RuleDecision, InternalError> {
        let occasion = MatchOccasion {
            seq,
            ..MatchOccasion::new(&input, at)
        };
        let mut tx = self.db.begin().await?;
        let decision = self.evaluate(&tx, input);
        self.record_hits(&mut tx, std::slice::from_ref(&decision), occasion)
            .await?;
        tx.commit().await?;
        decision.log_applied(&input);
        Ok(decision)
    }

    /// Evaluates the rules on one input. The caller counts the decision with [`Rules::record_hits`]
    /// in the same transaction.
    #[must_use]
    pub fn evaluate(&self, tx: &Tx, input: MatchInput<'_>) -> RuleDecision {
        let mut decisions = self.evaluate_each(tx, [input]);
        decisions.pop().unwrap_or_default()
    }

    /// Evaluates the rules on several inputs, one after the other. The caller counts the decisions
    /// in this order, all or none.
    #[must_use]
    pub fn evaluate_each<'a>(
        &self,
        _: &Tx,
        each: impl IntoIterator<Item = MatchInput<'a>>,
    ) -> Vec<RuleDecision> {
        let active_rules = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let mut pending_counts: HashMap<RuleId, RuleCounts> = HashMap::new();
        let mut decide = |input: MatchInput<'_>| {
            let mut decision = RuleDecision::default();
            for active in active_rules.iter() {
                if !decision.wants(&active.rule.then) || !active.rule.matches(&input) {
                    continue;
                }
                let counts = pending_counts
                    .entry(active.id)
                    .or_insert_with(|| active.counts());
                if active.is_exhausted(*counts) {
                    continue;
                }
                let applied = active.applies_to_next_match(*counts, &self.entropy);
                counts.matched += 1;
                counts.applied += u64::from(applied);
                if applied {
                    decision.apply(active);
                }
                decision.matches.push((Arc::clone(active), applied));
            }
            decision
        };
        each.into_iter().map(&mut decide).collect()
    }

    /// Counts the matches of decisions, which were made on one occasion. To be called at the end of
    /// the transaction, because the counts in memory are not rolled back if the commit fails.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn record_hits(
        &self,
        tx: &mut Tx,
        decisions: &[RuleDecision],
        occasion: MatchOccasion<'_>,
    ) -> Result<(), InternalError> {
        let mut counted: BTreeMap<RuleId, (&ActiveRule, RuleCounts)> = BTreeMap::new();
        for (active, applied) in decisions.iter().flat_map(|decision| &decision.matches) {
            let (_, counts) = counted
                .entry(active.id)
                .or_insert_with(|| (active, active.counts()));
            counts.matched += 1;
            counts.applied += u64::from(*applied);
        }
        for (active, counts) in counted.into_values() {
            db::rules::count(tx, active.id, counts).await?;
            active.history().counts = counts;
        }
        for (active, applied) in decisions.iter().flat_map(|decision| &decision.matches) {
            active.history().add(occasion, *applied);
            self.push_change(active);
        }
        Ok(())
    }
}
