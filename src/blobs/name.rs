//! The file name of an object's content, which tells the rest of the object.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::Meta;
use crate::model::time::Timestamp;

/// What cannot stand in a file name, somewhere.
const UNFIT: &AsciiSet = &CONTROLS
    .add(b'"')
    .add(b'%')
    .add(b'*')
    .add(b'/')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'|');

/// The longest content type that is kept, as it stands in the name: file systems allow 255
/// bytes, the other parts take up to 118.
const CONTENT_TYPE_BYTES_MAX: usize = 128;

/// `{sequence}.{count}.{etag}.{bytes}.{modified, ms}.{content type}`, the last empty if there
/// is none.
#[derive(Debug)]
pub(super) struct Name {
    /// One more than that of the file it replaced.
    pub sequence: u64,
    /// Tells two apart whose writers were cut off in the middle.
    pub count: u64,
    pub meta: Meta,
}

impl Name {
    /// The greatest of an object's files is the object.
    pub fn order(&self) -> (u64, u64) {
        (self.sequence, self.count)
    }

    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.splitn(6, '.');
        let mut part = || parts.next();
        Some(Self {
            sequence: part()?.parse().ok()?,
            count: part()?.parse().ok()?,
            meta: Meta {
                etag: part()?.to_owned(),
                bytes: part()?.parse().ok()?,
                modified_at: Timestamp::from_ms(part()?.parse().ok()?),
                content_type: match part()? {
                    "" => None,
                    text => Some(percent_decode_str(text).decode_utf8().ok()?.into_owned()),
                },
            },
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meta = &self.meta;
        let modified_ms = meta.modified_at.ms();
        let content_type = meta.content_type.as_deref().unwrap_or_default();
        write!(f, "{}.{}.{}.", self.sequence, self.count, meta.etag)?;
        write!(f, "{}.{modified_ms}.{}", meta.bytes, spelled(content_type))
    }
}

/// Is `content_type` short enough to be kept? About 128 bytes are.
#[must_use]
pub fn content_type_fits(content_type: &str) -> bool {
    spelled(content_type).len() <= CONTENT_TYPE_BYTES_MAX
}

fn spelled(content_type: &str) -> String {
    utf8_percent_encode(content_type, UNFIT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written_and_fits_any_file_system(
            (sequence, count, bytes, ms) in any::<(u64, u64, u64, i64)>(),
            content_type in "[ -~é]{1,140}",
        ) {
            let content_type = content_type_fits(&content_type).then_some(content_type);
            let meta = Meta {
                content_type,
                etag: "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
                bytes,
                modified_at: Timestamp::from_ms(ms),
            };
            let text = Name { sequence, count, meta: meta.clone() }.to_string();
            prop_assert!(text.len() <= 255 && !text.contains('/'));
            let name = Name::parse(&text).expect("a name");
            prop_assert_eq!(name.order(), (sequence, count));
            prop_assert_eq!(name.meta, meta);
        }
    }
}
