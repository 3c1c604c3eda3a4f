//! Source of SVGs and of HEIF's containers.

use super::{ProvenanceSignals, TEXTS_MAX, c2pa, exif, read, xmp};
use crate::engine::bmff::{self, MetadataBlock};
use crate::model::picture::{FileKind, Provenance};

/// Returns what a file of any kind states of its source. A PDF is not read.
#[must_use]
pub fn of_media(bytes: &[u8], media: FileKind) -> Provenance {
    let mut clues = ProvenanceSignals::default();
    match media {
        FileKind::Picture(format) => return read(bytes, format),
        FileKind::Svg => svg(&mut clues, bytes),
        FileKind::Heif | FileKind::Avif => container(&mut clues, bytes),
        FileKind::Pdf => {}
    }
    clues.resolve()
}

/// What stands in its `metadata`.
fn svg(clues: &mut ProvenanceSignals, bytes: &[u8]) {
    const METADATA: &[u8] = b"<metadata";
    let begins = bytes
        .windows(METADATA.len())
        .position(|window| window == METADATA);
    if let Some(at) = begins {
        xmp::read(clues, &bytes[at..]);
    }
}

fn container(clues: &mut ProvenanceSignals, bytes: &[u8]) {
    for block in bmff::metadata_blocks(bytes).into_iter().take(TEXTS_MAX) {
        match block {
            MetadataBlock::Exif(block) => exif::read(clues, super::bounded(block)),
            MetadataBlock::Xmp(packet) => xmp::read(clues, packet),
            MetadataBlock::Manifest(store) => c2pa::read(clues, store),
        }
    }
}
