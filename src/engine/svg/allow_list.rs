//! The SVGs that are drawn: plain shapes and gradients, within limits. Every other SVG gets a card.
//!
//! Guarantees: one pass without recursion. A document that [`scan`] finds plain refers to nothing but
//! its own gradients, so resvg reads it in time and memory in proportion to its length.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};

use super::unreadable;
use crate::model::picture::FileDefect;

const BYTES_MAX: usize = 4 * 1024 * 1024;
const ELEMENTS_MAX: u32 = 20_000;
/// Elements within elements.
const DEPTH_MAX: u32 = 64;
const ATTRIBUTES_MAX: usize = 64;
/// Bytes of a value other than a path. Elements inherit values, so they are read often.
const VALUE_BYTES_MAX: usize = 4 * 1024;
/// Prefixes of SVG's namespace.
const PREFIXES_MAX: usize = 4;
const GRADIENTS_MAX: u32 = 256;
/// Stops of all gradients.
const STOPS_MAX: u32 = 256;
/// Bytes of all paths and points. A segment has two bytes at least.
const PATHS_BYTES_MAX: usize = 1024 * 1024;

const SVG_NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// Elements of plain shapes, besides the root.
const SHAPES: [&str; 10] = [
    "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "a",
];
/// Elements that are not drawn, whatever is in them.
const SKIPPED: [&str; 3] = ["title", "desc", "metadata"];

/// Kinds of well-formed SVGs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementKind {
    /// Drawn by resvg, which makes a copy of all stops for each element at most.
    Plain { elements: u32, stops: u32 },
    /// Has elements that are not drawn here, or is too large.
    Other,
}

/// `true` if a file that begins with `head` is an SVG.
pub fn is_svg(head: &[u8]) -> bool {
    // A head may be cut within a character.
    let head = String::from_utf8_lossy(head);
    let mut reader = Reader::from_str(head.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => {
                return root.local_name().as_ref() == "svg";
            }
            Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_)) => {}
            Ok(Event::Text(text)) if text.trim().is_empty() => {}
            _ => return false,
        }
    }
}

/// Reads the whole document and returns its kind.
///
/// # Errors
/// Returns [`FileDefect::Corrupt`] if it is malformed or breaks off.
pub fn scan(text: &str) -> Result<ElementKind, FileDefect> {
    let mut reader = Reader::from_str(text);
    let mut counts = ElementCounts::default();
    let mut is_plain = text.len() <= BYTES_MAX;
    loop {
        match reader.read_event().map_err(|error| malformed(&error))? {
            Event::Start(tag) => {
                is_plain &= counts.add(&tag)?;
                counts.open(&tag);
            }
            Event::Empty(tag) => is_plain &= counts.add(&tag)?,
            Event::End(_) => counts.close(),
            // An entity could stand for anything.
            Event::DocType(declared) => is_plain &= !declared.contains('['),
            Event::Eof if counts.elements == 0 || counts.depth > 0 => {
                return Err(truncated());
            }
            Event::Eof if is_plain => {
                let (elements, stops) = (counts.elements, counts.stops);
                return Ok(ElementKind::Plain { elements, stops });
            }
            Event::Eof => return Ok(ElementKind::Other),
            _ => {}
        }
    }
}

fn truncated() -> FileDefect {
    FileDefect::Corrupt("the SVG is truncated".to_owned())
}

/// Markup that does not close is the only syntax error that quick-xml knows.
fn malformed(error: &quick_xml::Error) -> FileDefect {
    match error {
        quick_xml::Error::Syntax(_) => truncated(),
        other => unreadable(other),
    }
}

/// `true` if an attribute may filter its element. The functions of CSS, such as `blur(9)`, need no
/// element `filter`, and each is a pass over a whole layer.
///
/// <https://drafts.fxtf.org/filter-effects/#FilterProperty>
fn may_filter(attribute: &Attribute<'_>) -> bool {
    match attribute.key.local_name().as_ref() {
        "filter" => true,
        "style" => unescape(&attribute.value).map_or(true, |style| {
            let is_in_name = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
            let style = style.to_ascii_lowercase();
            let mut words = style.split(|it| !is_in_name(it));
            // A name may follow `!important` without a space.
            words.any(|word| word.ends_with("filter"))
        }),
        _ => false,
    }
}

/// Counts over the elements read so far.
#[derive(Debug, Default)]
struct ElementCounts {
    elements: u32,
    depth: u32,
    gradients: u32,
    stops: u32,
    paths_bytes: usize,
    /// Prefixes that stand for SVG's namespace somewhere in the document.
    prefixes: Vec<String>,
    /// Depth of the outermost element that is skipped.
    skipped_from: Option<u32>,
}

impl ElementCounts {
    /// Counts an element. Returns `false` if a plain SVG does not have it.
    fn add(&mut self, tag: &BytesStart<'_>) -> Result<bool, FileDefect> {
        let is_root = self.elements == 0;
        self.elements += 1;
        let mut is_plain = true;
        let mut attributes = 0;
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| unreadable(&error))?;
            attributes += 1;
            match attribute.key.as_ref() {
                "d" | "points" => self.paths_bytes += attribute.value.len(),
                name => {
                    is_plain &= attribute.value.len() <= VALUE_BYTES_MAX;
                    is_plain &= !may_filter(&attribute);
                    if let Some(prefix) = name.strip_prefix("xmlns:") {
                        let namespace = unescape(&attribute.value);
                        is_plain &= namespace.is_ok_and(|it| self.declare(prefix, &it));
                    }
                }
            }
        }
        Ok(is_plain
            && attributes <= ATTRIBUTES_MAX
            && self.elements <= ELEMENTS_MAX
            && self.depth < DEPTH_MAX
            && self.paths_bytes <= PATHS_BYTES_MAX
            && self.is_allowed(tag, is_root))
    }

    /// Keeps a prefix of SVG's namespace. Returns `false` if there are too many.
    fn declare(&mut self, prefix: &str, namespace: &str) -> bool {
        let is_known = self.prefixes.iter().any(|known| known == prefix);
        if namespace != SVG_NAMESPACE || is_known {
            return true;
        }
        let has_room = self.prefixes.len() < PREFIXES_MAX;
        if has_room {
            self.prefixes.push(prefix.to_owned());
        }
        has_room
    }

    fn is_allowed(&mut self, tag: &BytesStart<'_>, is_root: bool) -> bool {
        // usvg takes style sheets from wherever they are.
        if tag.local_name().as_ref() == "style" {
            return false;
        }
        match self.svg_name(tag) {
            name if is_root => name == Some("svg"),
            _ if self.skipped_from.is_some() => true,
            Some("linearGradient" | "radialGradient") => {
                self.gradients += 1;
                self.gradients <= GRADIENTS_MAX
            }
            Some("stop") => {
                self.stops += 1;
                self.stops <= STOPS_MAX
            }
            Some(name) => SKIPPED.contains(&name) || SHAPES.contains(&name),
            None => true,
        }
    }

    /// Name of an element that may be SVG's. `None` if its prefix stands for another namespace.
    fn svg_name<'t>(&self, tag: &'t BytesStart<'_>) -> Option<&'t str> {
        let (name, prefix) = tag.name().decompose();
        let is_other = prefix.is_some_and(|prefix| {
            let mut known = self.prefixes.iter();
            !known.any(|known| known == prefix.as_ref())
        });
        (!is_other).then_some(name.into_inner())
    }

    fn open(&mut self, tag: &BytesStart<'_>) {
        let is_skipped = self
            .svg_name(tag)
            .is_none_or(|name| SKIPPED.contains(&name));
        if self.skipped_from.is_none() && is_skipped {
            self.skipped_from = Some(self.depth);
        }
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.skipped_from == Some(self.depth) {
            self.skipped_from = None;
        }
    }
}
