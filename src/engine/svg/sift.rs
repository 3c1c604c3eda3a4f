//! An SVG written anew, of what is drawn alone: known elements, known attributes, plain styles.
//!
//! Promises: what comes out refers to nothing but itself, in no circle, and however its
//! references multiply, no more than [`ELEMENTS_MAX`] elements and [`BYTES_MAX`] bytes come
//! of it, nested [`DEPTH_MAX`] deep at most.

mod style;

use std::collections::HashMap;
use std::fmt::Write as _;

use resvg::usvg::roxmltree::{Document, Node, NodeId, ParsingOptions};

use style::Sheet;

use super::{prolog, unreadable};
use crate::model::picture::Defect;

/// What is drawn in all, each use and each clip counted.
const ELEMENTS_MAX: u64 = 50_000;
/// The attributes of all that.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How deep it is nested, references followed.
const DEPTH_MAX: u32 = 100;
/// The most colours of a gradient.
const STOPS_MAX: usize = 256;

const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// Elements that are kept; `a` and `switch` are groups like any other.
const ELEMENTS: &[&str] = &[
    "a",
    "circle",
    "clipPath",
    "defs",
    "ellipse",
    "g",
    "line",
    "linearGradient",
    "mask",
    "path",
    "polygon",
    "polyline",
    "radialGradient",
    "rect",
    "stop",
    "svg",
    "switch",
    "symbol",
    "use",
];

/// Attributes that are kept besides those that a style may have as well.
const ATTRIBUTES: &[&str] = &[
    "clipPathUnits",
    "cx",
    "cy",
    "d",
    "fr",
    "fx",
    "fy",
    "gradientTransform",
    "gradientUnits",
    "height",
    "id",
    "maskContentUnits",
    "maskUnits",
    "offset",
    "points",
    "preserveAspectRatio",
    "r",
    "rx",
    "ry",
    "spreadMethod",
    "transform",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
    "clip-path",
    "mask",
    "mask-type",
];

/// The document, sifted.
///
/// # Errors
/// [`Defect::Corrupt`], [`Defect::TooLarge`].
pub fn sifted(bytes: &[u8]) -> Result<String, Defect> {
    let text = std::str::from_utf8(bytes).map_err(|error| unreadable(&error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    prolog::check(text)?;
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(text, options).map_err(|error| unreadable(&error))?;
    let root = document.root_element();
    if !is_kept(root) || root.tag_name().name() != "svg" {
        return Err(Defect::Corrupt("the SVG's root is none".to_owned()));
    }
    let mut sieve = Sieve::of(&document);
    let weight = sieve.weigh(root, 1)?;
    let sheet = sheet(&document)?;
    sheet.check(weight.elements, weight.depth)?;
    let mut out = String::with_capacity(text.len());
    sieve.write(&mut out, root, &sheet.text);
    Ok(out)
}

fn sheet(document: &Document) -> Result<Sheet, Defect> {
    let mut sheet = Sheet::default();
    for node in document.descendants() {
        if node.has_tag_name((SVG, "style")) || node.has_tag_name("style") {
            sheet.add(node.text().unwrap_or_default())?;
        }
    }
    Ok(sheet)
}

fn is_kept(node: Node) -> bool {
    let tag = node.tag_name();
    node.is_element()
        && matches!(tag.namespace(), None | Some(SVG))
        && ELEMENTS.contains(&tag.name())
}

/// What an element comes to, its references followed.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    elements: u64,
    bytes: u64,
    depth: u32,
}

impl Weight {
    fn add(&mut self, other: Self) {
        self.elements = self.elements.saturating_add(other.elements);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.depth = self.depth.max(other.depth.saturating_add(1));
    }

    fn check(self) -> Result<(), Defect> {
        if self.elements > ELEMENTS_MAX || self.bytes > BYTES_MAX || self.depth > DEPTH_MAX {
            let text = "the SVG draws too much, or is nested too deep";
            return Err(Defect::TooLarge(text.to_owned()));
        }
        Ok(())
    }
}

struct Sieve<'a, 'input> {
    /// The first element of each id.
    ids: HashMap<&'a str, Node<'a, 'input>>,
    /// None while it is being weighed.
    weights: HashMap<NodeId, Option<Weight>>,
}

impl<'a, 'input> Sieve<'a, 'input> {
    fn of(document: &'a Document<'input>) -> Self {
        let mut ids = HashMap::new();
        for node in document.descendants().filter(|node| is_kept(*node)) {
            if let Some(id) = node.attribute("id") {
                ids.entry(id).or_insert(node);
            }
        }
        Self {
            ids,
            weights: HashMap::new(),
        }
    }

    /// Weighs an element that is `level` elements below the root, references followed.
    fn weigh(&mut self, node: Node<'a, 'input>, level: u32) -> Result<Weight, Defect> {
        match self.weights.get(&node.id()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                let text = "the SVG refers to itself in a circle";
                return Err(Defect::Corrupt(text.to_owned()));
            }
            None => {}
        }
        self.weights.insert(node.id(), None);
        let bytes: usize = node.attributes().map(|of| 8 + of.value().len()).sum();
        let mut weight = Weight {
            elements: 1,
            bytes: bytes as u64,
            depth: 1,
        };
        Weight {
            depth: level,
            ..weight
        }
        .check()?;
        for child in node.children().filter(|child| is_kept(*child)) {
            weight.add(self.weigh(child, level + 1)?);
            weight.check()?;
        }
        for target in self.targets(node) {
            weight.add(self.weigh(target, level + 1)?);
            weight.check()?;
        }
        self.weights.insert(node.id(), Some(weight));
        Ok(weight)
    }

    /// What an element takes in by reference. (Fills are gradients, which are small.)
    fn targets(&self, node: Node<'a, 'input>) -> Vec<Node<'a, 'input>> {
        let mut targets: Vec<_> = self.href(node).into_iter().collect();
        for name in ["clip-path", "mask"] {
            let style = node.attribute("style").unwrap_or_default();
            let values = style::values(style, name).chain(node.attribute(name));
            targets.extend(values.filter_map(|value| self.resource(name, value)));
        }
        targets
    }

    fn href(&self, node: Node<'a, 'input>) -> Option<Node<'a, 'input>> {
        let link = node.attribute("href").or(node.attribute((XLINK, "href")))?;
        let target = self.ids.get(link.trim().strip_prefix('#')?).copied()?;
        let is_gradient = |node: Node| node.tag_name().name().ends_with("Gradient");
        match node.tag_name().name() {
            "use" => Some(target),
            _ if is_gradient(node) => Some(target).filter(|target| is_gradient(*target)),
            _ => None,
        }
    }

    /// The clip or mask that `url(#…)` leads to.
    fn resource(&self, property: &str, value: &str) -> Option<Node<'a, 'input>> {
        let tag = if property == "mask" {
            "mask"
        } else {
            "clipPath"
        };
        let id = value.trim().strip_prefix("url(")?.strip_suffix(')')?;
        let id = id.trim_matches([' ', '"', '\'']).strip_prefix('#')?;
        let target = self.ids.get(id).copied()?;
        (target.tag_name().name() == tag).then_some(target)
    }

    fn write(&self, out: &mut String, node: Node<'a, 'input>, css: &str) {
        let name = match node.tag_name().name() {
            "a" | "switch" => "g",
            name => name,
        };
        let _ = write!(out, "<{name}");
        let is_root = node == node.document().root_element();
        if is_root {
            let _ = write!(out, " xmlns=\"{SVG}\"");
        }
        for attribute in node.attributes().filter(|of| of.namespace().is_none()) {
            let value = attribute.value();
            match attribute.name() {
                "id" if self.ids.get(value) != Some(&node) => {}
                "class" => write_attribute(out, "class", &style::classes(value)),
                "style" => write_attribute(out, "style", &self.style(value)),
                "clip-path" | "mask" if self.resource(attribute.name(), value).is_none() => {}
                "fill" | "stroke" if leads_away(value) => {
                    write_attribute(out, attribute.name(), "none");
                }
                name if ATTRIBUTES.contains(&name) || style::is_property(name) => {
                    write_attribute(out, name, value);
                }
                _ => {}
            }
        }
        if let Some(id) = self.href(node).and_then(|target| target.attribute("id")) {
            write_attribute(out, "href", &format!("#{id}"));
        }
        out.push('>');
        if is_root && !css.is_empty() {
            out.extend(["<style>", css, "</style>"]);
        }
        let is_gradient = name.ends_with("Gradient");
        let most = if is_gradient { STOPS_MAX } else { usize::MAX };
        for child in node.children().filter(|child| is_kept(*child)).take(most) {
            self.write(out, child, "");
        }
        let _ = write!(out, "</{name}>");
    }

    /// A style attribute, its plain declarations alone, and clips and masks that are there.
    fn style(&self, style: &str) -> String {
        let mut plain = style::plain(style);
        for name in ["clip-path", "mask"] {
            let values = style::values(style, name);
            // the last one holds
            let led_to = values.filter(|value| self.resource(name, value).is_some());
            if let Some(value) = led_to.last() {
                let _ = write!(plain, "{name}:{};", value.trim());
            }
        }
        plain
    }
}

/// Whether a paint is taken from another document.
fn leads_away(paint: &str) -> bool {
    let within = paint.trim().strip_prefix("url(");
    within.is_some_and(|url| !url.trim_start_matches([' ', '"', '\'']).starts_with('#'))
}

fn write_attribute(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, " {name}=\"");
    for letter in value.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out.push('"');
}
