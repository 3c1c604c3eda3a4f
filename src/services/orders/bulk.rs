//! The pictures of a bulk are judged: each for itself, several at once.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::detect::{self, ClassifyError};
use super::failures::TaskResult;
use super::{Orders, work};
use crate::engine::{InputFile, InspectOptions};
use crate::model::bulk::{Bulk, BulkEntry, ItemResult};
use crate::model::order::Order;
use crate::model::work::{BulkResult, Outcome};
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

/// So many stand in line for the engine's turns; it is for others too.
const CONCURRENCY: usize = 4;
/// What a picture is, not what is drawn of it. It is decoded as a document's is, so that what is
/// corrupt for the one is for the other.
const INSPECT_OPTIONS: InspectOptions = InspectOptions {
    measures: true,
    thumbnail: false,
    preview: false,
    report_px: None,
    heatmap: None,
    overlay: None,
    probability: None,
};

impl Orders {
    /// Judges each of a bulk's pictures; one that is not as it should be spoils no other.
    pub(super) async fn classify_all(
        &self,
        account: &Account,
        order: &Order,
        bulk: &Bulk,
    ) -> TaskResult {
        let Some(file) = order.files.first() else {
            return Err(detect::missing_input(order, "the order has no file").into());
        };
        let bucket = order.vendor.bucket();
        let found = self.content(account.id, bucket, &file.key).await;
        let Some(zip) = found.map_err(InternalError::broken)? else {
            return Err(detect::missing_input(order, "the ZIP file is missing").into());
        };
        let queued = bulk.queued.iter();
        let judged: Vec<_> = queued
            .map(|it| self.classify_entry(order, &zip, it))
            .collect();
        let items = stream::iter(judged)
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(Outcome::Bulk(BulkResult { items }))
    }

    async fn classify_entry(
        &self,
        order: &Order,
        zip: &InputFile,
        queued: &BulkEntry,
    ) -> Result<ItemResult, InternalError> {
        let outcome_override = queued.outcome_override.as_ref();
        if let Some(failure) =
            work::requested_failure(order, outcome_override, [queued.name.as_str()])
        {
            return Ok(ItemResult::Error(failure.message));
        }
        let content = InputFile {
            zip_entry: Some(queued.location),
            ..zip.clone()
        };
        let judged = self.classify(
            order.vendor,
            content,
            &queued.name,
            outcome_override,
            INSPECT_OPTIONS,
        );
        match judged.await {
            Ok((verdict, _)) => Ok(ItemResult::Verdict(verdict)),
            Err(ClassifyError::Defect(defect)) => Ok(ItemResult::Defect(defect)),
            Err(ClassifyError::Internal(error)) => Err(error),
        }
    }
}
