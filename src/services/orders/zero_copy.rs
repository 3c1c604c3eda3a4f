//! Zero copy: outputs are put where the client wants them, and not kept.

use super::Orders;
use super::puts::PutOutcome;
use crate::model::file::File;
use crate::model::order::{Order, Vendor};
use crate::model::rule::OutboundCall;
use crate::model::work::{Failure, Outcome, Outputs};
use crate::platform::outbound::PutError;
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

/// Milliseconds from a try that found no target ready to the next; after the last of them the
/// order fails.
const ZERO_COPY_RETRY_SCHEDULE_MS: [i64; 3] = [1_000, 2_000, 4_000];

/// How handing over went.
#[derive(Debug)]
pub(super) enum ZeroCopyResult {
    /// Every target has its output.
    Delivered(Outcome),
    /// One has said that it never will.
    Rejected(Failure),
    /// The files whose targets have theirs; why the first of the others has not, and may later.
    RetryLater {
        delivered_files: Vec<u64>,
        why: String,
    },
}

/// When to try again after so many tries; none: never.
pub(super) fn retry_delay_ms(attempts: u32) -> Option<i64> {
    let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
    ZERO_COPY_RETRY_SCHEDULE_MS.get(index).copied()
}

/// The failure of an order whose outputs a target does not take.
pub(super) fn delivery_failure(message: String) -> Failure {
    Failure {
        code: "PROCESSING_ERROR".to_owned(),
        message,
    }
}

impl Orders {
    /// Hands over the order's outputs. Where one of them is not taken none is kept: what is
    /// handed over later is made again, and nobody would know of what is not.
    pub(super) async fn deliver_outputs(
        &self,
        account: &Account,
        order: &Order,
        outputs: Outputs,
    ) -> Result<ZeroCopyResult, InternalError> {
        if let Some(undone) = self.put_all(account, order, &outputs).await? {
            self.remove_blobs(account, order, &outputs.blob_keys())
                .await?;
            return Ok(undone);
        }
        let keys: Vec<&str> = outputs.keys.iter().map(String::as_str).collect();
        self.remove_blobs(account, order, &keys).await?;
        Ok(ZeroCopyResult::Delivered(Outcome::Outputs(Outputs {
            keys: Vec::new(),
            ..outputs
        })))
    }

    /// Puts each output to its file's target, where it has one and has not been given it yet:
    /// none if all have theirs. A target that does not take its own keeps no other waiting.
    async fn put_all(
        &self,
        account: &Account,
        order: &Order,
        outputs: &Outputs,
    ) -> Result<Option<ZeroCopyResult>, InternalError> {
        let (mut delivered, mut refusal, mut trouble) = (Vec::new(), None, None);
        for ((index, cut), key) in order.pending_outputs().zip(&outputs.keys) {
            let file = cut.file;
            let Some(target) = file.target.as_ref().filter(|target| !target.delivered) else {
                continue;
            };
            let why = |line: String| format!("outputTargets[{index}].url: {line}");
            let put = if let Some(put) = self.puts.find(&order.id, index) {
                put
            } else {
                let put = self.put_one(account, file, key, &target.url).await?;
                self.puts.insert(account, &order.id, index, put.clone());
                put
            };
            match put {
                PutOutcome::Status(200..300) => delivered.push(file.id),
                PutOutcome::Status(status) if is_final(status) => {
                    refusal.get_or_insert_with(|| why(format!("answered {status}")));
                }
                PutOutcome::Status(status) => {
                    trouble.get_or_insert_with(|| why(format!("answered {status}")));
                }
                PutOutcome::NoResponse(line) => {
                    trouble.get_or_insert_with(|| why(line));
                }
            }
        }
        if let Some(line) = refusal {
            return Ok(Some(ZeroCopyResult::Rejected(delivery_failure(line))));
        }
        Ok(trouble.map(|why| ZeroCopyResult::RetryLater {
            delivered_files: delivered,
            why,
        }))
    }

    /// Puts one output: the status of the answer, or one line on why there was none.
    async fn put_one(
        &self,
        account: &Account,
        file: &File,
        key: &str,
        url: &str,
    ) -> Result<PutOutcome, InternalError> {
        let bucket = Vendor::Bizmori.bucket();
        let found = self.blobs.find(account.id, bucket, key).await;
        let not_found =
            || InternalError::broken(std::io::Error::other(format!("{} is gone", file.name)));
        let blob = found
            .map_err(InternalError::broken)?
            .ok_or_else(not_found)?;
        let media_type = blob.meta.content_type.as_deref();
        let media_type = media_type.unwrap_or("application/octet-stream");
        let bytes = blob.meta.bytes;
        let pending = self
            .rules
            .evaluate_call(&account.key, OutboundCall::ZeroCopyPut, &file.name);
        let treatment = pending.await?.call_overrides();
        let (path, outbound) = (&blob.path, &self.outbound);
        let put = outbound.put_file(url, media_type, path, bytes, &treatment);
        match put.await {
            Ok(status) => Ok(PutOutcome::Status(status)),
            Err(PutError::Unanswered(line)) => Ok(PutOutcome::NoResponse(line)),
            Err(error @ PutError::File(_)) => Err(InternalError::broken(error)),
        }
    }
}

/// Whether another try is in vain: the target has understood, and does not want it.
const fn is_final(status: u16) -> bool {
    !matches!(status, 408 | 429 | 500..)
}
