//! Container structure of raster files: JPEG segments, PNG and WebP chunks, GIF blocks.
//!
//! Guarantees: each iterator ends at malformed bytes and never panics, makes one pass, and copies
//! nothing.

mod frame;

use std::io::{self, Read};
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::ifd::{ByteOrder, Ifd};
use crate::model::picture::RasterFormat;
pub use frame::{gif_frame_px, jpeg_frame};

/// A marker segment of a JPEG header.
#[derive(Debug, Clone, Copy)]
pub struct JpegSegment<'a> {
    /// Byte after 0xFF, such as 0xE1 for APP1.
    pub marker: u8,
    /// Content of the segment, after its length field.
    pub body: &'a [u8],
}

/// A chunk of a PNG or a WebP file.
#[derive(Debug, Clone, Copy)]
pub struct RiffOrPngChunk<'a> {
    /// Chunk type, four ASCII letters.
    pub kind: [u8; 4],
    /// Content of the chunk.
    pub body: &'a [u8],
}

/// A block of a GIF file.
#[derive(Debug, Clone)]
pub enum GifBlock {
    /// A colour table, three bytes per colour, as a byte range of the file.
    Colours(Range<usize>),
    /// Label of an extension, and the byte range of its sub-blocks, including their length bytes.
    Extension(u8, Range<usize>),
    /// Image data.
    Frame,
    /// Trailer, which ends the file.
    Trailer,
}

const SOI: usize = 2;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// Yields the segments of a JPEG before its first scan.
pub fn jpeg_header_segments(bytes: &[u8]) -> impl Iterator<Item = JpegSegment<'_>> {
    let mut at = SOI;
    std::iter::from_fn(move || {
        let (segment, next) = jpeg_segment(bytes, at)?;
        at = next;
        (segment.marker != SOS && segment.marker != EOI).then_some(segment)
    })
}

/// `true` if a JPEG has an EOI marker. Later bytes are ignored.
#[must_use]
pub fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = SOI;
    while let Some((segment, next)) = jpeg_segment(bytes, at) {
        at = match segment.marker {
            EOI => return true,
            SOS => entropy_data_end(bytes, next),
            _ => next,
        };
    }
    false
}

/// Returns the first segment at or after `at`, and its end.
fn jpeg_segment(bytes: &[u8], at: usize) -> Option<(JpegSegment<'_>, usize)> {
    let mut rest = bytes.get(at..)?;
    let skipped = rest
        .windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd8 | 0xff))?;
    rest = &rest[skipped..];
    let marker = *rest.get(1)?;
    let start = at + skipped;
    let segment = |body| JpegSegment { marker, body };
    if marker == EOI {
        return Some((segment(&[]), start + 2));
    }
    let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
    let body = rest.get(4..length.checked_add(2)?)?;
    Some((segment(body), start + 2 + length))
}

/// Returns the end of the entropy-coded data that starts at `at`: the next marker that is not
/// `RSTn`.
fn entropy_data_end(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .and_then(|rest| {
            rest.windows(2)
                .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff))
        })
        .map_or(bytes.len(), |length| at + length)
}

/// Yields the chunks of a PNG. `IEND` is the last one; a truncated file has none.
pub fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = RiffOrPngChunk<'_>> {
    let mut at = Some(8);
    std::iter::from_fn(move || {
        let from = at?;
        let head = bytes.get(from..from + 8)?;
        let length = usize::try_from(u32::from_be_bytes(head[..4].try_into().ok()?)).ok()?;
        let kind = head[4..].try_into().ok()?;
        let end = (from + 8).checked_add(length)?;
        let body = bytes.get(from + 8..end)?;
        at = (kind != *b"IEND").then_some(end + 4);
        Some(RiffOrPngChunk { kind, body })
    })
}

/// `true` if a PNG has an `IEND` chunk.
#[must_use]
pub fn png_is_complete(bytes: &[u8]) -> bool {
    png_chunks(bytes).any(|chunk| chunk.kind == *b"IEND")
}

/// `true` if the ICC profile of a PNG has at most `bytes_max` bytes when decompressed, or if there
/// is none. The decoder has no limit of its own.
#[must_use]
pub fn icc_profile_within(bytes: &[u8], bytes_max: u64) -> bool {
    // The decoder uses the first of several profiles.
    let mut head = png_chunks(bytes).take_while(|chunk| chunk.kind != *b"IDAT");
    let profile = head.find(|chunk| chunk.kind == *b"iCCP");
    let packed = profile.and_then(|chunk| {
        let name_ends = chunk.body.iter().position(|&byte| byte == 0)?;
        chunk.body.get(name_ends + 2..)
    });
    packed.is_none_or(|packed| {
        let mut unpacked = ZlibDecoder::new(packed).take(bytes_max + 1);
        // A corrupt profile is left to the decoder.
        io::copy(&mut unpacked, &mut io::sink()).map_or(true, |length| length <= bytes_max)
    })
}

/// Yields the chunks of a WebP.
pub fn webp_chunks(bytes: &[u8]) -> impl Iterator<Item = RiffOrPngChunk<'_>> {
    let mut at = 12_usize;
    std::iter::from_fn(move || {
        let head = bytes.get(at..at.checked_add(8)?)?;
        let kind = head[..4].try_into().ok()?;
        let length = usize::try_from(u32::from_le_bytes(head[4..].try_into().ok()?)).ok()?;
        let end = (at + 8).checked_add(length)?;
        let body = bytes.get(at + 8..end)?;
        at = end.checked_add(length % 2)?;
        Some(RiffOrPngChunk { kind, body })
    })
}

/// `true` if a WebP is at least as long as its RIFF header declares.
#[must_use]
pub fn webp_is_complete(bytes: &[u8]) -> bool {
    bytes
        .get(4..8)
        .and_then(|size| size.try_into().ok())
        .and_then(|size| usize::try_from(u32::from_le_bytes(size)).ok())
        .and_then(|size| size.checked_add(8))
        .is_some_and(|size| size <= bytes.len())
}

/// Returns the width and height in the header of a BMP, a TIFF or an extended or lossless WebP.
/// Their decoders misreport sizes that are too large, so that these are checked before decoding.
#[must_use]
pub fn header_dimensions(format: RasterFormat, bytes: &[u8]) -> Option<(u32, u32)> {
    let le = |at: usize, length: usize| {
        let field = bytes.get(at..at + length)?;
        Some(
            field
                .iter()
                .rev()
                .fold(0_u32, |all, &byte| all << 8 | u32::from(byte)),
        )
    };
    match (format, bytes.get(12..16)?) {
        (RasterFormat::Bmp, _) if le(14, 4)? == 12 => Some((le(18, 2)?, le(20, 2)?)),
        (RasterFormat::Bmp, _) => {
            // The height is negative if the rows are stored from top to bottom.
            let side = |at| Some(le(at, 4)?.cast_signed().unsigned_abs());
            Some((side(18)?, side(22)?))
        }
        (RasterFormat::WebP, b"VP8X") => Some((le(24, 3)? + 1, le(27, 3)? + 1)),
        (RasterFormat::WebP, b"VP8L") => {
            let sides = le(21, 4)?;
            Some(((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1))
        }
        (RasterFormat::Tiff, _) => {
            const WIDTH: u16 = 0x100;
            const HEIGHT: u16 = 0x101;
            let directory = Ifd::first(bytes)?;
            Some((directory.number(WIDTH)?, directory.number(HEIGHT)?))
        }
        _ => None,
    }
}

/// `true` if the first IFD of a TIFF and all its strips or tiles are within the file.
#[must_use]
pub fn tiff_is_complete(bytes: &[u8]) -> bool {
    // Tags of the offsets and byte counts of strips, and of tiles.
    const DATA_TAGS: [(u16, u16); 2] = [(0x111, 0x117), (0x144, 0x145)];
    let is_within_file =
        |(at, length): (&u32, &u32)| u64::from(*at) + u64::from(*length) <= bytes.len() as u64;
    let directory = || {
        let order = ByteOrder::from_header(bytes)?;
        Ifd::parse_complete(bytes, order, order.u32(bytes, 4)?)
    };
    directory().is_some_and(|directory| {
        DATA_TAGS.iter().any(|(offsets, lengths)| {
            let (offsets, lengths) = (directory.numbers(*offsets), directory.numbers(*lengths));
            !offsets.is_empty()
                && offsets.len() == lengths.len()
                && offsets.iter().zip(&lengths).all(is_within_file)
        })
    })
}

/// Yields the blocks of a GIF in file order. The trailer is the last one; a truncated file has
/// none.
pub fn gif_blocks(bytes: &[u8]) -> impl Iterator<Item = GifBlock> {
    const SCREEN_END: usize = 13;
    let mut at = Some(SCREEN_END);
    let mut screen = bytes
        .get(10)
        .and_then(|flags| colour_table(bytes, *flags, SCREEN_END));
    let mut local = None;
    std::iter::from_fn(move || {
        if let Some(table) = screen.take() {
            at = Some(table.end);
            return Some(GifBlock::Colours(table));
        }
        let from = at?;
        if let Some(table) = local.take() {
            return Some(GifBlock::Colours(table));
        }
        let (block, table, end) = gif_block(bytes, from)?;
        local = table;
        at = end;
        Some(block)
    })
}

/// Returns the block at `from`, the range of its local colour table, and its end.
fn gif_block(bytes: &[u8], from: usize) -> Option<(GifBlock, Option<Range<usize>>, Option<usize>)> {
    match *bytes.get(from)? {
        0x21 => {
            let label = *bytes.get(from + 1)?;
            let end = sub_blocks_end(bytes, from + 2)?;
            Some((GifBlock::Extension(label, from + 2..end), None, Some(end)))
        }
        0x2c => {
            let flags = *bytes.get(from + 9)?;
            let table = colour_table(bytes, flags, from + 10);
            if table.is_none() && flags & 0x80 != 0 {
                return None;
            }
            let data = table.as_ref().map_or(from + 10, |table| table.end);
            let end = sub_blocks_end(bytes, data + 1)?;
            Some((GifBlock::Frame, table, Some(end)))
        }
        0x3b => Some((GifBlock::Trailer, None, None)),
        _ => None,
    }
}

fn colour_table(bytes: &[u8], flags: u8, at: usize) -> Option<Range<usize>> {
    let table = at..at + (6 << (flags & 7));
    (flags & 0x80 != 0 && table.end <= bytes.len()).then_some(table)
}

fn sub_blocks_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// Concatenates GIF sub-blocks without their length bytes, up to `bytes_max` bytes in all.
#[must_use]
pub fn concat_gif_sub_blocks(mut sub_blocks: &[u8], bytes_max: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some((&length, rest)) = sub_blocks.split_first() {
        let (body, after) = rest.split_at(usize::from(length).min(rest.len()));
        if body.is_empty() || all.len() + body.len() > bytes_max {
            break;
        }
        all.extend_from_slice(body);
        sub_blocks = after;
    }
    all
}

/// `true` if a GIF has a trailer.
#[must_use]
pub fn gif_is_complete(bytes: &[u8]) -> bool {
    gif_blocks(bytes).any(|block| matches!(block, GifBlock::Trailer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;

    type CompletenessCheck = fn(&[u8]) -> bool;

    #[test]
    fn completeness_checks_reject_files_truncated_anywhere() {
        let cases: [(&str, CompletenessCheck); 6] = [
            ("camera.jpg", jpeg_is_complete),
            ("progressive.jpg", jpeg_is_complete),
            ("manifest.jpg", jpeg_is_complete),
            ("plain.png", png_is_complete),
            ("plain.webp", webp_is_complete),
            ("plain.gif", gif_is_complete),
        ];
        for (name, is_complete) in cases {
            let bytes = fixture::bytes(name);
            assert!(is_complete(&bytes), "{name}");
            for length in (0..bytes.len() - 4).step_by(997).chain([bytes.len() - 5]) {
                assert!(!is_complete(&bytes[..length]), "{name} cut to {length}");
            }
        }
    }

    #[test]
    fn iterators_yield_the_parts_of_fixtures() {
        let jpeg = fixture::bytes("camera.jpg");
        assert!(
            jpeg_header_segments(&jpeg)
                .any(|s| s.marker == 0xe1 && s.body.starts_with(b"Exif\0\0"))
        );
        let png = fixture::bytes("parameters.png");
        assert!(
            png_chunks(&png).any(|c| c.kind == *b"tEXt" && c.body.starts_with(b"parameters\0"))
        );
        let webp = fixture::bytes("plain.webp");
        assert!(webp_chunks(&webp).any(|c| c.kind == *b"EXIF"));
        let gif = fixture::bytes("plain.gif");
        let frames = gif_blocks(&gif)
            .filter(|block| matches!(block, GifBlock::Frame))
            .count();
        let tables = gif_blocks(&gif)
            .filter(|block| matches!(block, GifBlock::Colours(_)))
            .count();
        assert_eq!((frames, tables), (2, 2));
        assert_eq!(concat_gif_sub_blocks(b"\x02ab\x01c\x00zz", 100), b"abc");
        assert_eq!(concat_gif_sub_blocks(b"\x09ab", 100), b"ab");
    }
}
