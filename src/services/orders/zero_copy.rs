//! Zero copy: outputs are put to the client's storage, and not stored here.

use super::Orders;
use super::puts::PutOutcome;
use crate::model::file::File;
use crate::model::order::{Order, Vendor};
use crate::model::rule::OutboundCall;
use crate::model::work::{Failure, Outcome, Outputs};
use crate::platform::outbound::PutError;
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

/// Delays between attempts in milliseconds. The order fails after the last attempt.
const ZERO_COPY_RETRY_SCHEDULE_MS: [i64; 3] = [1_000, 2_000, 4_000];

/// Result of delivering the outputs of an order.
#[derive(Debug)]
pub(super) enum ZeroCopyResult {
    /// Every target has accepted its output.
    Delivered(Outcome),
    /// A target has rejected its output for good.
    Rejected(Failure),
    /// Not every target has accepted its output, and the others may accept it later.
    /// `delivered_files` are ids of files whose outputs are delivered. `reason` describes the first
    /// failure.
    RetryLater {
        delivered_files: Vec<u64>,
        reason: String,
    },
}

/// Returns the delay before the next attempt, in milliseconds, after `attempts` attempts. `None` if
/// no attempt is left.
pub(super) fn retry_delay_ms(attempts: u32) -> Option<i64> {
    let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
    ZERO_COPY_RETRY_SCHEDULE_MS.get(index).copied()
}

/// Returns the failure of an order whose outputs could not be delivered.
pub(super) fn delivery_failure(message: String) -> Failure {
    Failure {
        code: "PROCESSING_ERROR".to_owned(),
        message,
    }
}

impl Orders {
    /// Delivers the order's outputs, and deletes them. A failed delivery deletes the outputs too: a
    /// retry renders them again.
    pub(super) async fn deliver_outputs(
        &self,
        account: &Account,
        order: &Order,
        outputs: Outputs,
    ) -> Result<ZeroCopyResult, InternalError> {
        if let Some(result) = self.put_all(account, order, &outputs).await? {
            self.remove_blobs(account, order, &outputs.blob_keys())
                .await?;
            return Ok(result);
        }
        let keys: Vec<&str> = outputs.keys.iter().map(String::as_str).collect();
        self.remove_blobs(account, order, &keys).await?;
        Ok(ZeroCopyResult::Delivered(Outcome::Outputs(Outputs {
            keys: Vec::new(),
            ..outputs
        })))
    }

    /// Puts each output to the target of its file, unless the file has no target or its output is
    /// already delivered. Returns `None` if all targets have accepted theirs. A failure does not
    /// keep the remaining outputs from being put.
    async fn put_all(
        &self,
        account: &Account,
        order: &Order,
        outputs: &Outputs,
    ) -> Result<Option<ZeroCopyResult>, InternalError> {
        let mut delivered_files = Vec::new();
        let mut rejection = None;
        let mut retryable = None;
        for ((index, output), key) in order.pending_outputs().zip(&outputs.keys) {
            let file = output.file;
            let Some(target) = file.target.as_ref().filter(|target| !target.delivered) else {
                continue;
            };
            let describe = |message: String| format!("outputTargets[{index}].url: {message}");
            let put = if let Some(put) = self.puts.find(&order.id, index) {
                put
            } else {
                let put = self
                    .put_one(account, order.vendor, file, key, &target.url)
                    .await?;
                self.puts.insert(account, &order.id, index, put.clone());
                put
            };
            match put {
                PutOutcome::Status(200..300) => delivered_files.push(file.id),
                PutOutcome::Status(status) if is_final(status) => {
                    rejection.get_or_insert_with(|| describe(format!("answered {status}")));
                }
                PutOutcome::Status(status) => {
                    retryable.get_or_insert_with(|| describe(format!("answered {status}")));
                }
                PutOutcome::NoResponse(message) => {
                    retryable.get_or_insert_with(|| describe(message));
                }
            }
        }
        if let Some(message) = rejection {
            return Ok(Some(ZeroCopyResult::Rejected(delivery_failure(message))));
        }
        Ok(retryable.map(|reason| ZeroCopyResult::RetryLater {
            delivered_files,
            reason,
        }))
    }

    /// Puts one output to its target.
    async fn put_one(
        &self,
        account: &Account,
        vendor: Vendor,
        file: &File,
        key: &str,
        url: &str,
    ) -> Result<PutOutcome, InternalError> {
        let bucket = vendor.bucket();
        let stored = self.blobs.find(account.id, bucket, key).await;
        let not_found = || {
            InternalError::broken(std::io::Error::other(format!(
                "{}: output not found",
                file.name
            )))
        };
        let blob = stored
            .map_err(InternalError::broken)?
            .ok_or_else(not_found)?;
        let content_type = blob.meta.content_type.as_deref();
        let media_type = content_type.unwrap_or("application/octet-stream");
        let bytes = blob.meta.bytes;
        let decision = self
            .rules
            .evaluate_call(account, OutboundCall::ZeroCopyPut, &file.name);
        let overrides = decision.await?.call_overrides();
        let path = &blob.path;
        let outbound = &self.outbound;
        let put = outbound.put_file(url, media_type, path, bytes, &overrides);
        match put.await {
            Ok(status) => Ok(PutOutcome::Status(status)),
            Err(PutError::Unanswered(message)) => Ok(PutOutcome::NoResponse(message)),
            Err(error @ PutError::File(_)) => Err(InternalError::broken(error)),
        }
    }
}

/// `true` if a retry cannot succeed: the target understood the request and rejected it.
const fn is_final(status: u16) -> bool {
    !matches!(status, 408 | 429 | 500..)
}
