//! EXIF: the camera, the program and the remarks.
//!
//! Promises: two directories are read, the picture's own and EXIF's, each once, whatever leads
//! where; of a text no more than [`TEXT_BYTES_MAX`] is copied.

use super::{Clues, TEXT_BYTES_MAX, c2pa, iim, names, xmp};
use crate::engine::ifd::Directory;

const IMAGE_DESCRIPTION: u16 = 270;
const MAKE: u16 = 271;
const MODEL: u16 = 272;
const SOFTWARE: u16 = 305;
const ARTIST: u16 = 315;
const EXIF: u16 = 34_665;
const USER_COMMENT: u16 = 37_510;
/// Where TIFF files keep what has segments or chunks of its own in other formats.
const XMP: u16 = 700;
const IPTC: u16 = 33_723;
const PHOTOSHOP: u16 = 34_377;
const C2PA: u16 = 52_545;

/// Types of fields.
const BYTE: u16 = 1;
const ASCII: u16 = 2;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;

/// Takes what the EXIF block says; it begins with its TIFF header.
pub fn read(clues: &mut Clues, block: &[u8]) {
    let Some(own) = Directory::first(block) else {
        return;
    };
    if let Some(program) = text(&own, SOFTWARE) {
        clues.tool(&program);
    }
    let description = text(&own, IMAGE_DESCRIPTION).unwrap_or_default();
    let artist = text(&own, ARTIST).unwrap_or_default();
    if names::is_signature(&description) && names::is_uuid(&artist) {
        clues.generator("Grok");
    }
    // Pillow's callers put the user's comment beside the camera, not in EXIF's own part
    for directory in own.led_to(EXIF).iter().chain([&own]) {
        if let Some(comment) = text(directory, USER_COMMENT) {
            clues.settings(&comment);
        }
    }
    clues.settings(&description);
    for (tag, read) in [
        (XMP, xmp::read as fn(&mut Clues, &[u8])),
        (IPTC, iim::read),
        (PHOTOSHOP, iim::read_resources),
        (C2PA, c2pa::read),
    ] {
        if let Some(bytes) = bytes(&own, tag) {
            read(clues, bytes);
        }
    }
    let make = text(&own, MAKE).unwrap_or_default();
    let model = text(&own, MODEL).unwrap_or_default();
    let is_graph = clues.settings(&make) | clues.settings(&model);
    if is_graph || make.is_empty() {
        return;
    }
    if model.is_empty() {
        // a camera has a model
        clues.tool(&make);
    } else {
        clues.captured(Some(&names::camera(&make, &model)));
    }
}

/// What a field of bytes holds; some writers call it one of long words.
fn bytes<'b>(directory: &Directory<'b>, tag: u16) -> Option<&'b [u8]> {
    let value = directory.value(tag)?;
    matches!(value.kind, BYTE | UNDEFINED | LONG).then_some(value.bytes)
}

fn text(directory: &Directory, tag: u16) -> Option<String> {
    let value = directory.value(tag)?;
    let bytes = &value.bytes[..value.bytes.len().min(TEXT_BYTES_MAX)];
    let text = match value.kind {
        // several texts are one
        ASCII => String::from_utf8_lossy(bytes).replace('\0', " "),
        BYTE | UNDEFINED => commented(bytes),
        _ => return None,
    };
    let text = text.trim_matches(['\0', ' ', '\n', '\r', '\t']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// A text that may say its character code in eight bytes, as user comments do.
fn commented(bytes: &[u8]) -> String {
    if let Some(wide) = bytes.strip_prefix(b"UNICODE\0") {
        // EXIF leaves the order of UTF-16 open; Latin letters betray it
        let zeros_first = wide.iter().step_by(2).filter(|&&byte| byte == 0).count();
        let zeros_second = wide
            .iter()
            .skip(1)
            .step_by(2)
            .filter(|&&byte| byte == 0)
            .count();
        let is_big_endian = zeros_first >= zeros_second;
        let units = wide.chunks_exact(2).map(|pair| {
            if is_big_endian {
                u16::from_be_bytes([pair[0], pair[1]])
            } else {
                u16::from_le_bytes([pair[0], pair[1]])
            }
        });
        char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        let plain = bytes.strip_prefix(b"ASCII\0\0\0").unwrap_or(bytes);
        String::from_utf8_lossy(plain).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::Provenance;

    #[test]
    fn user_comments_are_read_in_either_order() {
        let big: Vec<u8> = "Steps: 2"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        let little: Vec<u8> = "Steps: 2"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for wide in [big, little] {
            assert_eq!(
                commented(&[b"UNICODE\0", wide.as_slice()].concat()),
                "Steps: 2"
            );
        }
        assert_eq!(commented(b"ASCII\0\0\0plain"), "plain");
    }

    /// As long as a segment of a JPEG may be: EXIF's directory led to 2,700 times, which has
    /// 2,700 fields; and a text of nothing but ends.
    #[test]
    fn directories_that_multiply_are_read_once() {
        for (own, entry) in [(EXIF, SOFTWARE), (EXIF, EXIF), (SOFTWARE, SOFTWARE)] {
            const COUNT: u16 = 2_700;
            let entries_bytes = 12 * u32::from(COUNT);
            let mut block = b"MM\0*\0\0\0\x08".to_vec();
            for (tag, kind, count, at) in [
                (own, LONG, 1, 8 + 2 + entries_bytes + 4),
                (entry, ASCII, entries_bytes, 8),
            ] {
                block.extend(COUNT.to_be_bytes());
                for _ in 0..COUNT {
                    block.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
                    block.extend([count.to_be_bytes(), at.to_be_bytes()].concat());
                }
                block.extend([0; 4]);
            }
            let mut clues = Clues::default();
            read(&mut clues, &block);
            assert_eq!(clues.settled(), Provenance::Unknown);
        }
    }

    #[test]
    fn only_the_first_of_two_fields_is_read_and_led_by() {
        /// Behind the directory.
        const AT: u32 = 8 + 2 + 2 * 12 + 4;
        /// The directory at 8 with these two fields, each a text or the place of a directory.
        fn block(tag: u16, kind: u16, fields: [(u32, u32); 2], rest: &[u8]) -> Vec<u8> {
            let mut block = b"MM\0*\0\0\0\x08\0\x02".to_vec();
            for (count, at) in fields {
                block.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
                block.extend([count.to_be_bytes(), at.to_be_bytes()].concat());
            }
            [&block, &[0; 4][..], rest].concat()
        }
        let settled = |block: &[u8]| {
            let mut clues = Clues::default();
            read(&mut clues, block);
            clues.settled()
        };
        let texts = b"nothing\0Midjourney\0";
        let (first, second) = ((8, AT), (11, AT + 8));
        let programs = |fields| settled(&block(SOFTWARE, ASCII, fields, texts));
        assert_eq!(programs([first, second]), Provenance::Unknown);
        assert_ne!(programs([second, first]), Provenance::Unknown);
        // An empty directory, and one with a comment.
        let mut rest = b"\0\0\0\0\0\0\0\x01".to_vec();
        let comment = b"ASCII\0\0\0Steps: 20, Sampler: Euler, CFG scale: 7, Seed: 1";
        let length = u32::try_from(comment.len()).expect("few");
        rest.extend([USER_COMMENT.to_be_bytes(), UNDEFINED.to_be_bytes()].concat());
        rest.extend([length.to_be_bytes(), (AT + 24).to_be_bytes()].concat());
        rest.extend([&[0; 4][..], comment].concat());
        let (empty, comments) = ((1, AT), (1, AT + 6));
        let led = |fields| settled(&block(EXIF, LONG, fields, &rest));
        assert_eq!(led([empty, comments]), Provenance::Unknown);
        assert_ne!(led([comments, empty]), Provenance::Unknown);
    }
}
