//! Rows of a report: labels and values.

use super::canvas::{Canvas, Color, TextStyle};
use super::facts::{Finding, ReportFacts};
use super::translations;
use crate::engine::font::{Glyph, Typeface};
use crate::model::report::Locale;
use crate::model::time::Timestamp;
use crate::platform::clock;

/// Distance of values from the left edge of labels.
const VALUES_PT: f32 = 124.0;
/// Distance of a UTC time from the left edge of the local time.
const UTC_PT: f32 = 196.0;
/// Distance from a row's upper rule to its first baseline, and from its last baseline to its lower
/// rule.
const ABOVE_PT: f32 = 17.0;
const BELOW_PT: f32 = 9.0;
/// Maximum lines of an order ID, of a name, and of all texts of a watermark: the page must not
/// overflow.
const ID_LINES_MAX: usize = 2;
const NAME_LINES_MAX: usize = 3;
const TEXTS_LINES_MAX: usize = 8;
/// Maximum lines of one text of a watermark with several texts.
const TEXT_LINES_MAX: usize = 2;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Colours and sizes of rows.
#[derive(Debug, Clone, Copy)]
pub struct RowStyles {
    pub label: TextStyle,
    pub value: TextStyle,
    /// Style of secondary values, such as a UTC time.
    pub secondary: TextStyle,
    pub rule: Color,
}

/// Part of a line.
struct TextSpan {
    glyphs: Vec<Glyph>,
    style: TextStyle,
    /// Distance from the left edge of the values.
    x: f32,
}

/// A label with its value.
struct Row {
    label: &'static str,
    lines: Vec<Vec<TextSpan>>,
}

/// Rows of a report with their layout.
pub struct Rows {
    rows: Vec<Row>,
    styles: RowStyles,
    width_pt: f32,
}

impl Rows {
    /// Lays out the rows of `report`.
    #[must_use]
    pub fn new(
        report: &ReportFacts,
        typeface: &Typeface,
        styles: RowStyles,
        width_pt: f32,
    ) -> Self {
        let layout = RowLayout {
            typeface,
            styles,
            values_width_pt: width_pt - VALUES_PT,
            locale: report.locale,
        };
        let mut rows = vec![
            layout.text(translations::ORDER_ID, &report.order_id, ID_LINES_MAX),
            layout.text(translations::ORDER_NAME, &report.order_name, NAME_LINES_MAX),
            layout.text(translations::FILE_NAME, &report.file_name, NAME_LINES_MAX),
        ];
        if let Some(name) = &report.original_name {
            rows.push(layout.text(translations::ORIGINAL_NAME, name, NAME_LINES_MAX));
        }
        if let Finding::Watermark { text } = &report.finding {
            rows.push(layout.texts(text.as_deref().unwrap_or_default()));
        }
        for (label, at) in [
            (translations::CREATED_AT, report.created_at),
            (translations::COMPLETED_AT, report.completed_at),
            (translations::REPORTED_AT, report.reported_at),
        ] {
            rows.push(layout.instant(label, at));
        }
        Self {
            rows,
            styles,
            width_pt,
        }
    }

    /// Returns the height of all rows.
    #[must_use]
    pub fn height_pt(&self) -> f32 {
        let leading = self.styles.value.leading_pt();
        self.rows
            .iter()
            .map(|row| {
                let more_lines = row.lines.iter().skip(1).map(|_| leading);
                ABOVE_PT + more_lines.sum::<f32>() + BELOW_PT
            })
            .sum()
    }

    /// Draws the rows from `y` downwards, with a rule below each row but the last.
    pub fn draw(&self, canvas: &mut Canvas, [x, y]: [f32; 2]) {
        let mut row_y = y;
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                canvas.rule([x, row_y], self.width_pt, self.styles.rule, 0.5);
            }
            row_y -= ABOVE_PT;
            canvas.text(row.label, self.styles.label, [x, row_y], VALUES_PT);
            for (index, line) in row.lines.iter().enumerate() {
                if index > 0 {
                    row_y -= self.styles.value.leading_pt();
                }
                for span in line {
                    canvas.glyphs(&span.glyphs, span.style, [x + VALUES_PT + span.x, row_y]);
                }
            }
            row_y -= BELOW_PT;
        }
    }
}

/// Layout of values.
struct RowLayout<'t> {
    typeface: &'t Typeface,
    styles: RowStyles,
    values_width_pt: f32,
    locale: Locale,
}

impl RowLayout<'_> {
    /// Returns a row with `text` on at most `lines_max` lines, or with a dash if `text` is empty.
    fn text(&self, label: translations::Translations, text: &str, lines_max: usize) -> Row {
        let mut lines = self.lines(text, lines_max);
        if lines.is_empty() {
            lines = self.lines("–", 1);
        }
        Row {
            label: label.get(self.locale),
            lines,
        }
    }

    /// Returns a row with the texts of a watermark, each on a line of its own. If there is no room
    /// for all, the last line counts the texts that are left out.
    fn texts(&self, text: &str) -> Row {
        let texts: Vec<&str> = text
            .lines()
            .filter(|text| !text.trim().is_empty())
            .collect();
        let mut lines = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let is_only = texts.len() == 1;
            let lines_max = if is_only {
                TEXTS_LINES_MAX
            } else {
                TEXT_LINES_MAX
            };
            let text_lines = self.lines(text, lines_max);
            let is_last = index + 1 == texts.len();
            let room = TEXTS_LINES_MAX - lines.len();
            if text_lines.len() + usize::from(!is_last) > room {
                let more = translations::and_more(texts.len() - index, self.locale);
                lines.extend(self.styled_lines(&more, 1, self.styles.secondary));
                break;
            }
            lines.extend(text_lines);
        }
        if lines.is_empty() {
            lines = self.lines("–", 1);
        }
        Row {
            label: translations::WATERMARK_TEXT.get(self.locale),
            lines,
        }
    }

    /// Returns a row with an instant in the time zone of the language, if it has one, and in UTC.
    fn instant(&self, label: translations::Translations, at: Timestamp) -> Row {
        let utc = date_and_time(at, "UTC");
        let spans = match translations::time_zone(self.locale) {
            None => self.span(&utc, self.styles.value, 0.0),
            Some((hours, zone)) => {
                let local = date_and_time(at.plus_ms(hours * HOUR_MS), zone);
                let mut both = self.span(&local, self.styles.value, 0.0);
                both.extend(self.span(&utc, self.styles.secondary, UTC_PT));
                both
            }
        };
        Row {
            label: label.get(self.locale),
            lines: vec![spans],
        }
    }

    fn lines(&self, text: &str, lines_max: usize) -> Vec<Vec<TextSpan>> {
        self.styled_lines(text, lines_max, self.styles.value)
    }

    fn styled_lines(&self, text: &str, lines_max: usize, style: TextStyle) -> Vec<Vec<TextSpan>> {
        let x = 0.0;
        self.typeface
            .lines(text, style.size_pt, self.values_width_pt, lines_max)
            .into_iter()
            .filter(|line| !line.is_empty())
            .map(|glyphs| vec![TextSpan { glyphs, style, x }])
            .collect()
    }

    /// Returns `text` on one line at `x`.
    fn span(&self, text: &str, style: TextStyle, x: f32) -> Vec<TextSpan> {
        let width = self.values_width_pt - x;
        let lines = self.typeface.lines(text, style.size_pt, width, 1);
        lines
            .into_iter()
            .map(|glyphs| TextSpan { glyphs, style, x })
            .collect()
    }
}

/// Formats an instant as `2026-03-12 10:00:00 UTC`. `at` must be shifted to the zone called `zone`.
fn date_and_time(at: Timestamp, zone: &str) -> String {
    let iso = clock::iso(at);
    let (date, time) = iso.split_once('T').unwrap_or((&iso, ""));
    let (seconds, _) = time.split_once('.').unwrap_or((time, ""));
    format!("{date} {seconds} {zone}")
}
