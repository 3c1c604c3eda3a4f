//! How large a drawing is drawn, so that it takes no longer than a second or so.
//!
//! What a path takes grows with the pixels it covers and with the edges that each of its rows
//! crosses; a layer (opacity) takes its pixels a few times. Sums of both over the whole drawing tell
//! how long it takes at any size.

use resvg::tiny_skia::{Point, Rect};
use resvg::usvg::tiny_skia_path::PathVerb;
use resvg::usvg::{Group, Node, Path, Tree};

use crate::model::picture::FileDefect;

/// Pixels that are written in all, about a nanosecond or three each.
const PIXELS_MAX: f64 = 300e6;
/// Nothing is drawn smaller than this for the sake of time, unless it is.
const SIDE_PX_MIN: f64 = 32.0;
/// Pixels for each edge that a row crosses: rows are sampled four times.
const EDGE: f64 = 8.0;
/// Times that a layer's pixels are written: cleared, and laid upon those below.
const LAYER: f64 = 4.0;
/// How much larger than the drawing the renderer makes a layer at most.
const LAYER_SIDES_MAX: f32 = 5.0;
/// Edges that come of a curve, and of a stroke around an edge.
const CURVE_EDGES: f64 = 8.0;
const STROKE_EDGES: f64 = 8.0;
/// The renderer takes no more dashes than these.
const DASHES_MAX: f64 = 1e6;

/// Pixels of the picture for each unit of the drawing: at most one, and such that the longer
/// side is no more than `side_px_max`. And how many pixels all layers that are open at once have.
///
/// # Errors
/// [`FileDefect::TooLarge`] if it takes too long at any size.
pub fn scale(tree: &Tree, side_px_max: u32) -> Result<(f32, u64), FileDefect> {
    let size = tree.size();
    let longer = size.width().max(size.height());
    let canvas = Rect::from_xywh(0.0, 0.0, size.width(), size.height())
        .ok_or_else(|| FileDefect::TooLarge("the SVG is too large".to_owned()))?;
    let mut cost = Cost {
        canvas,
        pixels: f64::from(size.width()) * f64::from(size.height()),
        edges: 0.0,
        open: 0.0,
        open_max: 0.0,
    };
    cost.add_group(tree.root());
    let wanted = u16::try_from(side_px_max).map_or(f32::MAX, f32::from);
    let mut scale = (wanted / longer).min(1.0);
    while cost.at(f64::from(scale)) > PIXELS_MAX {
        scale *= 0.75;
        if f64::from(longer * scale) < SIDE_PX_MIN {
            let text = "the SVG is too complex";
            return Err(FileDefect::TooLarge(text.to_owned()));
        }
    }
    let scale_of_area = f64::from(scale) * f64::from(scale);
    Ok((scale, rounded(cost.open_max * scale_of_area)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and that is meant"
)]
fn rounded(pixels: f64) -> u64 {
    pixels.ceil() as u64
}

struct Cost {
    canvas: Rect,
    /// In square units of the drawing.
    pixels: f64,
    /// Edges times their rows, in units of the drawing.
    edges: f64,
    /// Layers that are open where the walk is, in square units of the drawing.
    open: f64,
    open_max: f64,
}

impl Cost {
    fn at(&self, scale: f64) -> f64 {
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
        let edges: f64 = path.data().verbs().iter().map(|verb| edges_of(*verb)).sum();
        let strokes = path.stroke().map_or(0.0, |stroke| {
            STROKE_EDGES * (edges + dashes(path, stroke.dasharray().unwrap_or_default()))
        });
        let fills = path.fill().map_or(0.0, |_| edges);
        // what lies beside the canvas is looked at, too, if only once
        self.pixels += edges + strokes;
        if let Some(bounds) = bounds {
            let (width, height) = (f64::from(bounds.width()), f64::from(bounds.height()));
            self.pixels += 2.0 * width * height;
            self.edges += EDGE * (fills + strokes) * height;
        }
    }
}

fn edges_of(verb: PathVerb) -> f64 {
    match verb {
        PathVerb::Quad | PathVerb::Cubic => CURVE_EDGES,
        PathVerb::Move | PathVerb::Line | PathVerb::Close => 1.0,
    }
}

/// How many dashes go around a path.
fn dashes(path: &Path, dashes: &[f32]) -> f64 {
    let period: f64 = dashes.iter().copied().map(f64::from).sum();
    if period <= 0.0 {
        return 0.0;
    }
    let distance = |pair: &[Point]| f64::from(pair[0].distance(pair[1]));
    let length: f64 = path.data().points().windows(2).map(distance).sum();
    let of_each = u32::try_from(dashes.len()).map_or(f64::MAX, f64::from);
    (length / period * of_each).min(DASHES_MAX)
}
