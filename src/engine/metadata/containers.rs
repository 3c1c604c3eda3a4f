//! Source of SVGs and of HEIF's containers.

use super::{Clues, TEXTS_MAX, c2pa, exif, read, xmp};
use crate::engine::bmff::{self, Block};
use crate::model::picture::{Media, Provenance};

/// Returns what a file of any kind states of its source. A PDF is not read.
#[must_use]
pub fn of_media(bytes: &[u8], media: Media) -> Provenance {
    let mut clues = Clues::default();
    match media {
        Media::Picture(format) => return read(bytes, format),
        Media::Svg => svg(&mut clues, bytes),
        Media::Heif | Media::Avif => container(&mut clues, bytes),
        Media::Pdf => {}
    }
    clues.settled()
}

/// What stands in its `metadata`.
fn svg(clues: &mut Clues, bytes: &[u8]) {
    const METADATA: &[u8] = b"<metadata";
    let begins = bytes
        .windows(METADATA.len())
        .position(|window| window == METADATA);
    if let Some(at) = begins {
        xmp::read(clues, &bytes[at..]);
    }
}

fn container(clues: &mut Clues, bytes: &[u8]) {
    for block in bmff::blocks(bytes).into_iter().take(TEXTS_MAX) {
        match block {
            Block::Exif(block) => exif::read(clues, super::bounded(block)),
            Block::Xmp(packet) => xmp::read(clues, packet),
            Block::Manifest(store) => c2pa::read(clues, store),
        }
    }
}
