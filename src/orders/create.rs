//! Orders begin.

use std::sync::Arc;

use super::{Orders, layout};
use crate::accounts::Account;
use crate::model::job::Kind;
use crate::model::order::{File, Order, State, Vendor};
use crate::model::rule::{Asked, Subject};
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::rules::Choice;
use crate::store::{self, StoreError, Tx};

/// Ids are drawn again when another account has just been given the same.
const DRAWS_MAX: usize = 16;
/// A file's id is its order's number times this, and its place.
const FILES_MAX: u64 = 1_000;
const DAY_MS: i64 = 86_400_000;

/// What a client wants.
#[derive(Debug, Clone)]
pub struct New {
    /// The operation that asks; idempotency keys are its own.
    pub operation: &'static str,
    pub idempotency_key: Option<String>,
    pub vendor: Vendor,
    /// Of the request.
    pub origin: String,
    pub name: Option<String>,
    pub work: Work,
    pub files: Files,
    /// The id its client gives it; else one is drawn.
    pub id: Option<String>,
}

/// The files of a new order.
#[derive(Debug, Clone)]
pub enum Files {
    /// To be uploaded, under these names.
    Awaited(Vec<String>),
    /// Already here: the order starts at once and costs a credit of `credits`.
    Stored {
        key: String,
        name: String,
        bytes: u64,
        credits: u64,
    },
}

/// An order that was made, now or before.
#[derive(Debug, Clone)]
pub struct Created {
    pub order: Arc<Order>,
    /// The idempotency key was known: this is the order it made then.
    pub replayed: bool,
}

/// Why no order was made.
#[derive(Debug, Clone)]
pub enum Refused {
    NoCredits,
    /// The id the client gives was given before.
    IdTaken,
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Orders {
    /// Makes an order, or finds the one that the same key made.
    ///
    /// # Errors
    /// If there are no credits left for it, its client's id is taken, or it cannot be written.
    pub async fn create(&self, account: &Account, new: New) -> Result<Created, Refused> {
        let now = account.now();
        let number = account.next_order();
        let mut chance = self.entropy.draw(&account.key, "document", number);
        for _ in 0..DRAWS_MAX {
            let id = new.id.clone().unwrap_or_else(|| match new.vendor {
                Vendor::Bizmori => account.next_snowflake(now).to_string(),
                Vendor::Undetectable => chance.uuid(),
            });
            let mut tx = self.db.begin().await?;
            let choice = self.rules_say(&tx, account, &new);
            let mut order = draft(account, &new, id, number, now);
            order.ruled.clone_from(&choice.ruled);
            let order = Arc::new(order);
            if !store::orders::insert(
                &mut tx,
                &order,
                new.operation,
                new.idempotency_key.as_deref(),
            )
            .await?
            {
                let key = new.idempotency_key.as_deref();
                let earlier =
                    store::orders::by_idempotency_key(&mut tx, account.id, new.operation, key)
                        .await?;
                match earlier {
                    Some(order) => {
                        // It may be as fresh as this very commit.
                        tx.commit().await?;
                        return Ok(Created {
                            order,
                            replayed: true,
                        });
                    }
                    None if new.id.is_some() => return Err(Refused::IdTaken),
                    None => {
                        account.skip_snowflakes();
                        continue;
                    }
                }
            }
            if let Files::Stored { credits, .. } = new.files
                && !store::accounts::spend(&mut tx, account.id, 1, credits).await?
            {
                return Err(Refused::NoCredits);
            }
            let days = account
                .settings()
                .retention_days
                .unwrap_or(self.times.retention_days);
            let expires_at = now.plus_ms(i64::from(days) * DAY_MS);
            store::jobs::put(&mut tx, account.id, Kind::Expire, &order.id, expires_at).await?;
            if let State::InProgress { .. } = order.state {
                let due_at = self.due_at(account, &order, now);
                store::jobs::put(&mut tx, account.id, Kind::Process, &order.id, due_at).await?;
            }
            self.rules.count(&mut tx, &choice).await?;
            tx.commit().await?;
            return Ok(Created {
                order,
                replayed: false,
            });
        }
        let line = format!("no free order id in {DRAWS_MAX} draws");
        Err(StoreError::Broken(std::sync::Arc::new(std::io::Error::other(line))).into())
    }

    /// What the rules say to an order that is about to be made.
    fn rules_say(&self, tx: &Tx, account: &Account, new: &New) -> Choice {
        let file_names: Vec<&str> = match &new.files {
            Files::Awaited(names) => names.iter().map(String::as_str).collect(),
            Files::Stored { name, .. } => vec![name],
        };
        let subject = Subject::Order {
            makes: (&new.work).into(),
            file_names: &file_names,
        };
        let asked = Asked {
            operation: new.operation,
            account: Some(&account.key),
            subject,
        };
        self.rules.choose(tx, asked)
    }

    /// When an order that starts now comes to its end.
    pub(super) fn due_at(&self, account: &Account, order: &Order, now: Timestamp) -> Timestamp {
        let server = match order.work {
            Work::Document(_) => self.times.document_ms,
            Work::AntiAi { .. } | Work::AiDetection { .. } if order.test => {
                self.times.test_processing_ms
            }
            Work::AntiAi { .. } | Work::AiDetection { .. } => self.times.processing.delay_ms,
        };
        let set = account.settings().processing;
        let delay_ms = set.map_or(server, |set| set.delay_ms);
        let jitter_ms = set.map_or(self.times.processing.jitter_ms, |set| set.jitter_ms);
        let mut chance = self.entropy.draw(&account.key, "jitter", order.number);
        #[expect(clippy::cast_possible_truncation, reason = "a share of a u32")]
        let jitter = (chance.unit() * f64::from(jitter_ms)) as i64;
        now.plus_ms(i64::from(delay_ms) + jitter)
    }
}

fn draft(account: &Account, new: &New, id: String, number: u64, now: Timestamp) -> Order {
    let file = |index: usize, name: &str, key: String, received_bytes| File {
        id: number * FILES_MAX + u64::try_from(index).unwrap_or(u64::MAX) + 1,
        name: name.to_owned(),
        key,
        received_bytes,
    };
    let (files, state) = match &new.files {
        Files::Awaited(names) => {
            let files = names.iter().enumerate().map(|(index, name)| {
                file(
                    index,
                    name,
                    layout::upload_key(&new.work, &id, index, name),
                    None,
                )
            });
            (files.collect(), State::Pending)
        }
        Files::Stored {
            key, name, bytes, ..
        } => (
            vec![file(0, name, key.clone(), Some(*bytes))],
            State::InProgress { started_at: now },
        ),
    };
    let first: &File = &files[0];
    Order {
        account: account.id,
        number,
        vendor: new.vendor,
        test: new.vendor == Vendor::Bizmori && account.is_test(),
        origin: new.origin.clone(),
        name: new
            .name
            .clone()
            .unwrap_or_else(|| layout::default_name(&new.work, &first.name, now)),
        created_at: now,
        updated_at: now,
        work: new.work.clone(),
        confirm_key: None,
        ruled: None,
        state,
        files,
        id,
    }
}
