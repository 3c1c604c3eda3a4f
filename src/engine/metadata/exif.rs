//! EXIF: camera, software and description.
//!
//! Guarantees: only the first IFD is read, and at most [`TEXT_BYTES_MAX`] bytes of a text are
//! copied.

use super::{ProvenanceSignals, TEXT_BYTES_MAX, c2pa, names, xmp};
use crate::engine::ifd::Ifd;

const IMAGE_DESCRIPTION: u16 = 270;
const MAKE: u16 = 271;
const MODEL: u16 = 272;
const SOFTWARE: u16 = 305;
/// Tags of blocks in TIFF files that other formats have in segments or chunks of their own.
const XMP: u16 = 700;
const C2PA: u16 = 52_545;

/// Field types.
const BYTE: u16 = 1;
const ASCII: u16 = 2;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;

/// Adds the signals of an EXIF block, which starts with its TIFF header.
pub fn read(signals: &mut ProvenanceSignals, block: &[u8]) {
    let Some(own) = Ifd::first(block) else {
        return;
    };
    if let Some(program) = text(&own, SOFTWARE) {
        signals.add_software(&program);
    }
    if let Some(description) = text(&own, IMAGE_DESCRIPTION) {
        signals.add_description(&description);
    }
    for (tag, read) in [
        (XMP, xmp::read as fn(&mut ProvenanceSignals, &[u8])),
        (C2PA, c2pa::read),
    ] {
        if let Some(bytes) = bytes(&own, tag) {
            read(signals, bytes);
        }
    }
    let make = text(&own, MAKE).unwrap_or_default();
    let model = text(&own, MODEL).unwrap_or_default();
    // ComfyUI's nodes write their graph to either.
    if names::is_comfyui_graph(&make) || names::is_comfyui_graph(&model) {
        signals.add_generator("ComfyUI");
        return;
    }
    if make.is_empty() {
        return;
    }
    if model.is_empty() {
        // A make without a model is not a camera's.
        signals.add_software(&make);
    } else {
        signals.add_captured(Some(&names::camera(&make, &model)));
    }
}

/// Returns the bytes of a field. Some writers declare them as LONG.
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
    // The field may have several NUL-terminated texts.
    let joined = String::from_utf8_lossy(bytes).replace('\0', " ");
    let text = joined.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::Provenance;

    /// The block has the maximum length of a JPEG segment, with 2,700 pointers to an EXIF IFD of 2,700
    /// entries or to a text of NUL bytes only.
    #[test]
    fn block_with_many_pointers_is_read_once() {
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
            let mut signals = ProvenanceSignals::default();
            read(&mut signals, &block);
            assert_eq!(signals.resolve(), Provenance::Unknown);
        }
    }

    #[test]
    fn read_of_two_fields_with_the_same_tag_takes_the_first() {
        /// Offset after the IFD.
        const AT: u32 = 8 + 2 + 2 * 12 + 4;
        /// Returns a block with an IFD of two fields with the same tag.
        fn block(tag: u16, kind: u16, fields: [(u32, u32); 2], rest: &[u8]) -> Vec<u8> {
            let mut block = b"MM\0*\0\0\0\x08\0\x02".to_vec();
            for (count, at) in fields {
                block.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
                block.extend([count.to_be_bytes(), at.to_be_bytes()].concat());
            }
            [&block, &[0; 4][..], rest].concat()
        }
        let resolved = |block: &[u8]| {
            let mut signals = ProvenanceSignals::default();
            read(&mut signals, block);
            signals.resolve()
        };
        let texts = b"nothing\0Midjourney\0";
        let (first, second) = ((8, AT), (11, AT + 8));
        let programs = |fields| resolved(&block(SOFTWARE, ASCII, fields, texts));
        assert_eq!(programs([first, second]), Provenance::Unknown);
        assert_ne!(programs([second, first]), Provenance::Unknown);
    }
}
