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

use super::{AppendedTail, payload};
use crate::engine::pdf::cross_references;

const BEGIN: &[u8] = b"\n%SDWM\n";
/// How many of the block's bytes go into a line.
const LINE_BYTES: usize = 60;

/// The last block.
pub fn find(bytes: &[u8]) -> Option<Vec<u8>> {
    let begin = begin_of_last(bytes)?;
    let (hex, _) = hex_lines(&bytes[begin + BEGIN.len()..]);
    hex::decode(hex).ok()
}

pub(super) fn place(bytes: &[u8], block: &[u8]) -> Option<AppendedTail> {
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
    Some(AppendedTail {
        from: replaced.unwrap_or(bytes.len()),
        bytes: new,
    })
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
