//! One attempt at an endpoint: what is due first is signed and sent, and what came of it
//! recorded, with the time of the next.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Webhooks;
use crate::accounts::Account;
use crate::model::job::Job;
use crate::model::rule::Outgoing;
use crate::model::webhook::{Delivery, Endpoint};
use crate::rules::Choice;
use crate::store::{self, StoreError};

/// Carries the signature of the body.
const SIGNATURE_HEADER: &str = "x-moribiz-signature";

/// BIZ MORI's signature: lower-case hex HMAC-SHA256 of the raw body bytes, keyed with the
/// secret as given, prefix and all.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
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
        let endpoint = store::webhooks::endpoint(&mut reader, account.id, &job.subject).await?;
        let due = store::webhooks::due(&mut reader, &job.subject, account.now()).await?;
        drop(reader);
        let Some((endpoint, mut delivery)) = endpoint.zip(due) else {
            return self.settle(job, None).await;
        };
        let choice = self.ruled(&account, &endpoint).await?;
        let sent = tokio::select! {
            biased;
            () = account.ended().cancelled() => return Ok(()),
            sent = self.attempt(&endpoint, &delivery, &choice) => sent,
        };
        let now = account.now();
        let next = match &sent {
            Ok(_) => {
                delivery.succeed(now);
                None
            }
            Err(_) => delivery.fail(now),
        };
        tracing::debug!(
            endpoint = endpoint.id,
            url = endpoint.url,
            event = delivery.event.id,
            status = delivery.status.name(),
            answer = ?sent,
            "webhook attempted"
        );
        self.settle(job, Some((delivery, next))).await
    }

    /// What the rules say to an attempt at that endpoint.
    pub(super) async fn ruled(
        &self,
        account: &Account,
        endpoint: &Endpoint,
    ) -> Result<Choice, StoreError> {
        let rules = &self.rules;
        let said = rules.to_call(&account.key, Outgoing::Delivery, &endpoint.url);
        said.await
    }

    /// Sends the delivery once, as the rules have it: the status of a 2xx answer, else one line on what came.
    pub(super) async fn attempt(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        choice: &Choice,
    ) -> Result<u16, String> {
        let signature = signature(&endpoint.secret, delivery.event.body.as_bytes());
        let headers = [(SIGNATURE_HEADER, signature.as_str())];
        let (body, treatment) = (delivery.event.body.clone(), choice.treatment());
        let posted = self
            .outbound
            .post_json(&endpoint.url, &headers, body, &treatment);
        let status = posted.await?;
        if (200..300).contains(&status) {
            Ok(status)
        } else {
            Err(format!("answered {status}"))
        }
    }

    /// Records an attempt, if one was made, and sets the job to the endpoint's next.
    async fn settle(
        &self,
        job: &Job,
        attempted: Option<(Delivery, Option<crate::model::time::Timestamp>)>,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        if let Some((delivery, next)) = &attempted {
            let sent_at = delivery.last_sent_at.unwrap_or(job.due_at);
            store::webhooks::record(&mut tx, &job.subject, delivery, *next, sent_at).await?;
        }
        store::jobs::settle_endpoint(&mut tx, job.id, &job.subject).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), expected);
    }
}
