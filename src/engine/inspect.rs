//! Inspects one file and draws images of it: from its pixels if it is decoded, else placeholder
//! cards.

use std::borrow::Cow;
use std::io;

use image::RgbImage;
use sha2::{Digest, Sha256};

use super::budget::Lease;
use super::decode::{DecodeMode, ImageSource};
use super::placeholder::PlaceholderCard;
use super::{
    EngineError, HeatmapStyle, InputFile, InspectOptions, Inspection, PREVIEW_PX, THUMBNAIL_PX,
    heatmap, measure, memory_need, metadata, thumbnail, verdict,
};
use crate::model::picture::{FileDefect, FileKind, Provenance, RasterFormat};

/// JPEG quality of the images of a report. A photograph of 1600 px has about 200 KB.
const REPORT_QUALITY: u8 = 70;

/// Inspects one file on the current thread.
///
/// # Errors
/// See [`EngineError`].
pub fn inspect(
    content: &InputFile,
    name: &str,
    options: InspectOptions,
    memory: &mut Lease,
) -> Result<Inspection, EngineError> {
    let source = ImageSource::read(content, name, memory)?;
    memory.require(memory_need::for_file(source.kind, &source.bytes))?;
    let provenance = metadata::provenance_of(&source.bytes, source.kind);
    let mut inspection = Inspection::new(source.kind, provenance, source.digest());
    let body_bytes = source.bytes.len() as u64;
    let sides_px = if source.is_decoded() {
        let tiff_px = source.complete_tiff_px();
        match (
            inspection.decode_and_render(source, options, memory),
            tiff_px,
        ) {
            // The TIFF is complete, but its variant is not supported by the decoder.
            (
                Err(EngineError::Defect(FileDefect::ColorMode(_) | FileDefect::FormatMismatch(_))),
                Some(_),
            ) => tiff_px,
            (result, _) => return result.map(|()| inspection),
        }
    } else {
        let sides_px = source.check(memory)?;
        drop(source);
        sides_px
    };
    if options.measures {
        inspection.measures = sides_px.map(|sides| measure::size_only(sides, body_bytes));
    }
    inspection.draw_card(name, sides_px, options, memory)?;
    Ok(inspection)
}

/// Draws placeholder cards for a file that is judged by `name` alone because its bytes are
/// defective. The digest is the SHA-256 of `name`.
///
/// # Errors
/// Returns [`FileDefect::TooLarge`] if there is no memory, and [`EngineError::Io`] if encoding
/// fails.
pub fn placeholder(
    name: &str,
    options: InspectOptions,
    memory: &mut Lease,
) -> Result<Inspection, EngineError> {
    let kind = FileKind::of_name(name).unwrap_or(FileKind::Picture(RasterFormat::Jpeg));
    let digest = Sha256::digest(name).into();
    let mut inspection = Inspection::new(kind, Provenance::Unknown, digest);
    inspection.draw_card(name, None, options, memory)?;
    Ok(inspection)
}

/// Source that images are drawn from.
enum RenderSource {
    /// Upright picture, as large as the largest requested image.
    Picture(RgbImage),
    Card(PlaceholderCard),
}

impl RenderSource {
    /// Returns an image whose longer side is at most `side_px_max`, except that a picture is
    /// returned in its own size.
    fn image(&self, side_px_max: u32) -> io::Result<Cow<'_, RgbImage>> {
        match self {
            Self::Picture(upright) => Ok(Cow::Borrowed(upright)),
            Self::Card(card) => card.draw(side_px_max).map(Cow::Owned),
        }
    }

    /// Returns a JPEG whose longer side is at most `side_px_max`.
    fn jpeg(&self, side_px_max: u32, quality: u8) -> io::Result<Vec<u8>> {
        thumbnail::jpeg(&*self.image(side_px_max)?, side_px_max, quality)
    }
}

impl InspectOptions {
    /// `true` if an image is requested.
    #[must_use]
    pub fn needs_pixels(self) -> bool {
        self.side_px().is_some()
    }

    /// Longer side of the largest requested image. `None` if no image is requested.
    pub(super) fn side_px(self) -> Option<u32> {
        if self.heatmap.is_some() || self.overlay.is_some() {
            Some(heatmap::SIDE_PX_MAX)
        } else if self.report_px.is_some() {
            self.report_px
        } else if self.preview {
            Some(PREVIEW_PX)
        } else {
            self.thumbnail.then_some(THUMBNAIL_PX)
        }
    }
}

impl Inspection {
    /// Creates an inspection without measures and images.
    fn new(kind: FileKind, provenance: Provenance, digest: [u8; 32]) -> Self {
        Self {
            kind,
            measures: None,
            provenance,
            digest,
            thumbnail: None,
            preview: None,
            heatmap: None,
            overlay: None,
            report_image: None,
        }
    }

    /// Decodes the picture, then measures and draws as `options` request.
    fn decode_and_render(
        &mut self,
        source: ImageSource,
        options: InspectOptions,
        memory: &mut Lease,
    ) -> Result<(), EngineError> {
        let drawing = |head: &memory_need::ImageHeader| memory_need::for_drawing(head, options);
        let mut decoded = None;
        if options.measures {
            // Measures are always taken from these pixels, so that they do not depend on the
            // options.
            let image = source.decode(DecodeMode::LumaOnly, memory, drawing)?;
            let mut measures = measure::measure(&image.pixels, source.bytes.len() as u64);
            (measures.width_px, measures.height_px) = image.sides_px;
            self.measures = Some(measures);
            // Only the luma of a JPEG was decoded.
            let has_colors = source.kind != FileKind::Picture(RasterFormat::Jpeg);
            decoded = has_colors.then_some(image);
        }
        if let Some(side_px) = options.side_px() {
            let image = match decoded {
                Some(image) => image,
                None => source.decode(DecodeMode::Full, memory, drawing)?,
            };
            drop(source);
            let upright = thumbnail::upright_scaled(&image, side_px);
            drop(image);
            self.draw(&RenderSource::Picture(upright), options)?;
        } else if !options.measures {
            source.check(memory)?;
        }
        Ok(())
    }

    fn draw_card(
        &mut self,
        name: &str,
        sides_px: Option<(u32, u32)>,
        options: InspectOptions,
        memory: &mut Lease,
    ) -> Result<(), EngineError> {
        let card = PlaceholderCard::new(self.kind, name, sides_px);
        memory.require(memory_need::for_placeholder(card.sides_px(), options))?;
        self.draw(&RenderSource::Card(card), options)?;
        Ok(())
    }

    fn draw(&mut self, source: &RenderSource, options: InspectOptions) -> io::Result<()> {
        if options.thumbnail {
            self.thumbnail = Some(source.jpeg(THUMBNAIL_PX, thumbnail::QUALITY)?);
        }
        if options.preview {
            self.preview = Some(source.jpeg(PREVIEW_PX, thumbnail::QUALITY)?);
        }
        if let Some(side_px_max) = options.report_px {
            self.report_image = Some(source.jpeg(side_px_max, REPORT_QUALITY)?);
        }
        if options.heatmap.is_none() && options.overlay.is_none() {
            return Ok(());
        }
        let upright = source.image(heatmap::SIDE_PX_MAX)?;
        let map = heatmap::ActivationMap::new(&upright, self.digest);
        let default_probability =
            || verdict::from_metadata_or_hash(&self.provenance, &self.digest).probability;
        let probability = options.probability.unwrap_or_else(default_probability);
        let scaled = |scale| map.scaled(scale, self.digest, probability);
        if let Some(HeatmapStyle { background, scale }) = options.heatmap {
            self.heatmap = Some(heatmap::draw(&upright, &scaled(scale), background)?);
        }
        if let Some(scale) = options.overlay {
            self.overlay = Some(heatmap::overlay(&upright, &scaled(scale))?);
        }
        Ok(())
    }
}
