//! EXIF: the camera, the program and the description.
//!
//! Guarantees: only the picture's own directory is read, and of a text no more than
//! [`TEXT_BYTES_MAX`] is copied.

use super::{ProvenanceSignals, TEXT_BYTES_MAX, c2pa, names, xmp};
use crate::engine::ifd::Ifd;

const IMAGE_DESCRIPTION: u16 = 270;
const MAKE: u16 = 271;
const MODEL: u16 = 272;
const SOFTWARE: u16 = 305;
/// Where TIFF files keep what has segments or chunks of its own in other formats.
const XMP: u16 = 700;
const C2PA: u16 = 52_545;

/// Types of fields.
const BYTE: u16 = 1;
const ASCII: u16 = 2;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;

/// Takes what the EXIF block says; it begins with its TIFF header.
pub fn read(clues: &mut ProvenanceSignals, block: &[u8]) {
    let Some(own) = Ifd::first(block) else {
        return;
    };
    if let Some(program) = text(&own, SOFTWARE) {
        clues.add_software(&program);
    }
    if let Some(description) = text(&own, IMAGE_DESCRIPTION) {
        clues.add_description(&description);
    }
    for (tag, read) in [
        (XMP, xmp::read as fn(&mut ProvenanceSignals, &[u8])),
        (C2PA, c2pa::read),
    ] {
        if let Some(bytes) = bytes(&own, tag) {
            read(clues, bytes);
        }
    }
    let make = text(&own, MAKE).unwrap_or_default();
    let model = text(&own, MODEL).unwrap_or_default();
    // ComfyUI's nodes leave their graph in either.
    if names::is_comfyui_graph(&make) || names::is_comfyui_graph(&model) {
        clues.add_generator("ComfyUI");
        return;
    }
    if make.is_empty() {
        return;
    }
    if model.is_empty() {
        // a camera has a model
        clues.add_software(&make);
    } else {
        clues.add_captured(Some(&names::camera(&make, &model)));
    }
}

/// What a field of bytes holds; some writers call it one of long words.
fn bytes<'b>(directory: &Ifd<'b>, tag: u16) -> Option<&'b [u8]> {
    let value = directory.value(tag)?;
    matches!(value.field_type, BYTE | UNDEFINED | LONG).then_some(value.bytes)
}

fn text(directory: &Ifd, tag: u16) -> Option<String> {
    let value = directory.value(tag)?;
    if !matches!(value.field_type, ASCII | BYTE | UNDEFINED) {
        return None;
    }
    let bytes = &value.bytes[..value.bytes.len().min(TEXT_BYTES_MAX)];
    // Several texts are one.
    let text = String::from_utf8_lossy(bytes).replace('\0', " ");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::Provenance;

    /// As long as a segment of a JPEG may be: EXIF's directory led to 2,700 times, which has
    /// 2,700 fields; and a text of nothing but ends.
    #[test]
    fn directories_that_multiply_are_read_once() {
        const EXIF: u16 = 34_665;
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
            let mut clues = ProvenanceSignals::default();
            read(&mut clues, &block);
            assert_eq!(clues.resolve(), Provenance::Unknown);
        }
    }

    #[test]
    fn only_the_first_of_two_fields_is_read() {
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
        let resolved = |block: &[u8]| {
            let mut clues = ProvenanceSignals::default();
            read(&mut clues, block);
            clues.resolve()
        };
        let texts = b"nothing\0Midjourney\0";
        let (first, second) = ((8, AT), (11, AT + 8));
        let programs = |fields| resolved(&block(SOFTWARE, ASCII, fields, texts));
        assert_eq!(programs([first, second]), Provenance::Unknown);
        assert_ne!(programs([second, first]), Provenance::Unknown);
    }
}
