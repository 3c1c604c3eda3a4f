//! Origin of files of any kind, in particular of SVG and HEIF.

use super::{ProvenanceSignals, TEXTS_MAX, c2pa, exif, read, xmp};
use crate::engine::bmff::{self, MetadataBlock};
use crate::model::picture::{FileKind, Provenance};

/// Returns the origin of a file of any kind by its metadata. The metadata of a PDF are not
/// read.
#[must_use]
pub fn provenance_of(bytes: &[u8], kind: FileKind) -> Provenance {
    let mut signals = ProvenanceSignals::default();
    match kind {
        FileKind::Picture(format) => return read(bytes, format),
        FileKind::Svg => svg(&mut signals, bytes),
        FileKind::Heif | FileKind::Avif => container(&mut signals, bytes),
        FileKind::Pdf => {}
    }
    signals.resolve()
}

/// Adds the signals of the SVG's `metadata` element.
fn svg(signals: &mut ProvenanceSignals, bytes: &[u8]) {
    const METADATA: &[u8] = b"<metadata";
    let start = bytes
        .windows(METADATA.len())
        .position(|window| window == METADATA);
    if let Some(at) = start {
        xmp::read(signals, &bytes[at..]);
    }
}

fn container(signals: &mut ProvenanceSignals, bytes: &[u8]) {
    for block in bmff::metadata_blocks(bytes).into_iter().take(TEXTS_MAX) {
        match block {
            MetadataBlock::Exif(block) => exif::read(signals, super::limit_text(block)),
            MetadataBlock::Xmp(packet) => xmp::read(signals, packet),
            MetadataBlock::Manifest(store) => c2pa::read(signals, store),
        }
    }
}
