//! Reads input files into memory, within limits.

use std::io::Read;

use super::budget::Lease;
use super::content::InputFile;
use super::{EngineError, archive, memory_need};
use crate::model::picture::FileDefect;

/// Maximum length of an input file, and of a ZIP entry when decompressed.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Returns all bytes of a file, or of an entry of a ZIP file.
///
/// # Errors
/// Returns [`FileDefect::FileSize`] if the content is longer than [`FILE_BYTES_MAX`],
/// [`FileDefect::Corrupt`] if a ZIP entry cannot be decompressed, [`FileDefect::TooLarge`] if the
/// memory budget has no room, and [`EngineError::Io`] if the file cannot be read.
pub fn read(content: &InputFile, memory: &mut Lease) -> Result<Vec<u8>, EngineError> {
    let bytes = content.unpacked_bytes();
    if bytes > FILE_BYTES_MAX {
        let text = format!("file is longer than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(FileDefect::FileSize(text).into());
    }
    memory.require(memory_need::for_reading(bytes))?;
    if let Some(packed) = &content.zip_entry {
        return archive::read_entry(content, packed);
    }
    let mut file_bytes = Vec::new();
    file_bytes.reserve_exact(usize::try_from(bytes).unwrap_or(0).saturating_add(1));
    content.read_from(0).read_to_end(&mut file_bytes)?;
    Ok(file_bytes)
}
