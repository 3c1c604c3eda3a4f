//! Origin of a picture by its metadata: PNG text chunks, EXIF, XMP and C2PA manifests.
//!
//! Guarantees: reading never panics, and is bounded in the number and the length of texts and
//! manifest stores. Nothing is verified, signatures included. A generator takes precedence over an
//! AI editor, an AI editor over an editor, and an editor over a camera.

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

/// Maximum number of bytes of a text or block that are read.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Maximum number of texts, blocks and manifests of a file that are read.
const TEXTS_MAX: usize = 64;
/// Maximum number of metadata segments of a JPEG that are read. A manifest with thumbnails takes
/// many.
const SEGMENTS_MAX: usize = 128;

pub use containers::provenance_of;

/// Returns the origin of a raster file by its metadata.
#[must_use]
pub fn read(bytes: &[u8], format: RasterFormat) -> Provenance {
    let mut signals = ProvenanceSignals::default();
    match format {
        RasterFormat::Jpeg => jpeg(&mut signals, bytes),
        RasterFormat::Png => png(&mut signals, bytes),
        RasterFormat::WebP => webp(&mut signals, bytes),
        RasterFormat::Tiff => exif::read(&mut signals, bytes),
        RasterFormat::Gif => gif(&mut signals, bytes),
        RasterFormat::Bmp => {}
    }
    signals.resolve()
}

fn jpeg(signals: &mut ProvenanceSignals, bytes: &[u8]) {
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
            exif::read(signals, block);
        } else if let Some(packet) = segment.body.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
            xmp::read(signals, packet);
        }
    }
    c2pa::read(signals, &store);
}

fn png(signals: &mut ProvenanceSignals, bytes: &[u8]) {
    let mut has_store = false;
    for chunk in structure::png_chunks(bytes)
        .filter(|chunk| matches!(&chunk.kind, b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf" | b"caBX"))
        .take(TEXTS_MAX)
    {
        match &chunk.kind {
            b"eXIf" => exif::read(signals, limit_text(chunk.body)),
            // Only the first manifest store belongs to the picture.
            b"caBX" if has_store => {}
            b"caBX" => {
                has_store = true;
                c2pa::read(signals, chunk.body);
            }
            _ => texts::read(signals, chunk),
        }
    }
}

fn webp(signals: &mut ProvenanceSignals, bytes: &[u8]) {
    let mut has_store = false;
    for chunk in structure::webp_chunks(bytes)
        .filter(|chunk| matches!(&chunk.kind, b"EXIF" | b"XMP " | b"C2PA"))
        .take(TEXTS_MAX)
    {
        let body = limit_text(chunk.body);
        match &chunk.kind {
            b"EXIF" => exif::read(signals, body.strip_prefix(b"Exif\0\0").unwrap_or(body)),
            b"XMP " => xmp::read(signals, body),
            _ if has_store => {}
            _ => {
                has_store = true;
                c2pa::read(signals, chunk.body);
            }
        }
    }
}

fn gif(signals: &mut ProvenanceSignals, bytes: &[u8]) {
    const APPLICATION: u8 = 0xff;
    let extensions = structure::gif_blocks(bytes).filter_map(|block| match block {
        GifBlock::Extension(APPLICATION, range) => Some(&bytes[range]),
        _ => None,
    });
    // Only the first manifest store belongs to the picture.
    let store = extensions
        .take(TEXTS_MAX)
        .find_map(|parts| parts.strip_prefix(b"\x0bC2PA_GIF\x01\x00\x00"));
    if let Some(store) = store {
        c2pa::read(
            signals,
            &structure::concat_gif_sub_blocks(store, c2pa::STORE_BYTES_MAX),
        );
    }
}

/// Returns at most the first [`TEXT_BYTES_MAX`] bytes.
fn limit_text(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests;
