//! Samples stand for what test orders would have made; nothing of them is kept.

use sha2::{Digest, Sha256};
use tokio::fs;

use super::Orders;
use super::archive::OutputArchive;
use crate::model::file;
use crate::model::order::Order;
use crate::model::picture::FileKind;
use crate::storage::blobs::TempFile;
use crate::storage::db::InternalError;

/// A sample, to be read once.
#[derive(Debug)]
pub struct Sample {
    pub file: fs::File,
    pub media_type: &'static str,
}

impl Orders {
    /// The sample of the order's output `index`; right behind the last of them, the ZIP of all;
    /// further on there is none. Outputs of one file have one sample.
    ///
    /// # Errors
    /// By a fault of ours alone.
    pub async fn sample(
        &self,
        order: &Order,
        index: usize,
    ) -> Result<Option<Sample>, InternalError> {
        let cuts = order.output_specs();
        let scratch = self.blobs.temp_file();
        let media_type = if let Some(cut) = cuts.get(index) {
            let bytes = self.draw_sample(order, cut.file).await?;
            let written = fs::write(scratch.path(), &bytes).await;
            written.map_err(InternalError::broken)?;
            let media = FileKind::of_name(&cut.file.name);
            media.map_or("application/octet-stream", FileKind::media_type)
        } else if index == cuts.len() {
            self.zip_samples(order, &scratch).await?;
            "application/zip"
        } else {
            return Ok(None);
        };
        // Once it is open its name may go.
        let file = fs::File::open(scratch.path()).await;
        Ok(Some(Sample {
            file: file.map_err(InternalError::broken)?,
            media_type,
        }))
    }

    async fn draw_sample(
        &self,
        order: &Order,
        file: &file::File,
    ) -> Result<Vec<u8>, InternalError> {
        let seed = Sha256::digest(format!("{} {}", order.id, file.id)).into();
        let sample = self.engine.sample(file.name.clone(), seed).await;
        sample.map_err(InternalError::broken)
    }

    /// Writes the ZIP. A file is drawn once, and one at a time is in memory.
    async fn zip_samples(&self, order: &Order, to: &TempFile) -> Result<(), InternalError> {
        let path = to.path().to_owned();
        let started = self
            .engine
            .run(move || Ok(OutputArchive::create(&path)?))
            .await;
        let mut archive = started.map_err(InternalError::broken)?;
        let cuts = order.output_specs();
        for of_file in cuts.chunk_by(|one, next| one.file.id == next.file.id) {
            let [first, ..] = of_file else { continue };
            let bytes = self.draw_sample(order, first.file).await?;
            let (name, outputs) = (first.file.name.clone(), of_file.len());
            let added = self.engine.run(move || {
                for _ in 0..outputs {
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
