//! WebP: a chunk of our own behind all others. Only the extended format has room for it: a
//! simple file gets the `VP8X` head that makes it one.

use super::{CUTS_MAX, Edit};
use crate::engine::framing::{self, Chunk};

const KIND: [u8; 4] = *b"SDWM";
/// A chunk's kind and length.
const HEAD_BYTES: usize = 8;
/// Where the first chunk lies.
const CHUNKS_START: usize = 12;
const ALPHA: u8 = 0x10;
const ANIMATION: u8 = 0x02;

/// What our last chunk holds.
pub fn find(bytes: &[u8]) -> Option<&[u8]> {
    chunks(bytes)
        .filter(|chunk| chunk.kind == KIND)
        .last()
        .map(|chunk| chunk.body)
}

pub fn place(bytes: &[u8], block: &[u8]) -> Option<Vec<Edit>> {
    let old = chunks(bytes).filter(|chunk| chunk.kind == KIND);
    let cut = |old: Chunk<'_>| Edit::cut(old.start..padded_end(&old).min(riff_end(bytes)));
    let mut edits: Vec<_> = old.take(CUTS_MAX).map(cut).collect();
    let first = chunks(bytes).next()?;
    if first.kind != *b"VP8X" {
        edits.push(Edit::insert(CHUNKS_START, extended_head(&first)?));
    }
    // behind whatever old ones are left: the last is the one that is found
    let last = chunks(bytes).last()?;
    let at = padded_end(&last).min(riff_end(bytes));
    let goes = edits.iter().any(|edit| edit.place.start == last.start);
    // the last chunk may lack the byte that makes its length even
    let lacking = if goes { 0 } else { padded_end(&last) - at };
    let mut new = vec![0; lacking];
    new.append(&mut chunk(KIND, block)?);
    edits.push(Edit::insert(at, new));
    let length = super::length(&bytes[..riff_end(bytes)], &edits);
    let length = u32::try_from(length - HEAD_BYTES as u64).ok()?;
    edits.push(Edit {
        place: 4..8,
        bytes: length.to_le_bytes().to_vec(),
    });
    Some(edits)
}

/// Whether it says that it is an animation.
pub fn moves(bytes: &[u8]) -> bool {
    chunks(bytes)
        .next()
        .filter(|chunk| chunk.kind == *b"VP8X")
        .is_some_and(|chunk| chunk.body.first().is_some_and(|it| it & ANIMATION != 0))
}

/// Where the file ends, by its own head.
fn riff_end(bytes: &[u8]) -> usize {
    let length = bytes
        .get(4..8)
        .and_then(|field| field.try_into().ok())
        .map_or(0, u32::from_le_bytes);
    usize::try_from(length)
        .unwrap_or(usize::MAX)
        .saturating_add(HEAD_BYTES)
        .min(bytes.len())
}

/// The chunks within that end.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    framing::webp_chunks(&bytes[..riff_end(bytes)])
}

fn padded_end(chunk: &Chunk<'_>) -> usize {
    chunk.start + HEAD_BYTES + chunk.body.len().next_multiple_of(2)
}

fn chunk(kind: [u8; 4], body: &[u8]) -> Option<Vec<u8>> {
    let mut chunk = kind.to_vec();
    chunk.extend_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    chunk.extend_from_slice(body);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    Some(chunk)
}

/// The `VP8X` chunk that fits a simple file's only one.
fn extended_head(only: &Chunk<'_>) -> Option<Vec<u8>> {
    let (flags, sides_less_1) = match &only.kind {
        b"VP8L" => {
            // a signature byte; then 14 bits of width less one, 14 of height, one of alpha
            let bits = u32::from_le_bytes(only.body.get(1..5)?.try_into().ok()?);
            let flags = if bits >> 28 & 1 == 1 { ALPHA } else { 0 };
            (flags, [bits & 0x3fff, bits >> 14 & 0x3fff])
        }
        b"VP8 " => {
            // a frame's tag and start code; then width and height, their upper two bits a scale
            let side = |at: usize| {
                let field = only.body.get(at..at + 2)?.try_into().ok()?;
                u32::from(u16::from_le_bytes(field) & 0x3fff).checked_sub(1)
            };
            (0, [side(6)?, side(8)?])
        }
        _ => return None,
    };
    let mut body = vec![flags, 0, 0, 0];
    for side in sides_less_1 {
        body.extend_from_slice(&side.to_le_bytes()[..3]);
    }
    chunk(*b"VP8X", &body)
}
