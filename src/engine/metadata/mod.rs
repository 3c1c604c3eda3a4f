//! Where a picture says it comes from: PNG's texts, EXIF, XMP and C2PA manifests.
//!
//! Promises: reading is total and bounded (so many texts, so many bytes each), nothing is
//! verified (a manifest's signature is not looked at), and a generator outweighs an editor,
//! an editor a camera.

mod c2pa;
mod containers;
mod exif;
mod names;
mod texts;
mod xmp;

use super::framing::{self, Block};
use crate::model::picture::{Format, Provenance};

/// The most bytes of one text, block or manifest that are looked at.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// The most texts, blocks and manifests of one file.
const TEXTS_MAX: usize = 64;

pub use containers::of_media;

/// What a picture of `format` says of its source.
#[must_use]
pub fn read(bytes: &[u8], format: Format) -> Provenance {
    let mut clues = Clues::default();
    match format {
        Format::Jpeg => jpeg(&mut clues, bytes),
        Format::Png => png(&mut clues, bytes),
        Format::WebP => webp(&mut clues, bytes),
        Format::Tiff => exif::read(&mut clues, bytes),
        Format::Gif => gif(&mut clues, bytes),
        Format::Bmp => {}
    }
    clues.settled()
}

/// What was found so far; the first of each kind stands.
#[derive(Debug, Default)]
struct Clues {
    generator: Option<String>,
    editor: Option<String>,
    camera: Option<String>,
}

impl Clues {
    fn generator(&mut self, name: &str) {
        self.generator.get_or_insert_with(|| name.to_owned());
    }

    /// Takes a text in which a program names itself.
    fn tool(&mut self, text: &str) {
        let text = text.trim();
        if let Some(name) = names::generator_of_tool(text) {
            self.generator(name);
        } else if names::is_editor(text) {
            self.editor.get_or_insert_with(|| names::one_line(text));
        }
    }

    /// Takes a text that people, or generators, wrote about the picture.
    fn prose(&mut self, text: &str) {
        if let Some(name) = names::generator_of_prose(text) {
            self.generator(name);
        }
    }

    fn settled(self) -> Provenance {
        if let Some(name) = self.generator {
            Provenance::Generator(name)
        } else if let Some(name) = self.editor {
            Provenance::Editor(name)
        } else if let Some(name) = self.camera {
            Provenance::Camera(name)
        } else {
            Provenance::Unknown
        }
    }
}

fn jpeg(clues: &mut Clues, bytes: &[u8]) {
    const APP1: u8 = 0xe1;
    const APP11: u8 = 0xeb;
    const COMMENT: u8 = 0xfe;
    let mut manifest = Vec::new();
    for segment in framing::jpeg_head(bytes)
        .filter(|segment| matches!(segment.marker, APP1 | APP11 | COMMENT))
        .take(TEXTS_MAX)
    {
        if segment.marker == APP11 {
            c2pa::collect(&mut manifest, segment.body);
        } else if segment.marker == COMMENT {
            clues.prose(&String::from_utf8_lossy(segment.body));
        } else if let Some(block) = segment.body.strip_prefix(b"Exif\0\0") {
            exif::read(clues, block);
        } else if let Some(packet) = segment.body.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
            xmp::read(clues, packet);
        }
    }
    c2pa::read(clues, &manifest);
}

fn png(clues: &mut Clues, bytes: &[u8]) {
    for chunk in framing::png_chunks(bytes)
        .filter(|chunk| matches!(&chunk.kind, b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf" | b"caBX"))
        .take(TEXTS_MAX)
    {
        match &chunk.kind {
            b"eXIf" => exif::read(clues, bounded(chunk.body)),
            b"caBX" => c2pa::read(clues, bounded(chunk.body)),
            _ => texts::read(clues, chunk),
        }
    }
}

fn webp(clues: &mut Clues, bytes: &[u8]) {
    for chunk in framing::webp_chunks(bytes)
        .filter(|chunk| matches!(&chunk.kind, b"EXIF" | b"XMP " | b"C2PA"))
        .take(TEXTS_MAX)
    {
        let body = bounded(chunk.body);
        match &chunk.kind {
            b"EXIF" => exif::read(clues, body.strip_prefix(b"Exif\0\0").unwrap_or(body)),
            b"XMP " => xmp::read(clues, body),
            _ => c2pa::read(clues, body),
        }
    }
}

fn gif(clues: &mut Clues, bytes: &[u8]) {
    const COMMENT: u8 = 0xfe;
    for block in framing::gif_blocks(bytes).take(TEXTS_MAX) {
        if let Block::Extension(COMMENT, place) = block {
            let text = framing::joined(&bytes[place], TEXT_BYTES_MAX);
            clues.tool(&String::from_utf8_lossy(&text));
        }
    }
}

fn bounded(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests;
