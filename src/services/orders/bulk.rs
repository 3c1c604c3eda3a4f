//! Classification of a bulk's images, several at once.

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

/// Images classified at once for one bulk. Other orders need the engine too.
const CONCURRENCY: usize = 4;
/// Options for a verdict without rendered images. `measures` makes the engine decode an image as it
/// does for a document, so that a file is corrupt for both or for none.
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
    /// Classifies each image of a bulk. A defect in one image does not affect the others.
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
        let opened = self.content(account.id, bucket, &file.key).await;
        let Some(zip) = opened.map_err(InternalError::broken)? else {
            return Err(detect::missing_input(order, "the ZIP file is missing").into());
        };
        let classifications: Vec<_> = bulk
            .queued
            .iter()
            .map(|entry| self.classify_entry(order, &zip, entry))
            .collect();
        let items = stream::iter(classifications)
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(Outcome::Bulk(BulkResult { items }))
    }

    async fn classify_entry(
        &self,
        order: &Order,
        zip: &InputFile,
        entry: &BulkEntry,
    ) -> Result<ItemResult, InternalError> {
        let outcome_override = entry.outcome_override.as_ref();
        if let Some(failure) =
            work::requested_failure(order, outcome_override, [entry.name.as_str()])
        {
            return Ok(ItemResult::Error(failure.message));
        }
        let content = InputFile {
            zip_entry: Some(entry.location),
            ..zip.clone()
        };
        let verdict = self.classify(
            order.vendor,
            content,
            &entry.name,
            outcome_override,
            INSPECT_OPTIONS,
        );
        match verdict.await {
            Ok((verdict, _)) => Ok(ItemResult::Verdict(verdict)),
            Err(ClassifyError::Defect(defect)) => Ok(ItemResult::Defect(defect)),
            Err(ClassifyError::Internal(error)) => Err(error),
        }
    }
}
