//! A ZIP's directory, which stands at its end.

use std::io::{self, BufRead, BufReader, Read, Take};

use super::super::Content;
use super::names::{NAME_BYTES_MAX, decode, unicode_path};
use super::{Entry, Unlisted};
use crate::model::bulk::Packed;

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_BYTES: usize = 56;
/// Says where [`END_64`] stands; right before [`END`].
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const LOCATOR_64_BYTES: usize = 20;
const HEADER: &[u8] = b"PK\x01\x02";
const HEADER_BYTES: usize = 46;
/// The comment at the end has a length of 16 bits.
const COMMENT_BYTES_MAX: usize = 0xffff;
/// The extra field that has what does not fit 32 bits.
const EXTRA_64: u16 = 1;

/// Flags of an entry.
const ENCRYPTED: u16 = 1;
const UTF_8: u16 = 1 << 11;
/// Methods of compression.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The entries of the ZIP that is all of `zip`, in its directory's order.
///
/// # Errors
/// See [`Unlisted`]; `TooMany` when there are more than `most`.
pub fn list(zip: &Content, most: usize) -> Result<Vec<Entry>, Unlisted> {
    let place = Place::find(zip)?;
    let mut directory = BufReader::new(zip.read_from(place.begins_at)).take(place.bytes);
    let mut entries = Vec::new();
    while directory.limit() > 0 {
        if entries.len() == most {
            return Err(Unlisted::TooMany);
        }
        entries.push(entry(&mut directory, place.ahead_bytes)?);
    }
    // Where it has 16 bits it says the count's lower ones.
    if entries.len() as u64 & place.entries_mask != place.entries {
        let (said, found) = (place.entries, entries.len());
        return no_zip(format!(
            "its end says {said} entries, its directory {found}"
        ));
    }
    Ok(entries)
}

fn no_zip<T>(line: impl Into<String>) -> Result<T, Unlisted> {
    Err(Unlisted::NoZip(line.into()))
}

/// Where a directory stands, as the ZIP's end says.
struct Place {
    begins_at: u64,
    bytes: u64,
    entries: u64,
    /// The bits that `entries` has.
    entries_mask: u64,
    /// What stands ahead of the ZIP and is not of it, such as a program that unpacks it; what
    /// the directory says is counted from behind that.
    ahead_bytes: u64,
}

impl Place {
    fn find(zip: &Content) -> Result<Self, Unlisted> {
        let tail_bytes = zip
            .bytes
            .min((LOCATOR_64_BYTES + END_BYTES + COMMENT_BYTES_MAX) as u64);
        let tail_at = zip.bytes - tail_bytes;
        let mut tail = Vec::new();
        zip.read_from(tail_at).read_to_end(&mut tail)?;
        let Some(end_at) = end_in(&tail) else {
            return no_zip("it has no ZIP's end");
        };
        let end = &tail[end_at..];
        if (number(end, 4, 2), number(end, 6, 2)) != (0, 0) {
            return no_zip("it is a part of several");
        }
        let (entries, bytes, at) = (number(end, 10, 2), number(end, 12, 4), number(end, 16, 4));
        let locator_at = end_at.checked_sub(LOCATOR_64_BYTES);
        let locator = locator_at.map(|at| &tail[at..]);
        let locator = locator.filter(|locator| locator.starts_with(LOCATOR_64));
        match locator {
            None => Self::of(tail_at + end_at as u64, (entries, 0xffff), bytes, at),
            Some(locator) => {
                let locator_at = tail_at + (end_at - LOCATOR_64_BYTES) as u64;
                Self::find_64(zip, number(locator, 8, 8), locator_at)
            }
        }
    }

    /// Of a ZIP64: its end stands where the locator says, or right before that where something
    /// stands ahead of the ZIP.
    fn find_64(zip: &Content, said_at: u64, locator_at: u64) -> Result<Self, Unlisted> {
        let before = locator_at.checked_sub(END_64_BYTES as u64);
        let mut end = [0; END_64_BYTES];
        for at in [Some(said_at), before].into_iter().flatten() {
            if before.is_none_or(|before| at > before) {
                continue;
            }
            zip.read_from(at).read_exact(&mut end)?;
            if end.starts_with(END_64) {
                let entries = (number(&end, 32, 8), u64::MAX);
                return Self::of(at, entries, number(&end, 40, 8), number(&end, 48, 8));
            }
        }
        no_zip("its ZIP64's end is not where it says")
    }

    /// The directory ends where the ZIP's end begins.
    fn of(end_at: u64, entries: (u64, u64), bytes: u64, said_at: u64) -> Result<Self, Unlisted> {
        let begins_at = end_at.checked_sub(bytes);
        let ahead_bytes = begins_at.and_then(|at| at.checked_sub(said_at));
        match (begins_at, ahead_bytes) {
            (Some(begins_at), Some(ahead_bytes)) => Ok(Self {
                begins_at,
                bytes,
                entries: entries.0,
                entries_mask: entries.1,
                ahead_bytes,
            }),
            _ => no_zip("its directory is not where its end says"),
        }
    }
}

/// Where in a file's last bytes the ZIP's end begins: the last that its comment leaves room for.
fn end_in(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END_BYTES)?;
    (0..=last).rev().find(|at| {
        let end = &tail[*at..];
        end.starts_with(END) && number(end, 20, 2) <= (end.len() - END_BYTES) as u64
    })
}

/// The number that stands at `at`, of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.iter().skip(at).take(length).rev();
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn entry(directory: &mut Take<impl BufRead>, ahead_bytes: u64) -> Result<Entry, Unlisted> {
    let mut header = [0; HEADER_BYTES];
    directory.read_exact(&mut header)?;
    if !header.starts_with(HEADER) {
        return no_zip("its directory is broken");
    }
    let said = |at: usize, length: usize| number(&header, at, length);
    let (flags, method) = (said(8, 2), said(10, 2));
    let (name_bytes, extra_bytes, comment_bytes) = (said(28, 2), said(30, 2), said(32, 2));
    let kept_bytes = name_bytes.min(NAME_BYTES_MAX as u64);
    let raw_name = read(directory, kept_bytes)?;
    skip(directory, name_bytes - kept_bytes)?;
    let extra = read(directory, extra_bytes)?;
    skip(directory, comment_bytes)?;
    let [bytes, packed_bytes, at] = wide([said(24, 4), said(20, 4), said(42, 4)], &extra)?;
    let has = |flag: u16| flags & u64::from(flag) != 0;
    let is_deflated = method == u64::from(DEFLATED);
    let unicode_path = unicode_path(&raw_name, &extra);
    let (name, is_code_page_437) = match unicode_path {
        Some(name) => (name, false),
        None => decode(&raw_name, has(UTF_8)),
    };
    let Some(header_at) = at.checked_add(ahead_bytes) else {
        return no_zip("its directory is broken");
    };
    Ok(Entry {
        name,
        is_code_page_437,
        is_name_cut: kept_bytes < name_bytes,
        is_encrypted: has(ENCRYPTED),
        is_readable: is_deflated || method == u64::from(STORED),
        packed: Packed {
            header_at,
            packed_bytes,
            bytes,
            crc32: u32::try_from(said(16, 4)).unwrap_or_default(),
            is_deflated,
        },
    })
}

/// Numbers that have all of their 32 bits set stand in the ZIP64's extra field, in this order.
fn wide(numbers: [u64; 3], mut extra: &[u8]) -> Result<[u64; 3], Unlisted> {
    let is_wide = |number: &u64| *number == u64::from(u32::MAX);
    if !numbers.iter().any(is_wide) {
        return Ok(numbers);
    }
    while extra.len() >= 4 {
        let (id, length) = (number(extra, 0, 2), number(extra, 2, 2));
        let begins = &extra[4..];
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let field = &begins[..length.min(begins.len())];
        if id == u64::from(EXTRA_64) {
            let mut at = 0;
            let mut numbers = numbers;
            for narrow in numbers.iter_mut().filter(|number| is_wide(number)) {
                if field.len() < at + 8 {
                    return no_zip("its directory lacks a ZIP64's number");
                }
                *narrow = number(field, at, 8);
                at += 8;
            }
            return Ok(numbers);
        }
        extra = &begins[field.len()..];
    }
    no_zip("its directory lacks a ZIP64's number")
}

fn read(from: &mut impl BufRead, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    if from.take(bytes).read_to_end(&mut read)? as u64 == bytes {
        return Ok(read);
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn skip(from: &mut impl BufRead, bytes: u64) -> io::Result<()> {
    if io::copy(&mut from.take(bytes), &mut io::sink())? == bytes {
        return Ok(());
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
