//! PDFs, as far as they are read: a page's size.
//!
//! Promises: the walks are total and bounded; nothing is inflated, so that what lies in
//! streams of objects is not seen.

const MEDIA_BOX: &[u8] = b"/MediaBox";

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
}
