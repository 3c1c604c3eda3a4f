//! Orders come to their end: the work itself, and the record of it.

use std::sync::Arc;

use super::{Orders, look, ruled};
use crate::accounts::Account;
use crate::engine::verdict;
use crate::model::job::Job;
use crate::model::order::{Order, State};
use crate::model::picture::{Basis, Label, Provenance, Verdict};
use crate::model::work::{Detection, Failure, Outcome, Outputs, Work};
use crate::store::{self, StoreError};

/// What came of an order's work.
pub(super) type Result = std::result::Result<Outcome, Failure>;

/// What a picture nobody looks at is given.
const TEST_KEY_PROBABILITY: f64 = 0.02;

impl Orders {
    /// Runs the job that brings an order to its end: does the work, then records what came of
    /// it and publishes the event, at once or not at all.
    ///
    /// # Errors
    /// If it cannot be done by a fault of ours; the order then stands as it did.
    pub async fn process(&self, job: &Job) -> std::result::Result<(), StoreError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let found = self.db.order(&job.subject).await?;
        let Some(order) = found.filter(|order| matches!(order.state, State::InProgress { .. }))
        else {
            return self.settle(job, |_| false, &account).await.map(drop);
        };
        let result = tokio::select! {
            biased;
            () = account.ended().cancelled() => return Ok(()),
            result = self.work(&account, &order) => result?,
        };
        let made = result.clone();
        let now = account.now();
        let finished = self
            .settle(job, |order| order.finish(result, now), &account)
            .await?;
        if let (false, Ok(outcome)) = (finished, made) {
            // It expired meanwhile: what was made for it is nobody's.
            self.remove(&account, &order, &outcome.blob_keys()).await?;
        }
        Ok(())
    }

    /// Runs the job that lets an order's retention pass: it is expired, its files go, and then
    /// the job is done.
    ///
    /// # Errors
    /// If it cannot be done by a fault of ours; it is then done again.
    pub async fn expire(&self, job: &Job) -> std::result::Result<(), StoreError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let mut tx = self.db.begin().await?;
        let found = store::orders::find(&mut tx, &job.subject).await?;
        let found = found.filter(|order| order.account == account.id);
        if let Some(mut order) = found.clone()
            && Arc::make_mut(&mut order).expire(account.now())
        {
            store::orders::update(&mut tx, order).await?;
        }
        tx.commit().await?;
        if let Some(order) = found {
            self.remove(&account, &order, &order.blob_keys()).await?;
        }
        self.settle(job, |_| false, &account).await.map(drop)
    }

    /// Removes blobs of an order.
    pub(super) async fn remove(
        &self,
        account: &Account,
        order: &Order,
        keys: &[&str],
    ) -> std::result::Result<(), StoreError> {
        for key in keys {
            self.blobs
                .remove(account.id, order.vendor.bucket(), key)
                .await
                .map_err(broken)?;
        }
        Ok(())
    }

    /// Takes the job and moves its order on, in one transaction, and tells what became of it.
    /// False if the order was not moved.
    async fn settle(
        &self,
        job: &Job,
        step: impl FnOnce(&mut Order) -> bool,
        account: &Account,
    ) -> std::result::Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        if !store::jobs::take(&mut tx, job.id).await? {
            return Ok(false);
        }
        let mut moved = false;
        if let Some(mut order) = store::orders::find(&mut tx, &job.subject).await?
            && step(Arc::make_mut(&mut order))
        {
            moved = true;
            store::orders::update(&mut tx, Arc::clone(&order)).await?;
            self.webhooks
                .publish(&mut tx, account, &order, account.now())
                .await?;
        }
        tx.commit().await?;
        Ok(moved)
    }

    async fn work(
        &self,
        account: &Account,
        order: &Order,
    ) -> std::result::Result<Result, StoreError> {
        if let Some(failure) = ruled::failure(order) {
            return Ok(Err(failure));
        }
        let named = order.files.iter().filter(|_| order.ruled.is_none());
        let failing = named.into_iter().find(|file| {
            verdict::suffix(&file.name).is_some_and(|suffix| suffix.eq_ignore_ascii_case("fail"))
        });
        if let Some(file) = failing {
            return Ok(Err(failure(
                order,
                format!("{} is named so as to fail", file.name),
            )));
        }
        if order.test {
            return Ok(Ok(made_up(order)));
        }
        match &order.work {
            Work::AntiAi { strength } => self.protect(account, order, *strength).await,
            Work::AiDetection { options } => {
                self.look(
                    account,
                    order,
                    look::wants_of_detection(options.unwrap_or_default()),
                )
                .await
            }
            Work::Document(options) => {
                self.look(account, order, look::wants_of_document(*options))
                    .await
            }
        }
    }
}

/// A failure by the vendor's general code for such orders.
fn failure(order: &Order, message: String) -> Failure {
    let code = match order.work {
        _ if order.test => "PROCESSING_ERROR",
        Work::AntiAi { .. } => "PROCESSING_ERROR",
        Work::AiDetection { .. } | Work::Document(_) => "AI_DETECTION_FAILED",
    };
    Failure {
        code: code.to_owned(),
        message,
    }
}

/// What a test order comes to: nobody looks, and nothing is stored.
fn made_up(order: &Order) -> Outcome {
    let name = order.files.first().map_or("", |file| file.name.as_str());
    let nobodys = || Verdict {
        label: Label::Human,
        probability: TEST_KEY_PROBABILITY,
        basis: Basis::TestKey,
        provenance: Provenance::Unknown,
    };
    match order.work {
        Work::AntiAi { .. } => Outcome::Outputs(Outputs::default()),
        Work::AiDetection { .. } | Work::Document(_) => Outcome::Detection(Box::new(Detection {
            verdict: ruled::verdict(order)
                .or_else(|| verdict::of_detection_name(name))
                .unwrap_or_else(nobodys),
            measures: None,
            thumbnail: None,
            preview: None,
            heatmap: None,
            overlay: None,
            told_at: None,
        })),
    }
}

pub(super) fn broken(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Broken(Arc::new(error))
}
