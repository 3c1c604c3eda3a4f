//! Pictures: a block behind the end of the file, where no decoder of JPEG, PNG, WebP, BMP or TIFF reads
//! on.
//!
//! ```text
//! block │ length of the block 4, low byte first │ mark 8
//! ```

use super::{AppendedTail, payload};

const MARK: &[u8] = b"SDWM-END";
const LENGTH_BYTES: usize = 4;

/// Returns the block at the end of the file. `None` if there is none.
pub fn find(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_suffix(MARK)?;
    let (rest, length) = rest.split_last_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let block = rest.get(rest.len().checked_sub(length)?..)?;
    block.starts_with(payload::MAGIC).then_some(block)
}

/// Returns the end of the file that has `block`, in place of an older one.
pub fn place(bytes: &[u8], block: &[u8]) -> Option<AppendedTail> {
    let old_bytes = find(bytes).map_or(0, |old| old.len() + LENGTH_BYTES + MARK.len());
    let length = u32::try_from(block.len()).ok()?;
    Some(AppendedTail {
        from: bytes.len() - old_bytes,
        bytes: [block, &length.to_le_bytes(), MARK].concat(),
    })
}
