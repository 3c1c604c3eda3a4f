//! PDF: comment lines behind the last `%%EOF`, and then the end of the file once more.
//!
//! ```text
//! %SDWM
//! %53444d41524b…    the block in hex
//! startxref
//! 1234              where the cross-references lie, as before
//! %%EOF
//! ```
//! No object, no cross-reference and no byte before it changes, whether the file has a table
//! or a stream of cross-references. A file that grew since (readers append) keeps its block.

use super::{Tail, payload};
use crate::model::picture::Defect;

/// How far into a file its head may lie.
const HEAD_BYTES_MAX: usize = 1024;
/// How far before a file's end its `startxref` is looked for.
const TAIL_BYTES_MAX: usize = 2048;
const HEAD: &[u8] = b"%PDF-";
const BEGIN: &[u8] = b"\n%SDWM\n";
/// How many of the block's bytes go into a line.
const LINE_BYTES: usize = 60;

/// Whether a file begins like a PDF.
pub fn is_pdf(bytes: &[u8]) -> bool {
    head_at(bytes).is_some()
}

/// The last block.
pub fn find(bytes: &[u8]) -> Option<Vec<u8>> {
    let begin = begin_of_last(bytes)?;
    let (hex, _) = hex_lines(&bytes[begin + BEGIN.len()..]);
    hex::decode(hex).ok()
}

pub(super) fn place(bytes: &[u8], block: &[u8]) -> Option<Tail> {
    let end = end_of_file(cross_references(bytes)?.0);
    let replaced = begin_of_last(bytes).filter(|begin| {
        let (_, behind) = hex_lines(&bytes[begin + BEGIN.len()..]);
        behind == end.as_bytes()
    });
    let mut new = BEGIN.to_vec();
    for line in block.chunks(LINE_BYTES) {
        new.push(b'%');
        new.extend_from_slice(hex::encode(line).as_bytes());
        new.push(b'\n');
    }
    new.extend_from_slice(end.as_bytes());
    Some(Tail {
        from: replaced.unwrap_or(bytes.len()),
        bytes: new,
    })
}

/// Checks that a PDF goes on to its end, from where a reader finds its objects.
///
/// # Errors
/// [`Defect::Corrupt`], [`Defect::Encrypted`].
pub fn check(bytes: &[u8]) -> Result<(), Defect> {
    let corrupt = |text: &str| Defect::Corrupt(text.to_owned());
    let (offset, at) = cross_references(bytes).ok_or_else(|| corrupt("the PDF is truncated"))?;
    let trailer = trailer(&bytes[at..]).ok_or_else(|| {
        let text = format!("the PDF's startxref {offset} does not point at cross-references");
        Defect::Corrupt(text)
    })?;
    let names = names(trailer).ok_or_else(|| corrupt("the PDF's trailer is truncated"))?;
    if names.contains(&&b"Encrypt"[..]) {
        return Err(Defect::Encrypted("the PDF is encrypted".to_owned()));
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

/// The last `startxref`, as it is written and as a place in the file, `%%EOF` being behind it.
fn cross_references(bytes: &[u8]) -> Option<(u64, usize)> {
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

fn end_of_file(offset: u64) -> String {
    format!("startxref\n{offset}\n%%EOF\n")
}

fn begin_of_last(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(BEGIN.len())
        .rposition(|window| window == BEGIN)
}

/// The hex digits of the comment lines that `bytes` begins with, and what is behind them.
fn hex_lines(mut bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut hex = Vec::new();
    while let Some(rest) = bytes.strip_prefix(b"%") {
        let Some(end) = rest.iter().position(|byte| !byte.is_ascii_hexdigit()) else {
            break;
        };
        if end == 0 || rest[end] != b'\n' || hex.len() + end > 2 * payload::BYTES_MAX {
            break;
        }
        hex.extend_from_slice(&rest[..end]);
        bytes = &rest[end + 1..];
    }
    (hex, bytes)
}

/// What follows the `<<` of a file's trailer, `bytes` beginning with its cross-references: a
/// table, or an object whose stream they are and whose dictionary is the trailer, too.
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

/// What follows a text, `bytes` beginning behind its `(`.
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
