//! Delivery: the endpoint's first due event is signed, sent and recorded.

use super::Webhooks;
use super::record::AttemptRecording;
use crate::model::ids::WebhookId;
use crate::model::job::Job;
use crate::storage::db::{self, InternalError};

impl Webhooks {
    /// Runs the job of an endpoint: makes one attempt at its first due delivery, or defers it.
    ///
    /// # Errors
    /// Returns an error if the database fails. The job is then run again.
    pub async fn deliver(&self, job: &Job) -> Result<(), InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let Some(id) = WebhookId::parse(&job.subject) else {
            let mut tx = self.db.begin().await?;
            db::jobs::delete(&mut tx, job.id).await?;
            return tx.commit().await;
        };
        if self.record_earlier(id).await? {
            return Ok(());
        }
        let mut reader = self.db.read().await?;
        let endpoint = db::endpoints::find(&mut reader, account.id, None, id).await?;
        let due = db::webhooks::due(&mut reader, id, account.now()).await?;
        drop(reader);
        let Some((endpoint, mut delivery)) = endpoint.zip(due) else {
            return self.reschedule(job, id).await;
        };
        let decision = self
            .rules_for_attempt(job, &account, &endpoint, &delivery)
            .await?;
        let Some(decision) = decision else {
            return Ok(());
        };
        let mut result = tokio::select! {
            biased;
            () = account.cancellation().cancelled() => return Ok(()),
            result = self.attempt(&account, &endpoint, &delivery, &decision) => result,
        };
        let status_before = delivery.status;
        let now = account.now();
        let schedule = self.retry_schedule_ms(&delivery);
        let next_at = match &result.result {
            Ok(_) => {
                delivery.succeed(now);
                None
            }
            Err(_) if result.is_dropped => {
                delivery.fail_permanently(now);
                None
            }
            Err(_) => delivery.fail(now, schedule),
        };
        result.set_delivery_state(&delivery, next_at);
        result.log(&account, &delivery, schedule.len() + 1, false);
        let record = AttemptRecording {
            account,
            endpoint: endpoint.id,
            attempt: result,
            status_before,
            sent_at: delivery.last_sent_at.unwrap_or(job.due_at),
            next_at,
            delivery,
        };
        match self.record_attempt(record, Some(job)).await {
            // The account was reset or removed, and its jobs with it.
            Ok(_) | Err(InternalError::AccountGone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sets the job to the endpoint's next attempt. Deletes the job if there is none.
    async fn reschedule(&self, job: &Job, endpoint: WebhookId) -> Result<(), InternalError> {
        let mut tx = self.db.begin().await?;
        db::jobs::reschedule_endpoint(&mut tx, job.id, endpoint).await?;
        tx.commit().await
    }
}
