//! PDF files: their head, their end, and the size of a page (ISO 32000-1).
//!
//! Every walk ends and takes bounded time. Nothing is inflated, so objects within object streams are
//! not seen.

use crate::model::picture::FileDefect;

/// Bytes at the begin of a file in which its head may be.
const HEAD_BYTES_MAX: usize = 1024;
/// Bytes at the end of a file in which its `startxref` may be.
const TAIL_BYTES_MAX: usize = 2048;
const HEAD: &[u8] = b"%PDF-";
const MEDIA_BOX: &[u8] = b"/MediaBox";

/// `true` if a file begins like a PDF.
pub fn is_pdf(bytes: &[u8]) -> bool {
    head_at(bytes).is_some()
}

/// Checks that a PDF goes on to its end, from where a reader finds its objects.
///
/// # Errors
/// [`FileDefect::Corrupt`], [`FileDefect::Encrypted`].
pub fn check(bytes: &[u8]) -> Result<(), FileDefect> {
    let corrupt = |text: &str| FileDefect::Corrupt(text.to_owned());
    let (offset, at) = cross_references(bytes).ok_or_else(|| corrupt("the PDF is truncated"))?;
    let trailer = trailer(&bytes[at..]).ok_or_else(|| {
        let text = format!("the PDF's startxref {offset} does not point at cross-references");
        FileDefect::Corrupt(text)
    })?;
    let names = names(trailer).ok_or_else(|| corrupt("the PDF's trailer is truncated"))?;
    if names.contains(&&b"Encrypt"[..]) {
        return Err(FileDefect::Encrypted("the PDF is encrypted".to_owned()));
    }
    if names.contains(&&b"Root"[..]) {
        Ok(())
    } else {
        Err(corrupt("the PDF's trailer has no catalog"))
    }
}

fn head_at(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    head.windows(HEAD.len()).position(|window| window == HEAD)
}

/// Returns the last `startxref`: its offset as written, and as a place in the file. `None` if there is
/// none, or if `%%EOF` does not follow.
pub(super) fn cross_references(bytes: &[u8]) -> Option<(u64, usize)> {
    const KEYWORD: &[u8] = b"startxref";
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
    let keyword = tail
        .windows(KEYWORD.len())
        .rposition(|window| window == KEYWORD)?;
    let (offset, rest) = number(tail[keyword + KEYWORD.len()..].trim_ascii_start())?;
    if !rest.trim_ascii_start().starts_with(b"%%EOF") {
        return None;
    }
    // of a file with something before its head, the offsets count from either
    let places = [Some(0), head_at(bytes)].into_iter().flatten();
    let mut within = places
        .filter_map(|start| usize::try_from(offset).ok()?.checked_add(start))
        .filter(|at| *at < bytes.len());
    let first = within.clone().next()?;
    let at = within.find(|at| trailer(&bytes[*at..]).is_some());
    Some((offset, at.unwrap_or(first)))
}

/// The width and height in points of the first `/MediaBox` in the file that stands in the open:
/// most often, but not always, the first page's.
#[must_use]
pub fn media_box_size(bytes: &[u8]) -> Option<(u32, u32)> {
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

/// Returns the bytes behind the `<<` of a file's trailer. `bytes` begin with the cross-references: a
/// table that the trailer follows, or a stream object, whose dictionary is the trailer as well.
fn trailer(bytes: &[u8]) -> Option<&[u8]> {
    const KEYWORD: &[u8] = b"trailer";
    let bytes = bytes.trim_ascii_start();
    let dictionary = if bytes.starts_with(b"xref") {
        let keyword = bytes
            .windows(KEYWORD.len())
            .position(|window| window == KEYWORD)?;
        &bytes[keyword + KEYWORD.len()..]
    } else {
        let (_, rest) = number(bytes)?;
        let (_, rest) = number(rest.trim_ascii_start())?;
        rest.trim_ascii_start().strip_prefix(b"obj")?
    };
    dictionary.trim_ascii_start().strip_prefix(b"<<")
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = bytes.split_at(digits);
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, rest))
}

/// The names of a dictionary that lie in no object within it, without their `/`; none if it
/// does not end. `dictionary` begins behind its `<<`.
fn names(dictionary: &[u8]) -> Option<Vec<&[u8]>> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut rest = dictionary;
    loop {
        let (&first, after) = rest.split_first()?;
        rest = match first {
            b'>' if after.first() == Some(&b'>') => {
                if depth == 0 {
                    return Some(names);
                }
                depth -= 1;
                &after[1..]
            }
            b'<' if after.first() == Some(&b'<') => {
                depth += 1;
                &after[1..]
            }
            b'[' => {
                depth += 1;
                after
            }
            b']' => {
                depth = depth.checked_sub(1)?;
                after
            }
            b'(' => behind_text(after)?,
            b'%' => behind(after, |byte| matches!(byte, b'\r' | b'\n'))?,
            b'/' => {
                let length = after
                    .iter()
                    .position(|byte| !byte.is_ascii_graphic() || b"()<>[]{}/%".contains(byte))?;
                if depth == 0 {
                    names.push(&after[..length]);
                }
                &after[length..]
            }
            _ => after,
        };
    }
}

/// Returns the bytes behind a string. `bytes` begin behind its `(`.
fn behind_text(bytes: &[u8]) -> Option<&[u8]> {
    let mut depth = 1_usize;
    let mut is_escaped = false;
    behind(bytes, |byte| {
        let was_escaped = std::mem::replace(&mut is_escaped, false);
        match byte {
            _ if was_escaped => {}
            b'\\' => is_escaped = true,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

fn behind(bytes: &[u8], is_last: impl FnMut(u8) -> bool) -> Option<&[u8]> {
    let last = bytes.iter().copied().position(is_last)?;
    Some(&bytes[last + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;

    #[test]
    fn the_size_is_that_of_the_first_media_box_in_the_file() {
        assert_eq!(
            media_box_size(&fixture::bytes("table.pdf")),
            Some((400, 220))
        );
        assert_eq!(
            media_box_size(&fixture::bytes("plain.pdf")),
            Some((320, 240))
        );
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
            assert_eq!(media_box_size(text.as_bytes()), sides, "{text}");
        }
    }
}
