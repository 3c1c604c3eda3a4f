//! What a file is by its first bytes, and whether its name agrees.
//!
//! Promises: nothing but the head is looked at, of whole files too, so that what is known by its
//! head is known again when it is read; and a name whose extension stands for nothing
//! of ours is taken as it is.

use super::{bmff, pdf, svg};
use crate::model::picture::{FileDefect, FileKind, RasterFormat};

/// How much of a file is looked at to know it: an SVG's root may stand behind remarks.
pub const HEAD_BYTES: usize = 16 * 1024;

/// The header sizes a BMP may have; two letters alone are too little to go by.
const BMP_HEADER_BYTES: [u32; 8] = [12, 16, 40, 52, 56, 64, 108, 124];

/// The format of a file that begins with `head` ([`HEAD_BYTES`] of it, or all there is).
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

/// What a file that begins with `head` (no more of it than [`HEAD_BYTES`] is looked at) is, its
/// name's extension agreeing.
///
/// A file that is named as a picture is nothing else.
///
/// # Errors
/// [`FileDefect::FileSize`] when there is none, [`FileDefect::NotAnImage`] when nothing known begins
/// so, and what [`check_name`] says.
pub fn identify(name: &str, head: &[u8]) -> Result<FileKind, FileDefect> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let named = FileKind::of_name(name);
    if sniff(head).is_some() || matches!(named, Some(FileKind::Picture(_))) {
        return identify_picture(name, head).map(FileKind::Picture);
    }
    match other(head) {
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

/// The format of a picture that begins with `head`, its name's extension agreeing.
///
/// # Errors
/// As of [`identify`].
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

/// What begins so and is no picture whose pixels are read.
fn other(head: &[u8]) -> Option<FileKind> {
    bmff::media(head)
        .or_else(|| svg::is_svg(head).then_some(FileKind::Svg))
        .or_else(|| pdf::is_pdf(head).then_some(FileKind::Pdf))
}

/// Whether a file called `name` may hold what was `found`.
///
/// # Errors
/// [`FileDefect::FormatMismatch`] when its extension stands for another.
pub fn check_name(name: &str, found: FileKind) -> Result<(), FileDefect> {
    let Some((_, extension)) = name.rsplit_once('.') else {
        return Ok(());
    };
    let extension = extension.to_ascii_lowercase();
    let named = FileKind::of_extension(&extension);
    // an archive is none of them, and is not one by its name alone
    if named == Some(found) || named.is_none() && extension != "zip" {
        Ok(())
    } else {
        let title = found.title();
        Err(FileDefect::FormatMismatch(format!(
            "named .{extension}, but the bytes are {} {title}",
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
    fn each_fixture_is_what_its_extension_says() {
        for name in [
            "photo.jpg",
            "plain.png",
            "plain.webp",
            "plain.bmp",
            "plain.tiff",
            "plain.gif",
        ] {
            let bytes = fixture::bytes(name);
            let format = RasterFormat::of_name(name).expect("a format of ours");
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
            let media = FileKind::of_name(name).expect("one of ours");
            assert_eq!(sniff(&bytes), None, "{name}");
            assert_eq!(identify(name, &bytes), Ok(media), "{name}");
            let other = identify("x.jpg", &bytes);
            assert!(matches!(other, Err(FileDefect::NotAnImage(_))), "{name}");
            for other in ["x.svg", "x.heif", "x.avif", "x.pdf", "x.zip"] {
                let is_it = FileKind::of_name(other) == Some(media);
                assert_eq!(identify(other, &bytes).is_ok(), is_it, "{name} as {other}");
            }
        }
    }

    #[test]
    fn whole_files_are_known_by_their_head_alone() {
        let remarks = |bytes: usize| format!("<!--{}--><svg/>", " ".repeat(bytes));
        let near = remarks(HEAD_BYTES - "<!----><svg/>".len());
        assert_eq!(identify("x.svg", near.as_bytes()), Ok(FileKind::Svg));
        let far = remarks(HEAD_BYTES);
        for name in ["x.svg", "x"] {
            let whole = identify(name, far.as_bytes());
            assert!(matches!(whole, Err(FileDefect::NotAnImage(_))), "{name}");
            assert_eq!(whole, identify(name, &far.as_bytes()[..HEAD_BYTES]));
        }
    }

    const JPEG: FileKind = FileKind::Picture(RasterFormat::Jpeg);

    #[test]
    fn another_format_than_the_name_says_is_told_in_one_line() {
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
    fn what_is_no_picture_is_not_taken_for_one() {
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
