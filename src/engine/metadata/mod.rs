//! Source of a picture, as its metadata states it: PNG's texts, EXIF, XMP and C2PA manifests.
//!
//! Promises: reading is total and bounded (so many texts, manifest stores and bytes of each),
//! nothing is verified (a manifest's signature is not looked at), and a generator outweighs a
//! machine's edit, that an editor, an editor a camera.

mod c2pa;
mod containers;
mod exif;
mod names;
mod signals;
mod source_type;
mod texts;
mod xmp;

use signals::ProvenanceSignals;

use super::structure::{self, GifBlock};
use crate::model::picture::{Provenance, RasterFormat};

/// The most bytes of one text or block that are looked at.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// The most texts, blocks and manifests of one file.
const TEXTS_MAX: usize = 64;
/// The most segments of a JPEG: a manifest with its thumbnails takes many.
const SEGMENTS_MAX: usize = 128;

pub use containers::of_media;

/// What a picture of `format` says of its source.
#[must_use]
pub fn read(bytes: &[u8], format: RasterFormat) -> Provenance {
    let mut clues = ProvenanceSignals::default();
    match format {
        RasterFormat::Jpeg => jpeg(&mut clues, bytes),
        RasterFormat::Png => png(&mut clues, bytes),
        RasterFormat::WebP => webp(&mut clues, bytes),
        RasterFormat::Tiff => exif::read(&mut clues, bytes),
        RasterFormat::Gif => gif(&mut clues, bytes),
        RasterFormat::Bmp => {}
    }
    clues.resolve()
}

fn jpeg(clues: &mut ProvenanceSignals, bytes: &[u8]) {
    const APP1: u8 = 0xe1;
    const APP11: u8 = 0xeb;
    let mut store = Vec::new();
    for segment in structure::jpeg_header_segments(bytes)
        .filter(|segment| matches!(segment.marker, APP1 | APP11))
        .take(SEGMENTS_MAX)
    {
        if segment.marker == APP11 {
            c2pa::append_app11(&mut store, segment.body);
        } else if let Some(block) = segment.body.strip_prefix(b"Exif\0\0") {
            exif::read(clues, block);
        } else if let Some(packet) = segment.body.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
            xmp::read(clues, packet);
        }
    }
    c2pa::read(clues, &store);
}

fn png(clues: &mut ProvenanceSignals, bytes: &[u8]) {
    let mut has_store = false;
    for chunk in structure::png_chunks(bytes)
        .filter(|chunk| matches!(&chunk.kind, b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf" | b"caBX"))
        .take(TEXTS_MAX)
    {
        match &chunk.kind {
            b"eXIf" => exif::read(clues, bounded(chunk.body)),
            // a second store is not the picture's
            b"caBX" if has_store => {}
            b"caBX" => {
                has_store = true;
                c2pa::read(clues, chunk.body);
            }
            _ => texts::read(clues, chunk),
        }
    }
}

fn webp(clues: &mut ProvenanceSignals, bytes: &[u8]) {
    let mut has_store = false;
    for chunk in structure::webp_chunks(bytes)
        .filter(|chunk| matches!(&chunk.kind, b"EXIF" | b"XMP " | b"C2PA"))
        .take(TEXTS_MAX)
    {
        let body = bounded(chunk.body);
        match &chunk.kind {
            b"EXIF" => exif::read(clues, body.strip_prefix(b"Exif\0\0").unwrap_or(body)),
            b"XMP " => xmp::read(clues, body),
            _ if has_store => {}
            _ => {
                has_store = true;
                c2pa::read(clues, chunk.body);
            }
        }
    }
}

fn gif(clues: &mut ProvenanceSignals, bytes: &[u8]) {
    const APPLICATION: u8 = 0xff;
    let extensions = structure::gif_blocks(bytes).filter_map(|block| match block {
        GifBlock::Extension(APPLICATION, place) => Some(&bytes[place]),
        _ => None,
    });
    // A second store is not the picture's.
    let store = extensions
        .take(TEXTS_MAX)
        .find_map(|parts| parts.strip_prefix(b"\x0bC2PA_GIF\x01\x00\x00"));
    if let Some(store) = store {
        c2pa::read(
            clues,
            &structure::concat_gif_sub_blocks(store, c2pa::STORE_BYTES_MAX),
        );
    }
}

fn bounded(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests;
