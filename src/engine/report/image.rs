//! JPEGs that a PDF embeds without re-encoding.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{ExtendedColorType, ImageDecoder};

/// A JPEG in grey or RGB.
#[derive(Debug, Clone)]
pub struct PdfImage {
    pub jpeg: Vec<u8>,
    pub width_px: u16,
    pub height_px: u16,
    pub is_grey: bool,
}

impl PdfImage {
    /// Reads the header of a JPEG. `None` if `jpeg` is not a JPEG, or neither grey nor RGB.
    #[must_use]
    pub fn from_jpeg(jpeg: Vec<u8>) -> Option<Self> {
        let header = JpegDecoder::new(Cursor::new(&jpeg)).ok()?;
        let is_grey = match header.original_color_type() {
            ExtendedColorType::L8 => true,
            ExtendedColorType::Rgb8 => false,
            _ => return None,
        };
        let (width, height) = header.dimensions();
        Some(Self {
            width_px: u16::try_from(width).ok().filter(|&width| width > 0)?,
            height_px: u16::try_from(height).ok().filter(|&height| height > 0)?,
            is_grey,
            jpeg,
        })
    }

    /// Returns the width and height, in points, at which the image fits into `room_pt`. An image is
    /// enlarged to at most one point per pixel.
    #[must_use]
    pub fn fit_within(&self, room_pt: [f32; 2]) -> [f32; 2] {
        let size = [self.width_px, self.height_px].map(f32::from);
        let scale = (room_pt[0] / size[0]).min(room_pt[1] / size[1]).min(1.0);
        size.map(|side| side * scale)
    }
}
