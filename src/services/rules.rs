//! Rules: kept, and asked for what they say to a request or to a new order.
//!
//! All rules are in memory, beside their rows, in the order they were made. Of each kind of
//! effect the first rule that applies wins; one that skips a match, has been applied often
//! enough or is not drawn lets the next one try. What a rule has come across is written in the
//! transaction that decides, and transactions come one after the other: two requests at once
//! do not both get what is to be had once. Where no rule matches nothing is written.
//!
//! A rule that names an account belongs to one life of it, and is no more when that ends.

mod applied;
mod limits;
mod outbound;
mod write_lock;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::model::rule::{
    Fault, MatchInput, OutcomeOverride, ProcessingMode, Rule, RuleAction, RuleCounts, RuleId,
    StubResponse, WebhookEffect,
};
use crate::platform::rng::Entropy;
use crate::services::accounts::Account;
use crate::storage::db::rules::RuleRow;
use crate::storage::db::{self, Db, InternalError, Tx, run_to_completion};
pub use limits::RULES_MAX;
use limits::check_limits;

/// All rules.
#[derive(Debug)]
pub struct Rules {
    db: Db,
    entropy: Entropy,
    active: RwLock<Vec<Arc<ActiveRule>>>,
    /// Held while rules come or go.
    write_lock: tokio::sync::Mutex<()>,
}

/// A rule that stands.
#[derive(Debug)]
pub struct ActiveRule {
    pub id: RuleId,
    pub rule: Rule,
    account: Option<Arc<Account>>,
    number: u64,
    bytes: usize,
    counts: Mutex<RuleCounts>,
}

/// What the rules say to something, and which of them matched it.
#[derive(Debug, Default)]
pub struct RuleDecision {
    pub delay_ms: Option<u32>,
    /// By the rule so called.
    pub respond: Option<(String, StubResponse)>,
    /// By the rule so called.
    pub fault: Option<(String, Fault)>,
    pub outcome_override: Option<OutcomeOverride>,
    pub processing: Option<(RuleId, ProcessingMode)>,
    /// By the rule so called.
    pub webhook: Option<(String, WebhookEffect)>,
    /// The first rule that is applied.
    pub rule: Option<RuleId>,
    /// Whether it was a hit.
    matches: Vec<(Arc<ActiveRule>, bool)>,
}

/// Why a rule was not kept.
#[derive(Debug, Clone)]
pub enum AddRuleError {
    /// There are too many, or they are too large; one line on which.
    LimitExceeded(String),
    Store(InternalError),
}

impl From<InternalError> for AddRuleError {
    fn from(error: InternalError) -> Self {
        Self::Store(error)
    }
}

impl ActiveRule {
    fn from_row(stored: RuleRow, account: Option<Arc<Account>>) -> Self {
        Self {
            id: stored.id,
            rule: stored.rule,
            account,
            number: stored.number,
            bytes: stored.bytes,
            counts: Mutex::new(stored.counts),
        }
    }

    /// How often it was applied.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.counts().applied
    }

    fn counts(&self) -> RuleCounts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_account_ended(&self) -> bool {
        let account = self.account.as_ref();
        account.is_some_and(|account| account.cancellation().is_cancelled())
    }

    /// It will never be applied (again), once it has come across so much.
    fn is_exhausted(&self, counts: RuleCounts) -> bool {
        let times = self.rule.times;
        self.is_account_ended() || times.is_some_and(|times| counts.applied >= times)
    }

    /// `rule 3`, with its name if it has one.
    fn label(&self) -> String {
        match &self.rule.name {
            Some(name) => format!("rule {} ({name})", self.id),
            None => format!("rule {}", self.id),
        }
    }

    /// Whether it takes its next match, which comes after those counted.
    fn applies_to_next_match(&self, counts: RuleCounts, entropy: &Entropy) -> bool {
        let next = counts.matched + 1;
        let chance = || {
            let account = self.rule.account.as_deref().unwrap_or_default();
            let mut draw = entropy.rng(account, &format!("rule {}", self.number), next);
            draw.unit_f64()
        };
        next > self.rule.skip && (self.rule.probability >= 1.0 || chance() < self.rule.probability)
    }
}

impl RuleDecision {
    fn wants(&self, then: &RuleAction) -> bool {
        (then.delay_ms.is_some() && self.delay_ms.is_none())
            || (then.respond.is_some() && self.respond.is_none())
            || (then.fault.is_some() && self.fault.is_none())
            || (then.outcome.is_some() && self.outcome_override.is_none())
            || (then.processing.is_some() && self.processing.is_none())
            || (then.webhook.is_some() && self.webhook.is_none())
    }

    fn apply(&mut self, standing: &ActiveRule) {
        let then = &standing.rule.then;
        self.rule = self.rule.or(Some(standing.id));
        self.delay_ms = self.delay_ms.or(then.delay_ms);
        if let (None, Some(respond)) = (&self.respond, &then.respond) {
            self.respond = Some((standing.label(), respond.clone()));
        }
        if let (None, Some(fault)) = (&self.fault, then.fault) {
            self.fault = Some((standing.label(), fault));
        }
        if let (None, Some(processing)) = (self.processing, then.processing) {
            self.processing = Some((standing.id, processing));
        }
        if let (None, Some(webhook)) = (&self.webhook, &then.webhook) {
            self.webhook = Some((standing.label(), webhook.clone()));
        }
        if let (None, Some(outcome)) = (&self.outcome_override, &then.outcome) {
            self.outcome_override = Some(OutcomeOverride {
                rule: Some(standing.id),
                outcome: outcome.clone(),
            });
        }
    }
}

impl Rules {
    /// Brings the rules of the database to mind; `account` finds those they are about.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn load(
        db: Db,
        entropy: Entropy,
        account: impl Fn(crate::model::ids::AccountId) -> Option<Arc<Account>>,
    ) -> Result<Self, InternalError> {
        let stored = db::rules::all(&mut db.read().await?).await?;
        let standing = stored
            .into_iter()
            .map(|row| {
                let account = row.account.and_then(&account);
                Arc::new(ActiveRule::from_row(row, account))
            })
            .collect();
        Ok(Self {
            db,
            entropy,
            active: RwLock::new(standing),
            write_lock: tokio::sync::Mutex::default(),
        })
    }

    /// Those that are about that account alone, or all there are, in the order they were made.
    #[must_use]
    pub fn list(&self, account: Option<&str>) -> Vec<Arc<ActiveRule>> {
        let standing = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let of_account = |rule: &Rule| account.is_none() || rule.account.as_deref() == account;
        let listed = standing
            .iter()
            .filter(|it| !it.is_account_ended() && of_account(&it.rule));
        listed.cloned().collect()
    }

    /// Keeps a rule; `account` is that which it names, if it names one.
    ///
    /// # Errors
    /// If there is no room, the account is gone, or it cannot be written.
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
        let _turn = self.write_lock.lock().await;
        let there = self.list(None);
        let bytes: usize = there.iter().map(|standing| standing.bytes).sum();
        let mut tx = self.db.begin().await?;
        let stored = db::rules::insert(&mut tx, account.as_ref().map(|it| it.id), rule).await?;
        check_limits(there.len() + 1, bytes + stored.bytes)?;
        tx.commit().await?;
        let added = Arc::new(ActiveRule::from_row(stored, account));
        let mut standing = self.active.write().unwrap_or_else(PoisonError::into_inner);
        standing.retain(|it| !it.is_account_ended());
        standing.push(Arc::clone(&added));
        Ok(added)
    }

    /// Removes a rule. False if there is none of that id.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn remove(self: &Arc<Self>, id: RuleId) -> Result<bool, InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move { this.remove_where(|standing| standing.id == id).await })
            .await
    }

    /// Removes those that are about that account alone, or all there are.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn clear(self: &Arc<Self>, account: Option<&str>) -> Result<(), InternalError> {
        let (this, account) = (Arc::clone(self), account.map(str::to_owned));
        run_to_completion(async move {
            let of_account = |it: &ActiveRule| account.is_none() || it.rule.account == account;
            this.remove_where(of_account).await.map(drop)
        })
        .await
    }

    /// Removes those that name no account.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn clear_global(self: &Arc<Self>) -> Result<(), InternalError> {
        let this = Arc::clone(self);
        run_to_completion(async move {
            let is_general = |it: &ActiveRule| it.rule.account.is_none();
            this.remove_where(is_general).await.map(drop)
        })
        .await
    }

    async fn remove_where(
        &self,
        which: impl Fn(&ActiveRule) -> bool,
    ) -> Result<bool, InternalError> {
        let _turn = self.write_lock.lock().await;
        let mut going = self.list(None);
        going.retain(|standing| which(standing));
        if going.is_empty() {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        for standing in &going {
            db::rules::delete(&mut tx, standing.id).await?;
        }
        tx.commit().await?;
        let mut standing = self.active.write().unwrap_or_else(PoisonError::into_inner);
        standing.retain(|it| !it.is_account_ended() && !which(it));
        Ok(true)
    }

    /// Whether any rule may have something to say to that, whosever it is; cheap, and cheapest
    /// where there are no rules. What the account of `input` is does not matter.
    #[must_use]
    pub fn may_match(&self, input: MatchInput<'_>) -> bool {
        let standing = self.active.read().unwrap_or_else(PoisonError::into_inner);
        standing.iter().any(|it| {
            let account = it.rule.account.as_deref();
            it.rule.matches(&MatchInput { account, ..input }) && !it.is_exhausted(it.counts())
        })
    }

    /// Decision of the rules on a request or a call, counted and logged.
    ///
    /// # Errors
    /// If the counts cannot be written.
    pub async fn evaluate_and_count(
        &self,
        input: MatchInput<'_>,
    ) -> Result<RuleDecision, InternalError> {
        let mut tx = self.db.begin().await?;
        let choice = self.evaluate(&tx, input);
        self.record_hits(&mut tx, std::slice::from_ref(&choice))
            .await?;
        tx.commit().await?;
        choice.log_applied(&input);
        Ok(choice)
    }

    /// What the rules say to that, to be counted with [`Rules::record_hits`] in the same transaction
    /// if it comes to it.
    #[must_use]
    pub fn evaluate(&self, tx: &Tx, input: MatchInput<'_>) -> RuleDecision {
        let mut choices = self.evaluate_each(tx, [input]);
        choices.pop().unwrap_or_default()
    }

    /// The same of several things, one after the other: to each, its own choice. They are to be
    /// counted in that order, all or none.
    #[must_use]
    pub fn evaluate_each<'a>(
        &self,
        _: &Tx,
        each: impl IntoIterator<Item = MatchInput<'a>>,
    ) -> Vec<RuleDecision> {
        let standing = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let mut ahead: HashMap<RuleId, RuleCounts> = HashMap::new();
        let mut choose = |input: MatchInput<'_>| {
            let mut choice = RuleDecision::default();
            for it in standing.iter() {
                if !choice.wants(&it.rule.then) || !it.rule.matches(&input) {
                    continue;
                }
                let counts = ahead.entry(it.id).or_insert_with(|| it.counts());
                if it.is_exhausted(*counts) {
                    continue;
                }
                let hit = it.applies_to_next_match(*counts, &self.entropy);
                counts.matched += 1;
                counts.applied += u64::from(hit);
                if hit {
                    choice.apply(it);
                }
                choice.matches.push((Arc::clone(it), hit));
            }
            choice
        };
        each.into_iter().map(&mut choose).collect()
    }

    /// Counts the matches that led to choices, each rule's together: at the end of the
    /// transaction, for what is counted in memory stays counted should that fail.
    ///
    /// # Errors
    /// If they cannot be written.
    pub async fn record_hits(
        &self,
        tx: &mut Tx,
        choices: &[RuleDecision],
    ) -> Result<(), InternalError> {
        let mut counted: BTreeMap<RuleId, (&ActiveRule, RuleCounts)> = BTreeMap::new();
        for (standing, hit) in choices.iter().flat_map(|choice| &choice.matches) {
            let (_, counts) = counted
                .entry(standing.id)
                .or_insert_with(|| (standing, standing.counts()));
            counts.matched += 1;
            counts.applied += u64::from(*hit);
        }
        for (standing, counts) in counted.into_values() {
            db::rules::count(tx, standing.id, counts).await?;
            *standing
                .counts
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = counts;
        }
        Ok(())
    }
}
