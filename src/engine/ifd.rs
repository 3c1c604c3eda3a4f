//! The directories of TIFF, which EXIF has too: fields by their numbers.
//!
//! Promises: reading is total, nothing is copied, and no directory leads to another by itself:
//! who walks them says which and how many.

const COUNT_BYTES: usize = 2;
const ENTRY_BYTES: usize = 12;
const VALUE_AT: usize = 8;
/// What an entry holds in itself; longer values lie elsewhere.
const IN_PLACE_BYTES: usize = 4;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// As the head of a TIFF or an EXIF block says; none of a TIFF whose offsets have 64 bits.
    pub fn of(bytes: &[u8]) -> Option<Self> {
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

/// One picture's fields, or those that it leads to.
#[derive(Debug, Clone, Copy)]
pub struct Ifd<'b> {
    bytes: &'b [u8],
    order: ByteOrder,
    entries: &'b [u8],
    /// Where the next directory lies; 0 for none.
    pub next: u32,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfdValue<'b> {
    /// The number of its type.
    pub field_type: u16,
    pub bytes: &'b [u8],
}

impl<'b> Ifd<'b> {
    /// The directory there, if all of it is.
    pub fn parse_complete(bytes: &'b [u8], order: ByteOrder, at: u32) -> Option<Self> {
        let (found, is_whole) = Self::parse_partial(bytes, order, at)?;
        is_whole.then_some(found)
    }

    /// The first one of a TIFF or an EXIF block, or what there is of it.
    pub fn first(bytes: &'b [u8]) -> Option<Self> {
        let order = ByteOrder::of(bytes)?;
        Some(Self::parse_partial(bytes, order, order.u32(bytes, 4)?)?.0)
    }

    fn parse_partial(bytes: &'b [u8], order: ByteOrder, at: u32) -> Option<(Self, bool)> {
        let at = usize::try_from(at).ok()?;
        let count = usize::from(order.u16(bytes, at)?);
        let rest = bytes.get(at.checked_add(COUNT_BYTES)?..)?;
        let entries_bytes = count * ENTRY_BYTES;
        let next = order.u32(rest, entries_bytes);
        let found = Self {
            bytes,
            order,
            entries: &rest[..entries_bytes.min(rest.len())],
            next: next.unwrap_or_default(),
        };
        Some((found, next.is_some()))
    }

    /// The fields as they are written.
    fn entries(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        self.entries.chunks_exact(ENTRY_BYTES)
    }

    fn tagged(&self, tag: u16) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let order = self.order;
        self.entries()
            .filter(move |entry| order.u16(entry, 0) == Some(tag))
    }

    /// The number a tag holds in place: a SHORT or a LONG.
    pub fn number(&self, tag: u16) -> Option<u32> {
        let entry = self.tagged(tag).next()?;
        if self.order.u16(entry, 2)? == SHORT {
            self.order.u16(entry, VALUE_AT).map(u32::from)
        } else {
            self.order.u32(entry, VALUE_AT)
        }
    }

    /// What the first field of that tag holds that lies within the file.
    pub fn value(&self, tag: u16) -> Option<IfdValue<'b>> {
        self.tagged(tag).find_map(|entry| self.value_of(entry))
    }

    /// The numbers that a tag holds: of SHORTs and LONGs alone, else none.
    pub fn numbers(&self, tag: u16) -> Vec<u32> {
        let Some(IfdValue {
            field_type: kind,
            bytes,
        }) = self.value(tag)
        else {
            return Vec::new();
        };
        let number = |at: usize| match kind {
            SHORT => self.order.u16(bytes, at).map(u32::from),
            LONG => self.order.u32(bytes, at),
            _ => None,
        };
        let step = type_size(kind).unwrap_or(1);
        (0..bytes.len()).step_by(step).filter_map(number).collect()
    }

    fn value_of(&self, entry: &'b [u8]) -> Option<IfdValue<'b>> {
        let kind = self.order.u16(entry, 2)?;
        let count = usize::try_from(self.order.u32(entry, 4)?).ok()?;
        let length = count.checked_mul(type_size(kind)?)?;
        let (from, at) = if length <= IN_PLACE_BYTES {
            (entry, VALUE_AT)
        } else {
            let at = self.order.u32(entry, VALUE_AT)?;
            (self.bytes, usize::try_from(at).ok()?)
        };
        let bytes = from.get(at..at.checked_add(length)?)?;
        Some(IfdValue {
            field_type: kind,
            bytes,
        })
    }
}

/// How long one of a type is.
fn type_size(kind: u16) -> Option<usize> {
    match kind {
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

    /// A block of one directory with these entries, then `behind`.
    fn block(order: ByteOrder, entries: &[(u16, u16, u32, u32)], behind: &[u8]) -> Vec<u8> {
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
        block.extend(short(u16::try_from(entries.len()).expect("few")));
        for (tag, kind, count, value) in entries {
            block.extend([short(*tag), short(*kind)].concat());
            block.extend([long(*count), long(*value)].concat());
        }
        block.extend(long(0));
        block.extend(behind);
        block
    }

    #[test]
    fn fields_are_read_in_either_order_and_as_far_as_they_are_there() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let entries = [
                (271, 2, 5, 1000),
                (271, 2, 5, 62),
                (700, 1, u32::MAX, 0),
                (34_665, 4, 1, 8),
            ];
            // the first value lies beyond the end
            let block = block(order, &entries, b"abcde");
            let first = Ifd::first(&block).expect("a directory");
            let here = Ifd::parse_complete(&block, order, 8).expect("a whole one");
            assert_eq!((here.next, here.entries().count()), (0, 4));
            let value = first.value(271).expect("a value");
            assert_eq!((value.field_type, value.bytes), (2, &b"abcde"[..]));
            assert_eq!(first.value(700), None);
            assert_eq!(first.value(1), None);
            for cut in 0..block.len() {
                let torn = Ifd::first(&block[..cut]);
                let read = torn.and_then(|it| it.value(271).or(it.value(700)));
                assert!(read.is_none_or(|it| it.bytes.len() == 5), "{cut}");
                let whole = Ifd::parse_complete(&block[..cut], order, 8);
                assert_eq!(whole.is_some(), cut >= 62, "{cut}");
            }
        }
    }
}
