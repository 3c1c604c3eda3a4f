//! ZIP files that clients upload (PKWARE's APPNOTE 6.3): what stands in their directory, and
//! the content of one entry.
//!
//! Promises: a directory is read entry by entry and no further than is asked for, whatever its
//! end says of it; names of which two are the same are two entries; of an entry no more is read
//! and none more unpacked than its directory says, and what then is not as it says is a
//! [`Defect`]. (The crate that writes our ZIPs reads all of a directory into memory, keeps
//! one of two entries of a name, and is not asked.)

mod directory;
mod names;

use std::io::{self, BufReader, ErrorKind, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::{Content, Failure};
use crate::model::bulk::Packed;
use crate::model::picture::Defect;
pub use directory::list;
pub use names::NAME_BYTES_MAX;

/// An entry of a ZIP's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it stands there, or the begin of it where it is longer than [`NAME_BYTES_MAX`].
    pub name: String,
    /// The name is in code page 437, where only `/` separates folders.
    pub is_code_page_437: bool,
    /// The name is longer.
    pub is_name_cut: bool,
    pub is_encrypted: bool,
    /// It is stored or deflated: else it cannot be unpacked.
    pub is_readable: bool,
    pub packed: Packed,
}

/// Why a ZIP's entries cannot be told.
#[derive(Debug)]
pub enum Unlisted {
    /// It is no ZIP, or a broken one; one line on what is wrong.
    NoZip(String),
    /// It has more entries than are taken.
    TooMany,
    /// The disk failed.
    Io(io::Error),
}

impl From<io::Error> for Unlisted {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof {
            Self::NoZip("its directory breaks off".to_owned())
        } else {
            Self::Io(error)
        }
    }
}

/// Bytes before an entry's name, in its own header.
const LOCAL_HEADER_BYTES: usize = 30;
const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

/// The content of the entry that `packed` describes, of the ZIP that is all of `zip`.
///
/// # Errors
/// [`Defect::Corrupt`] where it is not what the ZIP's directory says; the disk's.
pub fn unpack(zip: &Content, packed: &Packed) -> Result<Vec<u8>, Failure> {
    let data_at = data_at(zip, packed)?;
    // No compressor makes much more of anything: what takes more room than this is empty blocks
    // without end.
    let most = packed.bytes + packed.bytes / 8 + 1_024;
    let data = zip.read_from(data_at).take(packed.packed_bytes.min(most));
    let mut bytes = Vec::new();
    bytes.reserve_exact(usize::try_from(packed.bytes).unwrap_or(0).saturating_add(1));
    let unpacked = if packed.is_deflated {
        let inflated = DeflateDecoder::new(BufReader::new(data));
        inflated.take(packed.bytes + 1).read_to_end(&mut bytes)
    } else {
        data.take(packed.bytes + 1).read_to_end(&mut bytes)
    };
    match unpacked {
        Ok(_) => {}
        Err(error) if is_of_the_data(&error) => return Err(corrupt("cannot be unpacked")),
        Err(error) => return Err(error.into()),
    }
    if bytes.len() as u64 != packed.bytes {
        return Err(corrupt("is not of the size that the ZIP's directory says"));
    }
    let mut crc = Crc::new();
    crc.update(&bytes);
    if crc.sum() != packed.crc32 {
        return Err(corrupt(
            "has not the checksum that the ZIP's directory says",
        ));
    }
    Ok(bytes)
}

/// Where the entry's data begin: behind its own header, of which nothing else is believed.
fn data_at(zip: &Content, packed: &Packed) -> Result<u64, Failure> {
    let misplaced = || corrupt("is not where the ZIP's directory says");
    let mut header = [0; LOCAL_HEADER_BYTES];
    match zip.read_from(packed.header_at).read_exact(&mut header) {
        Err(error) if is_of_the_data(&error) => return Err(misplaced()),
        read => read?,
    }
    if !header.starts_with(LOCAL_HEADER) {
        return Err(misplaced());
    }
    let ends_at = packed.header_at + header.len() as u64;
    let [.., n0, n1, e0, e1] = header;
    let lengths = [[n0, n1], [e0, e1]].map(|length| u64::from(u16::from_le_bytes(length)));
    Ok(ends_at + lengths[0] + lengths[1])
}

fn is_of_the_data(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof
    )
}

fn corrupt(line: &str) -> Failure {
    Defect::Corrupt(format!("the ZIP entry {line}")).into()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// What is no ZIP, for an entry that is told to stand at that place.
    fn refused(header_at: u64, zip: &Content) -> String {
        let packed = Packed {
            header_at,
            packed_bytes: 2_000,
            bytes: 2_000,
            crc32: 0,
            is_deflated: false,
        };
        match unpack(zip, &packed) {
            Err(Failure::Defect(defect)) => defect.text().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_shorter_than_it_was_said_to_be_is_corrupt_and_no_fault_of_the_disks() {
        let there = fixture::content("photo.jpg");
        let zip = Content {
            bytes: u64::MAX,
            ..there.clone()
        };
        for header_at in [0, there.bytes - 1, there.bytes, there.bytes + 1] {
            let line = "the ZIP entry is not where the ZIP's directory says";
            assert_eq!(refused(header_at, &zip), line, "{header_at}");
        }
    }
}
