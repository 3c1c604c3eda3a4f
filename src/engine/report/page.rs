//! Layout of a report: heading, result, images, rows, footer.
//!
//! Lengths are points from the lower left corner of the page. The layout runs from top to bottom.
//! The images get the height that the other parts leave.

use std::io;

use super::canvas::{Canvas, Color, PageArea, TextStyle};
use super::facts::{Finding, ReportFacts};
use super::image::PdfImage;
use super::rows::{RowStyles, Rows};
use super::translations;
use crate::model::report::Likelihood;

/// Size of the page: A4.
pub const WIDTH_PT: f32 = 595.0;
pub const HEIGHT_PT: f32 = 842.0;
/// Resource names of the picture, the heatmap, and the shading of the verdict bar.
pub const PICTURE: &[u8] = b"Im1";
pub const HEATMAP: &[u8] = b"Im2";
pub const VERDICT_SHADING: &[u8] = b"Sh1";
/// Colours of the verdict bar at 0, 0.5 and 1.
pub const VERDICT_COLORS: [Color; 3] = [GREEN, AMBER, RED];

const MARGIN_PT: f32 = 56.0;
const INNER_PT: f32 = WIDTH_PT - 2.0 * MARGIN_PT;
/// Baseline of the title.
const TITLE_Y: f32 = HEIGHT_PT - 78.0;
/// Baseline of the footer, and upper edge of its area.
const FOOTER_Y: f32 = 40.0;
const FOOTER_TOP_Y: f32 = 62.0;
/// Space between the parts of the page.
const GAP_PT: f32 = 22.0;
/// Space within the result panel.
const PADDING_PT: f32 = 18.0;
const CORNER_PT: f32 = 4.0;
/// Space between two images, and height of a caption.
const GUTTER_PT: f32 = 16.0;
const CAPTION_PT: f32 = 15.0;
/// Maximum and minimum height of the images. With less room they are left out.
const IMAGE_HEIGHT_MAX_PT: f32 = 250.0;
const IMAGE_HEIGHT_MIN_PT: f32 = 48.0;

const INK: Color = [0.12, 0.13, 0.16];
const PALE_INK: Color = [0.42, 0.44, 0.49];
const RULE: Color = [0.87, 0.88, 0.9];
const PANEL: Color = [0.957, 0.961, 0.969];
const WHITE: Color = [1.0, 1.0, 1.0];
const GREEN: Color = [0.2, 0.65, 0.38];
const AMBER: Color = [0.96, 0.73, 0.2];
const RED: Color = [0.85, 0.24, 0.22];

const TITLE: TextStyle = TextStyle::new(21.0, INK).bold();
const NOTICE: TextStyle = TextStyle::new(9.5, PALE_INK);
const RESULT: TextStyle = TextStyle::new(20.0, INK).bold();
const LABEL: TextStyle = TextStyle::new(9.5, PALE_INK);
const VALUE: TextStyle = TextStyle::new(10.5, INK);
const SMALL: TextStyle = TextStyle::new(8.0, PALE_INK);
const ROW_STYLES: RowStyles = RowStyles {
    label: LABEL,
    value: VALUE,
    secondary: TextStyle::new(9.5, PALE_INK),
    rule: RULE,
};

/// Images of the page.
#[derive(Debug)]
pub struct PageImages {
    pub picture: Option<PdfImage>,
    pub heatmap: Option<PdfImage>,
}

impl PageImages {
    /// Returns the images with their resource names.
    pub fn with_names(&self) -> impl Iterator<Item = (&'static [u8], &PdfImage)> {
        let picture = self.picture.iter().map(|image| (PICTURE, image));
        picture.chain(self.heatmap.iter().map(|image| (HEATMAP, image)))
    }
}

/// Draws `report` with `images`.
///
/// # Errors
/// Returns an error if the font cannot be read.
pub fn draw(report: &ReportFacts, images: &PageImages) -> io::Result<Canvas> {
    let mut canvas = Canvas::new()?;
    let rows = Rows::new(report, &canvas.typeface, ROW_STYLES, INNER_PT);
    let mut y = draw_heading(&mut canvas, report);
    y = draw_result(&mut canvas, report, y - GAP_PT);
    let image_room = y - GAP_PT - CAPTION_PT - GAP_PT - rows.height_pt() - FOOTER_TOP_Y;
    if image_room >= IMAGE_HEIGHT_MIN_PT {
        let height = image_room.min(IMAGE_HEIGHT_MAX_PT);
        y = draw_images(&mut canvas, report, images, y, height);
    }
    rows.draw(&mut canvas, [MARGIN_PT, y - GAP_PT + 8.0]);
    draw_footer(&mut canvas);
    Ok(canvas)
}

/// Draws the title and the notice. Returns their lower edge.
fn draw_heading(canvas: &mut Canvas, report: &ReportFacts) -> f32 {
    let title = translations::title(report.finding.kind()).get(report.locale);
    canvas.text(title, TITLE, [MARGIN_PT, TITLE_Y], INNER_PT);
    let notice = translations::NOTICE.get(report.locale);
    canvas.text(notice, NOTICE, [MARGIN_PT, TITLE_Y - 21.0], INNER_PT);
    let y = TITLE_Y - 37.0;
    canvas.rule([MARGIN_PT, y], INNER_PT, INK, 1.0);
    y
}

/// Draws the result in a panel below `top`. Returns its lower edge.
fn draw_result(canvas: &mut Canvas, report: &ReportFacts, top: f32) -> f32 {
    let locale = report.locale;
    let left = MARGIN_PT + PADDING_PT;
    let right = WIDTH_PT - MARGIN_PT - PADDING_PT;
    let width = right - left;
    let probability = match report.finding {
        Finding::Ai { probability } => Some(probability),
        Finding::Watermark { .. } => None,
    };
    let height = if probability.is_some() { 115.0 } else { 71.0 };
    let panel = PageArea {
        x: MARGIN_PT,
        y: top - height,
        width: INNER_PT,
        height,
    };
    canvas.fill_rounded(panel, CORNER_PT, PANEL);
    let label_y = top - PADDING_PT - 7.0;
    let value_y = label_y - 28.0;
    let result = RESULT.with_color(result_color(&report.finding));
    let label = translations::RESULT.get(locale);
    canvas.text(label, LABEL, [left, label_y], width);
    let summary = report.finding.summary().get(locale);
    canvas.text(summary, result, [left, value_y], width);
    if let Some(probability) = probability {
        let label = translations::PROBABILITY.get(locale);
        canvas.text_right(label, LABEL, [right, label_y], width);
        let percent = format!("{:.1}%", probability * 100.0);
        canvas.text_right(&percent, RESULT, [right, value_y], width);
        let bar = PageArea {
            x: left,
            y: value_y - 28.0,
            width,
            height: 8.0,
        };
        draw_verdict_bar(canvas, bar, probability);
        let ends_y = bar.y - 16.0;
        let human = translations::HUMAN.get(locale);
        canvas.text(&format!("{human} 0%"), SMALL, [left, ends_y], width);
        let ai = translations::AI.get(locale);
        canvas.text_right(&format!("{ai} 100%"), SMALL, [right, ends_y], width);
    }
    panel.y
}

/// Draws a bar from human to AI with a mark at the probability.
fn draw_verdict_bar(canvas: &mut Canvas, bar: PageArea, probability: f64) {
    canvas.shade_rounded(bar, bar.height / 2.0, VERDICT_SHADING);
    let radius = 6.5;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "f32 is precise enough for a position on a bar"
    )]
    let fraction = probability.clamp(0.0, 1.0) as f32;
    let x = bar.x + (bar.width * fraction).clamp(radius, bar.width - radius);
    let middle = [x, bar.y + bar.height / 2.0];
    canvas.disc(middle, radius, WHITE, (INK, 2.0));
}

/// Returns the text colour of a finding.
fn result_color(finding: &Finding) -> Color {
    const DARK_GREEN: Color = [0.08, 0.45, 0.24];
    const DARK_AMBER: Color = [0.62, 0.38, 0.02];
    const DARK_RED: Color = [0.72, 0.13, 0.12];
    match finding {
        Finding::Watermark { text: Some(_) } => DARK_GREEN,
        Finding::Watermark { text: None } => INK,
        Finding::Ai { probability } => match Likelihood::from_probability(*probability) {
            Likelihood::LikelyAi => DARK_RED,
            Likelihood::UncertainAi | Likelihood::UncertainReal => DARK_AMBER,
            Likelihood::LikelyReal => DARK_GREEN,
        },
    }
}

/// Draws the images side by side below `top`, at most `height_max` high. Returns their lower edge.
fn draw_images(
    canvas: &mut Canvas,
    report: &ReportFacts,
    images: &PageImages,
    top: f32,
    height_max: f32,
) -> f32 {
    let count = images.with_names().count();
    if count == 0 {
        return top;
    }
    let width = if count == 1 {
        INNER_PT
    } else {
        (INNER_PT - GUTTER_PT) / 2.0
    };
    let scaled_size = |image: &PdfImage| image.fit_within([width, height_max]);
    let heights = images.with_names().map(|(_, image)| scaled_size(image)[1]);
    let height = heights.fold(IMAGE_HEIGHT_MIN_PT, f32::max);
    let captions_y = top - GAP_PT - 7.0;
    let bottom = top - GAP_PT - CAPTION_PT - height;
    let mut x = MARGIN_PT;
    for (name, image) in images.with_names() {
        let caption = if name == PICTURE {
            translations::PICTURE
        } else {
            translations::HEATMAP
        };
        canvas.text(caption.get(report.locale), LABEL, [x, captions_y], width);
        let frame = PageArea {
            x,
            y: bottom,
            width,
            height,
        };
        canvas.fill_rounded(frame, CORNER_PT, PANEL);
        let [image_width, image_height] = scaled_size(image);
        let centered = PageArea {
            x: x + (width - image_width) / 2.0,
            y: bottom + (height - image_height) / 2.0,
            width: image_width,
            height: image_height,
        };
        canvas.image(name, centered, frame, CORNER_PT);
        x += width + GUTTER_PT;
    }
    bottom
}

fn draw_footer(canvas: &mut Canvas) {
    canvas.text("stuntdouble", SMALL, [MARGIN_PT, FOOTER_Y], INNER_PT);
    let right = WIDTH_PT - MARGIN_PT;
    canvas.text_right("1 / 1", SMALL, [right, FOOTER_Y], INNER_PT);
}
