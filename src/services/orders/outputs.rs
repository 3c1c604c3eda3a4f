//! Files are made: protected pictures, and files with watermarks; and a ZIP where there are
//! several.

use std::io::ErrorKind;

use super::failures::{self, defect_failure, failure};
use super::{Orders, archive, blob_keys};
use crate::engine::{Embedding, EngineError as Cause, Protection};
use crate::model::file::OutputSpec;
use crate::model::order::{Order, OrderState};
use crate::model::work::{Failure, Outcome, Outputs, Work};
use crate::services::accounts::Account;
use crate::storage::db::StoreError;

/// What was made of a file.
struct RenderedOutput {
    media_type: &'static str,
    /// A JPEG.
    thumbnail: Option<Vec<u8>>,
}

/// Result of [`Orders::output_archive`].
#[derive(Debug)]
pub enum ArchiveOutcome {
    /// The ZIP is the blob of that key.
    Ready { key: String },
    /// The order has expired meanwhile, and its outputs are gone or about to go.
    Expired,
    /// An output is missing or broken.
    OutputMissing,
}

impl Orders {
    /// Makes the order's outputs, each of the cuts to be made one.
    pub(super) async fn create_outputs(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<failures::Result, StoreError> {
        let mut outputs = Outputs::default();
        for (index, cut) in order.pending_outputs() {
            match self.create_output(account, order, index, cut).await? {
                Ok((key, thumbnail)) => {
                    outputs.keys.push(key);
                    outputs.thumbnail = outputs.thumbnail.or(thumbnail);
                }
                Err(failure) => {
                    self.remove_blobs(account, order, outputs.blob_keys())
                        .await?;
                    return Ok(Err(failure));
                }
            }
        }
        outputs.download = match outputs.keys.as_slice() {
            _ if order.uses_zero_copy() => None,
            [only] => Some(only.clone()),
            keys => match self.output_archive(account, order, keys).await? {
                ArchiveOutcome::Ready { key } => Some(key),
                ArchiveOutcome::Expired => {
                    return Ok(Err(failure(order, "it has expired".to_owned())));
                }
                // It was made a moment ago: the job makes all of them again.
                ArchiveOutcome::OutputMissing => {
                    let missing = std::io::Error::other("an output is gone");
                    return Err(StoreError::broken(missing));
                }
            },
        };
        Ok(Ok(Outcome::Outputs(outputs)))
    }

    /// Makes one output, and of the first a thumbnail: their keys, or why there are none.
    async fn create_output(
        &self,
        account: &Account,
        order: &Order,
        index: usize,
        cut: OutputSpec<'_>,
    ) -> Result<Result<(String, Option<String>), Failure>, StoreError> {
        let name = &cut.file.name;
        let scratch = self.blobs.temp_file();
        let result = match self
            .render(account, order, index, cut, scratch.path())
            .await?
        {
            Ok(result) => result,
            Err(failure) => return Ok(Err(failure)),
        };
        let key = blob_keys::output_key(order, index, name);
        let put = self.blobs.put_file(
            account.id,
            order.vendor.bucket(),
            &key,
            Some(result.media_type.to_owned()),
            account.now(),
            scratch.path(),
        );
        put.await.map_err(StoreError::broken)?;
        let thumbnail = match result.thumbnail {
            Some(bytes) => {
                let key = blob_keys::result_key(order, blob_keys::THUMBNAIL);
                let put = self.put_result(account, order, key, "image/jpeg", bytes);
                Some(put.await?)
            }
            None => None,
        };
        Ok(Ok((key, thumbnail)))
    }

    /// Makes one output where `to` says.
    async fn render(
        &self,
        account: &Account,
        order: &Order,
        index: usize,
        cut: OutputSpec<'_>,
        to: &std::path::Path,
    ) -> Result<Result<RenderedOutput, Failure>, StoreError> {
        let file = cut.file;
        let bucket = order.vendor.bucket();
        let found = self.content(account.id, bucket, &file.key).await;
        let Some(content) = found.map_err(StoreError::broken)? else {
            return Ok(Err(failure(order, format!("{} is gone", file.name))));
        };
        let (name, to) = (file.name.clone(), to.to_owned());
        let thumbnail = index == 0;
        let created = if let Work::AntiAi { strength } = order.work {
            let protection = Protection {
                content,
                name,
                to,
                strength,
                rng: self.entropy.rng(&account.key, "noise", file.id),
                thumbnail,
            };
            let created = self.engine.protect(protection).await;
            created.map(|created| (created.format.media_type(), created.thumbnail))
        } else {
            let embedding = Embedding {
                content,
                name,
                to,
                texts: cut.texts.to_vec(),
                thumbnail,
            };
            let created = self.engine.embed(embedding).await;
            created.map(|created| (created.kind.media_type(), created.thumbnail))
        };
        match created {
            Ok((media_type, thumbnail)) => Ok(Ok(RenderedOutput {
                media_type,
                thumbnail,
            })),
            Err(Cause::Defect(defect)) => Ok(Err(defect_failure(order, &file.name, &defect))),
            Err(Cause::Io(error)) => Err(StoreError::broken(self.blobs.explain(error))),
        }
    }

    /// The ZIP of the order's outputs, which is made where it is not there yet.
    ///
    /// # Errors
    /// If an output cannot be read, or the ZIP not be written.
    pub async fn output_archive(
        &self,
        account: &Account,
        order: &Order,
        keys: &[String],
    ) -> Result<ArchiveOutcome, StoreError> {
        let zipped = self.build_archive(account, order, keys).await?;
        // Expiry is written before blobs go: what it has not removed is to be removed here.
        let current = self.db.order(&order.id).await?;
        let current = current.ok_or(StoreError::AccountGone)?;
        if matches!(current.state, OrderState::Expired { .. }) {
            let archive = blob_keys::archive_key(order);
            self.remove_blobs(account, order, [&archive]).await?;
            return Ok(ArchiveOutcome::Expired);
        }
        Ok(match zipped {
            Some(key) => ArchiveOutcome::Ready { key },
            None => ArchiveOutcome::OutputMissing,
        })
    }

    /// Makes the ZIP where it is not there yet: its key, none if an output is gone.
    async fn build_archive(
        &self,
        account: &Account,
        order: &Order,
        keys: &[String],
    ) -> Result<Option<String>, StoreError> {
        let bucket = order.vendor.bucket();
        let archive = blob_keys::archive_key(order);
        let there = self.blobs.find(account.id, bucket, &archive).await;
        if there.map_err(StoreError::broken)?.is_some() {
            return Ok(Some(archive));
        }
        let mut members = Vec::with_capacity(keys.len());
        for (cut, key) in order.output_specs().into_iter().zip(keys) {
            let found = self.blobs.find(account.id, bucket, key).await;
            let Some(blob) = found.map_err(StoreError::broken)? else {
                return Ok(None);
            };
            members.push((cut.file.name.clone(), blob));
        }
        let scratch = self.blobs.temp_file();
        let to = scratch.path().to_owned();
        let zipped = self
            .engine
            .run(move || Ok(archive::write(&to, members)?))
            .await;
        match zipped {
            // It went between the look and the read.
            Err(Cause::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(Cause::Io(error)) => return Err(StoreError::broken(self.blobs.explain(error))),
            zipped => zipped.map_err(StoreError::broken)?,
        }
        let put = self.blobs.put_file(
            account.id,
            bucket,
            &archive,
            Some("application/zip".to_owned()),
            account.now(),
            scratch.path(),
        );
        put.await.map_err(StoreError::broken)?;
        Ok(Some(archive))
    }
}
