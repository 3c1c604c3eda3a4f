//! Orders begin.

use std::sync::Arc;

use super::new_order::{Charge, NewOrder, build_order};
use super::{Orders, V2_SUNSET, deadline, overrides, upload};
use crate::model::bulk::BulkEntry;
use crate::model::job::JobKind;
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::rule::{ForcedOutcome, MatchInput, MatchTarget, ProcessingMode, ResultKind};
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::accounts::{Account, UploadFor};
use crate::services::claims::Claim;
use crate::services::rules::RuleDecision;
use crate::storage::db::{self, StoreError, Tx};

/// Ids are drawn again when another account has just been given the same.
const ID_ATTEMPTS_MAX: usize = 16;

/// An order that was made, now or before.
#[derive(Debug)]
pub struct CreatedOrder {
    pub order: Arc<Order>,
    /// Keeps it from moving on, where it has started or may be ended by the sunset; to be let go
    /// when the answer has been written.
    pub claim: Option<Claim>,
    /// The idempotency key was known: this is the order it made then.
    pub replayed: bool,
}

/// Why no order was made.
#[derive(Debug, Clone)]
pub enum CreateOrderError {
    /// It costs more than is left.
    NoCredits {
        needed: u32,
        left: u64,
    },
    /// The id the client gives was given before.
    IdTaken,
    /// The upload it is to be made of has just expired.
    UploadGone,
    Store(StoreError),
}

impl From<StoreError> for CreateOrderError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who says what comes of an order.
#[derive(Debug, Clone, Copy)]
pub(super) enum OutcomeSource<'o> {
    Rules,
    /// The control plane; none: what would come of it.
    Manual(Option<&'o ForcedOutcome>),
}

impl Orders {
    /// Makes an order, or finds the one that the same key made.
    ///
    /// # Errors
    /// If there are no credits left for it, its client's id is taken, or it cannot be written.
    pub async fn create(
        &self,
        account: &Arc<Account>,
        new: NewOrder,
    ) -> Result<CreatedOrder, CreateOrderError> {
        self.create_with(account, new, OutcomeSource::Rules).await
    }

    /// The same, of which rules or the control plane say what comes of it.
    pub(super) async fn create_with(
        &self,
        account: &Arc<Account>,
        new: NewOrder,
        says: OutcomeSource<'_>,
    ) -> Result<CreatedOrder, CreateOrderError> {
        let number = account.next_order();
        // Before the clock is read: it does not leap past the creation of an order, nor past the
        // upload URLs that are made of it.
        let subject = UploadFor::Order(number);
        let upload = self.accounts.hand_out_upload(account, subject);
        let created = self.create_numbered(account, new, says, number).await?;
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
        says: OutcomeSource<'_>,
        number: u64,
    ) -> Result<CreatedOrder, CreateOrderError> {
        let now = account.now();
        let retention_days = self.retention_days(account);
        let mut chance = self.entropy.rng(&account.key, "document", number);
        for _ in 0..ID_ATTEMPTS_MAX {
            let id = new.id.clone().unwrap_or_else(|| match new.vendor {
                Vendor::Bizmori => account.next_snowflake(now).to_string(),
                Vendor::Undetectable => chance.uuid(),
            });
            let key = new.idempotency_key.as_deref();
            let mut tx = self.db.begin().await?;
            let choices = match says {
                OutcomeSource::Rules => self.match_rules(&tx, account, &new),
                OutcomeSource::Manual(_) => Vec::new(),
            };
            let mut order = build_order(account, &new, (id, number), retention_days, now);
            overrides::apply_rules(&mut order, &choices);
            if let OutcomeSource::Manual(Some(outcome)) = says {
                overrides::apply_manual_outcome(&mut order, outcome);
            }
            let order = Arc::new(order);
            if db::orders::insert(&mut tx, &order, new.operation, key).await? {
                let hold = self
                    .charge_and_schedule(tx, account, &order, new.charge, &choices)
                    .await?;
                return Ok(CreatedOrder {
                    order,
                    claim: hold,
                    replayed: false,
                });
            }
            let earlier =
                db::orders::by_idempotency_key(&mut tx, account.id, new.operation, key).await?;
            match earlier {
                Some(order) => {
                    // It may be as fresh as this very commit.
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
        let line = format!("no free order id in {ID_ATTEMPTS_MAX} draws");
        Err(StoreError::broken(std::io::Error::other(line)).into())
    }

    /// Charges for a new order, sets its jobs, and counts what rules said to it: last, for an
    /// order that is not made has used up none.
    async fn charge_and_schedule(
        &self,
        mut tx: Tx,
        account: &Arc<Account>,
        order: &Order,
        charge: Option<Charge>,
        choices: &[RuleDecision],
    ) -> Result<Option<Claim>, CreateOrderError> {
        if let Some(Charge { credits, limit }) = charge
            && !db::accounts::charge_credits(&mut tx, account.id, credits, limit).await?
        {
            let spent = db::accounts::credits_used(&mut tx, account.id).await?;
            let left = limit.saturating_sub(spent);
            let needed = credits;
            return Err(CreateOrderError::NoCredits { needed, left });
        }
        if !upload::consume_uploads(&mut tx, order).await? {
            return Err(CreateOrderError::UploadGone);
        }
        let mut due = vec![(JobKind::Expire, order.expires_at())];
        let mut hold = None;
        if order.state == OrderState::Pending {
            let uploads_end_at = deadline::upload_deadline(order);
            due.extend(uploads_end_at.map(|at| (JobKind::ExpireUploads, at)));
            if self.is_subject_to_sunset(account, order) {
                // It may pass before the answer is written.
                hold = self.claims.try_claim(account, JobKind::Sunset, &order.id);
                due.push((JobKind::Sunset, V2_SUNSET));
            }
        } else if !order.is_held() {
            hold = self.claims.try_claim(account, JobKind::Process, &order.id);
            due.push((
                JobKind::Process,
                self.processing_due_at(account, order, order.created_at),
            ));
        }
        for (kind, at) in due {
            db::jobs::upsert(&mut tx, account.id, kind, &order.id, at).await?;
        }
        self.rules.record_hits(&mut tx, choices).await?;
        tx.commit().await?;
        Ok(hold)
    }

    /// What the rules say to an order that is about to be made; of a bulk, to each of its
    /// pictures, as if they were orders.
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

    /// When an order that starts now comes to its end, by a rule or as is usual.
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

    /// When what begins now for an order is done, where no rule says.
    pub(super) fn default_due_at(
        &self,
        account: &Account,
        order: &Order,
        now: Timestamp,
    ) -> Timestamp {
        let server = match order.work {
            Work::Document(_) | Work::Bulk(_) => self.document_timing(account, order).done_ms,
            _ if order.test => self.settings.test_processing_ms,
            _ => self.settings.processing.delay_ms,
        };
        let set = account.settings().processing;
        let delay_ms = set.map_or(server, |set| set.delay_ms);
        let jitter_ms = set.map_or(self.settings.processing.jitter_ms, |set| set.jitter_ms);
        let mut chance = self.entropy.rng(&account.key, "jitter", order.number);
        #[expect(clippy::cast_possible_truncation, reason = "a share of a u32")]
        let jitter = (chance.unit_f64() * f64::from(jitter_ms)) as i64;
        now.plus_ms(i64::from(delay_ms) + jitter)
    }
}
