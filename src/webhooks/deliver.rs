//! One attempt at an endpoint: what is due first is signed and sent, and what came of it
//! recorded, with the time of the next.

use super::Webhooks;
use super::attempt::Made;
use crate::model::job::Job;
use crate::model::time::Timestamp;
use crate::model::webhook::Delivery;
use crate::store::{self, StoreError};

impl Webhooks {
    /// Runs the job of an endpoint: its first due delivery is attempted once, or put off.
    ///
    /// # Errors
    /// If state cannot be read or written; the job then stands as it did.
    pub async fn deliver(&self, job: &Job) -> Result<(), StoreError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let mut reader = self.db.read().await?;
        let endpoint = store::endpoints::find(&mut reader, account.id, &job.subject).await?;
        let due = store::webhooks::due(&mut reader, &job.subject, account.now()).await?;
        drop(reader);
        let Some((endpoint, mut delivery)) = endpoint.zip(due) else {
            return self.settle(job, None).await;
        };
        let ruled = self.ruled(job, &account, &endpoint, &delivery).await?;
        let Some(choice) = ruled else {
            return Ok(());
        };
        let mut made = tokio::select! {
            biased;
            () = account.ended().cancelled() => return Ok(()),
            made = self.attempt(&account, &endpoint, &delivery, &choice) => made,
        };
        let before = delivery.status;
        let now = account.now();
        let next = match &made.sent {
            Ok(_) => {
                delivery.succeed(now);
                None
            }
            Err(_) if made.is_dropped => {
                delivery.give_up(now);
                None
            }
            Err(_) => delivery.fail(now),
        };
        made.settle(&delivery, next);
        tracing::debug!(
            endpoint = endpoint.id,
            url = endpoint.url,
            event = delivery.event.id,
            status = delivery.status.name(),
            answer = ?made.sent,
            "webhook attempted"
        );
        let settled = Some((&made, &delivery, next));
        self.settle(job, settled).await?;
        self.count(&made, before, delivery.status);
        Ok(())
    }

    /// Records an attempt, if one was made, and sets the job to the endpoint's next.
    async fn settle(
        &self,
        job: &Job,
        attempted: Option<(&Made, &Delivery, Option<Timestamp>)>,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        if let Some((made, delivery, next)) = attempted {
            let sent_at = delivery.last_sent_at.unwrap_or(job.due_at);
            store::webhooks::record(&mut tx, &job.subject, delivery, next, sent_at).await?;
            let (of, made) = (job.account, &made.attempts);
            let kept = store::attempts::insert(&mut tx, of, &job.subject, delivery, made).await;
            match kept {
                // The account's life has ended meanwhile, and its job with it.
                Err(StoreError::AccountGone) => return Ok(()),
                kept => kept?,
            }
        }
        store::jobs::settle_endpoint(&mut tx, job.id, &job.subject).await?;
        tx.commit().await
    }
}
