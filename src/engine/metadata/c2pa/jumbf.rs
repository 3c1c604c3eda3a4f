//! JUMBF (ISO 19566-5): nested boxes, as far as C2PA uses them.
//!
//! Guarantees: iteration never panics and does not recurse. A truncated box ends it.

/// Maximum number of child boxes that are read.
const BOXES_MAX: usize = 512;

/// A superbox: its label, and the boxes after its description box.
#[derive(Debug, Clone, Copy)]
pub struct Superbox<'a> {
    pub label: &'a str,
    content: &'a [u8],
}

impl<'a> Superbox<'a> {
    /// Returns the first superbox in `bytes`.
    pub fn first(bytes: &'a [u8]) -> Option<Self> {
        superboxes(bytes).next()
    }

    /// Yields the child superboxes.
    pub fn superboxes(self) -> impl Iterator<Item = Self> {
        superboxes(self.content)
    }

    /// Returns the body of the first child box of this type.
    pub fn content(self, kind: [u8; 4]) -> Option<&'a [u8]> {
        boxes(self.content)
            .find(|(found, _)| *found == kind)
            .map(|(_, body)| body)
    }
}

fn superboxes(bytes: &[u8]) -> impl Iterator<Item = Superbox<'_>> {
    boxes(bytes).filter_map(|(kind, body)| {
        let (description, content) = split(body)?;
        (kind == *b"jumb" && description.0 == *b"jumd").then_some(Superbox {
            label: label(description.1)?,
            content,
        })
    })
}

/// Returns the label in a description box: after 16 bytes of type and one of toggles, up to a NUL.
fn label(description: &[u8]) -> Option<&str> {
    let text = description.get(17..)?;
    std::str::from_utf8(text.split(|&byte| byte == 0).next()?).ok()
}

/// Type and body of a box.
type TypedBody<'a> = ([u8; 4], &'a [u8]);

fn boxes(bytes: &[u8]) -> impl Iterator<Item = TypedBody<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (found, after) = split(rest)?;
        rest = after;
        Some(found)
    })
    .take(BOXES_MAX)
}

/// Returns the first box, and the bytes after it.
fn split(bytes: &[u8]) -> Option<(TypedBody<'_>, &[u8])> {
    let (head, after_head) = bytes.split_at_checked(8)?;
    let short = u32::from_be_bytes(head[..4].try_into().ok()?);
    let kind = head[4..].try_into().ok()?;
    let (length, rest) = match short {
        // Length 0 means "to the end".
        0 => (after_head.len(), after_head),
        1 => {
            let (long, rest) = after_head.split_at_checked(8)?;
            let long = u64::from_be_bytes(long.try_into().ok()?);
            (usize::try_from(long).ok()?.checked_sub(16)?, rest)
        }
        short => (usize::try_from(short).ok()?.checked_sub(8)?, after_head),
    };
    let (body, after) = rest.split_at_checked(length)?;
    Some(((kind, body), after))
}
