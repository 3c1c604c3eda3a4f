//! Pictures: a block after the end of the file, which decoders of JPEG, PNG, WebP, BMP and TIFF
//! ignore.
//!
//! ```text
//! block │ length of the block, 4 bytes little-endian │ mark, 8 bytes
//! ```

use super::{AppendedTail, payload};

const MARK: &[u8] = b"SDWM-END";
const LENGTH_BYTES: usize = 4;

/// Returns the block at the end of the file. `None` if there is none.
pub fn extract_block(bytes: &[u8]) -> Option<&[u8]> {
    let without_mark = bytes.strip_suffix(MARK)?;
    let (rest, length_bytes) = without_mark.split_last_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length_bytes)).ok()?;
    let block = rest.get(rest.len().checked_sub(length)?..)?;
    block.starts_with(payload::MAGIC).then_some(block)
}

/// Returns the tail of the file with `block` in place of an older block.
pub fn tail_with(bytes: &[u8], block: &[u8]) -> Option<AppendedTail> {
    let old_bytes = extract_block(bytes).map_or(0, |old| old.len() + LENGTH_BYTES + MARK.len());
    let length = u32::try_from(block.len()).ok()?;
    Some(AppendedTail {
        from: bytes.len() - old_bytes,
        bytes: [block, &length.to_le_bytes(), MARK].concat(),
    })
}
