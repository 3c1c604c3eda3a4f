//! The central directory of a ZIP file.

use std::io::{self, Read};

use rawzip::{
    CompressionMethod, ErrorKind, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive,
    ZipFileHeaderRecord, ZipLocator,
};

use super::super::InputFile;
use super::names::{NAME_BYTES_MAX, decode, unicode_path};
use super::{Entry, ZipError};
use crate::model::bulk::ZipLocation;

/// Signatures of an end-of-central-directory record that are tried: a comment may contain one.
const ENDS_MAX: usize = 8;
const END_BYTES: usize = 22;
const END_64_BYTES: u64 = 56;
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const LOCATOR_64_BYTES: usize = 20;
/// Flag of an entry whose name is in UTF-8.
const UTF_8: u16 = 1 << 11;

/// Returns the entries of the file `zip`, in the order of its central directory.
///
/// # Errors
/// See [`ZipError`]. There may be `entries_max` entries.
pub fn read_central_directory(zip: &InputFile, entries_max: usize) -> Result<Vec<Entry>, ZipError> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = locate(zip, &mut buffer)?;
    let (counted, begins_at) = (archive.entries_hint(), archive.get_ref().begins_at);
    check_end(&archive)?;
    let mut records = archive.entries(&mut buffer);
    let mut entries = Vec::new();
    while let Some(record) = records.next_entry()? {
        if entries.len() == entries_max {
            return Err(ZipError::TooManyEntries);
        }
        entries.push(Entry::from_record(&record, begins_at)?);
    }
    let found = entries.len();
    if found as u64 != counted {
        return invalid(format!(
            "its end counts {counted} entries, its central directory has {found}"
        ));
    }
    Ok(entries)
}

fn invalid<T>(message: impl Into<String>) -> Result<T, ZipError> {
    Err(ZipError::Invalid(message.into()))
}

impl From<rawzip::Error> for ZipError {
    fn from(error: rawzip::Error) -> Self {
        let message = match error.into_kind() {
            ErrorKind::IO(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Self::Io(error);
            }
            ErrorKind::IO(_) | ErrorKind::Eof => "its central directory is truncated",
            ErrorKind::MissingEndOfCentralDirectory => "it has no end-of-central-directory record",
            ErrorKind::InvalidEndOfCentralDirectory => {
                "its central directory is not where its end says"
            }
            ErrorKind::BufferTooSmall { .. } => {
                "an entry of its central directory is longer than 64 KiB"
            }
            _ => "its central directory is malformed",
        };
        Self::Invalid(message.to_owned())
    }
}

/// A ZIP file from the byte at which its offsets begin to count.
#[derive(Clone, Copy)]
struct Window<'c> {
    zip: &'c InputFile,
    begins_at: u64,
}

impl ReaderAt for Window<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = self.begins_at.saturating_add(offset);
        if at >= self.zip.bytes {
            return Ok(0);
        }
        self.zip.read_from(at).read(buffer)
    }
}

/// Finds the end-of-central-directory record of `zip`, which is the last one that fits.
fn locate<'c>(zip: &'c InputFile, buffer: &mut [u8]) -> Result<ZipArchive<Window<'c>>, ZipError> {
    let mut window = Window { zip, begins_at: 0 };
    let mut search_end = zip.bytes;
    let mut first_error = None;
    for _ in 0..ENDS_MAX {
        let located = ZipLocator::new().locate_in_reader(window, buffer, search_end);
        let (_, error) = match located {
            Ok(archive) => return Ok(archive),
            Err(refused) => refused,
        };
        let end_at = error.eocd_offset();
        first_error.get_or_insert(ZipError::from(error));
        let Some(end_at) = end_at else { break };
        if let Some(bytes) = find_prelude_64(window, end_at) {
            window.begins_at = bytes;
            search_end = zip.bytes - bytes;
        } else {
            search_end = end_at;
        }
    }
    match first_error {
        Some(error) => Err(error),
        None => invalid("it has no end-of-central-directory record"),
    }
}

/// Returns the length of what precedes a ZIP64 file, such as a program that unpacks it. `None` if the
/// file is not a ZIP64, or if nothing precedes it. Other ZIP files need no help: rawzip finds their
/// central directory by its length.
fn find_prelude_64(window: Window<'_>, end_at: u64) -> Option<u64> {
    let locator_at = end_at.checked_sub(LOCATOR_64_BYTES as u64)?;
    let mut locator = [0; LOCATOR_64_BYTES];
    window.read_exact_at(&mut locator, locator_at).ok()?;
    let [_, _, _, _, _, _, _, _, declared @ .., _, _, _, _] = locator;
    let actual = locator_at.checked_sub(END_64_BYTES)?;
    let bytes = actual.checked_sub(u64::from_le_bytes(declared))?;
    (locator.starts_with(LOCATOR_64) && window.begins_at == 0 && bytes > 0).then_some(bytes)
}

/// Checks what rawzip does not: that the file is not split, and that there is room for the central
/// directory.
fn check_end(archive: &ZipArchive<Window<'_>>) -> Result<(), ZipError> {
    let mut end = [0; END_BYTES];
    let read = archive
        .get_ref()
        .read_exact_at(&mut end, archive.eocd_offset());
    read.map_err(ZipError::Io)?;
    let [
        _,
        _,
        _,
        _,
        disks @ ..,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = end;
    if disks != [0; 4] {
        return invalid("it is one part of a split ZIP file");
    }
    let [.., b0, b1, b2, b3, _, _, _, _, _, _] = end;
    let claimed = u32::from_le_bytes([b0, b1, b2, b3]);
    let bytes = archive.eocd_offset() - archive.directory_offset();
    if claimed != u32::MAX && u64::from(claimed) > bytes {
        return invalid("its central directory is not where its end says");
    }
    Ok(())
}

impl Entry {
    /// Builds an entry from its record in a central directory whose offsets count from `begins_at`.
    fn from_record(record: &ZipFileHeaderRecord<'_>, begins_at: u64) -> Result<Self, ZipError> {
        let method = record.compression_method();
        let packed = ZipLocation {
            header_at: record.local_header_offset().saturating_add(begins_at),
            packed_bytes: record.compressed_size_hint(),
            bytes: record.uncompressed_size_hint(),
            crc32: record.crc32(),
            is_deflated: method == CompressionMethod::DEFLATE,
        };
        // This number says that the real one is in the ZIP64 extra field.
        if [packed.packed_bytes, packed.bytes].contains(&u64::from(u32::MAX)) {
            return invalid("its central directory lacks a ZIP64 size");
        }
        let path = record.file_path();
        let raw_name = path.as_bytes();
        let is_name_cut = raw_name.len() > NAME_BYTES_MAX;
        let raw_name = &raw_name[..raw_name.len().min(NAME_BYTES_MAX)];
        let unicode_name = unicode_path(raw_name, record.extra_fields());
        let (name, is_code_page_437) = match unicode_name {
            Some(name) => (name, false),
            None => decode(raw_name, record.flags().bits() & UTF_8 != 0),
        };
        Ok(Self {
            name,
            is_code_page_437,
            is_name_cut,
            is_encrypted: record.flags().is_encrypted(),
            is_readable: packed.is_deflated || method == CompressionMethod::STORE,
            packed,
        })
    }
}
