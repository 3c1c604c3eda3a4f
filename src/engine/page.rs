//! PDFs, as far as they are looked into: a page's size, what names a source.
//!
//! Promises: the walks are total and bounded; nothing is inflated, so that what lies in
//! streams of objects is not seen.

const MEDIA_BOX: &[u8] = b"/MediaBox";
/// The longest string that is read.
const TEXT_BYTES_MAX: usize = 1024;

/// The width and height in points of the first `/MediaBox` in the file that stands in the open:
/// most often, but not always, the first page's.
#[must_use]
pub fn sides_pt(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes;
    while let Some(at) = place(rest, MEDIA_BOX) {
        rest = &rest[at + MEDIA_BOX.len()..];
        if let Some(sides) = numbers(rest).and_then(|[left, bottom, right, top]| {
            let side = |from: f32, to: f32| whole((to - from).abs());
            Some((side(left, right)?, side(bottom, top)?))
        }) {
            return Some(sides);
        }
    }
    None
}

/// The four numbers of the array that `bytes` begin with.
fn numbers(bytes: &[u8]) -> Option<[f32; 4]> {
    let array = bytes.trim_ascii_start().strip_prefix(b"[")?;
    // nothing but numbers, so that what opens and never closes is not gone over again and again
    let end = array.iter().position(|byte| b"[]/<>()".contains(byte))?;
    if array[end] != b']' {
        return None;
    }
    let text = std::str::from_utf8(&array[..end]).ok()?;
    let mut numbers = text.split_ascii_whitespace();
    let mut next = || {
        numbers
            .next()?
            .parse()
            .ok()
            .filter(|it: &f32| it.is_finite())
    };
    Some([next()?, next()?, next()?, next()?])
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and that is meant"
)]
fn whole(side: f32) -> Option<u32> {
    Some(side.round() as u32).filter(|side| *side > 0)
}

/// The programs that its information names: `/Creator (…)` and `/Producer (…)`.
pub fn programs(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    [&b"/Creator"[..], b"/Producer"]
        .into_iter()
        .filter_map(|key| {
            let value = bytes[place(bytes, key)? + key.len()..].trim_ascii_start();
            let value = value.strip_prefix(b"(")?;
            let value = &value[..value.len().min(TEXT_BYTES_MAX)];
            let end = value.iter().position(|byte| *byte == b')')?;
            Some(text(&value[..end]))
        })
}

/// A text string: UTF-16 with its mark, or taken for UTF-8.
fn text(bytes: &[u8]) -> String {
    match bytes.strip_prefix(b"\xfe\xff") {
        Some(wide) => {
            let units = wide
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).filter_map(Result::ok).collect()
        }
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Its first XMP packet that is not compressed.
#[must_use]
pub fn xmp(bytes: &[u8]) -> Option<&[u8]> {
    place(bytes, b"<x:xmpmeta").map(|at| &bytes[at..])
}

/// Its first JPEG, and what follows it in the file.
#[must_use]
pub fn jpeg(bytes: &[u8]) -> Option<&[u8]> {
    let rest = &bytes[place(bytes, b"/DCTDecode")?..];
    let begins = rest
        .windows(3)
        .position(|window| window == b"\xff\xd8\xff")?;
    Some(&rest[begins..])
}

fn place(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;

    #[test]
    fn the_size_is_that_of_the_first_media_box_in_the_file() {
        assert_eq!(sides_pt(&fixture::bytes("table.pdf")), Some((400, 220)));
        assert_eq!(sides_pt(&fixture::bytes("plain.pdf")), Some((320, 240)));
        for (text, sides) in [
            ("/MediaBox[10 20.5 -110 220]", Some((120, 200))),
            (
                "/MediaBox 5 0 R /MediaBox [ 0 0\n612 792 ]",
                Some((612, 792)),
            ),
            ("/MediaBox [0 0 1e30 9]", Some((u32::MAX, 9))),
            ("/MediaBox [0 0 0 9]", None),
            ("/MediaBox [0 0 NaN 9]", None),
            ("/MediaBox [0 0 9", None),
            ("/MediaBox [0 0 /MediaBox [0 0 5 6]", Some((5, 6))),
            (&"/MediaBox[".repeat(500_000), None),
            ("/MediaBox", None),
            ("", None),
        ] {
            assert_eq!(sides_pt(text.as_bytes()), sides, "{text}");
        }
    }

    #[test]
    fn what_names_a_source_is_found() {
        let pdf = b"<< /Producer (a) /Creator (\xfe\xff\0D\0a) >> /Filter /DCTDecode stream \xff\xd8\xff\xe0";
        assert_eq!(programs(pdf).collect::<Vec<_>>(), ["Da", "a"]);
        assert_eq!(jpeg(pdf), Some(&b"\xff\xd8\xff\xe0"[..]));
        assert_eq!(programs(b"/Creator (").count(), 0);
        assert!(jpeg(b"/DCTDecode").is_none());
        assert!(xmp(b" <x:xmpmeta>").is_some());
    }
}
