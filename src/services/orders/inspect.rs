//! Facts about an order for people: its files and outputs as they are stored, and what is due next.

use super::blob_ids::blob_id;
use super::{Orders, blob_keys};
use crate::engine::InputFile;
use crate::model::job::JobKind;
use crate::model::order::Order;
use crate::model::picture::FileKind;
use crate::model::time::Timestamp;
use crate::model::work::{Detection, Outcome, Outputs};
use crate::services::accounts::Account;
use crate::storage::blobs::BlobMeta;
use crate::storage::db::{self, InternalError};

/// File of an order, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedFile {
    pub name: String,
    /// Size of the file. `None` if it has not been uploaded or fetched yet.
    pub bytes: Option<u64>,
    /// Content type of the upload, else by the name. `None` if neither is known.
    pub content_type: Option<String>,
    /// Width and height in pixels. `None` if the file is no picture, or not stored.
    pub sides_px: Option<(u32, u32)>,
    /// Id of the file's blob. `None` if it is not stored.
    pub blob: Option<String>,
    /// Watermark texts to embed into the file.
    pub watermark_texts: Vec<String>,
}

/// Kind of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// Protected or watermarked file.
    Output,
    Thumbnail,
    Preview,
    Heatmap,
    Overlay,
    /// ZIP file of all outputs.
    Archive,
    /// PDF report.
    Report,
}

impl OutputKind {
    pub const ALL: [Self; 7] = [
        Self::Output,
        Self::Thumbnail,
        Self::Preview,
        Self::Heatmap,
        Self::Overlay,
        Self::Archive,
        Self::Report,
    ];

    /// Returns the name in the control API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Thumbnail => "thumbnail",
            Self::Preview => "preview",
            Self::Heatmap => "heatmap",
            Self::Overlay => "overlay",
            Self::Archive => "archive",
            Self::Report => "report",
        }
    }
}

/// Stored output of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedOutput {
    pub name: String,
    pub kind: OutputKind,
    /// Index of the file that the output is made from. `None` if it is made from several.
    pub file: Option<usize>,
    pub bytes: u64,
    pub content_type: Option<String>,
    /// Id of the output's blob.
    pub blob: String,
}

/// Output whose blob may be stored.
struct OutputKey<'o> {
    kind: OutputKind,
    file: Option<usize>,
    key: &'o str,
}

impl Orders {
    /// Returns the order's files, in the order's order.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn inspect_files(&self, order: &Order) -> Result<Vec<InspectedFile>, InternalError> {
        let mut files = Vec::with_capacity(order.files.len());
        for file in &order.files {
            let by_name = || FileKind::of_name(&file.name).map(|kind| kind.media_type().to_owned());
            let (meta, sides_px) = match self.inspect_blob(order, &file.key).await? {
                Some((meta, sides_px)) => (Some(meta), sides_px),
                None => (None, None),
            };
            files.push(InspectedFile {
                name: file.name.clone(),
                bytes: meta.as_ref().map(|meta| meta.bytes).or(file.received_bytes),
                blob: meta.as_ref().map(|_| blob_id(&order.id, &file.key)),
                content_type: meta.and_then(|meta| meta.content_type).or_else(by_name),
                sides_px,
                watermark_texts: file.watermark_texts.clone(),
            });
        }
        Ok(files)
    }

    /// Returns the metadata and, of a picture, the size of a blob. `None` if there is no blob.
    async fn inspect_blob(
        &self,
        order: &Order,
        key: &str,
    ) -> Result<Option<(BlobMeta, Option<(u32, u32)>)>, InternalError> {
        let bucket = order.vendor.bucket();
        let opened = self.blobs.open_blob(order.account, bucket, key).await;
        let Some((blob, file)) = opened.map_err(InternalError::broken)? else {
            return Ok(None);
        };
        let content = InputFile {
            file: file.into_std().await.into(),
            bytes: blob.meta.bytes,
            zip_entry: None,
        };
        let facts = self.engine.header_facts(content).await;
        let sides_px = facts.map_err(InternalError::broken)?.sides_px;
        Ok(Some((blob.meta, sides_px)))
    }

    /// Returns the stored outputs of the order: those of its outcome, then its reports. Empty if the
    /// order has expired, if it is a test order, or if its outputs went to the client's storage.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn inspect_outputs(
        &self,
        order: &Order,
    ) -> Result<Vec<InspectedOutput>, InternalError> {
        let bucket = order.vendor.bucket();
        let mut outputs = Vec::new();
        for OutputKey { kind, file, key } in output_keys(order) {
            let stored = self.blobs.find(order.account, bucket, key).await;
            let Some(blob) = stored.map_err(InternalError::broken)? else {
                continue;
            };
            outputs.push(InspectedOutput {
                name: blob_keys::file_name(key).to_owned(),
                kind,
                file,
                bytes: blob.meta.bytes,
                content_type: blob.meta.content_type,
                blob: blob_id(&order.id, key),
            });
        }
        Ok(outputs)
    }

    /// Returns the next job or webhook attempt of the order. `None` if nothing is due.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn next_due(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<Option<(Timestamp, JobKind)>, InternalError> {
        let mut reader = self.db.read().await?;
        let job = db::job_listing::next_of_order(&mut reader, &order.id).await?;
        drop(reader);
        let attempt = self.webhooks.next_attempt_at(account, &order.id).await?;
        let due = job.map(|job| (job.due_at, job.kind)).into_iter();
        let due = due.chain(attempt.map(|at| (at, JobKind::Deliver)));
        Ok(due.min_by_key(|(at, _)| *at))
    }
}

/// Returns the keys of the order's outputs, with their kinds.
fn output_keys(order: &Order) -> Vec<OutputKey<'_>> {
    let mut keys = match order.outcome() {
        None | Some(Outcome::Bulk(_)) => Vec::new(),
        Some(Outcome::Outputs(outputs)) => keys_of_outputs(order, outputs),
        Some(Outcome::Detection(detection)) => keys_of_detection(detection),
        Some(Outcome::Extraction(extraction)) => {
            let primary = order.primary_file().map(|file| file.id);
            let mut ids = order.files.iter().map(|file| Some(file.id));
            let file = ids.position(|id| id == primary);
            let kind = OutputKind::Thumbnail;
            let of_key = |key| OutputKey { kind, file, key };
            let thumbnail = extraction.thumbnail.as_deref();
            thumbnail.into_iter().map(of_key).collect()
        }
    };
    keys.extend(order.reports.keys().map(|key| OutputKey {
        kind: OutputKind::Report,
        file: None,
        key,
    }));
    keys
}

fn keys_of_outputs<'o>(order: &'o Order, outputs: &'o Outputs) -> Vec<OutputKey<'o>> {
    let specs = order.output_specs();
    let files = specs
        .iter()
        .map(|spec| order.files.iter().position(|file| file.id == spec.file.id));
    let mut keys: Vec<_> = files
        .zip(&outputs.keys)
        .map(|(file, key)| OutputKey {
            kind: OutputKind::Output,
            file,
            key,
        })
        .collect();
    // The thumbnail shows the first output.
    keys.extend(outputs.thumbnail.as_deref().map(|key| OutputKey {
        kind: OutputKind::Thumbnail,
        file: Some(0),
        key,
    }));
    let download = outputs.download.as_ref();
    let archive = download.filter(|key| !outputs.keys.contains(key));
    keys.extend(archive.map(|key| OutputKey {
        kind: OutputKind::Archive,
        file: None,
        key,
    }));
    keys
}

fn keys_of_detection(detection: &Detection) -> Vec<OutputKey<'_>> {
    let keys = [
        (OutputKind::Thumbnail, &detection.thumbnail),
        (OutputKind::Preview, &detection.preview),
        (OutputKind::Heatmap, &detection.heatmap),
        (OutputKind::Overlay, &detection.overlay),
    ];
    let stored = keys
        .into_iter()
        .filter_map(|(kind, key)| Some((kind, key.as_deref()?)));
    let of_key = |(kind, key)| OutputKey {
        kind,
        file: Some(0),
        key,
    };
    stored.map(of_key).collect()
}
