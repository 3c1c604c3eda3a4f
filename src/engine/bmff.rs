//! ISO base media files (ISO BMFF, ISO/IEC 14496-12) such as HEIC, HEIF and AVIF: their brand, size
//! and provenance metadata.
//!
//! Guarantees: each iterator ends at malformed bytes and never panics. A box that is longer than
//! its parent ends the iteration. No pixels are decoded.

use crate::model::picture::FileKind;

/// UUID of the box that contains a C2PA manifest store (C2PA 2.1, "Embedding manifests into
/// BMFF-based assets").
const C2PA: [u8; 16] = *b"\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81";
/// Maximum number of metadata items that are read.
const ITEMS_MAX: usize = 16;
/// Maximum number of C2PA boxes that are read: a file that was updated has two.
const MANIFESTS_MAX: usize = 2;

/// A metadata block that may contain provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataBlock<'a> {
    /// EXIF, starting at its TIFF header.
    Exif(&'a [u8]),
    Xmp(&'a [u8]),
    /// JUMBF box of a C2PA manifest store.
    Manifest(&'a [u8]),
}

/// Returns the kind of a file that begins with `head`, by its brands (ISO/IEC 23008-12, AVIF 1.1).
/// `None` if `head` has no known brand.
#[must_use]
pub fn file_kind(head: &[u8]) -> Option<FileKind> {
    let (kind, body) = first_box(head, TruncatedBoxPolicy::Accept)?;
    if kind != *b"ftyp" {
        return None;
    }
    let major = body.get(..4)?;
    let compatible = || body.get(8..).unwrap_or_default().chunks_exact(4);
    match kind_of_brand(major) {
        Some(kind) => Some(kind),
        None if !matches!(major, b"mif1" | b"mif2" | b"msf1" | b"miaf") => None,
        None => {
            // An AVIF may have HEIF brands as well.
            let mut known = compatible().filter_map(kind_of_brand);
            let first = known.next();
            known
                .find(|kind| *kind == FileKind::Avif)
                .or(first)
                .or(Some(FileKind::Heif))
        }
    }
}

fn kind_of_brand(brand: &[u8]) -> Option<FileKind> {
    match brand {
        b"avif" | b"avis" => Some(FileKind::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some(FileKind::Heif)
        }
        _ => None,
    }
}

/// `true` if the file is a sequence of complete boxes.
#[must_use]
pub fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(length) = box_length(rest).filter(|length| *length <= rest.len()) else {
            return false;
        };
        rest = &rest[length..];
    }
    true
}

/// Returns the width and height of the largest image item, upright, or of the first track if there
/// are no items. The largest item is the primary one in practice: tiles, thumbnails and depth maps
/// are smaller. `None` if the file has no size.
#[must_use]
pub fn sides_px(bytes: &[u8]) -> Option<(u32, u32)> {
    let meta = find(bytes, *b"meta").and_then(|meta| meta.get(4..));
    let item = meta.and_then(|meta| largest_item(find(find(meta, *b"iprp")?, *b"ipco")?));
    item.or_else(|| track_size(bytes))
}

/// Returns the largest `ispe` (ISO/IEC 23008-12, 6.5.3) among the properties of all items. An
/// `irot` of 90 or 270 degrees swaps its width and height.
fn largest_item(properties: &[u8]) -> Option<(u32, u32)> {
    let extents = boxes(properties).filter(|(kind, _)| kind == b"ispe");
    let sides = extents.filter_map(|(_, body)| {
        let mut ispe = BoxReader(body.get(4..)?);
        let mut side = || u32::try_from(ispe.number(4)?).ok();
        Some((side()?, side()?))
    });
    let (width, height) =
        sides.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))?;
    let is_turned = boxes(properties)
        .any(|(kind, body)| kind == *b"irot" && body.first().is_some_and(|it| it & 1 == 1));
    Some(if is_turned {
        (height, width)
    } else {
        (width, height)
    })
}

fn track_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = find(find(find(bytes, *b"moov")?, *b"trak")?, *b"tkhd")?;
    let mut sides = BoxReader(header.get(header.len().checked_sub(8)?..)?);
    // Fixed point: 16 bits of integer, 16 bits of fraction.
    let mut side = || u32::try_from(sides.number(4)? >> 16).ok();
    Some((side()?, side()?))
}

/// Returns at most [`ITEMS_MAX`] metadata items and [`MANIFESTS_MAX`] C2PA manifest stores.
#[must_use]
pub fn metadata_blocks(bytes: &[u8]) -> Vec<MetadataBlock<'_>> {
    let mut found = Vec::new();
    if let Some(meta) = find(bytes, *b"meta").and_then(|meta| meta.get(4..)) {
        let items = find(meta, *b"iinf").map(items).unwrap_or_default();
        let data = find(meta, *b"idat").unwrap_or_default();
        if let Some(iloc) = find(meta, *b"iloc") {
            locate_items(&mut found, iloc, &items, bytes, data);
        }
    }
    let manifests = boxes(bytes).filter_map(|(kind, body)| {
        let body = body.strip_prefix(&C2PA).filter(|_| kind == *b"uuid")?;
        // Version and flags (4 bytes), a NUL-terminated purpose, an offset (8 bytes).
        let purpose = body.get(4..)?;
        let end = purpose.iter().position(|byte| *byte == 0)?;
        Some(MetadataBlock::Manifest(purpose.get(end + 1 + 8..)?))
    });
    found.extend(manifests.take(MANIFESTS_MAX));
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MetadataItem {
    Exif,
    Xmp,
}

/// Returns the ids of the items that are metadata.
fn items(iinf: &[u8]) -> Vec<(u64, MetadataItem)> {
    let mut reader = BoxReader(iinf);
    let Some((version, _)) = reader.version() else {
        return Vec::new();
    };
    // The entry count is skipped: the number of boxes decides.
    if reader.number(if version == 0 { 2 } else { 4 }).is_none() {
        return Vec::new();
    }
    boxes(reader.0)
        .filter_map(|(_, body)| {
            let mut entry = BoxReader(body);
            let version = entry.version()?.0;
            let id = entry.id(version >= 3)?;
            entry.number(2)?;
            let kind = entry.0;
            if kind.starts_with(b"Exif") {
                Some((id, MetadataItem::Exif))
            } else {
                // A NUL-terminated item name, then the content type.
                let named = kind.strip_prefix(b"mime")?;
                let end = named.iter().position(|byte| *byte == 0)?;
                named[end + 1..]
                    .starts_with(b"application/rdf+xml")
                    .then_some((id, MetadataItem::Xmp))
            }
        })
        .take(ITEMS_MAX)
        .collect()
}

/// Adds the first extent of each of `items` to `found`, which grows to at most [`ITEMS_MAX`]
/// blocks. `None` if `iloc` is truncated or malformed.
fn locate_items<'a>(
    found: &mut Vec<MetadataBlock<'a>>,
    iloc: &'a [u8],
    items: &[(u64, MetadataItem)],
    file: &'a [u8],
    data: &'a [u8],
) -> Option<()> {
    let mut reader = BoxReader(iloc);
    let version = reader.version()?.0;
    let sizes = reader.number(2)?;
    let size = |shift: u32| usize::try_from(sizes >> shift & 0xf).unwrap_or_default();
    let (offset_bytes, length_bytes, base_bytes) = (size(12), size(8), size(4));
    let index_bytes = if version == 0 { 0 } else { size(0) };
    for _ in 0..reader.id(version >= 2)? {
        let id = reader.id(version >= 2)?;
        let method = if version == 0 {
            0
        } else {
            reader.number(2)? & 0xf
        };
        reader.number(2)?;
        let base = reader.number(base_bytes)?;
        let extents = usize::try_from(reader.number(2)?).ok()?;
        let extent_bytes = index_bytes + offset_bytes + length_bytes;
        let mut first = BoxReader(reader.bytes(extents * extent_bytes)?);
        if extents == 0 {
            continue;
        }
        first.number(index_bytes)?;
        let (offset, length) = (first.number(offset_bytes)?, first.number(length_bytes)?);
        let Some((_, item)) = items.iter().find(|(item, _)| *item == id) else {
            continue;
        };
        let within = if method == 1 { data } else { file };
        if let Some(bytes) = slice(within, base.checked_add(offset)?, length) {
            found.extend(match item {
                MetadataItem::Exif => tiff(bytes).map(MetadataBlock::Exif),
                MetadataItem::Xmp => Some(MetadataBlock::Xmp(bytes)),
            });
        }
        // A malformed `iloc` may list the same item many times.
        if found.len() == ITEMS_MAX {
            break;
        }
    }
    Some(())
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = usize::try_from(offset.checked_add(length)?).ok()?;
    bytes.get(start..end)
}

/// Returns the TIFF header and body of an Exif item, which starts with the header's offset.
fn tiff(item: &[u8]) -> Option<&[u8]> {
    let mut reader = BoxReader(item);
    let skipped = usize::try_from(reader.number(4)?).ok()?;
    reader.0.get(skipped..)
}

/// Returns the body of the first box of type `kind`.
fn find(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    boxes(bytes)
        .find(|(found, _)| *found == kind)
        .map(|(_, body)| body)
}

/// Yields the type and the body of each box. A truncated box ends the iteration.
pub fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (kind, body, after) = split_box(rest)?;
        rest = after;
        Some((kind, body))
    })
}

/// Returns the type and the body of the first box, and the bytes after it. `None` if the box is
/// truncated.
pub fn split_box(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (kind, body) = first_box(bytes, TruncatedBoxPolicy::Reject)?;
    Some((kind, body, bytes.get(box_length(bytes)?..)?))
}

/// Treatment of a box that is longer than the available bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TruncatedBoxPolicy {
    Reject,
    Accept,
}

/// Returns the type and the body of the first box.
fn first_box(bytes: &[u8], policy: TruncatedBoxPolicy) -> Option<([u8; 4], &[u8])> {
    let length = box_length(bytes)?;
    let end = match policy {
        TruncatedBoxPolicy::Reject => length,
        TruncatedBoxPolicy::Accept => length.min(bytes.len()),
    };
    let kind = bytes.get(4..8)?.try_into().ok()?;
    let head = if bytes[..4] == [0, 0, 0, 1] { 16 } else { 8 };
    Some((kind, bytes.get(head..end)?))
}

/// Returns the length that the first box declares, including its header.
fn box_length(bytes: &[u8]) -> Option<usize> {
    let mut reader = BoxReader(bytes);
    match reader.number(4)? {
        0 => Some(bytes.len()),
        1 => {
            reader.number(4)?;
            usize::try_from(reader.number(8)?)
                .ok()
                .filter(|length| *length >= 16)
        }
        length => usize::try_from(length).ok().filter(|length| *length >= 8),
    }
}

/// Bytes that are not read yet.
struct BoxReader<'a>(&'a [u8]);

impl<'a> BoxReader<'a> {
    /// Reads the next `count` bytes.
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Reads a big-endian number of `bytes` bytes, at most 8.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        let number = self.bytes(bytes)?.iter();
        Some(number.fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    /// Reads an item id or an item count.
    fn id(&mut self, is_long: bool) -> Option<u64> {
        self.number(if is_long { 4 } else { 2 })
    }

    /// Reads the version and the flags of a full box.
    fn version(&mut self) -> Option<(u64, u64)> {
        let both = self.number(4)?;
        Some((both >> 24, both & 0x00ff_ffff))
    }
}

#[cfg(test)]
mod tests;
