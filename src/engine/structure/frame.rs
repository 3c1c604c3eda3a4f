//! Frame headers of JPEG and GIF files.
//!
//! Guarantees as in the parent module, except that a JPEG's sampling factors are copied.

use super::{EOI, SOI, SOS, colour_table, jpeg_segment, sub_blocks_end};

/// Fields of a JPEG's frame header and first scan header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JpegFrame {
    pub is_progressive: bool,
    pub width_px: u16,
    pub height_px: u16,
    /// Horizontal and vertical sampling factors of each component, 1 to 4.
    pub samplings: Vec<(u8, u8)>,
    /// `true` if the first scan has all components.
    pub is_one_scan: bool,
}

impl JpegFrame {
    /// Returns the largest horizontal and vertical sampling factor of the components, at least 1
    /// each.
    #[must_use]
    pub fn sampling_max(&self) -> (u8, u8) {
        let samplings = self.samplings.iter();
        samplings.fold((1, 1), |max, it| (max.0.max(it.0), max.1.max(it.1)))
    }
}

/// Returns the last frame header before a JPEG's first scan, which is the one that the decoder
/// uses. `None` if there is no frame header.
pub fn jpeg_frame(bytes: &[u8]) -> Option<JpegFrame> {
    const SIDES_AT: usize = 1;
    const COMPONENTS_AT: usize = 6;
    let mut at = SOI;
    let mut frame = None;
    while let Some((segment, next)) = jpeg_segment(bytes, at) {
        at = next;
        match segment.marker {
            SOS => {
                let mut frame: JpegFrame = frame?;
                let components = usize::from(*segment.body.first()?);
                frame.is_one_scan = components == frame.samplings.len();
                return Some(frame);
            }
            EOI => return None,
            0xc0..=0xc2 => {
                let side = |at: usize| {
                    let field = segment.body.get(at..at + 2)?.try_into().ok()?;
                    Some(u16::from_be_bytes(field))
                };
                let components = segment.body.get(COMPONENTS_AT..)?.chunks_exact(3);
                let samplings = components.map(|it| (it[1] >> 4, it[1] & 0x0f));
                frame = Some(JpegFrame {
                    is_progressive: segment.marker == 0xc2,
                    height_px: side(SIDES_AT)?,
                    width_px: side(SIDES_AT + 2)?,
                    samplings: samplings.collect(),
                    is_one_scan: false,
                });
            }
            _ => {}
        }
    }
    None
}

/// Returns the width and height of a GIF's first frame. `None` if the GIF has no frame.
pub fn gif_frame_px(bytes: &[u8]) -> Option<(u32, u32)> {
    const SCREEN_END: usize = 13;
    let screen = colour_table(bytes, *bytes.get(10)?, SCREEN_END);
    let mut at = screen.map_or(SCREEN_END, |table| table.end);
    while bytes.get(at) == Some(&0x21) {
        at = sub_blocks_end(bytes, at + 2)?;
    }
    let side = |at: usize| {
        let field = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(u32::from(u16::from_le_bytes(field)))
    };
    (bytes.get(at) == Some(&0x2c)).then_some((side(at + 5)?, side(at + 7)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;

    #[test]
    fn jpeg_frame_of_fixtures_has_their_header_fields() {
        let frame = |name| jpeg_frame(&fixture::bytes(name)).expect(name);
        let photo = frame("photo.jpg");
        assert_eq!((photo.width_px, photo.height_px), (1024, 768));
        assert!(!photo.is_progressive && photo.is_one_scan);
        assert_eq!(photo.samplings.len(), 3);
        assert!(frame("progressive.jpg").is_progressive);
        assert_eq!(jpeg_frame(b"\xff\xd8\xff\xd9"), None);
        assert_eq!(jpeg_frame(b""), None);
    }

    #[test]
    fn reading_frames_of_truncated_files_never_panics() {
        for (name, step) in [("progressive.jpg", 7), ("plain.gif", 1)] {
            let bytes = fixture::bytes(name);
            for length in (0..bytes.len().min(4_000)).step_by(step) {
                let (_, _) = (jpeg_frame(&bytes[..length]), gif_frame_px(&bytes[..length]));
            }
        }
    }

    #[test]
    fn gif_frame_px_is_the_first_frames_size() {
        let gif = fixture::bytes("plain.gif");
        let (width_px, height_px) = gif_frame_px(&gif).expect("a frame");
        assert!(width_px > 0 && height_px > 0);
        assert_eq!(gif_frame_px(b"GIF89a"), None);
    }
}
