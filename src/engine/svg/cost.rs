//! Rendering cost of an SVG, which limits its size so that rendering takes about a second at most.
//!
//! The cost of a path grows with the pixels that it covers, and with the edges that each of its
//! rows crosses. A layer (opacity) writes its pixels several times. Sums of both over the whole
//! document give the cost at any scale.

use resvg::tiny_skia::{Point, Rect};
use resvg::usvg::tiny_skia_path::PathVerb;
use resvg::usvg::{Group, Node, Path, Tree};

use crate::model::picture::FileDefect;

/// Maximum number of pixel writes, which take one to three nanoseconds each.
const PIXELS_MAX: f64 = 300e6;
/// Minimum longer side to which a drawing is reduced to save time.
const SIDE_PX_MIN: f64 = 32.0;
/// Pixel writes per edge that a row crosses. Rows are sampled four times.
const EDGE: f64 = 8.0;
/// Number of times that a layer's pixels are written: cleared, and blended with those below.
const LAYER: f64 = 4.0;
/// Maximum size of a layer relative to the drawing, as limited by the renderer.
const LAYER_SIDES_MAX: f32 = 5.0;
/// Edges per curve, and per edge of a stroke.
const CURVE_EDGES: f64 = 8.0;
const STROKE_EDGES: f64 = 8.0;
/// Maximum number of dashes that the renderer draws.
const DASHES_MAX: f64 = 1e6;

/// Returns the scale of a drawing in pixels per unit, and the number of pixels of all layers that
/// are open at the same time. The scale is at most 1, and the longer side at most `side_px_max`.
///
/// # Errors
/// Returns [`FileDefect::TooLarge`] if rendering takes too long at any scale.
pub fn scale(tree: &Tree, side_px_max: u32) -> Result<(f32, u64), FileDefect> {
    let size = tree.size();
    let longer = size.width().max(size.height());
    let canvas = Rect::from_xywh(0.0, 0.0, size.width(), size.height())
        .ok_or_else(|| FileDefect::TooLarge("the SVG is too large".to_owned()))?;
    let mut cost = RenderCost {
        canvas,
        pixels: f64::from(size.width()) * f64::from(size.height()),
        edges: 0.0,
        open: 0.0,
        open_max: 0.0,
    };
    cost.add_group(tree.root());
    let longer_max = u16::try_from(side_px_max).map_or(f32::MAX, f32::from);
    let mut scale = (longer_max / longer).min(1.0);
    while cost.pixel_writes(f64::from(scale)) > PIXELS_MAX {
        scale *= 0.75;
        if f64::from(longer * scale) < SIDE_PX_MIN {
            let text = "the SVG is too complex";
            return Err(FileDefect::TooLarge(text.to_owned()));
        }
    }
    let scale_of_area = f64::from(scale) * f64::from(scale);
    Ok((scale, round_up(cost.open_max * scale_of_area)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as intended"
)]
fn round_up(pixels: f64) -> u64 {
    pixels.ceil() as u64
}

/// Rendering cost, summed over the document.
struct RenderCost {
    canvas: Rect,
    /// Pixel writes at scale 1.
    pixels: f64,
    /// Edges times the rows that they cross, at scale 1.
    edges: f64,
    /// Pixels of the layers that are open at the current node, at scale 1.
    open: f64,
    open_max: f64,
}

impl RenderCost {
    /// Returns the number of pixel writes at `scale`.
    fn pixel_writes(&self, scale: f64) -> f64 {
        self.pixels * scale * scale + self.edges * scale
    }

    fn add_group(&mut self, group: &Group) {
        let open = self.open;
        if group.should_isolate() {
            let pixels = self.layer_pixels(group.abs_layer_bounding_box().to_rect());
            self.pixels += LAYER * pixels;
            self.open += pixels;
            self.open_max = self.open_max.max(self.open);
        }
        for node in group.children() {
            match node {
                Node::Group(group) => self.add_group(group),
                Node::Path(path) => self.add_path(path),
                Node::Image(_) | Node::Text(_) => {}
            }
        }
        self.open = open;
    }

    fn layer_pixels(&self, bounds: Rect) -> f64 {
        let width = bounds.width().min(LAYER_SIDES_MAX * self.canvas.width());
        let height = bounds.height().min(LAYER_SIDES_MAX * self.canvas.height());
        f64::from(width) * f64::from(height)
    }

    fn add_path(&mut self, path: &Path) {
        let bounds = path.abs_stroke_bounding_box().intersect(&self.canvas);
        let edges: f64 = path
            .data()
            .verbs()
            .iter()
            .map(|verb| count_edges(*verb))
            .sum();
        let strokes = path.stroke().map_or(0.0, |stroke| {
            STROKE_EDGES * (edges + count_dashes(path, stroke.dasharray().unwrap_or_default()))
        });
        let fills = path.fill().map_or(0.0, |_| edges);
        // Paths outside the canvas are processed once as well.
        self.pixels += edges + strokes;
        if let Some(bounds) = bounds {
            let (width, height) = (f64::from(bounds.width()), f64::from(bounds.height()));
            self.pixels += 2.0 * width * height;
            self.edges += EDGE * (fills + strokes) * height;
        }
    }
}

fn count_edges(verb: PathVerb) -> f64 {
    match verb {
        PathVerb::Quad | PathVerb::Cubic => CURVE_EDGES,
        PathVerb::Move | PathVerb::Line | PathVerb::Close => 1.0,
    }
}

/// Returns the number of dashes around a path.
fn count_dashes(path: &Path, dashes: &[f32]) -> f64 {
    let period: f64 = dashes.iter().copied().map(f64::from).sum();
    if period <= 0.0 {
        return 0.0;
    }
    let distance = |pair: &[Point]| f64::from(pair[0].distance(pair[1]));
    let length: f64 = path.data().points().windows(2).map(distance).sum();
    let dash_count = u32::try_from(dashes.len()).map_or(f64::MAX, f64::from);
    (length / period * dash_count).min(DASHES_MAX)
}
