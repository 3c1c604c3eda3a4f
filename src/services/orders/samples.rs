//! Generated samples in place of the outputs of test orders. Samples are not stored.

use sha2::{Digest, Sha256};
use tokio::fs;

use super::Orders;
use super::archive::OutputArchive;
use crate::model::file;
use crate::model::order::Order;
use crate::model::picture::FileKind;
use crate::storage::blobs::TempFile;
use crate::storage::db::InternalError;

/// Generated file that can be read once.
#[derive(Debug)]
pub struct Sample {
    pub file: fs::File,
    pub media_type: &'static str,
}

impl Orders {
    /// Returns the sample for the order's output `index`. The index after the last output returns
    /// the ZIP file of all samples. `None` for a larger index. Outputs of the same file have the
    /// same sample.
    ///
    /// # Errors
    /// Returns an error if the engine or the disk fails.
    pub async fn sample(
        &self,
        order: &Order,
        index: usize,
    ) -> Result<Option<Sample>, InternalError> {
        let outputs = order.output_specs();
        let scratch = self.blobs.temp_file();
        let media_type = if let Some(output) = outputs.get(index) {
            let bytes = self.render_sample(order, output.file).await?;
            let written = fs::write(scratch.path(), &bytes).await;
            written.map_err(InternalError::broken)?;
            let media = FileKind::of_name(&output.file.name);
            media.map_or("application/octet-stream", FileKind::media_type)
        } else if index == outputs.len() {
            self.zip_samples(order, &scratch).await?;
            "application/zip"
        } else {
            return Ok(None);
        };
        // The open file stays readable after its name has been deleted.
        let file = fs::File::open(scratch.path()).await;
        Ok(Some(Sample {
            file: file.map_err(InternalError::broken)?,
            media_type,
        }))
    }

    async fn render_sample(
        &self,
        order: &Order,
        file: &file::File,
    ) -> Result<Vec<u8>, InternalError> {
        let seed = Sha256::digest(format!("{} {}", order.id, file.id)).into();
        let sample = self.engine.sample(file.name.clone(), seed).await;
        sample.map_err(InternalError::broken)
    }

    /// Writes the ZIP file of all samples. Renders one file at a time, to limit memory.
    async fn zip_samples(&self, order: &Order, to: &TempFile) -> Result<(), InternalError> {
        let path = to.path().to_owned();
        let started = self
            .engine
            .run(move || Ok(OutputArchive::create(&path)?))
            .await;
        let mut archive = started.map_err(InternalError::broken)?;
        let outputs = order.output_specs();
        for same_file in outputs.chunk_by(|one, next| one.file.id == next.file.id) {
            let [first, ..] = same_file else { continue };
            let bytes = self.render_sample(order, first.file).await?;
            let (name, count) = (first.file.name.clone(), same_file.len());
            let added = self.engine.run(move || {
                for _ in 0..count {
                    archive.add(&name, bytes.as_slice())?;
                }
                Ok(archive)
            });
            archive = added.await.map_err(InternalError::broken)?;
        }
        let finished = self.engine.run(move || Ok(archive.finish()?)).await;
        finished.map_err(InternalError::broken)
    }
}
