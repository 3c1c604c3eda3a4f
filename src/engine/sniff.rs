//! What a file is by its first bytes, and whether its name agrees.
//!
//! Promises: nothing but the head is looked at, and a name whose extension stands for no
//! format of ours nor for a foreign one is taken as it is.

use crate::model::picture::{Defect, Format};

/// How much of a file [`sniff`] needs to see.
pub const HEAD_BYTES: usize = 32;

/// Extensions the vendors take whose formats are not decoded here.
const FOREIGN: [&str; 6] = ["heic", "heif", "avif", "svg", "pdf", "zip"];

/// The header sizes a BMP may have; two letters alone are too little to go by.
const BMP_HEADER_BYTES: [u32; 8] = [12, 16, 40, 52, 56, 64, 108, 124];

/// The format of a file that begins with `head` ([`HEAD_BYTES`] of it, or all there is).
#[must_use]
pub fn sniff(head: &[u8]) -> Option<Format> {
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        Some(Format::Jpeg)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Some(Format::WebP)
    } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        Some(Format::Gif)
    } else if is_tiff(head) {
        Some(Format::Tiff)
    } else if is_bmp(head) {
        Some(Format::Bmp)
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

/// The format of a file that begins with `head`, its name's extension agreeing.
///
/// # Errors
/// [`Defect::FileSize`] when there is none, [`Defect::NotAPicture`] when no format known begins
/// so, and what [`check_name`] says.
pub fn identify(name: &str, head: &[u8]) -> Result<Format, Defect> {
    let Some(format) = sniff(head) else {
        return Err(if head.is_empty() {
            Defect::FileSize("the file is empty".to_owned())
        } else {
            let text = "the bytes are no JPEG, PNG, WebP, BMP, TIFF or GIF";
            Defect::NotAPicture(text.to_owned())
        });
    };
    check_name(name, format)?;
    Ok(format)
}

/// Whether a file called `name` may hold the format `found`.
///
/// # Errors
/// [`Defect::OtherFormat`] when its extension stands for another.
pub fn check_name(name: &str, found: Format) -> Result<(), Defect> {
    let stands_for_it = |extension: &str| Format::of_extension(extension) == Some(found);
    hold_against(name, stands_for_it, title(found))
}

/// Whether a PDF may be called `name`.
///
/// # Errors
/// [`Defect::OtherFormat`] when its extension stands for another format.
pub fn check_pdf_name(name: &str) -> Result<(), Defect> {
    hold_against(name, |extension| extension == "pdf", "PDF")
}

fn hold_against(
    name: &str,
    stands_for_it: impl Fn(&str) -> bool,
    title: &str,
) -> Result<(), Defect> {
    let Some((_, extension)) = name.rsplit_once('.') else {
        return Ok(());
    };
    let extension = extension.to_ascii_lowercase();
    let is_known =
        Format::of_extension(&extension).is_some() || FOREIGN.contains(&extension.as_str());
    if stands_for_it(&extension) || !is_known {
        Ok(())
    } else {
        Err(Defect::OtherFormat(format!(
            "named .{extension}, but the bytes are a {title}"
        )))
    }
}

/// The name of a format, for people.
#[must_use]
pub fn title(format: Format) -> &'static str {
    match format {
        Format::Jpeg => "JPEG",
        Format::Png => "PNG",
        Format::WebP => "WebP",
        Format::Bmp => "BMP",
        Format::Tiff => "TIFF",
        Format::Gif => "GIF",
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
            let format = Format::of_name(name).expect("a format of ours");
            assert_eq!(sniff(&bytes[..HEAD_BYTES]), Some(format), "{name}");
            assert_eq!(identify(name, &bytes), Ok(format));
        }
    }

    #[test]
    fn another_format_than_the_name_says_is_told_in_one_line() {
        assert_eq!(
            check_name("a.b/Cat.PNG", Format::Jpeg),
            Err(Defect::OtherFormat(
                "named .png, but the bytes are a JPEG".to_owned()
            ))
        );
        assert!(check_name("cat.heic", Format::Jpeg).is_err());
        for name in ["cat.jfif", "cat.JPEG", "cat", "cat.ai", "photo.v2.0"] {
            assert_eq!(check_name(name, Format::Jpeg), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_is_no_picture_is_not_taken_for_one() {
        assert!(matches!(identify("x.jpg", b""), Err(Defect::FileSize(_))));
        for bytes in [
            &b"BMW makes cars and motorcycles"[..],
            b"RIFF\0\0\0\0WAVE",
            b"\xff\xd8",
            b"<!doctype html>",
        ] {
            assert!(matches!(
                identify("x.jpg", bytes),
                Err(Defect::NotAPicture(_))
            ));
        }
    }
}
