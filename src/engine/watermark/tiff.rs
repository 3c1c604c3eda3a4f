//! TIFF: a private tag. The first directory is written anew at the file's end with the tag in
//! its order, and the head leads there; all else stays where it is, and so do all offsets.

use super::{Edit, payload};
use crate::engine::ifd::{Directory, Order};

/// Of the numbers from 65,000 on, which are for anyone's own use, the first not taken.
const TAG: u16 = 65_042;
const TAG_NEW_SUBFILE_TYPE: u16 = 254;
const TAG_PHOTOMETRIC: u16 = 262;
const KIND_UNDEFINED: u16 = 7;
/// The most directories that are walked.
const DIRECTORIES_MAX: usize = 64;

/// What our tag holds.
pub fn find(bytes: &[u8]) -> Option<&[u8]> {
    let order = Order::of(bytes)?;
    let first = Directory::at(bytes, order, order.u32(bytes, 4)?)?;
    first.entries().find_map(|entry| ours(bytes, order, entry))
}

pub fn place(bytes: &[u8], block: &[u8]) -> Option<Vec<Edit>> {
    let order = Order::of(bytes)?;
    let first = Directory::at(bytes, order, order.u32(bytes, 4)?)?;
    let mut entries: Vec<_> = first
        .entries()
        .filter(|entry| ours(bytes, order, entry).is_none())
        .collect();
    let tag_of = |entry: &&[u8]| order.u16(entry, 0).unwrap_or_default();
    let tag = (TAG..=u16::MAX).find(|tag| entries.iter().all(|entry| tag_of(entry) != *tag))?;
    let mut new = vec![0; bytes.len() % 2];
    let block_at = u32::try_from(bytes.len() + new.len()).ok()?;
    new.extend_from_slice(block);
    new.resize(new.len() + (bytes.len() + new.len()) % 2, 0);
    let first_at = u32::try_from(bytes.len() + new.len()).ok()?;
    let mut entry = order.bytes16(tag).to_vec();
    entry.extend_from_slice(&order.bytes16(KIND_UNDEFINED));
    entry.extend_from_slice(&order.bytes32(u32::try_from(block.len()).ok()?));
    entry.extend_from_slice(&order.bytes32(block_at));
    let at = entries.iter().position(|entry| tag_of(entry) > tag);
    entries.insert(at.unwrap_or(entries.len()), &entry);
    new.extend_from_slice(&order.bytes16(u16::try_from(entries.len()).ok()?));
    new.extend(entries.into_iter().flatten());
    new.extend_from_slice(&order.bytes32(first.next));
    let head = Edit {
        place: 4..8,
        bytes: order.bytes32(first_at).to_vec(),
    };
    Some(vec![head, Edit::insert(bytes.len(), new)])
}

/// Whether its offsets have 64 bits.
pub fn is_big(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+")
}

/// The photometric interpretation of its first picture: 0 and 1 are grey, 2 RGB, 5 CMYK.
pub fn photometric(bytes: &[u8]) -> Option<u16> {
    let order = Order::of(bytes)?;
    let first = Directory::at(bytes, order, order.u32(bytes, 4)?)?;
    first
        .number(TAG_PHOTOMETRIC)
        .and_then(|it| it.try_into().ok())
}

/// Whether it has pages: pictures besides the first that are neither a smaller form of one nor
/// a mask.
pub fn has_pages(bytes: &[u8]) -> bool {
    let Some(order) = Order::of(bytes) else {
        return false;
    };
    let mut at = order.u32(bytes, 4);
    for index in 0..DIRECTORIES_MAX {
        let Some(directory) = at.and_then(|at| Directory::at(bytes, order, at)) else {
            return false;
        };
        let is_beside = directory
            .number(TAG_NEW_SUBFILE_TYPE)
            .is_some_and(|kind| kind & 0b101 != 0);
        if index > 0 && !is_beside {
            return true;
        }
        at = (directory.next != 0).then_some(directory.next);
    }
    true
}

/// The block of an entry, if it holds one of ours.
fn ours<'b>(bytes: &'b [u8], order: Order, entry: &[u8]) -> Option<&'b [u8]> {
    if order.u16(entry, 0)? < TAG || order.u16(entry, 2)? != KIND_UNDEFINED {
        return None;
    }
    let length = usize::try_from(order.u32(entry, 4)?).ok()?;
    let at = usize::try_from(order.u32(entry, 8)?).ok()?;
    let block = bytes.get(at..at.checked_add(length)?)?;
    block.starts_with(payload::MAGIC).then_some(block)
}
