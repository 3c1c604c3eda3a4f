//! The central directory of a ZIP file.

use std::io::{self, Read};

use rawzip::{
    CompressionMethod, ErrorKind, RECOMMENDED_BUFFER_SIZE, ReaderAt, ZipArchive,
    ZipFileHeaderRecord, ZipLocator,
};

use super::super::InputFile;
use super::names::{NAME_BYTES_MAX, decode, unicode_path};
use super::{ArchiveEntry, ZipError};
use crate::model::bulk::ZipLocation;

/// Maximum number of end-of-central-directory signatures that are tried: a comment may contain one.
const EOCD_ATTEMPTS_MAX: usize = 8;
const EOCD_BYTES: usize = 22;
const ZIP64_EOCD_BYTES: u64 = 56;
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const ZIP64_LOCATOR_BYTES: usize = 20;
/// Flag of an entry whose name is in UTF-8.
const UTF8_FLAG: u16 = 1 << 11;

/// Returns the entries of the file `zip`, in the order of its central directory.
///
/// # Errors
/// See [`ZipError`]. More than `entries_max` entries are [`ZipError::TooManyEntries`].
pub fn read_central_directory(
    zip: &InputFile,
    entries_max: usize,
) -> Result<Vec<ArchiveEntry>, ZipError> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = locate(zip, &mut buffer)?;
    let declared_count = archive.entries_hint();
    let archive_offset = archive.get_ref().archive_offset;
    check_end(&archive)?;
    let mut records = archive.entries(&mut buffer);
    let mut entries = Vec::new();
    while let Some(record) = records.next_entry()? {
        if entries.len() == entries_max {
            return Err(ZipError::TooManyEntries);
        }
        entries.push(ArchiveEntry::from_record(&record, archive_offset)?);
    }
    let found = entries.len();
    if found as u64 != declared_count {
        return invalid(format!(
            "end record declares {declared_count} entries, central directory has {found}"
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
            ErrorKind::IO(_) | ErrorKind::Eof => "central directory is truncated",
            ErrorKind::MissingEndOfCentralDirectory => "no end-of-central-directory record",
            ErrorKind::InvalidEndOfCentralDirectory => {
                "central directory is not where the end record says"
            }
            ErrorKind::BufferTooSmall { .. } => {
                "an entry of the central directory is longer than 64 KiB"
            }
            _ => "central directory is malformed",
        };
        Self::Invalid(message.to_owned())
    }
}

/// A ZIP file without the bytes before `archive_offset`, from which its offsets count.
#[derive(Clone, Copy)]
struct Window<'c> {
    zip: &'c InputFile,
    archive_offset: u64,
}

impl ReaderAt for Window<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = self.archive_offset.saturating_add(offset);
        if at >= self.zip.bytes {
            return Ok(0);
        }
        self.zip.read_from(at).read(buffer)
    }
}

/// Finds the end-of-central-directory record of `zip`: the last one that is valid.
fn locate<'c>(zip: &'c InputFile, buffer: &mut [u8]) -> Result<ZipArchive<Window<'c>>, ZipError> {
    let mut window = Window {
        zip,
        archive_offset: 0,
    };
    let mut search_end = zip.bytes;
    let mut first_error = None;
    for _ in 0..EOCD_ATTEMPTS_MAX {
        let located = ZipLocator::new().locate_in_reader(window, buffer, search_end);
        let (_, error) = match located {
            Ok(archive) => return Ok(archive),
            Err(located_error) => located_error,
        };
        let end_at = error.eocd_offset();
        first_error.get_or_insert(ZipError::from(error));
        let Some(end_at) = end_at else { break };
        if let Some(bytes) = find_zip64_archive_offset(window, end_at) {
            window.archive_offset = bytes;
            search_end = zip.bytes - bytes;
        } else {
            search_end = end_at;
        }
    }
    match first_error {
        Some(error) => Err(error),
        None => invalid("no end-of-central-directory record"),
    }
}

/// Returns the length of the data before a ZIP64 file, such as a self-extractor. `None` if the file
/// is not ZIP64 or starts at offset 0. For other ZIP files, rawzip computes this from the length of
/// the central directory.
fn find_zip64_archive_offset(window: Window<'_>, end_at: u64) -> Option<u64> {
    let locator_at = end_at.checked_sub(ZIP64_LOCATOR_BYTES as u64)?;
    let mut locator = [0; ZIP64_LOCATOR_BYTES];
    window.read_exact_at(&mut locator, locator_at).ok()?;
    let [_, _, _, _, _, _, _, _, declared @ .., _, _, _, _] = locator;
    let actual = locator_at.checked_sub(ZIP64_EOCD_BYTES)?;
    let bytes = actual.checked_sub(u64::from_le_bytes(declared))?;
    (locator.starts_with(ZIP64_LOCATOR) && window.archive_offset == 0 && bytes > 0).then_some(bytes)
}

/// Checks that the ZIP file is not split and that its central directory fits before the end record.
/// rawzip checks neither.
fn check_end(archive: &ZipArchive<Window<'_>>) -> Result<(), ZipError> {
    let mut end = [0; EOCD_BYTES];
    let read = archive
        .get_ref()
        .read_exact_at(&mut end, archive.eocd_offset());
    read.map_err(ZipError::Io)?;
    // Number of this disk, and of the disk where the central directory starts.
    if end[4..8] != [0; 4] {
        return invalid("split ZIP files are not supported");
    }
    // Size of the central directory.
    let [.., b0, b1, b2, b3, _, _, _, _, _, _] = end;
    let declared = u32::from_le_bytes([b0, b1, b2, b3]);
    let bytes = archive.eocd_offset() - archive.directory_offset();
    if declared != u32::MAX && u64::from(declared) > bytes {
        return invalid("central directory is not where the end record says");
    }
    Ok(())
}

impl ArchiveEntry {
    /// Builds an entry from its central directory record, whose offsets count from
    /// `archive_offset`.
    fn from_record(
        record: &ZipFileHeaderRecord<'_>,
        archive_offset: u64,
    ) -> Result<Self, ZipError> {
        let method = record.compression_method();
        let packed = ZipLocation {
            header_at: record.local_header_offset().saturating_add(archive_offset),
            packed_bytes: record.compressed_size_hint(),
            bytes: record.uncompressed_size_hint(),
            crc32: record.crc32(),
            is_deflated: method == CompressionMethod::DEFLATE,
        };
        // u32::MAX means that the size is in the ZIP64 extra field, from which rawzip takes it if
        // present.
        if [packed.packed_bytes, packed.bytes].contains(&u64::from(u32::MAX)) {
            return invalid("a ZIP64 size is missing from the central directory");
        }
        let path = record.file_path();
        let raw_name = path.as_bytes();
        let is_name_cut = raw_name.len() > NAME_BYTES_MAX;
        let cut_name = &raw_name[..raw_name.len().min(NAME_BYTES_MAX)];
        let unicode_name = unicode_path(cut_name, record.extra_fields());
        let (name, is_code_page_437) = match unicode_name {
            Some(name) => (name, false),
            None => decode(cut_name, record.flags().bits() & UTF8_FLAG != 0),
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
