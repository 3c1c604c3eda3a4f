//! Creation of orders.

use std::sync::Arc;

use super::new_order::{Charge, NewOrder, build_order};
use super::{Orders, V2_SUNSET, deadline, overrides, upload};
use crate::model::bulk::BulkEntry;
use crate::model::job::JobKind;
use crate::model::order::{Order, OrderState};
use crate::model::rule::{ForcedOutcome, MatchInput, MatchTarget, ProcessingMode, ResultKind};
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::accounts::{Account, UploadSubject};
use crate::services::claims::Claim;
use crate::services::rules::{MatchOccasion, RuleDecision};
use crate::services::vendors::{IdStyle, ProcessingTiming};
use crate::storage::db::{self, InternalError, Tx};

/// Ids tried for one order. Another account may have received the same id at the same moment.
const ID_ATTEMPTS_MAX: usize = 16;

/// New order, or the order that an earlier request with the same idempotency key created.
#[derive(Debug)]
pub struct CreatedOrder {
    pub order: Arc<Order>,
    /// Keeps the order from being processed, or from being ended by the sunset. The caller releases
    /// the claim when the response has been written. `None` if neither can happen.
    pub claim: Option<Claim>,
    /// `true` if the order was created by an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// Reason why no order was created.
#[derive(Debug, Clone)]
pub enum CreateOrderError {
    /// The order costs more credits than are left.
    NoCredits {
        needed: u32,
        left: u64,
    },
    /// The id that the client chose is already in use.
    IdTaken,
    /// The upload that the order refers to has expired.
    UploadGone,
    Internal(InternalError),
}

impl From<InternalError> for CreateOrderError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Source of an order's outcome.
#[derive(Debug, Clone, Copy)]
pub(super) enum OutcomeSource<'o> {
    Rules,
    /// The control plane. `None` as `outcome` means the outcome by the order's files.
    Manual {
        outcome: Option<&'o ForcedOutcome>,
        /// Name of the control plane's operation.
        operation: &'static str,
    },
}

impl Orders {
    /// Creates an order, or returns the one that was created with the same idempotency key.
    ///
    /// # Errors
    /// Returns an error if the credits do not suffice, if the client's id is in use, if the upload
    /// has expired, or if the database fails.
    pub async fn create(
        &self,
        account: &Arc<Account>,
        new: NewOrder,
    ) -> Result<CreatedOrder, CreateOrderError> {
        self.create_with(account, new, OutcomeSource::Rules).await
    }

    /// Like [`Self::create`], with an explicit source of the outcome.
    pub(super) async fn create_with(
        &self,
        account: &Arc<Account>,
        new: NewOrder,
        source: OutcomeSource<'_>,
    ) -> Result<CreatedOrder, CreateOrderError> {
        let number = account.next_order();
        // Registered before the clock is read: a clock in mode `jump` must not jump past the
        // creation of an order, nor past the expiry of its upload URLs.
        let subject = UploadSubject::Order(number);
        let upload = self.accounts.issue_upload(account, subject);
        let created = self.create_numbered(account, new, source, number).await?;
        let order = &created.order;
        if order.number == number
            && order.state == OrderState::Pending
            && order.has_pending_uploads()
        {
            upload.keep();
        }
        Ok(created)
    }

    async fn create_numbered(
        &self,
        account: &Arc<Account>,
        new: NewOrder,
        source: OutcomeSource<'_>,
        number: u64,
    ) -> Result<CreatedOrder, CreateOrderError> {
        let profile = self.vendors.profile(new.vendor);
        let now = account.now();
        let retention_days = self.retention_days(account);
        let mut rng = self.entropy.rng(&account.key, "document", number);
        for _ in 0..ID_ATTEMPTS_MAX {
            let id = new.id.clone().unwrap_or_else(|| match profile.id_style {
                IdStyle::Snowflake => account.next_snowflake(now).to_string(),
                IdStyle::Uuid => rng.uuid(),
            });
            let key = new.idempotency_key.as_deref();
            let mut tx = self.db.begin().await?;
            let decisions = match source {
                OutcomeSource::Rules => self.match_rules(&tx, account, &new),
                OutcomeSource::Manual { .. } => Vec::new(),
            };
            let by = match source {
                OutcomeSource::Rules => new.operation,
                OutcomeSource::Manual { operation, .. } => operation,
            };
            let id_and_number = (id, number);
            let mut order = build_order(
                account,
                profile,
                &new,
                id_and_number,
                retention_days,
                by,
                now,
            );
            overrides::apply_rules(&mut order, &decisions);
            if let OutcomeSource::Manual {
                outcome: Some(outcome),
                ..
            } = source
            {
                overrides::apply_manual_outcome(&mut order, outcome);
            }
            let order = Arc::new(order);
            if db::orders::insert(&mut tx, &order, new.operation, key).await? {
                let claim = self
                    .charge_and_schedule(tx, account, &order, &new, &decisions)
                    .await?;
                return Ok(CreatedOrder {
                    order,
                    claim,
                    replayed: false,
                });
            }
            let earlier =
                db::orders::by_idempotency_key(&mut tx, account.id, new.operation, key).await?;
            match earlier {
                Some(order) => {
                    // The earlier order may be part of a write that is not committed yet.
                    tx.commit().await?;
                    return Ok(CreatedOrder {
                        order,
                        claim: None,
                        replayed: true,
                    });
                }
                None if new.id.is_some() => return Err(CreateOrderError::IdTaken),
                None => account.skip_snowflakes(),
            }
        }
        let message = format!("no free order id after {ID_ATTEMPTS_MAX} attempts");
        Err(InternalError::broken(std::io::Error::other(message)).into())
    }

    /// Charges credits for a new order, adds its jobs, counts the applied rules, and commits. Rules
    /// are counted last: an order that is not created must not use up a rule's `times`.
    async fn charge_and_schedule(
        &self,
        mut tx: Tx,
        account: &Arc<Account>,
        order: &Order,
        new: &NewOrder,
        decisions: &[RuleDecision],
    ) -> Result<Option<Claim>, CreateOrderError> {
        if let Some(Charge { credits, limit }) = new.charge
            && !db::accounts::charge_credits(&mut tx, account.id, credits, limit).await?
        {
            let used = db::accounts::credits_used(&mut tx, account.id).await?;
            return Err(CreateOrderError::NoCredits {
                needed: credits,
                left: limit.saturating_sub(used),
            });
        }
        if !upload::consume_uploads(&mut tx, order).await? {
            return Err(CreateOrderError::UploadGone);
        }
        let mut due = vec![(JobKind::Expire, order.expires_at())];
        let mut claim = None;
        if order.state == OrderState::Pending {
            let uploads_end_at = deadline::upload_deadline(order);
            due.extend(uploads_end_at.map(|at| (JobKind::ExpireUploads, at)));
            if self.is_subject_to_sunset(account, order) {
                // The sunset may be reached before the response has been written.
                claim = self.claims.try_claim(account, JobKind::Sunset, &order.id);
                due.push((JobKind::Sunset, V2_SUNSET));
            }
        } else if !order.is_held() {
            claim = self.claims.try_claim(account, JobKind::Process, &order.id);
            due.push((
                JobKind::Process,
                self.processing_due_at(account, order, order.created_at),
            ));
        }
        for (kind, at) in due {
            db::jobs::upsert(&mut tx, account.id, kind, &order.id, at).await?;
        }
        let occasion = MatchOccasion {
            at: order.created_at,
            account: Some(&account.key),
            operation: new.operation,
            seq: None,
            order_id: Some(&order.id),
        };
        self.rules.record_hits(&mut tx, decisions, occasion).await?;
        tx.commit().await?;
        Ok(claim)
    }

    /// Evaluates the rules on a new order. In a bulk, each image is evaluated as if it were an
    /// order.
    fn match_rules(&self, tx: &Tx, account: &Account, new: &NewOrder) -> Vec<RuleDecision> {
        let each: Vec<Vec<&str>> = match &new.work {
            Work::Bulk(bulk) => bulk.queued.iter().map(BulkEntry::names).collect(),
            _ => vec![new.files.iter().map(|file| file.name.as_str()).collect()],
        };
        let input_of = each.iter().map(|file_names| MatchInput {
            operation: new.operation,
            account: Some(&account.key),
            subject: MatchTarget::Order {
                result_kind: ResultKind::for_work(&new.work, new.api),
                file_names,
            },
        });
        self.rules.evaluate_each(tx, input_of)
    }

    /// Returns the due time of the processing job of an order that starts at `now`: the delay of a
    /// rule, else [`Self::default_due_at`].
    pub(super) fn processing_due_at(
        &self,
        account: &Account,
        order: &Order,
        now: Timestamp,
    ) -> Timestamp {
        if let Some(ProcessingMode::AfterMs(ms)) = order.processing {
            return now.plus_ms(ms.into());
        }
        self.default_due_at(account, order, now)
    }

    /// Returns the due time of work that starts at `now` and whose delay no rule sets: the delay of
    /// the account, else of the server, plus seeded jitter.
    pub(super) fn default_due_at(
        &self,
        account: &Account,
        order: &Order,
        now: Timestamp,
    ) -> Timestamp {
        let server_ms = match self.vendors.profile(order.vendor).timing {
            ProcessingTiming::DocumentSteps => self.document_timing(account, order).done_ms,
            ProcessingTiming::Processing if order.test => self.settings.test_processing_ms,
            ProcessingTiming::Processing => self.settings.processing.delay_ms,
        };
        let account_delay = account.settings().processing;
        let delay_ms = account_delay.map_or(server_ms, |delay| delay.delay_ms);
        let jitter_ms =
            account_delay.map_or(self.settings.processing.jitter_ms, |delay| delay.jitter_ms);
        let mut rng = self.entropy.rng(&account.key, "jitter", order.number);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most jitter_ms, which is a u32"
        )]
        let jitter = (rng.unit_f64() * f64::from(jitter_ms)) as i64;
        now.plus_ms(i64::from(delay_ms) + jitter)
    }
}
