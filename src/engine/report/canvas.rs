//! Drawing of text, lines, shapes and images on the page of a report.
//!
//! Lengths are points from the lower left corner of the page.

use std::io;

use pdf_writer::types::TextRenderingMode;
use pdf_writer::{Content, Name, Str};

use crate::engine::font::{Glyph, Typeface, width_pt};

/// Resource name of the font.
pub const FONT: &[u8] = b"F1";
/// Distance of the control points of a Bézier quarter circle from its ends, in multiples of the
/// radius.
const QUARTER_CIRCLE: f32 = 0.552_285;

/// A colour: red, green and blue, each 0 to 1.
pub type Color = [f32; 3];

/// Size, colour and weight of text.
#[derive(Debug, Clone, Copy)]
pub struct TextStyle {
    pub size_pt: f32,
    pub color: Color,
    /// Width of the outline that emboldens the text. The font has a single weight.
    outline_pt: f32,
}

impl TextStyle {
    #[must_use]
    pub const fn new(size_pt: f32, color: Color) -> Self {
        Self {
            size_pt,
            color,
            outline_pt: 0.0,
        }
    }

    #[must_use]
    pub const fn bold(self) -> Self {
        Self {
            outline_pt: self.size_pt / 42.0,
            ..self
        }
    }

    #[must_use]
    pub const fn with_color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// Returns the distance between two baselines.
    #[must_use]
    pub const fn leading_pt(self) -> f32 {
        self.size_pt * 1.45
    }
}

/// A rectangle.
#[derive(Debug, Clone, Copy)]
pub struct PageArea {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// Content stream of a page, and the font that it uses.
pub struct Canvas {
    pub content: Content,
    pub typeface: Typeface,
}

impl Canvas {
    /// Returns an empty page.
    ///
    /// # Errors
    /// Returns an error if the font cannot be read.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            content: Content::new(),
            typeface: Typeface::new()?,
        })
    }

    /// Draws `text` on one line of at most `width_pt`.
    pub fn text(&mut self, text: &str, style: TextStyle, [x, y]: [f32; 2], width_pt: f32) {
        for line in self.typeface.lines(text, style.size_pt, width_pt, 1) {
            self.glyphs(&line, style, [x, y]);
        }
    }

    /// Draws `text` on one line that ends at `x`.
    pub fn text_right(&mut self, text: &str, style: TextStyle, [x, y]: [f32; 2], width: f32) {
        for line in self.typeface.lines(text, style.size_pt, width, 1) {
            let start = x - width_pt(&line, style.size_pt);
            self.glyphs(&line, style, [start, y]);
        }
    }

    /// Draws a line of glyphs.
    pub fn glyphs(&mut self, line: &[Glyph], style: TextStyle, [x, y]: [f32; 2]) {
        let text = self.typeface.encode(line);
        let mut mode = TextRenderingMode::Fill;
        self.set_fill(style.color);
        if style.outline_pt > 0.0 {
            mode = TextRenderingMode::FillStroke;
            self.set_stroke(style.color);
            self.content.set_line_width(style.outline_pt);
        }
        self.content.begin_text().set_text_rendering_mode(mode);
        self.content.set_font(Name(FONT), style.size_pt);
        self.content.next_line(x, y).show(Str(&text));
        self.content.end_text();
    }

    /// Draws a horizontal line.
    pub fn rule(&mut self, [x, y]: [f32; 2], length: f32, color: Color, width_pt: f32) {
        self.set_stroke(color);
        self.content.set_line_width(width_pt);
        self.content.move_to(x, y).line_to(x + length, y).stroke();
    }

    /// Fills a rectangle with rounded corners.
    pub fn fill_rounded(&mut self, area: PageArea, radius: f32, color: Color) {
        self.set_fill(color);
        self.add_rounded_path(area, radius);
        self.content.fill_nonzero();
    }

    /// Fills a rectangle with rounded corners with a shading from the page's resources. The shading
    /// goes from 0 to 1 over the rectangle.
    pub fn shade_rounded(&mut self, area: PageArea, radius: f32, shading: &[u8]) {
        self.content.save_state();
        self.add_rounded_path(area, radius);
        self.content.clip_nonzero().end_path();
        self.content
            .transform([area.width, 0.0, 0.0, area.height, area.x, area.y]);
        self.content.shading(Name(shading));
        self.content.restore_state();
    }

    /// Draws a disc with an outline.
    pub fn disc(&mut self, [x, y]: [f32; 2], radius: f32, fill: Color, outline: (Color, f32)) {
        let area = PageArea {
            x: x - radius,
            y: y - radius,
            width: 2.0 * radius,
            height: 2.0 * radius,
        };
        self.set_fill(fill);
        self.set_stroke(outline.0);
        self.content.set_line_width(outline.1);
        self.add_rounded_path(area, radius);
        self.content.fill_nonzero_and_stroke();
    }

    /// Draws an image from the page's resources, clipped to a rectangle with rounded corners.
    pub fn image(&mut self, name: &[u8], area: PageArea, clip: PageArea, radius: f32) {
        self.content.save_state();
        self.add_rounded_path(clip, radius);
        self.content.clip_nonzero().end_path();
        self.content
            .transform([area.width, 0.0, 0.0, area.height, area.x, area.y]);
        self.content.x_object(Name(name));
        self.content.restore_state();
    }

    /// Adds the path of a rectangle with rounded corners.
    fn add_rounded_path(&mut self, area: PageArea, radius: f32) {
        let left = area.x;
        let bottom = area.y;
        let right = left + area.width;
        let top = bottom + area.height;
        // Distance of the control points from the corners.
        let c = radius * (1.0 - QUARTER_CIRCLE);
        self.content
            .move_to(left + radius, bottom)
            .line_to(right - radius, bottom)
            .cubic_to(right - c, bottom, right, bottom + c, right, bottom + radius)
            .line_to(right, top - radius)
            .cubic_to(right, top - c, right - c, top, right - radius, top)
            .line_to(left + radius, top)
            .cubic_to(left + c, top, left, top - c, left, top - radius)
            .line_to(left, bottom + radius)
            .cubic_to(left, bottom + c, left + c, bottom, left + radius, bottom)
            .close_path();
    }

    fn set_fill(&mut self, [red, green, blue]: Color) {
        self.content.set_fill_rgb(red, green, blue);
    }

    fn set_stroke(&mut self, [red, green, blue]: Color) {
        self.content.set_stroke_rgb(red, green, blue);
    }
}
