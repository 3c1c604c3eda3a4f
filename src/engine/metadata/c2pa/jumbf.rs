//! JUMBF (ISO 19566-5): boxes in boxes, as far as C2PA uses them.
//!
//! Promises: the walk is total and goes no deeper than its caller; a box torn off ends it.

/// The most boxes of one box that are looked at.
const BOXES_MAX: usize = 512;

/// A superbox: its label, and the boxes behind its description.
#[derive(Debug, Clone, Copy)]
pub struct Superbox<'a> {
    pub label: &'a str,
    content: &'a [u8],
}

impl<'a> Superbox<'a> {
    /// The first superbox that `bytes` hold.
    pub fn first(bytes: &'a [u8]) -> Option<Self> {
        superboxes(bytes).next()
    }

    /// The superboxes in it.
    pub fn superboxes(self) -> impl Iterator<Item = Self> {
        superboxes(self.content)
    }

    /// What its first box of this kind holds.
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

/// A description's label: behind 16 bytes of type and one of switches, up to a zero byte.
fn label(description: &[u8]) -> Option<&str> {
    let text = description.get(17..)?;
    std::str::from_utf8(text.split(|&byte| byte == 0).next()?).ok()
}

/// A box: its kind, and what it holds.
type BoxedContent<'a> = ([u8; 4], &'a [u8]);

fn boxes(bytes: &[u8]) -> impl Iterator<Item = BoxedContent<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (found, after) = split(rest)?;
        rest = after;
        Some(found)
    })
    .take(BOXES_MAX)
}

/// The first box, and what follows.
fn split(bytes: &[u8]) -> Option<(BoxedContent<'_>, &[u8])> {
    let (head, rest) = bytes.split_at_checked(8)?;
    let short = u32::from_be_bytes(head[..4].try_into().ok()?);
    let kind = head[4..].try_into().ok()?;
    let (length, rest) = match short {
        // it goes on to the end
        0 => (rest.len(), rest),
        1 => {
            let (long, rest) = rest.split_at_checked(8)?;
            let long = u64::from_be_bytes(long.try_into().ok()?);
            (usize::try_from(long).ok()?.checked_sub(16)?, rest)
        }
        short => (usize::try_from(short).ok()?.checked_sub(8)?, rest),
    };
    let (body, after) = rest.split_at_checked(length)?;
    Some(((kind, body), after))
}
