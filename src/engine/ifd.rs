//! Image file directories (IFDs) of TIFF and EXIF.
//!
//! Guarantees: parsing never panics and copies nothing. No IFD is followed automatically: callers
//! decide which ones and how many.

const COUNT_BYTES: usize = 2;
const ENTRY_BYTES: usize = 12;
const VALUE_AT: usize = 8;
/// Maximum length of a value that is stored in the entry itself instead of at an offset.
const IN_PLACE_BYTES: usize = 4;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// Byte order of a TIFF.
#[derive(Debug, Clone, Copy)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// Reads the byte order from the header of a TIFF or an EXIF block. `None` for `BigTIFF`.
    pub fn from_header(bytes: &[u8]) -> Option<Self> {
        match bytes.get(..4)? {
            b"II*\0" => Some(Self::Little),
            b"MM\0*" => Some(Self::Big),
            _ => None,
        }
    }

    pub fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    pub fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
    }
}

/// An image file directory.
#[derive(Debug, Clone, Copy)]
pub struct Ifd<'b> {
    bytes: &'b [u8],
    order: ByteOrder,
    entries: &'b [u8],
    /// Offset of the next IFD. 0 if there is none.
    pub next: u32,
}

/// Value of an IFD entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfdValue<'b> {
    /// TIFF field type.
    pub field_type: u16,
    pub bytes: &'b [u8],
}

impl<'b> Ifd<'b> {
    /// Parses the IFD at the offset `at`. `None` if it is truncated.
    pub fn parse_complete(bytes: &'b [u8], order: ByteOrder, at: u32) -> Option<Self> {
        let (ifd, is_complete) = Self::parse_partial(bytes, order, at)?;
        is_complete.then_some(ifd)
    }

    /// Parses the first IFD of a TIFF or an EXIF block. The IFD may be truncated.
    pub fn first(bytes: &'b [u8]) -> Option<Self> {
        let order = ByteOrder::from_header(bytes)?;
        Some(Self::parse_partial(bytes, order, order.u32(bytes, 4)?)?.0)
    }

    /// Parses the entries that are present, and returns `true` with the IFD if it is complete.
    fn parse_partial(bytes: &'b [u8], order: ByteOrder, at: u32) -> Option<(Self, bool)> {
        let at = usize::try_from(at).ok()?;
        let count = usize::from(order.u16(bytes, at)?);
        let rest = bytes.get(at.checked_add(COUNT_BYTES)?..)?;
        let entries_bytes = count * ENTRY_BYTES;
        let next = order.u32(rest, entries_bytes);
        let ifd = Self {
            bytes,
            order,
            entries: &rest[..entries_bytes.min(rest.len())],
            next: next.unwrap_or_default(),
        };
        Some((ifd, next.is_some()))
    }

    /// Yields the entries in file order.
    fn entries(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        self.entries.chunks_exact(ENTRY_BYTES)
    }

    fn entries_with(&self, tag: u16) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let order = self.order;
        self.entries()
            .filter(move |entry| order.u16(entry, 0) == Some(tag))
    }

    /// Returns the number in the first entry of `tag`: a SHORT, or else a LONG.
    pub fn number(&self, tag: u16) -> Option<u32> {
        let entry = self.entries_with(tag).next()?;
        if self.order.u16(entry, 2)? == SHORT {
            self.order.u16(entry, VALUE_AT).map(u32::from)
        } else {
            self.order.u32(entry, VALUE_AT)
        }
    }

    /// Returns the value of the first entry of `tag` that is within the file.
    pub fn value(&self, tag: u16) -> Option<IfdValue<'b>> {
        self.entries_with(tag)
            .find_map(|entry| self.parse_value(entry))
    }

    /// Returns the numbers of `tag`. Empty if its type is neither SHORT nor LONG.
    pub fn numbers(&self, tag: u16) -> Vec<u32> {
        let Some(IfdValue { field_type, bytes }) = self.value(tag) else {
            return Vec::new();
        };
        let number = |at: usize| match field_type {
            SHORT => self.order.u16(bytes, at).map(u32::from),
            LONG => self.order.u32(bytes, at),
            _ => None,
        };
        let step = type_size(field_type).unwrap_or(1);
        (0..bytes.len()).step_by(step).filter_map(number).collect()
    }

    fn parse_value(&self, entry: &'b [u8]) -> Option<IfdValue<'b>> {
        let field_type = self.order.u16(entry, 2)?;
        let count = usize::try_from(self.order.u32(entry, 4)?).ok()?;
        let length = count.checked_mul(type_size(field_type)?)?;
        let (from, at) = if length <= IN_PLACE_BYTES {
            (entry, VALUE_AT)
        } else {
            let at = self.order.u32(entry, VALUE_AT)?;
            (self.bytes, usize::try_from(at).ok()?)
        };
        let bytes = from.get(at..at.checked_add(length)?)?;
        Some(IfdValue { field_type, bytes })
    }
}

/// Returns the length in bytes of one value of a field type.
fn type_size(field_type: u16) -> Option<usize> {
    match field_type {
        1 | 2 | 6 | 7 => Some(1),
        SHORT | 8 => Some(2),
        LONG | 9 | 11 => Some(4),
        5 | 10 | 12 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an EXIF block of one IFD with these entries, followed by `tail`.
    fn block(order: ByteOrder, entries: &[(u16, u16, u32, u32)], tail: &[u8]) -> Vec<u8> {
        let mut block = match order {
            ByteOrder::Little => b"II*\0".to_vec(),
            ByteOrder::Big => b"MM\0*".to_vec(),
        };
        let short = |number: u16| match order {
            ByteOrder::Little => number.to_le_bytes(),
            ByteOrder::Big => number.to_be_bytes(),
        };
        let long = |number: u32| match order {
            ByteOrder::Little => number.to_le_bytes(),
            ByteOrder::Big => number.to_be_bytes(),
        };
        block.extend(long(8));
        block.extend(short(u16::try_from(entries.len()).expect("few entries")));
        for (tag, kind, count, value) in entries {
            block.extend([short(*tag), short(*kind)].concat());
            block.extend([long(*count), long(*value)].concat());
        }
        block.extend(long(0));
        block.extend(tail);
        block
    }

    #[test]
    fn truncated_ifd_is_read_as_far_as_it_goes_in_both_byte_orders() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let entries = [
                (271, 2, 5, 1000),
                (271, 2, 5, 62),
                (700, 1, u32::MAX, 0),
                (34_665, 4, 1, 8),
            ];
            // The first value is beyond the end of the block.
            let block = block(order, &entries, b"abcde");
            let first = Ifd::first(&block).expect("a directory");
            let complete = Ifd::parse_complete(&block, order, 8).expect("a complete IFD");
            assert_eq!((complete.next, complete.entries().count()), (0, 4));
            let value = first.value(271).expect("a value");
            assert_eq!((value.field_type, value.bytes), (2, &b"abcde"[..]));
            assert_eq!(first.value(700), None);
            assert_eq!(first.value(1), None);
            for cut in 0..block.len() {
                let truncated = Ifd::first(&block[..cut]);
                let value = truncated.and_then(|ifd| ifd.value(271).or(ifd.value(700)));
                assert!(value.is_none_or(|value| value.bytes.len() == 5), "{cut}");
                let complete = Ifd::parse_complete(&block[..cut], order, 8);
                assert_eq!(complete.is_some(), cut >= 62, "{cut}");
            }
        }
    }
}
