//! PDF files (ISO 32000-1): header, trailer, and page size.
//!
//! Parsing always ends, in bounded time. Nothing is decompressed, so that objects in object streams
//! are not found.

use crate::model::picture::FileDefect;

/// Bytes at the start of a file that are searched for the header.
const HEAD_BYTES_MAX: usize = 1024;
/// Bytes at the end of a file that are searched for `startxref`.
const TAIL_BYTES_MAX: usize = 2048;
const HEADER: &[u8] = b"%PDF-";
const MEDIA_BOX: &[u8] = b"/MediaBox";

/// `true` if a file has a PDF header.
pub fn is_pdf(bytes: &[u8]) -> bool {
    header_offset(bytes).is_some()
}

/// Checks that a PDF is complete: `startxref` leads to a trailer with a catalog.
///
/// # Errors
/// Returns [`FileDefect::Corrupt`] if it is not, and [`FileDefect::Encrypted`] if the PDF is
/// encrypted.
pub fn check(bytes: &[u8]) -> Result<(), FileDefect> {
    let corrupt = |text: &str| FileDefect::Corrupt(text.to_owned());
    let (offset, at) = startxref(bytes).ok_or_else(|| corrupt("the PDF is truncated"))?;
    let trailer = trailer(&bytes[at..]).ok_or_else(|| {
        let text = format!("the PDF's startxref {offset} does not point at cross-reference data");
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

fn header_offset(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    find(head, HEADER)
}

/// Returns the last `startxref`: its offset as written, and the position in the file. `None` if
/// there is none, or if `%%EOF` does not follow.
pub(super) fn startxref(bytes: &[u8]) -> Option<(u64, usize)> {
    const KEYWORD: &[u8] = b"startxref";
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
    let keyword = tail
        .windows(KEYWORD.len())
        .rposition(|window| window == KEYWORD)?;
    let (offset, rest) = number(tail[keyword + KEYWORD.len()..].trim_ascii_start())?;
    if !rest.trim_ascii_start().starts_with(b"%%EOF") {
        return None;
    }
    // If data precedes the header, offsets count from either the file or the header.
    let starts = [Some(0), header_offset(bytes)].into_iter().flatten();
    let mut within = starts
        .filter_map(|start| usize::try_from(offset).ok()?.checked_add(start))
        .filter(|at| *at < bytes.len());
    let first = within.clone().next()?;
    let at = within.find(|at| trailer(&bytes[*at..]).is_some());
    Some((offset, at.unwrap_or(first)))
}

/// Returns the width and height in points of the first `/MediaBox` in the file outside of
/// compressed objects. Usually the one of the first page. `None` if there is no
/// such box.
#[must_use]
pub fn media_box_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes;
    while let Some(at) = find(rest, MEDIA_BOX) {
        rest = &rest[at + MEDIA_BOX.len()..];
        if let Some(sides) = numbers(rest).and_then(|[left, bottom, right, top]| {
            let side = |from: f32, to: f32| round_to_pt((to - from).abs());
            Some((side(left, right)?, side(bottom, top)?))
        }) {
            return Some(sides);
        }
    }
    None
}

/// Parses the array of four numbers at the start of `bytes`. `None` if there is none.
fn numbers(bytes: &[u8]) -> Option<[f32; 4]> {
    let array = bytes.trim_ascii_start().strip_prefix(b"[")?;
    // Ends at the first non-number, so that unclosed arrays do not make the search quadratic.
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
    reason = "the cast saturates, as intended"
)]
fn round_to_pt(side: f32) -> Option<u32> {
    Some(side.round() as u32).filter(|side| *side > 0)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Returns the bytes after the `<<` of a file's trailer. `bytes` start with the cross-reference
/// data: a table that the trailer follows, or a stream object whose dictionary is the trailer.
fn trailer(bytes: &[u8]) -> Option<&[u8]> {
    const KEYWORD: &[u8] = b"trailer";
    let start = bytes.trim_ascii_start();
    let dictionary = if start.starts_with(b"xref") {
        &start[find(start, KEYWORD)? + KEYWORD.len()..]
    } else {
        let (_, after_number) = number(start)?;
        let (_, after_generation) = number(after_number.trim_ascii_start())?;
        after_generation.trim_ascii_start().strip_prefix(b"obj")?
    };
    dictionary.trim_ascii_start().strip_prefix(b"<<")
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = bytes.split_at(length);
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, rest))
}

/// Returns the names at the top level of a dictionary, keys and values, without their `/`.
/// `dictionary` starts after its `<<`. `None` if the dictionary does not end.
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
            b'(' => skip_string(after)?,
            b'%' => skip_through(after, |byte| matches!(byte, b'\r' | b'\n'))?,
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

/// Returns the bytes after a string. `bytes` start after its `(`.
fn skip_string(bytes: &[u8]) -> Option<&[u8]> {
    let mut depth = 1_usize;
    let mut is_escaped = false;
    skip_through(bytes, |byte| {
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

/// Returns the bytes after the first one for which `is_last` holds.
fn skip_through(bytes: &[u8], is_last: impl FnMut(u8) -> bool) -> Option<&[u8]> {
    let last = bytes.iter().copied().position(is_last)?;
    Some(&bytes[last + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;

    #[test]
    fn media_box_size_is_that_of_the_first_one_in_the_file() {
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
