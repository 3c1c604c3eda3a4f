//! PDF: comment lines after the last `%%EOF`, followed by a copy of the file's end.
//!
//! ```text
//! %SDWM
//! %53444d41524b…    the block in hex
//! startxref
//! 1234              offset of the cross-reference data, as before
//! %%EOF
//! ```
//! Objects, cross-reference data and all earlier bytes stay as they are. An incremental update by
//! another program keeps the block.

use super::{AppendedTail, payload};
use crate::engine::pdf::startxref;

const BEGIN: &[u8] = b"\n%SDWM\n";
/// Number of bytes of the block per line.
const LINE_BYTES: usize = 60;

/// Returns the last block. `None` if there is none.
pub fn extract_block(bytes: &[u8]) -> Option<Vec<u8>> {
    let begin = last_begin(bytes)?;
    let (hex, _) = hex_lines(&bytes[begin + BEGIN.len()..]);
    hex::decode(hex).ok()
}

/// Returns the tail of the file with `block`, in place of an older block if that is at the very
/// end. `None` if the file has no `startxref`.
pub(super) fn tail_with(bytes: &[u8], block: &[u8]) -> Option<AppendedTail> {
    let end = end_of_file(startxref(bytes)?.0);
    let replaced = last_begin(bytes).filter(|begin| {
        let (_, after) = hex_lines(&bytes[begin + BEGIN.len()..]);
        after == end.as_bytes()
    });
    let mut tail = BEGIN.to_vec();
    for line in block.chunks(LINE_BYTES) {
        tail.push(b'%');
        tail.extend_from_slice(hex::encode(line).as_bytes());
        tail.push(b'\n');
    }
    tail.extend_from_slice(end.as_bytes());
    Some(AppendedTail {
        from: replaced.unwrap_or(bytes.len()),
        bytes: tail,
    })
}

fn end_of_file(offset: u64) -> String {
    format!("startxref\n{offset}\n%%EOF\n")
}

fn last_begin(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(BEGIN.len())
        .rposition(|window| window == BEGIN)
}

/// Returns the hex digits of the comment lines at the start of `bytes`, and the bytes after them.
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
