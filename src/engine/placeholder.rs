//! Placeholder cards: drawn for files that are not decoded, with the file's name and format.
//!
//! Guarantees: a card has the file's aspect ratio if its size is known. Long names are cut. The
//! same input gives the same card.

use std::io;

use image::RgbImage;
use resvg::tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};
use skrifa::outline::OutlinePen;

use super::font::{Glyph, Typeface, UNITS, width_pt};
use super::raster::{fit_within, rgb_image};
use crate::model::picture::FileKind;

/// Size of the card of a file whose size is unknown: A4 in points.
const SIDES_PX: (u32, u32) = (595, 842);
/// Minimum shorter side of a card with text.
const TEXT_SIDE_PX_MIN: f32 = 24.0;
const NAME_LINES_MAX: usize = 3;

const BACKGROUND: [u8; 3] = [0xe9, 0xec, 0xf1];
const SHEET: [u8; 3] = [0xff, 0xff, 0xff];
const INK: [u8; 3] = [0x2b, 0x31, 0x3b];

/// Content of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceholderCard {
    kind: FileKind,
    name: String,
    sides_px: (u32, u32),
}

impl PlaceholderCard {
    /// Creates a card for a file. `None` as size means unknown.
    #[must_use]
    pub fn new(kind: FileKind, name: &str, sides_px: Option<(u32, u32)>) -> Self {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        Self {
            kind,
            name: file.to_owned(),
            sides_px: sides_px.unwrap_or(SIDES_PX),
        }
    }

    /// Returns the size of the file, or A4 if the size is unknown.
    #[must_use]
    pub fn sides_px(&self) -> (u32, u32) {
        self.sides_px
    }

    /// Draws the card. Its longer side is at most `side_px_max` and not longer than the file's.
    ///
    /// # Errors
    /// Returns an error if the embedded font cannot be read: a defect of the build.
    pub fn draw(&self, side_px_max: u32) -> io::Result<RgbImage> {
        let (file_width, file_height) = self.sides_px;
        let longer = file_width.max(file_height).clamp(1, side_px_max);
        let (width, height) = fit_within(file_width, file_height, longer);
        let pixmap = Pixmap::new(width, height).ok_or_else(|| io::Error::other("empty card"))?;
        let mut canvas = CardCanvas {
            typeface: Typeface::new()?,
            pixmap,
        };
        self.draw_on(&mut canvas, to_f32(width), to_f32(height))?;
        Ok(rgb_image(&canvas.pixmap))
    }

    fn draw_on(&self, canvas: &mut CardCanvas, width: f32, height: f32) -> io::Result<()> {
        let accent = accent(self.kind);
        let side = width.min(height);
        canvas.fill(&rectangle(0.0, 0.0, width, height), BACKGROUND);
        let margin = side * 0.06;
        canvas.fill(&sheet(margin, width, height, side * 0.17), SHEET);
        canvas.fill(
            &fold(margin, width, side * 0.17),
            accent.map(|it| it.midpoint(0xff)),
        );
        if side < TEXT_SIDE_PX_MIN {
            return Ok(());
        }
        let text_width = width - 4.0 * margin;
        let is_heic = self.name.to_ascii_lowercase().ends_with(".heic");
        let title = if is_heic { "HEIC" } else { self.kind.title() };
        let title_px = (side * 0.27).min(text_width / 2.7);
        let name_px = (side * 0.075).max(9.5);
        let lines = canvas
            .typeface
            .lines(&self.name, name_px, text_width, NAME_LINES_MAX);
        let leading = name_px * 1.35;
        let names_height = to_f32(u32::try_from(lines.len()).unwrap_or_default()) * leading;
        // Capital letters are three quarters of the font size high.
        let block = title_px * 0.75 + side * 0.125 + names_height;
        let mut baseline = (height - block) / 2.0 + title_px * 0.75;
        for line in canvas.typeface.lines(title, title_px, width, 1) {
            canvas.draw_text(&line, title_px, [width / 2.0, baseline], accent, 0.035)?;
        }
        let bar_height = side * 0.018;
        let bar_y = baseline + side * 0.055;
        canvas.fill(
            &rectangle((width - side * 0.3) / 2.0, bar_y, side * 0.3, bar_height),
            accent,
        );
        baseline = bar_y + bar_height + side * 0.035 + name_px;
        for line in lines {
            canvas.draw_text(&line, name_px, [width / 2.0, baseline], INK, 0.0)?;
            baseline += leading;
        }
        Ok(())
    }
}

fn accent(kind: FileKind) -> [u8; 3] {
    match kind {
        FileKind::Heif => [0x5b, 0x4b, 0xc4],
        FileKind::Avif => [0x0b, 0x7a, 0x75],
        FileKind::Pdf => [0xc2, 0x3b, 0x30],
        FileKind::Svg | FileKind::Picture(_) => [0x2f, 0x62, 0xb5],
    }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> PathBuilder {
    let mut path = PathBuilder::new();
    if let Some(rect) = Rect::from_xywh(x, y, width, height) {
        path.push_rect(rect);
    }
    path
}

/// Returns the outline of a sheet of paper whose upper right corner is folded.
fn sheet(margin: f32, width: f32, height: f32, corner: f32) -> PathBuilder {
    let mut path = PathBuilder::new();
    path.move_to(margin, margin);
    path.line_to(width - margin - corner, margin);
    path.line_to(width - margin, margin + corner);
    path.line_to(width - margin, height - margin);
    path.line_to(margin, height - margin);
    path.close();
    path
}

fn fold(margin: f32, width: f32, corner: f32) -> PathBuilder {
    let mut path = PathBuilder::new();
    path.move_to(width - margin - corner, margin);
    path.line_to(width - margin, margin + corner);
    path.line_to(width - margin - corner, margin + corner);
    path.close();
    path
}

struct CardCanvas {
    typeface: Typeface,
    pixmap: Pixmap,
}

impl CardCanvas {
    fn fill(&mut self, path: &PathBuilder, colour: [u8; 3]) {
        self.paint(path, colour, 0.0);
    }

    /// Fills the path, and strokes it with an outline of this width.
    fn paint(&mut self, path: &PathBuilder, [red, green, blue]: [u8; 3], outline: f32) {
        let Some(path) = path.clone().finish() else {
            return;
        };
        let mut paint = Paint::default();
        paint.set_color(Color::from_rgba8(red, green, blue, 0xff));
        let (rule, identity) = (FillRule::Winding, Transform::identity());
        self.pixmap.fill_path(&path, &paint, rule, identity, None);
        if outline > 0.0 {
            let stroke = Stroke {
                width: outline,
                ..Stroke::default()
            };
            self.pixmap
                .stroke_path(&path, &paint, &stroke, identity, None);
        }
    }

    /// Draws a line of text centred at `middle` (x, baseline y). `weight` is the width of an
    /// outline that emboldens the text, in multiples of the font size.
    fn draw_text(
        &mut self,
        line: &[Glyph],
        size_px: f32,
        middle: [f32; 2],
        colour: [u8; 3],
        weight: f32,
    ) -> io::Result<()> {
        let mut pen = GlyphPen {
            path: PathBuilder::new(),
            at: [middle[0] - width_pt(line, size_px) / 2.0, middle[1]],
            scale: size_px / UNITS,
        };
        for glyph in line {
            self.typeface.outline(*glyph, &mut pen)?;
            pen.at[0] += width_pt(std::slice::from_ref(glyph), size_px);
        }
        self.paint(&pen.path, colour, size_px * weight);
        Ok(())
    }
}

/// Draws a glyph into a path. The y axis of glyphs points up.
struct GlyphPen {
    path: PathBuilder,
    at: [f32; 2],
    scale: f32,
}

impl GlyphPen {
    fn transform(&self, x: f32, y: f32) -> (f32, f32) {
        (self.at[0] + x * self.scale, self.at[1] - y * self.scale)
    }
}

impl OutlinePen for GlyphPen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (px, py) = self.transform(x, y);
        self.path.move_to(px, py);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (px, py) = self.transform(x, y);
        self.path.line_to(px, py);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((px1, py1), (px, py)) = (self.transform(x1, y1), self.transform(x, y));
        self.path.quad_to(px1, py1, px, py);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((px1, py1), (px2, py2)) = (self.transform(x1, y1), self.transform(x2, y2));
        let (px, py) = self.transform(x, y);
        self.path.cubic_to(px1, py1, px2, py2, px, py);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// Converts a length or a count, which is far under 2^16.
fn to_f32(side: u32) -> f32 {
    u16::try_from(side).map_or(f32::from(u16::MAX), f32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draw_has_the_files_aspect_ratio_and_is_not_larger() {
        let card = |sides| PlaceholderCard::new(FileKind::Heif, "사진.heic", Some(sides));
        for (sides, side_px_max, expected) in [
            ((4032, 3024), 512, (512, 384)),
            ((3024, 4032), 100, (75, 100)),
            ((64, 48), 512, (64, 48)),
            ((16_384, 1), 1600, (1600, 1)),
            ((1, 1), 100, (1, 1)),
        ] {
            let image = card(sides).draw(side_px_max).expect("a card");
            assert_eq!(image.dimensions(), expected, "{sides:?}");
        }
        let a4 = PlaceholderCard::new(FileKind::Pdf, "a.pdf", None)
            .draw(100)
            .expect("a card");
        assert_eq!(a4.dimensions(), (71, 100));
    }

    #[test]
    fn draw_shows_format_and_name_without_folders() {
        let draw = |kind, name| {
            PlaceholderCard::new(kind, name, None)
                .draw(512)
                .expect("a card")
        };
        assert_eq!(
            draw(FileKind::Pdf, "a/b\\c.pdf"),
            draw(FileKind::Pdf, "c.pdf")
        );
        assert_ne!(draw(FileKind::Pdf, "c.pdf"), draw(FileKind::Pdf, "d.pdf"));
        assert_ne!(draw(FileKind::Pdf, "c.pdf"), draw(FileKind::Avif, "c.pdf"));
        let long = "긴 이름 ".repeat(500);
        assert_eq!(draw(FileKind::Pdf, &long).dimensions(), (362, 512));
    }
}
