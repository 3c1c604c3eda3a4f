//! BMP: the block, its length and a mark at the very end, which moves neither pixels nor a
//! colour profile. The head's length of the file counts them in.

use super::{Edit, payload};

const MARK: &[u8] = b"SDWM-BMP";
const LENGTH_BYTES: usize = 4;

/// The block at the end.
pub fn find(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_suffix(MARK)?;
    let (rest, length) = rest.split_last_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let block = rest.get(rest.len().checked_sub(length)?..)?;
    block.starts_with(payload::MAGIC).then_some(block)
}

pub fn place(bytes: &[u8], block: &[u8]) -> Option<Vec<Edit>> {
    let old_bytes = find(bytes).map_or(0, |old| old.len() + LENGTH_BYTES + MARK.len());
    let end = bytes.len() - old_bytes;
    let mut new = block.to_vec();
    new.extend_from_slice(&u32::try_from(block.len()).ok()?.to_le_bytes());
    new.extend_from_slice(MARK);
    let length = u32::try_from(end + new.len()).ok()?;
    let head = Edit {
        place: 2..6,
        bytes: length.to_le_bytes().to_vec(),
    };
    let tail = Edit {
        place: end..bytes.len(),
        bytes: new,
    };
    Some(vec![head, tail])
}
