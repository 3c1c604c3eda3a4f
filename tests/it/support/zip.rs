//! ZIPs, made by hand so that they can lie.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// A file in a ZIP: what its headers say, and its data as they are packed.
#[derive(Debug, Clone)]
pub struct ZipEntry {
    pub name: Vec<u8>,
    pub flags: u16,
    pub method: u16,
    pub crc32: u32,
    pub packed_bytes: u64,
    pub bytes: u64,
    pub data: Vec<u8>,
    /// Extra fields, in the directory alone.
    pub extra: Vec<u8>,
    /// Where its own header begins, as the directory says; none: where it does.
    pub header_at: Option<u64>,
}

impl ZipEntry {
    /// A file, deflated.
    pub fn new(name: &str, content: &[u8]) -> Self {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflated.write_all(content).expect("room");
        let data = deflated.finish().expect("room");
        Self {
            method: 8,
            packed_bytes: data.len() as u64,
            data,
            ..Self::stored(name, content)
        }
    }

    /// A file as it is.
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

    /// What both of its headers say, in the one way of writing it or the other.
    fn header_fields(&self, wide: bool) -> Vec<u8> {
        let mut stated = [self.flags, self.method, 0, 0x21]
            .map(u16::to_le_bytes)
            .concat();
        stated.extend(self.crc32.to_le_bytes());
        for number in [self.packed_bytes, self.bytes] {
            stated.extend(narrow(number, wide));
        }
        stated.extend(short(self.name.len()));
        stated
    }
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("a short one").to_le_bytes()
}

fn narrow(number: u64, wide: bool) -> [u8; 4] {
    let narrow = u32::try_from(number).ok().filter(|_| !wide);
    narrow.unwrap_or(u32::MAX).to_le_bytes()
}

/// A ZIP of those files.
pub fn zip(entries: &[ZipEntry]) -> Vec<u8> {
    write(entries, false)
}

/// The same as a ZIP64 in all its parts.
pub fn zip_64(entries: &[ZipEntry]) -> Vec<u8> {
    write(entries, true)
}

fn write(entries: &[ZipEntry], wide: bool) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = entry.header_at.unwrap_or(zip.len() as u64);
        let mut extra = Vec::new();
        if wide {
            extra.extend([short(1), short(24)].concat());
            let numbers = [entry.bytes, entry.packed_bytes, at];
            extra.extend(numbers.map(u64::to_le_bytes).concat());
        }
        let stated = entry.header_fields(wide);
        zip.extend(b"PK\x03\x04\x14\0");
        zip.extend(&stated);
        zip.extend(short(extra.len()));
        zip.extend([&entry.name[..], &extra, &entry.data].concat());
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(&stated);
        extra.extend(&entry.extra);
        directory.extend(short(extra.len()));
        directory.extend([0; 10]);
        directory.extend(narrow(at, wide));
        directory.extend([&entry.name[..], &extra].concat());
    }
    let (count, bytes, at) = (entries.len(), directory.len() as u64, zip.len() as u64);
    zip.extend(directory);
    if wide {
        let (end_at, count) = (zip.len() as u64, count as u64);
        zip.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
        zip.extend([count, count, bytes, at].map(u64::to_le_bytes).concat());
        zip.extend(b"PK\x06\x07\0\0\0\0");
        zip.extend(end_at.to_le_bytes());
        zip.extend(1_u32.to_le_bytes());
    }
    zip.extend(b"PK\x05\x06\0\0\0\0");
    let count = if wide { [0xff; 2] } else { short(count) };
    zip.extend([count, count].concat());
    zip.extend([narrow(bytes, wide), narrow(at, wide)].concat());
    zip.extend(b"\0\0");
    zip
}
