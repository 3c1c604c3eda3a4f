//! Samples stand for what test orders would have made; nothing of them is kept.

use sha2::{Digest, Sha256};
use tokio::fs::File;

use super::{Orders, archive};
use crate::blobs::Scratch;
use crate::engine::Content;
use crate::model::file::Cut;
use crate::model::order::Order;
use crate::model::picture::Media;
use crate::store::StoreError;

/// A sample, to be read once.
#[derive(Debug)]
pub struct Sample {
    pub file: File,
    pub media_type: &'static str,
}

impl Orders {
    /// The sample of the order's output `index`; behind the last of them, the ZIP of all.
    ///
    /// # Errors
    /// By a fault of ours alone.
    pub async fn sample(&self, order: &Order, index: usize) -> Result<Sample, StoreError> {
        let cuts = order.cuts();
        let (scratch, media_type) = match cuts.get(index) {
            Some(cut) => {
                let media = Media::of_name(&cut.file.name);
                let media_type = media.map_or("application/octet-stream", Media::media_type);
                (self.draw_sample(order, *cut).await?.0, media_type)
            }
            None => (self.zip_samples(order, &cuts).await?, "application/zip"),
        };
        // Once it is open its name may go.
        let file = File::open(scratch.path()).await;
        Ok(Sample {
            file: file.map_err(StoreError::broken)?,
            media_type,
        })
    }

    /// Draws one: the file, and how long it is.
    async fn draw_sample(&self, order: &Order, cut: Cut<'_>) -> Result<(Scratch, u64), StoreError> {
        let seed = format!("{} {} {}", order.id, cut.file.id, cut.number);
        let seed = Sha256::digest(seed).into();
        let sample = self.engine.sample(cut.file.name.clone(), seed).await;
        let bytes = sample.map_err(StoreError::broken)?;
        let scratch = self.blobs.scratch();
        let written = tokio::fs::write(scratch.path(), &bytes).await;
        written.map_err(StoreError::broken)?;
        Ok((scratch, u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }

    async fn zip_samples(&self, order: &Order, cuts: &[Cut<'_>]) -> Result<Scratch, StoreError> {
        let mut drawn = Vec::with_capacity(cuts.len());
        let mut members = Vec::with_capacity(cuts.len());
        for cut in cuts {
            let (scratch, bytes) = self.draw_sample(order, *cut).await?;
            let path = scratch.path().to_owned();
            members.push((cut.file.name.clone(), Content { path, bytes }));
            drawn.push(scratch);
        }
        let zip = self.blobs.scratch();
        let to = zip.path().to_owned();
        let zipped = self.engine.run(move || Ok(archive::write(&to, members)?));
        zipped.await.map_err(StoreError::broken)?;
        drop(drawn);
        Ok(zip)
    }
}
