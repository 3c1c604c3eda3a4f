//! ZIP archives written field by field, so that headers can contradict the data.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// A file in a ZIP archive: its header fields and its compressed data.
#[derive(Debug, Clone)]
pub struct ZipEntry {
    pub name: Vec<u8>,
    pub flags: u16,
    pub method: u16,
    pub crc32: u32,
    pub packed_bytes: u64,
    pub bytes: u64,
    pub data: Vec<u8>,
    /// Extra fields, in the central directory only.
    pub extra: Vec<u8>,
    /// Local header offset in the central directory. `None` for the true offset.
    pub header_at: Option<u64>,
}

impl ZipEntry {
    /// Returns a deflated entry.
    pub fn new(name: &str, content: &[u8]) -> Self {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflated.write_all(content).expect("writes to memory");
        let data = deflated.finish().expect("writes to memory");
        Self {
            method: 8,
            packed_bytes: data.len() as u64,
            data,
            ..Self::stored(name, content)
        }
    }

    /// Returns a stored entry.
    pub fn stored(name: &str, content: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(content);
        Self {
            name: name.as_bytes().to_vec(),
            flags: 0,
            method: 0,
            crc32: crc.sum(),
            packed_bytes: content.len() as u64,
            bytes: content.len() as u64,
            data: content.to_vec(),
            extra: Vec::new(),
            header_at: None,
        }
    }

    /// Returns the fields that both headers share. `is_zip64` moves the sizes to the extra field.
    fn header_fields(&self, is_zip64: bool) -> Vec<u8> {
        let mut fields = [self.flags, self.method, 0, 0x21]
            .map(u16::to_le_bytes)
            .concat();
        fields.extend(self.crc32.to_le_bytes());
        for number in [self.packed_bytes, self.bytes] {
            fields.extend(field_32(number, is_zip64));
        }
        fields.extend(field_16(self.name.len()));
        fields
    }
}

fn field_16(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("16 bits").to_le_bytes()
}

/// Returns a field of 32 bits, with the ZIP64 marker if the number is elsewhere or too large.
fn field_32(number: u64, is_zip64: bool) -> [u8; 4] {
    let value = u32::try_from(number).ok().filter(|_| !is_zip64);
    value.unwrap_or(u32::MAX).to_le_bytes()
}

/// Returns a ZIP archive.
pub fn zip(entries: &[ZipEntry]) -> Vec<u8> {
    write(entries, false)
}

/// Returns an archive whose records are all in ZIP64 form.
pub fn zip_64(entries: &[ZipEntry]) -> Vec<u8> {
    write(entries, true)
}

fn write(entries: &[ZipEntry], is_zip64: bool) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let at = entry.header_at.unwrap_or(zip.len() as u64);
        let mut extra = Vec::new();
        if is_zip64 {
            extra.extend([field_16(1), field_16(24)].concat());
            let numbers = [entry.bytes, entry.packed_bytes, at];
            extra.extend(numbers.map(u64::to_le_bytes).concat());
        }
        let fields = entry.header_fields(is_zip64);
        zip.extend(b"PK\x03\x04\x14\0");
        zip.extend(&fields);
        zip.extend(field_16(extra.len()));
        zip.extend([&entry.name[..], &extra, &entry.data].concat());
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(&fields);
        extra.extend(&entry.extra);
        directory.extend(field_16(extra.len()));
        directory.extend([0; 10]);
        directory.extend(field_32(at, is_zip64));
        directory.extend([&entry.name[..], &extra].concat());
    }
    let count = entries.len();
    let bytes = directory.len() as u64;
    let at = zip.len() as u64;
    zip.extend(directory);
    if is_zip64 {
        let (end_at, count) = (zip.len() as u64, count as u64);
        zip.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
        zip.extend([count, count, bytes, at].map(u64::to_le_bytes).concat());
        zip.extend(b"PK\x06\x07\0\0\0\0");
        zip.extend(end_at.to_le_bytes());
        zip.extend(1_u32.to_le_bytes());
    }
    zip.extend(b"PK\x05\x06\0\0\0\0");
    let count = if is_zip64 { [0xff; 2] } else { field_16(count) };
    zip.extend([count, count].concat());
    zip.extend([field_32(bytes, is_zip64), field_32(at, is_zip64)].concat());
    zip.extend(b"\0\0");
    zip
}
