//! JUMBF (ISO 19566-5): nested boxes, as far as C2PA uses them.
//!
//! Guarantees: iteration never panics and does not recurse. A truncated box ends it.

use crate::engine::bmff;

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
        bmff::boxes(self.content)
            .take(BOXES_MAX)
            .find(|(found, _)| *found == kind)
            .map(|(_, body)| body)
    }
}

fn superboxes(bytes: &[u8]) -> impl Iterator<Item = Superbox<'_>> {
    bmff::boxes(bytes)
        .take(BOXES_MAX)
        .filter_map(|(kind, body)| {
            let (description_kind, description, content) = bmff::split_box(body)?;
            (kind == *b"jumb" && description_kind == *b"jumd").then_some(Superbox {
                label: label(description)?,
                content,
            })
        })
}

/// Returns the label in a description box: after 16 bytes of type and one of toggles, up to a NUL.
fn label(description: &[u8]) -> Option<&str> {
    let text = description.get(17..)?;
    std::str::from_utf8(text.split(|&byte| byte == 0).next()?).ok()
}
