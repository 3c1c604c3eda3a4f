//! Outputs of an order, and the keys of its blobs.

use super::super::file::{File, OutputSpec};
use super::super::work::Outcome;
use super::{ApiVersion, Order};

impl Order {
    /// Returns the outputs of the order: one per file, or in v3 one per watermark.
    #[must_use]
    pub fn output_specs(&self) -> Vec<OutputSpec<'_>> {
        let specs_of_file = |file| -> Vec<OutputSpec<'_>> {
            let file: &File = file;
            let is_one_per_text = self.api == ApiVersion::V3 && !file.watermark_texts.is_empty();
            let texts = if is_one_per_text {
                file.watermark_texts.chunks(1).collect()
            } else {
                vec![file.watermark_texts.as_slice()]
            };
            let spec = |(index, watermark_texts)| OutputSpec {
                file,
                index,
                watermark_texts,
            };
            texts.into_iter().enumerate().map(spec).collect()
        };
        self.files.iter().flat_map(specs_of_file).collect()
    }

    /// Returns the outputs that are still to be created, each with its index among all outputs: those
    /// that have not been delivered to a target, and always the first, which the thumbnail shows.
    pub fn pending_outputs(&self) -> impl Iterator<Item = (usize, OutputSpec<'_>)> {
        let is_pending = |(index, spec): &(usize, OutputSpec<'_>)| {
            let target = spec.file.target.as_ref();
            *index == 0 || target.is_none_or(|target| !target.delivered)
        };
        self.output_specs()
            .into_iter()
            .enumerate()
            .filter(is_pending)
    }

    /// Returns the keys of all blobs that may have been stored for the order.
    #[must_use]
    pub fn blob_keys(&self) -> Vec<&str> {
        let uploads = self.files.iter().map(|file| file.key.as_str());
        uploads
            .chain(self.outcome().into_iter().flat_map(Outcome::blob_keys))
            .chain(self.reports.keys())
            .collect()
    }
}
