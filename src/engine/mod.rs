//! What is done to pictures' bytes: looked at, judged, drawn, protected, marked, reported on.
//!
//! The mock detects nothing in earnest; its answers follow from the bytes, so that the same
//! picture gets the same answer everywhere, and all it hands out is a real file of the right
//! format. The pure work lies in the modules below; [`Engine`] runs it off the async threads
//! and is the only caller of `spawn_blocking`.
//!
//! Promises: at most so many pictures are worked on at once, and in no more memory than the
//! [`Budget`] has; dropping a future leaves its work to end by itself, within both; hostile bytes
//! are a [`FileDefect`], never a crash.

pub mod archive;
mod bmff;
mod budget;
mod content;
mod decode;
mod font;
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
pub use heatmap::{Background, Scale};
pub use input::FILE_BYTES_MAX;
pub use protect::{Protected, Protection};
pub use report::{Finding, Report, ReportSources};
pub use sniff::{HEAD_BYTES, check_name, sniff};
pub use thumbnail::{PREVIEW_PX, THUMBNAIL_PX};
pub use watermark::{EmbeddedImage, Embedding, SIDE_PX_MIN, TEXT_CHARS_MAX, TEXTS_MAX};

use crate::model::picture::{FileDefect, FileKind, ImageMetrics, Provenance};
use budget::Lease;

/// Runs the work on pictures; clones share its limits.
#[derive(Debug, Clone)]
pub struct Engine {
    permits: Arc<Semaphore>,
    budget: Budget,
    /// One fewer, but one at least, for what stands in ZIPs: a single picture waits for no more
    /// than one of a bulk's fifty.
    bulk_permits: Arc<Semaphore>,
}

/// What is wanted of a picture besides what is found out about it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct InspectOptions {
    /// Its measures.
    pub measures: bool,
    /// A JPEG whose longer side is [`THUMBNAIL_PX`].
    pub thumbnail: bool,
    /// A JPEG whose longer side is [`PREVIEW_PX`].
    pub preview: bool,
    /// The heatmap alone, a PNG.
    pub heatmap: Option<HeatmapStyle>,
    /// The heatmap half and half with the picture, a PNG.
    pub overlay: Option<Scale>,
    /// Longer side of a JPEG for a report. `None` if no such JPEG is wanted.
    pub report_px: Option<u32>,
    /// Chance of AI by which heatmap and overlay are coloured. `None` for that of the picture's bytes.
    pub probability: Option<f64>,
}

/// How a heatmap is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeatmapStyle {
    /// What lies under it.
    pub ground: Background,
    /// How its activations are spread.
    pub scale: Scale,
}

/// What was found out about a picture, and what was drawn of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// What it is, by its bytes.
    pub media: FileKind,
    /// As wanted, if its size is known.
    pub measures: Option<ImageMetrics>,
    /// Where it says it comes from.
    pub provenance: Provenance,
    /// The SHA-256 of its file.
    pub digest: [u8; 32],
    /// As wanted.
    pub thumbnail: Option<Vec<u8>>,
    /// As wanted.
    pub preview: Option<Vec<u8>>,
    /// As wanted.
    pub heatmap: Option<Vec<u8>>,
    /// As wanted.
    pub overlay: Option<Vec<u8>>,
    /// As wanted.
    pub report_image: Option<Vec<u8>>,
}

/// Why nothing came of it.
#[derive(Debug)]
pub enum EngineError {
    /// The bytes are at fault: an outcome, not an error of ours.
    Defect(FileDefect),
    /// The disk or the encoder is: an error of ours.
    Io(io::Error),
}

impl Engine {
    /// An engine that works on at most `at_once` pictures at once (one at least), in the memory of
    /// the budget.
    #[must_use]
    pub fn new(at_once: usize, budget: Budget) -> Self {
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(at_once)),
            budget,
            bulk_permits: Arc::new(Semaphore::new((at_once - 1).max(1))),
        }
    }

    /// The memory that it has.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Looks at a picture, which its owner calls `name`, and draws what is wanted.
    ///
    /// What comes back is whole: the file is read to its end, and decoded unless it is a JPEG
    /// of which nothing is wanted that takes pixels; of that the structure is checked. Of HEIC,
    /// HEIF, AVIF and PDF it is always the structure alone, and what is drawn is a card.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn inspect(
        &self,
        content: InputFile,
        name: String,
        wants: InspectOptions,
    ) -> Result<Inspection, EngineError> {
        let packed = Arc::clone(&self.bulk_permits);
        let turn = match content.zip_entry {
            Some(_) => Some(packed.acquire_owned().await.map_err(io::Error::other)?),
            None => None,
        };
        self.lease_and_run(reading(&content), move |memory| {
            let _turn = &turn;
            inspect::inspect(&content, &name, wants, memory)
        })
        .await
    }

    /// What stands for a picture that its `name` alone settles, its bytes being at fault.
    ///
    /// # Errors
    /// See [`EngineError`]; [`FileDefect::TooLarge`] if there is no memory to draw it in.
    pub async fn placeholder(
        &self,
        name: String,
        wants: InspectOptions,
    ) -> Result<Inspection, EngineError> {
        self.lease_and_run(memory_need::OVERHEAD_BYTES, move |memory| {
            inspect::placeholder(&name, wants, memory)
        })
        .await
    }

    /// Writes the protected picture to [`Protection::to`]; on a failure nothing whole is there.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn protect(&self, order: Protection) -> Result<Protected, EngineError> {
        let mut order = order;
        self.lease_and_run(reading(&order.content), move |memory| {
            protect::protect(&mut order, memory)
        })
        .await
    }

    /// Writes the picture or PDF, marked with texts, to [`Embedding::to`]; on a failure nothing
    /// whole is there.
    ///
    /// # Errors
    /// See [`EngineError`]; `InvalidInput` for texts that are none, too many or too long.
    pub async fn embed(&self, order: Embedding) -> Result<EmbeddedImage, EngineError> {
        self.lease_and_run(reading(&order.content), move |memory| {
            watermark::embed(&order, memory)
        })
        .await
    }

    /// The texts that a picture or PDF, which its owner calls `name`, was marked with by
    /// [`Engine::embed`], oldest first; none if it was not.
    ///
    /// # Errors
    /// See [`EngineError`]: the file is checked as for [`Engine::embed`].
    pub async fn extract(
        &self,
        content: InputFile,
        name: String,
    ) -> Result<Vec<String>, EngineError> {
        self.lease_and_run(reading(&content), move |memory| {
            watermark::extract(&content, &name, memory)
        })
        .await
    }

    /// Returns the report as a PDF of one page, with images drawn from `sources`. Images that do not fit
    /// into the memory budget are drawn smaller, or left out.
    ///
    /// # Errors
    /// Returns [`EngineError::Io`] for a fault of the disk or the build.
    pub async fn report(
        &self,
        report: Report,
        sources: ReportSources,
    ) -> Result<Vec<u8>, EngineError> {
        let (report, sources) = (Arc::new(report), Arc::new(sources));
        let sizes = report::IMAGE_SIDES_PX.map(Some);
        for side_px in sizes.into_iter().chain([None]) {
            let (report, sources) = (Arc::clone(&report), Arc::clone(&sources));
            let made = self.lease_and_run(memory_need::REPORT_BYTES, move |memory| {
                let images = match side_px {
                    None => report::ReportImages::default(),
                    Some(side_px) => {
                        report::draw_images(&sources, &report.file_name, side_px, memory)?
                    }
                };
                memory.require(memory_need::REPORT_BYTES)?;
                Ok(report::make(&report, images)?)
            });
            match made.await {
                Err(EngineError::Defect(defect)) => {
                    tracing::debug!(
                        ?side_px,
                        ?defect,
                        "a report's images do not fit into memory"
                    );
                }
                made => return made,
            }
        }
        Err(io::Error::other("a report without images needs too much memory").into())
    }

    /// The sample file of `seed`, in the format that the extension of `name` stands for.
    ///
    /// # Errors
    /// [`FileDefect::NotAnImage`] if it stands for none of ours and is not `pdf`.
    pub async fn sample(&self, name: String, seed: [u8; 32]) -> Result<Vec<u8>, EngineError> {
        self.lease_and_run(memory_need::SAMPLE_BYTES, move |_| {
            sample::sample(&name, seed)
        })
        .await
    }

    /// What a file is by its first bytes, its `name` agreeing.
    ///
    /// It reads [`HEAD_BYTES`] and so does not wait for its turn.
    ///
    /// # Errors
    /// [`FileDefect::NotAnImage`], [`FileDefect::FormatMismatch`], or the disk's.
    pub async fn identify(
        &self,
        content: InputFile,
        name: String,
    ) -> Result<FileKind, EngineError> {
        joined(tokio::task::spawn_blocking(move || decode::identify(&content, &name)).await)
    }

    /// The entries of a ZIP, in its directory's order.
    ///
    /// Reads the central directory alone, at most `entries_max` entries of it, and so does not wait for
    /// its turn.
    ///
    /// # Errors
    /// See [`archive::ZipError`].
    pub async fn entries(
        &self,
        zip: InputFile,
        entries_max: usize,
    ) -> Result<Vec<archive::Entry>, archive::ZipError> {
        let read = move || archive::read_central_directory(&zip, entries_max);
        match tokio::task::spawn_blocking(read).await {
            Ok(entries) => entries,
            Err(error) => Err(archive::ZipError::Io(io::Error::other(error))),
        }
    }

    /// Runs blocking work in its turn, such as writing a ZIP, that takes little memory whatever
    /// its files are.
    ///
    /// # Errors
    /// Those of the work, and if it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let mut work = Some(work);
        self.lease_and_run(memory_need::ARCHIVE_BYTES, move |_| {
            let work = work.take();
            // without a requirement it is not run again
            work.map_or_else(|| Err(io::Error::other("run twice").into()), |work| work())
        })
        .await
    }

    /// Runs blocking work in its turn, with a lease of `bytes` at first.
    ///
    /// Work that requires more than there is at the moment is broken off, gives back what it has,
    /// waits for all that it needs, and is run anew: it never waits while it holds memory.
    ///
    /// # Errors
    /// Returns the errors of the work, an error if it panics, and [`FileDefect::TooLarge`] if it needs more
    /// than the budget.
    async fn lease_and_run<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnMut(&mut Lease) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let permits = Arc::clone(&self.permits);
        let mut turn = permits.acquire_owned().await.map_err(io::Error::other)?;
        let (mut bytes, mut work) = (bytes, work);
        loop {
            let mut lease = self.budget.lease(bytes).await?;
            let task = tokio::task::spawn_blocking(move || {
                // both go when the work ends, not when its caller loses interest
                let result = work(&mut lease);
                (result, lease.needed_bytes(), turn, work)
            });
            match task.await {
                Ok((_, Some(needed_bytes), same_turn, same_work)) => {
                    tracing::debug!(needed_bytes, "work on a picture waits for memory");
                    (bytes, turn, work) = (needed_bytes, same_turn, same_work);
                }
                Ok((result, None, ..)) => return result,
                Err(error) => return joined(Err(error)),
            }
        }
    }
}

/// Bytes with which work on a file begins.
fn reading(content: &InputFile) -> u64 {
    memory_need::of_reading(content.unpacked_bytes().min(FILE_BYTES_MAX))
}

fn joined<T>(
    done: Result<Result<T, EngineError>, tokio::task::JoinError>,
) -> Result<T, EngineError> {
    match done {
        Ok(result) => result,
        Err(error) if error.is_panic() => {
            tracing::error!(%error, "a decoder panicked; the picture is taken to be corrupt");
            Err(FileDefect::Corrupt("the decoder failed".to_owned()).into())
        }
        Err(error) => Err(io::Error::other(error).into()),
    }
}

impl From<FileDefect> for EngineError {
    fn from(defect: FileDefect) -> Self {
        Self::Defect(defect)
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Defect(defect) => out.write_str(defect.message()),
            Self::Io(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Defect(_) => None,
            Self::Io(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
