//! Pictures that cannot have a watermark although they may be decodable: animations, multi-page
//! TIFF, `BigTIFF`, GIF, and colours other than grey and RGB.

use crate::engine::ifd::{ByteOrder, Ifd};
use crate::engine::structure;
use crate::model::picture::{FileDefect, RasterFormat};

const TAG_NEW_SUBFILE_TYPE: u16 = 254;
const TAG_PHOTOMETRIC: u16 = 262;
/// Maximum number of IFDs that are read.
const DIRECTORIES_MAX: usize = 64;

/// Rejects pictures that cannot have a watermark.
///
/// # Errors
/// Returns [`FileDefect::ColorMode`], [`FileDefect::MultipleImages`] or
/// [`FileDefect::FormatMismatch`].
pub fn check(format: RasterFormat, bytes: &[u8]) -> Result<(), FileDefect> {
    let title = format.title();
    let animated = || FileDefect::MultipleImages(format!("animated {title} is not supported"));
    match format {
        RasterFormat::Jpeg if is_cmyk_jpeg(bytes) => Err(FileDefect::ColorMode(
            "CMYK JPEG is not supported".to_owned(),
        )),
        RasterFormat::Png if is_animated_png(bytes) => Err(animated()),
        RasterFormat::WebP if is_animated_webp(bytes) => Err(animated()),
        RasterFormat::Tiff => check_tiff(bytes),
        RasterFormat::Gif => Err(FileDefect::FormatMismatch(
            "GIF is not supported".to_owned(),
        )),
        RasterFormat::Jpeg | RasterFormat::Png | RasterFormat::WebP | RasterFormat::Bmp => Ok(()),
    }
}

fn check_tiff(bytes: &[u8]) -> Result<(), FileDefect> {
    if bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+") {
        let text = "BigTIFF is not supported";
        return Err(FileDefect::FormatMismatch(text.to_owned()));
    }
    if is_multipage_tiff(bytes) {
        let text = "TIFF with several pages is not supported";
        return Err(FileDefect::MultipleImages(text.to_owned()));
    }
    let photometric = Ifd::first(bytes).and_then(|it| it.number(TAG_PHOTOMETRIC));
    match photometric {
        // A TIFF without the tag is left to the decoder.
        None | Some(0..=2) => Ok(()),
        Some(5) => Err(FileDefect::ColorMode(
            "CMYK TIFF is not supported".to_owned(),
        )),
        Some(other) => Err(FileDefect::ColorMode(format!(
            "only grey and RGB TIFF are supported (photometric interpretation {other})"
        ))),
    }
}

/// `true` if the JPEG has four components: CMYK or YCCK.
pub(super) fn is_cmyk_jpeg(bytes: &[u8]) -> bool {
    const COMPONENTS: usize = 5;
    structure::jpeg_header_segments(bytes)
        .find(|segment| {
            let is_other = matches!(segment.marker, 0xc4 | 0xc8 | 0xcc);
            matches!(segment.marker, 0xc0..=0xcf) && !is_other
        })
        .is_some_and(|frame| frame.body.get(COMPONENTS) == Some(&4))
}

/// `true` if the PNG has more than one frame.
fn is_animated_png(bytes: &[u8]) -> bool {
    structure::png_chunks(bytes)
        .find(|chunk| chunk.kind == *b"acTL")
        .and_then(|chunk| chunk.body.first_chunk())
        .is_some_and(|frames| u32::from_be_bytes(*frames) > 1)
}

/// `true` if the animation flag of the WebP is set.
fn is_animated_webp(bytes: &[u8]) -> bool {
    const ANIMATION: u8 = 0x02;
    structure::webp_chunks(bytes)
        .next()
        .filter(|chunk| chunk.kind == *b"VP8X")
        .is_some_and(|chunk| chunk.body.first().is_some_and(|it| it & ANIMATION != 0))
}

/// `true` if the TIFF has an image besides the first that is neither a reduced version nor a mask.
pub(super) fn is_multipage_tiff(bytes: &[u8]) -> bool {
    let Some(order) = ByteOrder::from_header(bytes) else {
        return false;
    };
    let mut at = order.u32(bytes, 4);
    for index in 0..DIRECTORIES_MAX {
        let Some(ifd) = at.and_then(|at| Ifd::parse_complete(bytes, order, at)) else {
            return false;
        };
        let is_secondary = ifd
            .number(TAG_NEW_SUBFILE_TYPE)
            .is_some_and(|kind| kind & 0b101 != 0);
        if index > 0 && !is_secondary {
            return true;
        }
        at = (ifd.next != 0).then_some(ifd.next);
    }
    true
}
