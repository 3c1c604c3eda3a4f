//! Kind of a file by its first bytes, and the check of its name.
//!
//! Guarantees: at most [`HEAD_BYTES`] bytes are read, even if the whole file is available, so that
//! later checks give the same kind. Any name with an unknown extension is accepted, except
//! `.zip`.

use super::{bmff, pdf, svg};
use crate::model::picture::{FileDefect, FileKind, RasterFormat};

/// Number of bytes that are read: comments may precede the root element of an SVG.
pub const HEAD_BYTES: usize = 16 * 1024;

/// Valid header sizes of a BMP. The signature `BM` alone is too weak.
const BMP_HEADER_BYTES: [u32; 8] = [12, 16, 40, 52, 56, 64, 108, 124];

/// Returns the format of a raster file that begins with `head`. `None` if it is of no known format.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<RasterFormat> {
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        Some(RasterFormat::Jpeg)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(RasterFormat::Png)
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Some(RasterFormat::WebP)
    } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        Some(RasterFormat::Gif)
    } else if is_tiff(head) {
        Some(RasterFormat::Tiff)
    } else if is_bmp(head) {
        Some(RasterFormat::Bmp)
    } else {
        None
    }
}

fn is_tiff(head: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]
        .iter()
        .any(|magic| head.starts_with(*magic))
}

fn is_bmp(head: &[u8]) -> bool {
    head.starts_with(b"BM")
        && head
            .get(14..18)
            .and_then(|size| size.try_into().ok())
            .is_some_and(|size| BMP_HEADER_BYTES.contains(&u32::from_le_bytes(size)))
}

/// Returns the kind of a file that begins with `head`, and checks `name` against it. A file with
/// the extension of a raster format must be a raster file.
///
/// # Errors
/// Returns [`FileDefect::FileSize`] if `head` is empty, [`FileDefect::NotAnImage`] if it is of no
/// known kind, and the errors of [`check_name`].
pub fn identify(name: &str, head: &[u8]) -> Result<FileKind, FileDefect> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let named = FileKind::of_name(name);
    if sniff(head).is_some() || matches!(named, Some(FileKind::Picture(_))) {
        return identify_picture(name, head).map(FileKind::Picture);
    }
    match sniff_other(head) {
        Some(found) => check_name(name, found).map(|()| found),
        None if head.is_empty() => Err(empty()),
        None => {
            let title = named.map_or("a known format", FileKind::title);
            Err(FileDefect::NotAnImage(format!(
                "the content is not {title}"
            )))
        }
    }
}

/// Returns the format of a raster file that begins with `head`, and checks `name` against it.
///
/// # Errors
/// See [`identify`].
pub fn identify_picture(name: &str, head: &[u8]) -> Result<RasterFormat, FileDefect> {
    let Some(format) = sniff(head) else {
        return Err(if head.is_empty() {
            empty()
        } else {
            let text = "the content is not JPEG, PNG, WebP, BMP, TIFF or GIF";
            FileDefect::NotAnImage(text.to_owned())
        });
    };
    check_name(name, FileKind::Picture(format))?;
    Ok(format)
}

fn empty() -> FileDefect {
    FileDefect::FileSize("the file is empty".to_owned())
}

/// Returns the kind of a file that begins with `head`, whatever its name is. `None` if it is of no known
/// kind.
#[must_use]
pub fn kind(head: &[u8]) -> Option<FileKind> {
    let picture = sniff(head).map(FileKind::Picture);
    picture.or_else(|| sniff_other(head))
}

/// Returns the kind of a file that is not a raster file. `None` if it is of no known kind.
fn sniff_other(head: &[u8]) -> Option<FileKind> {
    bmff::file_kind(head)
        .or_else(|| svg::is_svg(head).then_some(FileKind::Svg))
        .or_else(|| pdf::is_pdf(head).then_some(FileKind::Pdf))
}

/// Checks that the extension of `name` agrees with the kind `found`.
///
/// # Errors
/// Returns [`FileDefect::FormatMismatch`] if it does not.
pub fn check_name(name: &str, found: FileKind) -> Result<(), FileDefect> {
    let Some((_, extension)) = name.rsplit_once('.') else {
        return Ok(());
    };
    let lower = extension.to_ascii_lowercase();
    let named = FileKind::of_extension(&lower);
    // ".zip" is an error although it is no extension of a known kind.
    if named == Some(found) || named.is_none() && lower != "zip" {
        Ok(())
    } else {
        let title = found.title();
        Err(FileDefect::FormatMismatch(format!(
            "named .{lower}, but the bytes are {} {title}",
            if title.starts_with(['A', 'S']) {
                "an"
            } else {
                "a"
            }
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;

    #[test]
    fn identify_fixtures_by_content_and_extension() {
        for name in [
            "photo.jpg",
            "plain.png",
            "plain.webp",
            "plain.bmp",
            "plain.tiff",
            "plain.gif",
        ] {
            let bytes = fixture::bytes(name);
            let format = RasterFormat::of_name(name).expect("a known extension");
            assert_eq!(sniff(&bytes), Some(format), "{name}");
            assert_eq!(identify(name, &bytes), Ok(FileKind::Picture(format)));
        }
        for name in [
            "plain.svg",
            "illustrator.svg",
            "plain.heic",
            "plain.avif",
            "table.pdf",
        ] {
            let bytes = fixture::bytes(name);
            let kind = FileKind::of_name(name).expect("a known extension");
            assert_eq!(sniff(&bytes), None, "{name}");
            assert_eq!(identify(name, &bytes), Ok(kind), "{name}");
            let other = identify("x.jpg", &bytes);
            assert!(matches!(other, Err(FileDefect::NotAnImage(_))), "{name}");
            for other in ["x.svg", "x.heif", "x.avif", "x.pdf", "x.zip"] {
                let is_same = FileKind::of_name(other) == Some(kind);
                assert_eq!(
                    identify(other, &bytes).is_ok(),
                    is_same,
                    "{name} as {other}"
                );
            }
        }
    }

    #[test]
    fn identify_ignores_bytes_beyond_the_head() {
        let comment = |bytes: usize| format!("<!--{}--><svg/>", " ".repeat(bytes));
        let near = comment(HEAD_BYTES - "<!----><svg/>".len());
        assert_eq!(identify("x.svg", near.as_bytes()), Ok(FileKind::Svg));
        let far = comment(HEAD_BYTES);
        for name in ["x.svg", "x"] {
            let whole = identify(name, far.as_bytes());
            assert!(matches!(whole, Err(FileDefect::NotAnImage(_))), "{name}");
            assert_eq!(whole, identify(name, &far.as_bytes()[..HEAD_BYTES]));
        }
    }

    const JPEG: FileKind = FileKind::Picture(RasterFormat::Jpeg);

    #[test]
    fn check_name_with_another_formats_extension_is_a_mismatch() {
        assert_eq!(
            check_name("a.b/Cat.PNG", JPEG),
            Err(FileDefect::FormatMismatch(
                "named .png, but the bytes are a JPEG".to_owned()
            ))
        );
        assert!(check_name("cat.heic", JPEG).is_err());
        for name in ["cat.jfif", "cat.JPEG", "cat", "cat.ai", "photo.v2.0"] {
            assert_eq!(check_name(name, JPEG), Ok(()), "{name}");
        }
    }

    #[test]
    fn identify_other_content_is_no_image() {
        assert!(matches!(
            identify("x.jpg", b""),
            Err(FileDefect::FileSize(_))
        ));
        for bytes in [
            &b"BMW makes cars and motorcycles"[..],
            b"RIFF\0\0\0\0WAVE",
            b"\xff\xd8",
            b"<!doctype html>",
        ] {
            for name in ["x.jpg", "x.svg", "x.heic", "x.avif", "x.pdf", "x"] {
                let found = identify(name, bytes);
                assert!(matches!(found, Err(FileDefect::NotAnImage(_))), "{name}");
            }
        }
    }
}
