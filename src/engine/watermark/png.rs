//! PNG: a chunk of our own before `IEND`: ancillary, private, safe to copy.

use super::{CUTS_MAX, Edit};
use crate::engine::framing::{self, Chunk};

const KIND: [u8; 4] = *b"sdWm";
/// A chunk's length, kind and checksum.
const FRAME_BYTES: usize = 12;

/// What our last chunk holds.
pub fn find(bytes: &[u8]) -> Option<&[u8]> {
    ours(bytes).last().map(|chunk| chunk.body)
}

pub fn place(bytes: &[u8], block: &[u8]) -> Option<Vec<Edit>> {
    let end = framing::png_chunks(bytes).find(|chunk| chunk.kind == *b"IEND")?;
    let mut chunk = u32::try_from(block.len()).ok()?.to_be_bytes().to_vec();
    chunk.extend_from_slice(&KIND);
    chunk.extend_from_slice(block);
    let mut checksum = flate2::Crc::new();
    checksum.update(&chunk[4..]);
    chunk.extend_from_slice(&checksum.sum().to_be_bytes());
    let old = ours(bytes)
        .take(CUTS_MAX)
        .map(|old| Edit::cut(old.start..old.start + FRAME_BYTES + old.body.len()));
    Some(old.chain([Edit::insert(end.start, chunk)]).collect())
}

/// Whether it is an animation of more than one frame.
pub fn moves(bytes: &[u8]) -> bool {
    framing::png_chunks(bytes)
        .find(|chunk| chunk.kind == *b"acTL")
        .and_then(|chunk| chunk.body.first_chunk())
        .is_some_and(|frames| u32::from_be_bytes(*frames) > 1)
}

fn ours(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    framing::png_chunks(bytes).filter(|chunk| chunk.kind == KIND)
}
