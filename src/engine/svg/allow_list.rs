//! Allow list of SVG content that is rendered: plain shapes and gradients, within limits. Every
//! other SVG gets a placeholder card.
//!
//! Guarantees: one pass without recursion. A plain document refers to nothing but its own
//! gradients, so that resvg parses it in time and memory proportional to its length.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};

use super::unreadable;
use crate::model::picture::FileDefect;

const BYTES_MAX: usize = 4 * 1024 * 1024;
const ELEMENTS_MAX: u32 = 20_000;
/// Maximum nesting depth of elements.
const DEPTH_MAX: u32 = 64;
const ATTRIBUTES_MAX: usize = 64;
/// Maximum length of an attribute other than a path. Elements inherit attributes, so that each is
/// read many times.
const VALUE_BYTES_MAX: usize = 4 * 1024;
/// Maximum number of prefixes of the SVG namespace.
const PREFIXES_MAX: usize = 4;
const GRADIENTS_MAX: u32 = 256;
/// Maximum number of stops of all gradients together.
const STOPS_MAX: u32 = 256;
/// Maximum length of all paths and points together. A path segment has at least two bytes.
const PATHS_BYTES_MAX: usize = 1024 * 1024;

const SVG_NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// Elements of plain shapes, besides the root element.
const SHAPES: [&str; 10] = [
    "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "a",
];
/// Elements that are not rendered, whatever they contain.
const SKIPPED: [&str; 3] = ["title", "desc", "metadata"];

/// Kind of a well-formed SVG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SvgKind {
    /// Rendered by resvg, which copies all stops at most once per element.
    Plain { elements: u32, stops: u32 },
    /// Has elements that are not on the allow list, or exceeds a limit.
    Other,
}

/// `true` if a file that starts with `head` is an SVG.
pub fn is_svg(head: &[u8]) -> bool {
    // The head may end within a character.
    let text = String::from_utf8_lossy(head);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
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
/// Returns [`FileDefect::Corrupt`] if the document is malformed or truncated.
pub fn scan(text: &str) -> Result<SvgKind, FileDefect> {
    let mut reader = Reader::from_str(text);
    let mut counts = ElementCounts::default();
    let mut is_plain = text.len() <= BYTES_MAX;
    loop {
        match reader.read_event().map_err(|error| parser_defect(&error))? {
            Event::Start(tag) => {
                is_plain &= counts.add(&tag)?;
                counts.open(&tag);
            }
            Event::Empty(tag) => is_plain &= counts.add(&tag)?,
            Event::End(_) => counts.close(),
            // An entity may expand to anything.
            Event::DocType(declared) => is_plain &= !declared.contains('['),
            Event::Eof if counts.elements == 0 || counts.depth > 0 => {
                return Err(truncated_defect());
            }
            Event::Eof if is_plain => {
                let elements = counts.elements;
                let stops = counts.stops;
                return Ok(SvgKind::Plain { elements, stops });
            }
            Event::Eof => return Ok(SvgKind::Other),
            _ => {}
        }
    }
}

fn truncated_defect() -> FileDefect {
    FileDefect::Corrupt("the SVG is truncated".to_owned())
}

/// Maps an error of the parser. Unclosed markup is the only syntax error of quick-xml.
fn parser_defect(error: &quick_xml::Error) -> FileDefect {
    match error {
        quick_xml::Error::Syntax(_) => truncated_defect(),
        other => unreadable(other),
    }
}

/// `true` if an attribute may apply a filter to its element. CSS filter functions such as `blur(9)`
/// need no `filter` element, and each is a pass over a whole layer.
///
/// <https://drafts.fxtf.org/filter-effects/#FilterProperty>
fn may_filter(attribute: &Attribute<'_>) -> bool {
    match attribute.key.local_name().as_ref() {
        "filter" => true,
        "style" => unescape(&attribute.value).map_or(true, |style| {
            let is_in_name = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
            let lower = style.to_ascii_lowercase();
            let mut words = lower.split(|it| !is_in_name(it));
            // A property name may directly follow `!important`.
            words.any(|word| word.ends_with("filter"))
        }),
        _ => false,
    }
}

/// Counts of the elements read so far.
#[derive(Debug, Default)]
struct ElementCounts {
    elements: u32,
    depth: u32,
    gradients: u32,
    stops: u32,
    paths_bytes: usize,
    /// Prefixes that are bound to the SVG namespace anywhere in the document.
    prefixes: Vec<String>,
    /// Depth of the outermost element that is being skipped.
    skipped_from: Option<u32>,
}

impl ElementCounts {
    /// Counts an element. Returns `false` if it is not on the allow list or exceeds a limit.
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

    /// Records a prefix of the SVG namespace. Returns `false` if there are too many.
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
        // usvg applies style sheets wherever they are in the document.
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

    /// Returns the name of an element that may be an SVG element. `None` if its prefix is bound to
    /// another namespace.
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
