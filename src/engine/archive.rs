//! ZIP files uploaded by clients: their central directory, and the content of single entries.
//!
//! Guarantees: a central directory is read entry by entry, up to the caller's limit. Two entries of
//! the same name stay two entries. At most as many bytes of an entry are read and decompressed as
//! the central directory declares; a mismatch is a [`FileDefect`].
//!
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

mod directory;
mod names;

use std::io::{self, BufReader, ErrorKind, Read};

use flate2::bufread::DeflateDecoder;

use super::{EngineError, InputFile};
use crate::model::bulk::ZipLocation;
use crate::model::picture::FileDefect;
pub use directory::read_central_directory;
pub use names::NAME_BYTES_MAX;

/// An entry of a ZIP file's central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveEntry {
    /// Name, or its first [`NAME_BYTES_MAX`] bytes if it is longer.
    pub name: String,
    /// `true` if the name is in code page 437, where `/` is the only folder separator.
    pub is_code_page_437: bool,
    /// `true` if the name is longer than [`NAME_BYTES_MAX`].
    pub is_name_cut: bool,
    pub is_encrypted: bool,
    /// `true` if the entry is stored or deflated. Other compression methods are not supported.
    pub is_readable: bool,
    pub packed: ZipLocation,
}

/// Error of reading a central directory.
#[derive(Debug)]
pub enum ZipError {
    /// Not a ZIP file, or a malformed one. The text says what is wrong.
    Invalid(String),
    /// More entries than the caller allows.
    TooManyEntries,
    /// The file could not be read.
    Io(io::Error),
}

/// Length of a local file header before its name field.
const LOCAL_HEADER_BYTES: usize = 30;
const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

/// Returns the decompressed content of the entry at `packed` in the file `zip`.
///
/// # Errors
/// Returns [`FileDefect::Corrupt`] if the entry differs from its record in the central directory,
/// and [`EngineError::Io`] if the file cannot be read.
pub fn read_entry(zip: &InputFile, packed: &ZipLocation) -> Result<Vec<u8>, EngineError> {
    let data_at = find_data(zip, packed)?;
    // Deflate makes incompressible data longer by a small fraction. Anything beyond this limit is
    // empty blocks.
    let packed_bytes_max = packed.bytes + packed.bytes / 8 + 1_024;
    let data = zip
        .read_from(data_at)
        .take(packed.packed_bytes.min(packed_bytes_max));
    let mut bytes = Vec::new();
    bytes.reserve_exact(usize::try_from(packed.bytes).unwrap_or(0).saturating_add(1));
    let read = if packed.is_deflated {
        let inflated = DeflateDecoder::new(BufReader::new(data));
        inflated.take(packed.bytes + 1).read_to_end(&mut bytes)
    } else {
        data.take(packed.bytes + 1).read_to_end(&mut bytes)
    };
    match read {
        Ok(_) => {}
        Err(error) if is_corrupt_data(&error) => {
            return Err(corrupt("the ZIP entry cannot be decompressed"));
        }
        Err(error) => return Err(error.into()),
    }
    if bytes.len() as u64 != packed.bytes {
        return Err(corrupt(
            "the ZIP entry's size differs from the central directory's",
        ));
    }
    if rawzip::crc32(&bytes) != packed.crc32 {
        return Err(corrupt(
            "the ZIP entry's CRC-32 differs from the central directory's",
        ));
    }
    Ok(bytes)
}

/// Returns the offset of the entry's data, which follows its local header. Only the lengths of the
/// name and extra fields are read from the header.
fn find_data(zip: &InputFile, packed: &ZipLocation) -> Result<u64, EngineError> {
    let misplaced =
        || corrupt("the ZIP entry's local header is not where the central directory says");
    let mut header = [0; LOCAL_HEADER_BYTES];
    match zip.read_from(packed.header_at).read_exact(&mut header) {
        Err(error) if is_corrupt_data(&error) => return Err(misplaced()),
        read => read?,
    }
    if !header.starts_with(LOCAL_HEADER) {
        return Err(misplaced());
    }
    let [.., n0, n1, e0, e1] = header;
    let lengths = [[n0, n1], [e0, e1]].map(|length| u64::from(u16::from_le_bytes(length)));
    Ok(packed.header_at + header.len() as u64 + lengths[0] + lengths[1])
}

fn is_corrupt_data(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof
    )
}

fn corrupt(message: &str) -> EngineError {
    FileDefect::Corrupt(message.to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn read_entry_beyond_the_end_of_the_file_is_corrupt() {
        let whole = fixture::content("photo.jpg");
        let zip = InputFile {
            bytes: u64::MAX,
            ..whole.clone()
        };
        for header_at in [0, whole.bytes - 1, whole.bytes, whole.bytes + 1] {
            let packed = ZipLocation {
                header_at,
                packed_bytes: 2_000,
                bytes: 2_000,
                crc32: 0,
                is_deflated: false,
            };
            let Err(EngineError::Defect(defect)) = read_entry(&zip, &packed) else {
                panic!("read an entry at {header_at}");
            };
            assert_eq!(
                defect.message(),
                "the ZIP entry's local header is not where the central directory says",
                "{header_at}"
            );
        }
    }
}
