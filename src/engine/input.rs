//! Reads input files whole, within limits.

use std::io::Read;

use super::budget::Lease;
use super::content::InputFile;
use super::{EngineError, archive, memory_need};
use crate::model::picture::FileDefect;

/// Length of the longest file that is read.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Returns all bytes of a file, or of an entry of a ZIP file.
///
/// # Errors
/// Returns [`FileDefect::FileSize`] if they are more than [`FILE_BYTES_MAX`], [`FileDefect::Corrupt`] if an entry
/// cannot be decompressed, [`FileDefect::TooLarge`] if there is no memory for them, and [`EngineError::Io`].
pub fn read(content: &InputFile, memory: &mut Lease) -> Result<Vec<u8>, EngineError> {
    let bytes = content.unpacked_bytes();
    if bytes > FILE_BYTES_MAX {
        let text = format!("the file is longer than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(FileDefect::FileSize(text).into());
    }
    memory.require(memory_need::of_reading(bytes))?;
    if let Some(packed) = &content.zip_entry {
        return archive::read_entry(content, packed);
    }
    let mut bytes = Vec::new();
    bytes.reserve_exact(
        usize::try_from(content.bytes)
            .unwrap_or(0)
            .saturating_add(1),
    );
    content.read_from(0).read_to_end(&mut bytes)?;
    Ok(bytes)
}
