//! Orders that the control plane brings to their end.
//!
//! What is done is what the worker does, in its turn: the order's job is claimed, and run.

use std::sync::Arc;

use super::{Orders, ruled, work};
use crate::accounts::Account;
use crate::model::job::Kind;
use crate::model::order::{Order, State, Vendor};
use crate::model::rule::{Makes, Outcome, Ruled};
use crate::store::{self, StoreError, apart};

/// What an order is brought to.
#[derive(Debug, Clone)]
pub enum End {
    /// Its work is done, and comes to that; none: to what it would have come to.
    Complete(Option<Outcome>),
    /// It fails so, whatever is still to come.
    Fail(Outcome),
    /// Its retention has passed.
    Expire,
}

/// Why it was not.
#[derive(Debug)]
pub enum EndError {
    NotFound,
    /// It is at its end already, as this status says.
    Ended(&'static str),
    /// Uploads are still to come: of so many files.
    Awaiting(usize),
    /// Such an order does not come to such an outcome.
    Unfit,
    Store(StoreError),
}

impl From<StoreError> for EndError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Orders {
    /// The last `limit` orders and documents, the newest last: of one account, of one vendor,
    /// where these are given.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn of_any(
        &self,
        account: Option<&Account>,
        vendor: Option<Vendor>,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreError> {
        let mut reader = self.db.read().await?;
        let account = account.map(|account| account.id);
        store::orders::of_any(&mut reader, account, vendor, limit).await
    }

    /// Brings the order of that id to that end, whosever it is.
    ///
    /// # Errors
    /// Says why it was not brought there; it stands as it did.
    pub async fn end(self: &Arc<Self>, id: &str, end: End) -> Result<Arc<Order>, EndError> {
        let order = self.db.order(id).await?.ok_or(EndError::NotFound)?;
        let account = self.accounts.by_id(order.account);
        let account = account.ok_or(EndError::NotFound)?;
        if let End::Complete(Some(outcome)) = &end
            && !outcome.fits(Makes::from(&order.work))
        {
            return Err(EndError::Unfit);
        }
        let this = Arc::clone(self);
        apart(async move {
            match end {
                End::Complete(outcome) => this.let_go(&account, &order.id, outcome).await?,
                End::Fail(outcome) => this.fail(&account, &order.id, outcome).await?,
                End::Expire => this.expire_now(&account, &order).await?,
            }
            let order = this.db.order(&order.id).await?;
            order.ok_or(EndError::NotFound)
        })
        .await
    }

    async fn fail(&self, account: &Arc<Account>, id: &str, so: Outcome) -> Result<(), EndError> {
        let mut tx = self.db.begin().await?;
        let found = store::orders::find(&mut tx, id).await?;
        let mut order = found.ok_or(EndError::NotFound)?;
        if order.state != State::Pending {
            drop(tx);
            return self.let_go(account, id, Some(so)).await;
        }
        let by_hand = Ruled {
            rule: None,
            outcome: so,
        };
        let failure = ruled::failure(&order, Some(&by_hand));
        let failure = failure.unwrap_or_else(|| work::failure(&order, String::new()));
        let now = account.now();
        Arc::make_mut(&mut order).give_up(failure, now);
        store::orders::update(&mut tx, Arc::clone(&order)).await?;
        for kind in [Kind::ExpireUploads, Kind::Sunset] {
            store::jobs::remove(&mut tx, kind, id).await?;
        }
        self.webhooks.publish(&mut tx, account, &order, now).await?;
        Ok(tx.commit().await?)
    }

    /// Has the order's work done now, in its job's turn.
    async fn let_go(
        &self,
        account: &Arc<Account>,
        id: &str,
        outcome: Option<Outcome>,
    ) -> Result<(), EndError> {
        let _turn = self.claims.wait_for(account, Kind::Process, id).await;
        let mut tx = self.db.begin().await?;
        let found = store::orders::find(&mut tx, id).await?;
        let mut order = found.ok_or(EndError::NotFound)?;
        let now = account.now();
        let awaited = order.files.iter().filter(|file| file.is_awaited()).count();
        let status = order.state.status();
        let going = Arc::make_mut(&mut order);
        if !going.let_go(now) {
            return Err(match going.state {
                State::Pending => EndError::Awaiting(awaited),
                _ => EndError::Ended(status),
            });
        }
        if let Some(outcome) = outcome {
            let ruled = Ruled {
                rule: None,
                outcome,
            };
            ruled::settle_by_hand(going, &ruled);
        }
        store::orders::update(&mut tx, order).await?;
        store::jobs::put(&mut tx, account.id, Kind::Process, id, now).await?;
        for kind in [Kind::ExpireUploads, Kind::Sunset] {
            store::jobs::remove(&mut tx, kind, id).await?;
        }
        tx.commit().await?;
        let job = store::jobs::find(&mut self.db.read().await?, Kind::Process, id).await?;
        if let Some(job) = job {
            self.process(&job).await?;
        }
        Ok(())
    }

    async fn expire_now(&self, account: &Arc<Account>, order: &Order) -> Result<(), EndError> {
        let _turn = self.claims.wait_for(account, Kind::Expire, &order.id).await;
        let job = store::jobs::find(&mut self.db.read().await?, Kind::Expire, &order.id).await?;
        match job {
            Some(job) => Ok(self.expire(&job).await?),
            None => Err(EndError::Ended("expired")),
        }
    }
}
