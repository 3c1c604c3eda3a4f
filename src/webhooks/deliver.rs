//! One attempt at an endpoint: what is due first is signed and sent, and what came of it
//! recorded, with the time of the next.

use super::Webhooks;
use super::attempt::Made;
use super::put_off::put_off;
use crate::model::job::Job;
use crate::model::time::Timestamp;
use crate::model::webhook::{Delivery, PutOff};
use crate::store::{self, StoreError};

/// What has become of the delivery that was due.
enum Done {
    /// The next attempt is due then, if there is one.
    Attempted(Made, Delivery, Option<Timestamp>),
    PutOff(Delivery, Timestamp, PutOff),
}

impl Webhooks {
    /// Runs the job of an endpoint: its first due delivery is attempted once.
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
        let choice = self.ruled(&account, &endpoint, &delivery).await?;
        if delivery.put_off.is_none()
            && let Some((until, decided)) = put_off(&choice, account.now())
        {
            let done = Done::PutOff(delivery, until, decided);
            return self.settle(job, Some(done)).await;
        }
        let mut made = tokio::select! {
            biased;
            () = account.ended().cancelled() => return Ok(()),
            made = self.attempt(&account, &endpoint, &delivery, &choice) => made,
        };
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
        let done = Done::Attempted(made, delivery, next);
        self.settle(job, Some(done)).await
    }

    /// Records what was done, if anything was, and sets the job to the endpoint's next attempt.
    async fn settle(&self, job: &Job, done: Option<Done>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        match &done {
            None => {}
            Some(Done::Attempted(made, delivery, next)) => {
                let sent_at = delivery.last_sent_at.unwrap_or(job.due_at);
                store::webhooks::record(&mut tx, &job.subject, delivery, *next, sent_at).await?;
                for attempt in &made.attempts {
                    let kept = store::attempts::insert(&mut tx, job.account, &delivery.id, attempt);
                    kept.await?;
                }
            }
            Some(Done::PutOff(delivery, until, decided)) => {
                store::webhooks::put_off(&mut tx, &delivery.id, *until, decided).await?;
            }
        }
        store::jobs::settle_endpoint(&mut tx, job.id, &job.subject).await?;
        tx.commit().await
    }
}
