//! What is found out about a file and drawn of it: of what is decoded its pixels, of all else a
//! card.

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

/// JPEG quality of the images of a report: a photograph of 1600 px has about 200 KB.
const REPORT_QUALITY: u8 = 70;

/// Looks at one file, on this thread.
///
/// # Errors
/// A defect of the file, or the disk's.
pub fn inspect(
    content: &InputFile,
    name: &str,
    wants: InspectOptions,
    memory: &mut Lease,
) -> Result<Inspection, EngineError> {
    let source = ImageSource::read(content, name, memory)?;
    memory.require(memory_need::of_file(source.media, &source.bytes))?;
    let mut inspection = Inspection {
        media: source.media,
        measures: None,
        provenance: metadata::of_media(&source.bytes, source.media),
        digest: source.digest(),
        thumbnail: None,
        preview: None,
        heatmap: None,
        overlay: None,
        report_image: None,
    };
    let body_bytes = source.bytes.len() as u64;
    let sides_px = if source.is_decoded() {
        let tiff_px = source.whole_tiff_px();
        match (inspection.decode_and_render(source, wants, memory), tiff_px) {
            // It is whole, and of a kind that no decoder here knows.
            (
                Err(EngineError::Defect(FileDefect::ColorMode(_) | FileDefect::FormatMismatch(_))),
                Some(_),
            ) => tiff_px,
            (looked, _) => return looked.map(|()| inspection),
        }
    } else {
        let sides_px = source.check(memory)?;
        drop(source);
        sides_px
    };
    if wants.measures {
        inspection.measures = sides_px.map(|sides| measure::size_only(sides, body_bytes));
    }
    inspection.draw_card(name, sides_px, wants, memory)?;
    Ok(inspection)
}

/// What is drawn where a picture is judged by its name alone, its bytes being none that can be
/// looked at: a card. The name's SHA-256 stands for theirs.
///
/// # Errors
/// The encoder's.
pub fn placeholder(
    name: &str,
    wants: InspectOptions,
    memory: &mut Lease,
) -> Result<Inspection, EngineError> {
    let mut inspection = Inspection {
        media: FileKind::of_name(name).unwrap_or(FileKind::Picture(RasterFormat::Jpeg)),
        measures: None,
        provenance: Provenance::Unknown,
        digest: Sha256::digest(name).into(),
        thumbnail: None,
        preview: None,
        heatmap: None,
        overlay: None,
        report_image: None,
    };
    inspection.draw_card(name, None, wants, memory)?;
    Ok(inspection)
}

/// What pictures are made of.
enum RenderSource {
    /// A picture, upright, as large as the largest thing wanted.
    Picture(RgbImage),
    Card(PlaceholderCard),
}

impl RenderSource {
    /// It, its longer side at most `side_px_max`.
    fn at(&self, side_px_max: u32) -> io::Result<Cow<'_, RgbImage>> {
        match self {
            Self::Picture(upright) => Ok(Cow::Borrowed(upright)),
            Self::Card(card) => card.draw(side_px_max).map(Cow::Owned),
        }
    }
}

impl InspectOptions {
    /// Whether anything is to be drawn.
    #[must_use]
    pub fn draws(self) -> bool {
        self.side_px().is_some()
    }

    /// The longer side of the largest thing wanted.
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
    /// Decodes the picture, and takes from it what is wanted.
    fn decode_and_render(
        &mut self,
        source: ImageSource,
        wants: InspectOptions,
        memory: &mut Lease,
    ) -> Result<(), EngineError> {
        let drawing = |head: &memory_need::ImageHeader| memory_need::of_drawing(head, wants);
        let mut decoded = None;
        if wants.measures {
            // always of the same pixels, so that what is measured does not hang on what is drawn
            let picture = source.decode(DecodeMode::LumaOnly, memory, drawing)?;
            let mut measures = measure::measure(&picture.pixels, source.bytes.len() as u64);
            (measures.width_px, measures.height_px) = picture.sides_px;
            self.measures = Some(measures);
            // of a JPEG it is the luma alone
            let is_whole = source.media != FileKind::Picture(RasterFormat::Jpeg);
            decoded = is_whole.then_some(picture);
        }
        if let Some(side_px) = wants.side_px() {
            let picture = match decoded {
                Some(picture) => picture,
                None => source.decode(DecodeMode::Full, memory, drawing)?,
            };
            drop(source);
            let upright = thumbnail::upright_scaled(&picture, side_px);
            drop(picture);
            self.draw(&RenderSource::Picture(upright), wants)?;
        } else if !wants.measures {
            source.check(memory)?;
        }
        Ok(())
    }

    fn draw_card(
        &mut self,
        name: &str,
        sides_px: Option<(u32, u32)>,
        wants: InspectOptions,
        memory: &mut Lease,
    ) -> Result<(), EngineError> {
        let card = PlaceholderCard::new(self.media, name, sides_px);
        memory.require(memory_need::of_card(card.sides_px(), wants))?;
        self.draw(&RenderSource::Card(card), wants)?;
        Ok(())
    }

    fn draw(&mut self, drawn: &RenderSource, wants: InspectOptions) -> io::Result<()> {
        if wants.thumbnail {
            let small = drawn.at(THUMBNAIL_PX)?;
            self.thumbnail = Some(thumbnail::jpeg(&small, THUMBNAIL_PX)?);
        }
        if wants.preview {
            let small = drawn.at(PREVIEW_PX)?;
            self.preview = Some(thumbnail::jpeg(&small, PREVIEW_PX)?);
        }
        if let Some(side_px_max) = wants.report_px {
            let small = drawn.at(side_px_max)?;
            self.report_image = Some(thumbnail::jpeg_of_quality(
                &small,
                side_px_max,
                REPORT_QUALITY,
            )?);
        }
        if wants.heatmap.is_none() && wants.overlay.is_none() {
            return Ok(());
        }
        let upright = drawn.at(heatmap::SIDE_PX_MAX)?;
        let map = heatmap::Map::of(&upright, self.digest);
        let of_bytes =
            || verdict::from_metadata_or_hash(&self.provenance, &self.digest).probability;
        let probability = wants.probability.unwrap_or_else(of_bytes);
        let scaled = |scale| map.scaled(scale, self.digest, probability);
        if let Some(HeatmapStyle { ground, scale }) = wants.heatmap {
            self.heatmap = Some(heatmap::draw(&upright, &scaled(scale), ground)?);
        }
        if let Some(scale) = wants.overlay {
            self.overlay = Some(heatmap::overlay(&upright, &scaled(scale))?);
        }
        Ok(())
    }
}
