//! Cards: drawn in place of what is not decoded, with the file's name and format.
//!
//! Promises: a card is of the shape of what it stands for; whatever the size, the name is cut
//! and the letters are as large as their room allows. The same facts give the same card.

use std::io;

use image::RgbImage;
use resvg::tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};
use skrifa::outline::OutlinePen;

use super::font::{Glyph, Typeface, UNITS, width_pt};
use super::raster::fit_within;
use crate::model::picture::FileKind;

/// The shape of a card whose file does not say its own: A4's.
const SIDES_PX: (u32, u32) = (595, 842);
/// No letters are drawn where a side is shorter.
const LETTERS_PX_MIN: f32 = 24.0;
const NAME_LINES_MAX: usize = 3;

const GROUND: [u8; 3] = [0xe9, 0xec, 0xf1];
const SHEET: [u8; 3] = [0xff, 0xff, 0xff];
const INK: [u8; 3] = [0x2b, 0x31, 0x3b];

/// What a card shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceholderCard {
    kind: FileKind,
    name: String,
    sides_px: (u32, u32),
}

impl PlaceholderCard {
    /// A card for a file of that name and size, as far as it is known.
    #[must_use]
    pub fn new(media: FileKind, name: &str, sides_px: Option<(u32, u32)>) -> Self {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        Self {
            kind: media,
            name: file.to_owned(),
            sides_px: sides_px.unwrap_or(SIDES_PX),
        }
    }

    /// The sides of its file, or those that stand for them.
    #[must_use]
    pub fn sides_px(&self) -> (u32, u32) {
        self.sides_px
    }

    /// The card, its longer side at most `side_px_max` and no longer than its file's.
    ///
    /// # Errors
    /// When our own font cannot be read, which is a fault of the build.
    pub fn draw(&self, side_px_max: u32) -> io::Result<RgbImage> {
        let (width, height) = self.sides_px;
        let longer = width.max(height).clamp(1, side_px_max);
        let (width, height) = fit_within(width, height, longer);
        let pixmap = Pixmap::new(width, height);
        let pixmap = pixmap.ok_or_else(|| io::Error::other("a card of no size"))?;
        let mut canvas = Canvas {
            typeface: Typeface::new()?,
            pixmap,
        };
        self.draw_on(&mut canvas, to_f32(width), to_f32(height))?;
        let rgb = canvas.pixmap.data().chunks_exact(4);
        let rgb = rgb
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        RgbImage::from_raw(width, height, rgb).ok_or_else(|| io::Error::other("a card torn"))
    }

    fn draw_on(&self, canvas: &mut Canvas, width: f32, height: f32) -> io::Result<()> {
        let accent = accent(self.kind);
        let side = width.min(height);
        canvas.fill(&rectangle(0.0, 0.0, width, height), GROUND);
        let margin = side * 0.06;
        canvas.fill(&sheet(margin, width, height, side * 0.17), SHEET);
        canvas.fill(
            &fold(margin, width, side * 0.17),
            accent.map(|it| it.midpoint(0xff)),
        );
        if side < LETTERS_PX_MIN {
            return Ok(());
        }
        let room = width - 4.0 * margin;
        let is_heic = self.name.to_ascii_lowercase().ends_with(".heic");
        let title = if is_heic { "HEIC" } else { self.kind.title() };
        let title_px = (side * 0.27).min(room / 2.7);
        let name_px = (side * 0.075).max(9.5);
        let lines = canvas
            .typeface
            .lines(&self.name, name_px, room, NAME_LINES_MAX);
        let leading = name_px * 1.35;
        let names = to_f32(u32::try_from(lines.len()).unwrap_or_default()) * leading;
        // capitals are three quarters of their size high
        let block = title_px * 0.75 + side * 0.125 + names;
        let mut baseline = (height - block) / 2.0 + title_px * 0.75;
        for line in canvas.typeface.lines(title, title_px, width, 1) {
            canvas.letters(&line, title_px, [width / 2.0, baseline], accent, 0.035)?;
        }
        let bar = side * 0.018;
        let above = baseline + side * 0.055;
        canvas.fill(
            &rectangle((width - side * 0.3) / 2.0, above, side * 0.3, bar),
            accent,
        );
        baseline = above + bar + side * 0.035 + name_px;
        for line in lines {
            canvas.letters(&line, name_px, [width / 2.0, baseline], INK, 0.0)?;
            baseline += leading;
        }
        Ok(())
    }
}

fn accent(media: FileKind) -> [u8; 3] {
    match media {
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

/// A sheet of paper whose upper right corner is folded.
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

struct Canvas {
    typeface: Typeface,
    pixmap: Pixmap,
}

impl Canvas {
    fn fill(&mut self, path: &PathBuilder, colour: [u8; 3]) {
        self.paint(path, colour, 0.0);
    }

    /// Fills the path, with an outline of that width.
    fn paint(&mut self, path: &PathBuilder, [red, green, blue]: [u8; 3], outline: f32) {
        let Some(path) = path.clone().finish() else {
            return;
        };
        let mut paint = Paint::default();
        paint.set_color(Color::from_rgba8(red, green, blue, 0xff));
        let (rule, here) = (FillRule::Winding, Transform::identity());
        self.pixmap.fill_path(&path, &paint, rule, here, None);
        if outline > 0.0 {
            let stroke = Stroke {
                width: outline,
                ..Stroke::default()
            };
            self.pixmap.stroke_path(&path, &paint, &stroke, here, None);
        }
    }

    /// A line of letters about `middle`, on that baseline, as bold as `weight` of their size.
    fn letters(
        &mut self,
        line: &[Glyph],
        size_px: f32,
        middle: [f32; 2],
        colour: [u8; 3],
        weight: f32,
    ) -> io::Result<()> {
        let mut pen = Pen {
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

/// Draws a glyph, whose own y goes up.
struct Pen {
    path: PathBuilder,
    at: [f32; 2],
    scale: f32,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.at[0] + x * self.scale, self.at[1] - y * self.scale)
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2)) = (self.place(x1, y1), self.place(x2, y2));
        let (x, y) = self.place(x, y);
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// A side as a length; sides are far under 2^16.
fn to_f32(side: u32) -> f32 {
    u16::try_from(side).map_or(f32::from(u16::MAX), f32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_the_shape_of_its_file_and_is_not_larger() {
        let of = |sides| PlaceholderCard::new(FileKind::Heif, "사진.heic", Some(sides));
        for (sides, side_px_max, expected) in [
            ((4032, 3024), 512, (512, 384)),
            ((3024, 4032), 100, (75, 100)),
            ((64, 48), 512, (64, 48)),
            ((16_384, 1), 1600, (1600, 1)),
            ((1, 1), 100, (1, 1)),
        ] {
            let card = of(sides).draw(side_px_max).expect("a card");
            assert_eq!(card.dimensions(), expected, "{sides:?}");
        }
        let card = PlaceholderCard::new(FileKind::Pdf, "a.pdf", None)
            .draw(100)
            .expect("a card");
        assert_eq!(card.dimensions(), (71, 100));
    }

    #[test]
    fn a_card_shows_its_format_and_its_name_without_folders() {
        let of = |media, name| {
            PlaceholderCard::new(media, name, None)
                .draw(512)
                .expect("a card")
        };
        assert_eq!(of(FileKind::Pdf, "a/b\\c.pdf"), of(FileKind::Pdf, "c.pdf"));
        assert_ne!(of(FileKind::Pdf, "c.pdf"), of(FileKind::Pdf, "d.pdf"));
        assert_ne!(of(FileKind::Pdf, "c.pdf"), of(FileKind::Avif, "c.pdf"));
        let long = "긴 이름 ".repeat(500);
        assert_eq!(of(FileKind::Pdf, &long).dimensions(), (362, 512));
    }
}
