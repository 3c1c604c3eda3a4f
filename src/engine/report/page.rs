//! How a report is laid out: heading, result, rows, foot.
//!
//! Lengths are points from the page's lower left corner; the layout goes down from the top.

use std::io;

use pdf_writer::types::TextRenderingMode;
use pdf_writer::{Content, Name, Str};

use super::document::{self, Picture};
use super::{Finding, Report, words};
use crate::clock;
use crate::engine::font::{Glyph, Typeface, width_pt};
use crate::model::time::Timestamp;

/// A4.
pub const WIDTH_PT: f32 = 595.0;
pub const HEIGHT_PT: f32 = 842.0;
const MARGIN_PT: f32 = 56.0;
const INNER_PT: f32 = WIDTH_PT - 2.0 * MARGIN_PT;
/// No value has more lines: the fullest report still fits its page.
const LINES_MAX: usize = 4;
/// Where labels end and values begin.
const VALUES_PT: f32 = 128.0;
/// Room around what stands in the panel, and within rows.
const PADDING_PT: f32 = 16.0;
/// A label and a value in the panel, and how much of that is room before the next.
const FACT_PT: f32 = 54.0;
const FACT_GAP_PT: f32 = 19.0;
/// What a picture in the panel may take.
const PICTURE_PT: [f32; 2] = [176.0, 132.0];

/// Greys, 0 black.
const INK: f32 = 0.13;
const PALE_INK: f32 = 0.42;
const LINE: f32 = 0.85;
const PANEL: f32 = 0.955;

const TITLE: Style = Style::new(21.0, INK).bold();
const SUBTITLE: Style = Style::new(9.5, PALE_INK);
const RESULT: Style = Style::new(18.0, INK).bold();
const LABEL: Style = Style::new(9.5, PALE_INK);
const VALUE: Style = Style::new(10.5, INK);
const FOOT: Style = Style::new(8.0, PALE_INK);

/// How letters look.
#[derive(Debug, Clone, Copy)]
struct Style {
    size_pt: f32,
    grey: f32,
    /// Drawn with an outline of this width: the font has one weight.
    outline_pt: f32,
}

impl Style {
    const fn new(size_pt: f32, grey: f32) -> Self {
        Self {
            size_pt,
            grey,
            outline_pt: 0.0,
        }
    }

    const fn bold(self) -> Self {
        Self {
            outline_pt: self.size_pt / 42.0,
            ..self
        }
    }

    /// From one baseline to the next.
    fn leading_pt(self) -> f32 {
        self.size_pt * 1.45
    }
}

/// What was drawn, and with which letters.
pub struct Page {
    pub content: Content,
    pub typeface: Typeface,
}

/// Draws `report`, with `picture` in its panel.
///
/// # Errors
/// When the font cannot be read.
pub fn draw(report: &Report, picture: Option<&Picture>) -> io::Result<Page> {
    let mut page = Page {
        content: Content::new(),
        typeface: Typeface::new()?,
    };
    let below_heading = page.heading(report);
    let below_panel = page.panel(report, picture, below_heading);
    page.rows(report, below_panel);
    page.foot();
    Ok(page)
}

impl Page {
    /// Title and subtitle; gives where they end.
    fn heading(&mut self, report: &Report) -> f32 {
        let title = words::title(report.finding.kind()).of(report.locale);
        let subtitle = words::SUBTITLE.of(report.locale);
        let mut y = HEIGHT_PT - 84.0;
        self.line(title, TITLE, MARGIN_PT, y);
        y -= 24.0;
        self.line(subtitle, SUBTITLE, MARGIN_PT, y);
        y -= 18.0;
        self.rule(y, INK, 1.0);
        y
    }

    /// The result on a grey ground, the picture at its right.
    fn panel(&mut self, report: &Report, picture: Option<&Picture>, above: f32) -> f32 {
        let locale = report.locale;
        let mut facts = vec![(words::RESULT, report.finding.word(locale).to_owned())];
        if let Finding::Ai { probability } = report.finding {
            facts.push((words::PROBABILITY, format!("{:.1}%", probability * 100.0)));
        }
        let drawn = picture.map(|picture| picture.fitted(PICTURE_PT));
        let facts_pt = facts.iter().map(|_| FACT_PT).sum::<f32>() - FACT_GAP_PT;
        let height = facts_pt.max(drawn.map_or(0.0, |[_, height]| height)) + 2.0 * PADDING_PT;
        let top = above - 18.0;
        self.content.set_fill_gray(PANEL);
        self.content
            .rect(MARGIN_PT, top - height, INNER_PT, height)
            .fill_nonzero();
        // as high above the middle as below it; what counts is where the letters end
        let mut y = top - (height - facts_pt) / 2.0 - 8.0;
        for (label, value) in facts {
            self.line(label.of(locale), LABEL, MARGIN_PT + PADDING_PT, y);
            self.line(&value, RESULT, MARGIN_PT + PADDING_PT, y - 25.0);
            y -= FACT_PT;
        }
        if let Some([width, height_drawn]) = drawn {
            let x = MARGIN_PT + INNER_PT - PADDING_PT - width;
            let bottom = top - height.midpoint(height_drawn);
            self.content.save_state();
            self.content
                .transform([width, 0.0, 0.0, height_drawn, x, bottom]);
            self.content.x_object(Name(document::PICTURE));
            self.content.restore_state();
        }
        top - height
    }

    /// Labels and values, a line between any two.
    fn rows(&mut self, report: &Report, above: f32) {
        let mut rows = vec![
            (words::ORDER_ID, report.order_id.clone()),
            (words::ORDER_NAME, report.order_name.clone()),
            (words::FILE_NAME, report.file_name.clone()),
        ];
        if let Finding::Watermark { text } = &report.finding {
            rows.push((words::WATERMARK_TEXT, text.clone().unwrap_or_default()));
        }
        rows.push((words::CREATED_AT, instant(report.created_at)));
        rows.push((words::COMPLETED_AT, instant(report.completed_at)));
        rows.push((words::MADE_AT, instant(report.made_at)));
        let mut y = above - 8.0;
        for (label, value) in rows {
            y -= PADDING_PT + 4.0;
            self.line(label.of(report.locale), LABEL, MARGIN_PT, y);
            y = self.paragraph(
                &value,
                VALUE,
                MARGIN_PT + VALUES_PT,
                INNER_PT - VALUES_PT,
                y,
            );
            y -= PADDING_PT - 5.0;
            self.rule(y, LINE, 0.5);
        }
    }

    fn foot(&mut self) {
        self.line("stuntdouble", FOOT, MARGIN_PT, 40.0);
        for line in self.typeface.lines("1 / 1", FOOT.size_pt, INNER_PT, 1) {
            let x = WIDTH_PT - MARGIN_PT - width_pt(&line, FOOT.size_pt);
            self.show(&line, FOOT, x, 40.0);
        }
    }

    /// `text` on one line from `x` on, cut where the margin begins.
    fn line(&mut self, text: &str, style: Style, x: f32, y: f32) {
        let width = WIDTH_PT - MARGIN_PT - x;
        for line in self.typeface.lines(text, style.size_pt, width, 1) {
            self.show(&line, style, x, y);
        }
    }

    /// `text` on as many lines as it needs, a dash if it is empty; gives the last baseline.
    fn paragraph(&mut self, text: &str, style: Style, x: f32, width: f32, y: f32) -> f32 {
        let of = |text: &str| self.typeface.lines(text, style.size_pt, width, LINES_MAX);
        let mut lines = of(text);
        if lines.iter().all(Vec::is_empty) {
            lines = of("–");
        }
        let mut last = y;
        for (line, baseline) in lines.iter().zip(baselines(y, style)) {
            self.show(line, style, x, baseline);
            last = baseline;
        }
        last
    }

    fn show(&mut self, line: &[Glyph], style: Style, x: f32, y: f32) {
        let text = self.typeface.encode(line);
        let mut mode = TextRenderingMode::Fill;
        self.content.set_fill_gray(style.grey);
        if style.outline_pt > 0.0 {
            mode = TextRenderingMode::FillStroke;
            self.content.set_stroke_gray(style.grey);
            self.content.set_line_width(style.outline_pt);
        }
        self.content.begin_text().set_text_rendering_mode(mode);
        self.content.set_font(Name(document::FONT), style.size_pt);
        self.content.next_line(x, y).show(Str(&text));
        self.content.end_text();
    }

    /// A line from margin to margin.
    fn rule(&mut self, y: f32, grey: f32, width_pt: f32) {
        self.content.set_stroke_gray(grey).set_line_width(width_pt);
        self.content
            .move_to(MARGIN_PT, y)
            .line_to(WIDTH_PT - MARGIN_PT, y)
            .stroke();
    }
}

fn baselines(first: f32, style: Style) -> impl Iterator<Item = f32> {
    std::iter::successors(Some(first), move |y| Some(y - style.leading_pt()))
}

/// `2026-03-12 10:00:00 UTC`.
fn instant(at: Timestamp) -> String {
    let iso = clock::iso(at);
    let (date, time) = iso.split_once('T').unwrap_or((&iso, ""));
    let (seconds, _) = time.split_once('.').unwrap_or((time, ""));
    format!("{date} {seconds} UTC")
}
