//! Facts in the first bytes of a file: its kind, and the size of a picture.
//!
//! Guarantees: at most [`HEADER_BYTES`] bytes are read, and the directory of a TIFF; no pixels are decoded, and no name is checked.
//! Malformed bytes give fewer facts.

use std::io::{self, BufReader, Cursor, Read};

use image::ImageReader;

use super::content::InputFile;
use super::{bmff, decode, sniff, structure, svg};
use crate::model::picture::{FileKind, RasterFormat};

/// Number of bytes that are read. The size of a JPEG may follow large metadata.
const HEADER_BYTES: u64 = 256 * 1024;
/// Buffer for the directory of a TIFF.
const TIFF_BUFFER_BYTES: usize = 4 * 1024;

/// Facts in the first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderFacts {
    /// Kind of the file. `None` if it is unknown.
    pub kind: Option<FileKind>,
    /// Width and height in pixels, before rotation by EXIF. `None` if the first bytes do not have
    /// them, and for PDF files.
    pub sides_px: Option<(u32, u32)>,
}

/// Reads the facts of one file on the current thread.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub fn read(content: &InputFile) -> io::Result<HeaderFacts> {
    let mut head = Vec::new();
    content
        .read_from(0)
        .take(HEADER_BYTES)
        .read_to_end(&mut head)?;
    let kind = sniff::kind(&head[..head.len().min(sniff::HEAD_BYTES)]);
    let sides_px = kind.and_then(|kind| match kind {
        // The directory of a TIFF may be at the end of the file.
        FileKind::Picture(RasterFormat::Tiff) => tiff_sides_px(content),
        FileKind::Picture(format) => raster_sides_px(format, &head),
        FileKind::Svg => svg::declared_px(&head),
        FileKind::Heif | FileKind::Avif => bmff::sides_px(&head),
        FileKind::Pdf => None,
    });
    Ok(HeaderFacts { kind, sides_px })
}

fn raster_sides_px(format: RasterFormat, head: &[u8]) -> Option<(u32, u32)> {
    structure::header_dimensions(format, head).or_else(|| {
        let reader = ImageReader::with_format(Cursor::new(head), decode::codec(format));
        reader.into_dimensions().ok()
    })
}

fn tiff_sides_px(content: &InputFile) -> Option<(u32, u32)> {
    let whole = BufReader::with_capacity(TIFF_BUFFER_BYTES, content.read_from(0));
    let reader = ImageReader::with_format(whole, decode::codec(RasterFormat::Tiff));
    reader.into_dimensions().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;

    fn facts(bytes: &[u8]) -> HeaderFacts {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("a write");
        let content = InputFile {
            file: Arc::new(file),
            bytes: bytes.len() as u64,
            zip_entry: None,
        };
        read(&content).expect("a read")
    }

    #[test]
    fn read_returns_kind_and_size_and_never_panics_on_truncated_files() {
        for name in ["a.jpg", "a.png", "a.webp", "a.bmp", "a.gif", "a.tif"] {
            let sample = super::super::sample::sample(name, [7; 32]).expect("a sample");
            let whole = facts(&sample);
            assert_eq!(whole.kind, FileKind::of_name(name), "{name}");
            let (width, height) = whole.sides_px.expect(name);
            assert!(width > 0 && height > 0, "{name}");
            for length in (0..sample.len().min(600)).step_by(7) {
                facts(&sample[..length]);
            }
        }
    }

    #[test]
    fn read_of_svg_returns_its_declared_size() {
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"></svg>"#;
        let expected = HeaderFacts {
            kind: Some(FileKind::Svg),
            sides_px: Some((30, 20)),
        };
        assert_eq!(facts(svg), expected);
    }

    #[test]
    fn read_of_other_files_returns_no_size() {
        let unknown = HeaderFacts {
            kind: None,
            sides_px: None,
        };
        for bytes in [&b""[..], b"PK\x03\x04", b"<html><script>alert(1)</script>"] {
            assert_eq!(facts(bytes), unknown);
        }
        let pdf = super::super::sample::sample("a.pdf", [7; 32]).expect("a sample");
        let expected = HeaderFacts {
            kind: Some(FileKind::Pdf),
            sides_px: None,
        };
        assert_eq!(facts(&pdf), expected);
    }
}
