//! JPEG: APP9 segments, behind the leading APP0 (JFIF) and APP1 (Exif, XMP), which want to be
//! first, and before all else: the offsets of a multi-picture file (MPF, in APP2) count from
//! their own place, and so stay right.

use std::ops::Range;

use super::{CUTS_MAX, Edit, payload};
use crate::engine::framing::{self, Segment};

/// What tells our segments from others.
const NAME: &[u8] = b"STUNTDOUBLE\0";
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP9: u8 = 0xe9;
/// The most a segment's two bytes of length allow, themselves included.
const PART_BYTES_MAX: usize = u16::MAX as usize - 2 - NAME.len();

/// What our segments hold, joined.
pub fn find(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    for part in framing::jpeg_head(bytes).filter_map(part) {
        if block.len() + part.len() > payload::BYTES_MAX {
            break;
        }
        block.extend_from_slice(part);
    }
    (!block.is_empty()).then_some(block)
}

pub fn place(bytes: &[u8], block: &[u8]) -> Vec<Edit> {
    let at = framing::jpeg_head(bytes)
        .take_while(|segment| matches!(segment.marker, APP0 | APP1))
        .last()
        .map_or(2, |segment| range(&segment).end);
    let mut segments = Vec::new();
    for part in block.chunks(PART_BYTES_MAX) {
        let length = u16::try_from(2 + NAME.len() + part.len()).unwrap_or(u16::MAX);
        segments.extend_from_slice(&[0xff, APP9]);
        segments.extend_from_slice(&length.to_be_bytes());
        segments.extend_from_slice(NAME);
        segments.extend_from_slice(part);
    }
    let old = framing::jpeg_head(bytes)
        .filter(|segment| part(*segment).is_some())
        .take(CUTS_MAX)
        .map(|segment| Edit::cut(range(&segment)));
    [Edit::insert(at, segments)]
        .into_iter()
        .chain(old)
        .collect()
}

/// Whether its pixels have four colours: CMYK, or YCCK.
pub fn is_cmyk(bytes: &[u8]) -> bool {
    const COMPONENTS: usize = 5;
    framing::jpeg_head(bytes)
        .find(|segment| {
            let is_other = matches!(segment.marker, 0xc4 | 0xc8 | 0xcc);
            matches!(segment.marker, 0xc0..=0xcf) && !is_other
        })
        .is_some_and(|frame| frame.body.get(COMPONENTS) == Some(&4))
}

fn part(segment: Segment<'_>) -> Option<&[u8]> {
    let is_ours = segment.marker == APP9;
    segment.body.strip_prefix(NAME).filter(|_| is_ours)
}

fn range(segment: &Segment<'_>) -> Range<usize> {
    segment.start..segment.start + 4 + segment.body.len()
}
