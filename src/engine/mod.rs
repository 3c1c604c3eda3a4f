//! Work on the bytes of pictures, PDFs and ZIP files: inspection, verdicts, heatmaps, protection,
//! watermarks and reports.
//!
//! No real detection takes place. Verdicts are derived from a file's name, metadata and bytes, so
//! that the same file gets the same verdict everywhere. Output files are real files of the right
//! format. The modules below are blocking code; [`Engine`] runs them off the async threads and is
//! the only caller of `spawn_blocking`.
//!
//! Guarantees: the number of concurrent tasks is limited, and the [`Budget`] limits their memory. A
//! task whose future is dropped runs to its end within both limits. Hostile bytes give a [`FileDefect`]
//! and never crash the process.

pub mod archive;
mod bmff;
mod budget;
mod content;
mod decode;
mod error;
mod font;
mod header;
mod heatmap;
mod ifd;
mod input;
mod inspect;
mod measure;
mod memory_need;
mod metadata;
mod pdf;
mod placeholder;
mod protect;
mod raster;
pub mod report;
pub mod sample;
mod sniff;
mod structure;
mod svg;
mod thumbnail;
pub mod verdict;
mod watermark;

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;

pub use budget::{Budget, TOTAL_BYTES_MIN};
pub use content::InputFile;
pub use decode::{PIXELS_MAX, SIDE_PX_MAX};
pub use error::EngineError;
pub use header::HeaderFacts;
pub use heatmap::{Background, Scale};
pub use input::FILE_BYTES_MAX;
pub use protect::{ProtectedImage, Protection};
pub use report::{Finding, ReportFacts, ReportSources};
pub use sniff::{HEAD_BYTES, check_name, sniff};
pub use thumbnail::{PREVIEW_PX, THUMBNAIL_PX};
pub use watermark::{EmbeddedImage, Embedding, SIDE_PX_MIN, TEXT_CHARS_MAX, TEXTS_MAX};

use crate::model::picture::{FileDefect, FileKind, ImageMetrics, Provenance};
use budget::Lease;

/// Runs work on files. Clones share its limits.
#[derive(Debug, Clone)]
pub struct Engine {
    permits: Arc<Semaphore>,
    budget: Budget,
    /// Permits for entries of ZIP files: one fewer than `permits`, but at least one. A single
    /// picture then waits for one entry of a bulk at most, not for all fifty.
    bulk_permits: Arc<Semaphore>,
}

/// Results to compute besides the provenance and the digest.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct InspectOptions {
    /// Compute [`Inspection::measures`].
    pub measures: bool,
    /// Draw a JPEG whose longer side is [`THUMBNAIL_PX`].
    pub thumbnail: bool,
    /// Draw a JPEG whose longer side is [`PREVIEW_PX`].
    pub preview: bool,
    /// Draw the heatmap as a PNG, in this style.
    pub heatmap: Option<HeatmapStyle>,
    /// Draw the heatmap blended half and half with the picture, as a PNG.
    pub overlay: Option<Scale>,
    /// Longer side of the JPEG for a report. `None` if no such JPEG is needed.
    pub report_px: Option<u32>,
    /// AI probability that determines the colours. `None` to derive it from the picture.
    pub probability: Option<f64>,
}

/// Style of a heatmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeatmapStyle {
    /// Background of the colours.
    pub background: Background,
    /// Distribution of the activations over the colours.
    pub scale: Scale,
}

/// Result of an inspection.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Kind of the file, by its bytes.
    pub kind: FileKind,
    /// Size, sharpness and brightness. `None` if not requested, or if the size is unknown.
    pub measures: Option<ImageMetrics>,
    /// Origin that the metadata name.
    pub provenance: Provenance,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// `None` if not requested, like the other images below.
    pub thumbnail: Option<Vec<u8>>,
    pub preview: Option<Vec<u8>>,
    pub heatmap: Option<Vec<u8>>,
    pub overlay: Option<Vec<u8>>,
    pub report_image: Option<Vec<u8>>,
}

impl Engine {
    /// Creates an engine for at most `tasks_max` concurrent tasks, at least 1, within `budget`.
    #[must_use]
    pub fn new(tasks_max: usize, budget: Budget) -> Self {
        let permits = tasks_max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(permits)),
            budget,
            bulk_permits: Arc::new(Semaphore::new((permits - 1).max(1))),
        }
    }

    /// Returns the memory budget.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Inspects the file that its owner calls `name`, and draws the images that `options` request.
    ///
    /// The whole file is checked. Raster files and SVG of plain shapes are decoded, except for a JPEG
    /// if no pixels are needed: its structure is checked then. Of other files the structure alone is
    /// checked, and placeholder cards are drawn.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn inspect(
        &self,
        content: InputFile,
        name: String,
        options: InspectOptions,
    ) -> Result<Inspection, EngineError> {
        let packed = Arc::clone(&self.bulk_permits);
        let permit = match content.zip_entry {
            Some(_) => Some(packed.acquire_owned().await.map_err(io::Error::other)?),
            None => None,
        };
        self.lease_and_run(reading_bytes(&content), move |memory| {
            let _permit = &permit;
            inspect::inspect(&content, &name, options, memory)
        })
        .await
    }

    /// Draws placeholder cards for a file that is judged by `name` alone because its bytes are
    /// defective.
    ///
    /// # Errors
    /// See [`EngineError`]. Returns [`FileDefect::TooLarge`] if there is no memory for the cards.
    pub async fn placeholder(
        &self,
        name: String,
        options: InspectOptions,
    ) -> Result<Inspection, EngineError> {
        self.lease_and_run(memory_need::OVERHEAD_BYTES, move |memory| {
            inspect::placeholder(&name, options, memory)
        })
        .await
    }

    /// Writes a protected copy of a picture to [`Protection::to`]. Nothing complete is written on
    /// failure.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn protect(&self, task: Protection) -> Result<ProtectedImage, EngineError> {
        let mut task = task;
        self.lease_and_run(reading_bytes(&task.content), move |memory| {
            protect::protect(&mut task, memory)
        })
        .await
    }

    /// Writes a copy of a picture or PDF with embedded texts to [`Embedding::to`]. Nothing complete
    /// is written on failure.
    ///
    /// # Errors
    /// See [`EngineError`]. Returns `InvalidInput` if a text is too long, or if there are no texts
    /// or too many.
    pub async fn embed(&self, task: Embedding) -> Result<EmbeddedImage, EngineError> {
        self.lease_and_run(reading_bytes(&task.content), move |memory| {
            watermark::embed(&task, memory)
        })
        .await
    }

    /// Returns the texts that [`Engine::embed`] embedded in a picture or PDF, oldest first. Empty
    /// if there are none. `name` is the owner's name of the file.
    ///
    /// # Errors
    /// See [`EngineError`]. The file is checked as by [`Engine::embed`].
    pub async fn extract(
        &self,
        content: InputFile,
        name: String,
    ) -> Result<Vec<String>, EngineError> {
        self.lease_and_run(reading_bytes(&content), move |memory| {
            watermark::extract(&content, &name, memory)
        })
        .await
    }

    /// Returns the report as a PDF of one page, with images drawn from `sources`. Images that do
    /// not fit into the memory budget are drawn smaller, or left out.
    ///
    /// # Errors
    /// Returns [`EngineError::Io`] if a source cannot be read or the PDF cannot be built.
    pub async fn report(
        &self,
        report: ReportFacts,
        sources: ReportSources,
    ) -> Result<Vec<u8>, EngineError> {
        let (report, sources) = (Arc::new(report), Arc::new(sources));
        let sizes = report::IMAGE_SIDES_PX.map(Some);
        for side_px in sizes.into_iter().chain([None]) {
            let (report, sources) = (Arc::clone(&report), Arc::clone(&sources));
            let pdf = self.lease_and_run(memory_need::REPORT_BYTES, move |memory| {
                let images = match side_px {
                    None => report::ReportImages::default(),
                    Some(side_px) => {
                        report::draw_images(&sources, &report.file_name, side_px, memory)?
                    }
                };
                memory.require(memory_need::REPORT_BYTES)?;
                Ok(report::build(&report, images)?)
            });
            match pdf.await {
                Err(EngineError::Defect(defect)) => {
                    tracing::debug!(
                        ?side_px,
                        ?defect,
                        "a report's images do not fit into memory"
                    );
                }
                result => return result,
            }
        }
        Err(io::Error::other("a report without images needs too much memory").into())
    }

    /// Returns the sample file for `seed`, in the format of the extension of `name`.
    ///
    /// # Errors
    /// Returns [`FileDefect::NotAnImage`] if no supported format has the extension.
    pub async fn sample(&self, name: String, seed: [u8; 32]) -> Result<Vec<u8>, EngineError> {
        self.lease_and_run(memory_need::SAMPLE_BYTES, move |_| {
            sample::sample(&name, seed)
        })
        .await
    }

    /// Returns the kind of a file by its first [`HEAD_BYTES`] bytes, and checks `name` against it.
    ///
    /// Takes no permit, because little is read.
    ///
    /// # Errors
    /// Returns [`FileDefect::NotAnImage`], [`FileDefect::FormatMismatch`], or [`EngineError::Io`].
    pub async fn identify(
        &self,
        content: InputFile,
        name: String,
    ) -> Result<FileKind, EngineError> {
        flatten_task(tokio::task::spawn_blocking(move || decode::identify(&content, &name)).await)
    }

    /// Returns the facts in the first bytes of a file. Takes no permit, because little is read.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or a decoder panics.
    pub async fn header_facts(&self, content: InputFile) -> io::Result<HeaderFacts> {
        let read = tokio::task::spawn_blocking(move || header::read(&content));
        read.await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Returns the entries of a ZIP file, in the order of its central directory.
    ///
    /// Reads at most `entries_max` entries of the central directory and nothing else, and takes no
    /// permit.
    ///
    /// # Errors
    /// See [`archive::ZipError`].
    pub async fn entries(
        &self,
        zip: InputFile,
        entries_max: usize,
    ) -> Result<Vec<archive::ArchiveEntry>, archive::ZipError> {
        let read = move || archive::read_central_directory(&zip, entries_max);
        match tokio::task::spawn_blocking(read).await {
            Ok(entries) => entries,
            Err(error) => Err(archive::ZipError::Io(io::Error::other(error))),
        }
    }

    /// Runs blocking work whose memory does not depend on its files, such as writing a ZIP.
    ///
    /// # Errors
    /// Returns the errors of the work, and an error if it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let mut work = Some(work);
        self.lease_and_run(memory_need::ARCHIVE_BYTES, move |_| {
            let work = work.take();
            // The work is not run again, because it requires no memory.
            work.map_or_else(
                || Err(io::Error::other("work was run twice").into()),
                |work| work(),
            )
        })
        .await
    }

    /// Runs blocking work with a permit and a lease of at first `bytes`.
    ///
    /// Work that requires more memory than is free ends with an error and gives its lease back. The
    /// engine then waits for all the memory that the work needs, and runs the work again. Work thus
    /// never waits while it holds memory.
    ///
    /// # Errors
    /// Returns the errors of the work, an error if it panics, and [`FileDefect::TooLarge`] if it
    /// needs more memory than the budget.
    async fn lease_and_run<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnMut(&mut Lease) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let permits = Arc::clone(&self.permits);
        let mut permit = permits.acquire_owned().await.map_err(io::Error::other)?;
        let mut bytes = bytes;
        let mut work = work;
        loop {
            let mut lease = self.budget.lease(bytes).await?;
            let task = tokio::task::spawn_blocking(move || {
                // Permit and lease are dropped when the work ends, even if the caller was dropped
                // before.
                let result = work(&mut lease);
                (result, lease.needed_bytes(), permit, work)
            });
            match task.await {
                Ok((_, Some(needed_bytes), same_permit, same_work)) => {
                    tracing::debug!(needed_bytes, "work on a picture waits for memory");
                    (bytes, permit, work) = (needed_bytes, same_permit, same_work);
                }
                Ok((result, None, ..)) => return result,
                Err(error) => return flatten_task(Err(error)),
            }
        }
    }
}

/// Initial lease of work on a file: the memory for reading it.
fn reading_bytes(content: &InputFile) -> u64 {
    memory_need::for_reading(content.unpacked_bytes().min(FILE_BYTES_MAX))
}

/// Flattens the result of a blocking task. A panic of a decoder is taken for a corrupt file.
fn flatten_task<T>(
    result: Result<Result<T, EngineError>, tokio::task::JoinError>,
) -> Result<T, EngineError> {
    match result {
        Ok(result) => result,
        Err(error) if error.is_panic() => {
            tracing::error!(%error, "internal decoder error; the file is treated as corrupt");
            Err(FileDefect::Corrupt("internal decoder error".to_owned()).into())
        }
        Err(error) => Err(io::Error::other(error).into()),
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
