//! Outputs: protected images, watermarked files, and the ZIP file of several outputs.

use std::io::ErrorKind;

use super::failures::{TaskError, TaskResult, defect_failure, failure};
use super::{Orders, archive, blob_keys};
use crate::engine::{Embedding, EngineError as Cause, Protection};
use crate::model::file::OutputSpec;
use crate::model::order::{Order, OrderState};
use crate::model::work::{Outcome, Outputs, Work};
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

/// Rendered output of a file. Its content is in a temporary file.
struct RenderedOutput {
    media_type: &'static str,
    /// JPEG.
    thumbnail: Option<Vec<u8>>,
}

/// Result of [`Orders::output_archive`].
#[derive(Debug)]
pub enum ArchiveOutcome {
    /// The ZIP file is stored under `key`.
    Ready { key: String },
    /// The order has expired, and its outputs are deleted or about to be.
    Expired,
    /// An output is missing or damaged.
    OutputMissing,
}

impl Orders {
    /// Creates the order's outputs that are not delivered yet, and the ZIP file if there are
    /// several.
    pub(super) async fn create_outputs(&self, account: &Account, order: &Order) -> TaskResult {
        let mut outputs = Outputs::default();
        for (index, output) in order.pending_outputs() {
            match self.create_output(account, order, index, output).await {
                Ok((key, thumbnail)) => {
                    outputs.keys.push(key);
                    outputs.thumbnail = outputs.thumbnail.or(thumbnail);
                }
                Err(TaskError::Failed(failure)) => {
                    self.remove_blobs(account, order, outputs.blob_keys())
                        .await?;
                    return Err(failure.into());
                }
                Err(error) => return Err(error),
            }
        }
        outputs.download = match outputs.keys.as_slice() {
            _ if order.uses_zero_copy() => None,
            [only] => Some(only.clone()),
            keys => match self.output_archive(account, order, keys).await? {
                ArchiveOutcome::Ready { key } => Some(key),
                ArchiveOutcome::Expired => {
                    return Err(failure(order, "the order has expired".to_owned()).into());
                }
                // The output was stored a moment ago. The next run of the job creates all outputs
                // again.
                ArchiveOutcome::OutputMissing => {
                    let missing = std::io::Error::other("an output was removed");
                    return Err(InternalError::broken(missing).into());
                }
            },
        };
        Ok(Outcome::Outputs(outputs))
    }

    /// Renders and stores one output, and a thumbnail if it is the first output. Returns their
    /// keys.
    async fn create_output(
        &self,
        account: &Account,
        order: &Order,
        index: usize,
        output: OutputSpec<'_>,
    ) -> Result<(String, Option<String>), TaskError> {
        let name = &output.file.name;
        let scratch = self.blobs.temp_file();
        let result = self
            .render(account, order, index, output, scratch.path())
            .await?;
        let key = blob_keys::output_key(order, index, name);
        let put = self.blobs.put_file(
            account.id,
            order.vendor.bucket(),
            &key,
            Some(result.media_type.to_owned()),
            account.now(),
            scratch.path(),
        );
        put.await.map_err(InternalError::broken)?;
        let thumbnail = match result.thumbnail {
            Some(bytes) => {
                let key = blob_keys::result_key(order, blob_keys::THUMBNAIL);
                let put = self.put_result(account, order, key, "image/jpeg", bytes);
                Some(put.await?)
            }
            None => None,
        };
        Ok((key, thumbnail))
    }

    /// Renders one output to the file `to`.
    async fn render(
        &self,
        account: &Account,
        order: &Order,
        index: usize,
        output: OutputSpec<'_>,
        to: &std::path::Path,
    ) -> Result<RenderedOutput, TaskError> {
        let file = output.file;
        let bucket = order.vendor.bucket();
        let opened = self.content(account.id, bucket, &file.key).await;
        let Some(content) = opened.map_err(InternalError::broken)? else {
            return Err(failure(order, format!("{}: file not found", file.name)).into());
        };
        let (name, to) = (file.name.clone(), to.to_owned());
        let thumbnail = index == 0;
        let rendered = if let Work::AntiAi { strength } = order.work {
            let protection = Protection {
                content,
                name,
                to,
                strength,
                rng: self.entropy.rng(&account.key, "noise", file.id),
                thumbnail,
            };
            let protected = self.engine.protect(protection).await;
            protected.map(|image| (image.format.media_type(), image.thumbnail))
        } else {
            let embedding = Embedding {
                content,
                name,
                to,
                texts: output.watermark_texts.to_vec(),
                thumbnail,
            };
            let embedded = self.engine.embed(embedding).await;
            embedded.map(|file| (file.kind.media_type(), file.thumbnail))
        };
        match rendered {
            Ok((media_type, thumbnail)) => Ok(RenderedOutput {
                media_type,
                thumbnail,
            }),
            Err(Cause::Defect(defect)) => Err(defect_failure(order, &file.name, &defect).into()),
            Err(Cause::Io(error)) => Err(InternalError::broken(self.blobs.explain(error)).into()),
        }
    }

    /// Returns the ZIP file of the order's outputs. Creates the file if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn output_archive(
        &self,
        account: &Account,
        order: &Order,
        keys: &[String],
    ) -> Result<ArchiveOutcome, InternalError> {
        let archived = self.build_archive(account, order, keys).await?;
        // Expiry is committed before blobs are deleted. A ZIP file created after that is deleted
        // here.
        let order_row = self.db.order(&order.id).await?;
        let current = order_row.ok_or(InternalError::AccountGone)?;
        if matches!(current.state, OrderState::Expired { .. }) {
            let archive = blob_keys::archive_key(order);
            self.remove_blobs(account, order, [&archive]).await?;
            return Ok(ArchiveOutcome::Expired);
        }
        Ok(match archived {
            Some(key) => ArchiveOutcome::Ready { key },
            None => ArchiveOutcome::OutputMissing,
        })
    }

    /// Creates the ZIP file if it does not exist, and returns its key. `None` if an output is
    /// missing.
    async fn build_archive(
        &self,
        account: &Account,
        order: &Order,
        keys: &[String],
    ) -> Result<Option<String>, InternalError> {
        let bucket = order.vendor.bucket();
        let archive = blob_keys::archive_key(order);
        let existing = self.blobs.find(account.id, bucket, &archive).await;
        if existing.map_err(InternalError::broken)?.is_some() {
            return Ok(Some(archive));
        }
        let mut members = Vec::with_capacity(keys.len());
        for (output, key) in order.output_specs().into_iter().zip(keys) {
            let stored = self.blobs.find(account.id, bucket, key).await;
            let Some(blob) = stored.map_err(InternalError::broken)? else {
                return Ok(None);
            };
            members.push((output.file.name.clone(), blob));
        }
        let scratch = self.blobs.temp_file();
        let to = scratch.path().to_owned();
        let archived = self
            .engine
            .run(move || Ok(archive::write(&to, members)?))
            .await;
        match archived {
            // The output was deleted after it was found.
            Err(Cause::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(Cause::Io(error)) => return Err(InternalError::broken(self.blobs.explain(error))),
            archived => archived.map_err(InternalError::broken)?,
        }
        let put = self.blobs.put_file(
            account.id,
            bucket,
            &archive,
            Some("application/zip".to_owned()),
            account.now(),
            scratch.path(),
        );
        put.await.map_err(InternalError::broken)?;
        Ok(Some(archive))
    }
}
