//! Font of reports and placeholder cards: glyphs for characters, and line breaking.
//!
//! The program contains the font compressed. The first text that is laid out inflates the font, to
//! about 1 MiB that stays in memory.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::LazyLock;

use flate2::read::ZlibDecoder;
use icu_normalizer::ComposingNormalizerBorrowed;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::{ReadError, TableProvider as _};
use skrifa::{FontRef, GlyphId, MetadataProvider as _, Tag};
use subsetter::GlyphRemapper;

/// Subset of Noto Sans CJK JP, compressed. Built by `font/make.py`; licence: `font/OFL.txt`.
static COMPRESSED: &[u8] = include_bytes!("font/noto-sans-cjk-jp.otf.zlib");
/// Inflated font. Empty if it cannot be inflated, which [`FACE`] reports.
static FONT: LazyLock<Vec<u8>> = LazyLock::new(|| inflate(COMPRESSED).unwrap_or_default());
/// Parsed table directory of the font.
static FACE: LazyLock<Result<FontRef, ReadError>> = LazyLock::new(|| FontRef::new(&FONT));
/// Font units per em. PDF measures glyphs in the same unit.
pub const UNITS: f32 = 1000.0;
/// Replacement for a character without a glyph.
const MISSING: char = '□';
const ELLIPSIS: char = '…';
/// Maximum number of characters of a text that are laid out. A report shows far fewer.
const CHARS_MAX: usize = 4000;

/// A laid out character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph {
    source_char: char,
    id: GlyphId,
    /// Advance width in [`UNITS`].
    width: u16,
}

/// The font, with a record of the glyphs that a document uses.
pub struct Typeface {
    face: FontRef<'static>,
    used: GlyphRemapper,
    /// Character and advance width of each used glyph, by the glyph's CID in the document.
    source_chars: BTreeMap<u16, (char, u16)>,
}

/// Font subset that a document embeds.
pub struct EmbeddedFont {
    /// Bare CFF table with the CIDs of [`Typeface::encode`].
    pub cff: Vec<u8>,
    /// Character and advance width of each CID.
    pub glyphs: BTreeMap<u16, (char, u16)>,
    pub metrics: FontMetrics,
}

/// Font metrics of a PDF's font descriptor, in [`UNITS`].
#[derive(Debug, Clone, Copy)]
pub struct FontMetrics {
    /// Left, bottom, right, top.
    pub bounds: [i16; 4],
    pub ascent: i16,
    pub descent: i16,
    pub cap_height: i16,
}

impl Typeface {
    /// Returns the font with no glyph used.
    ///
    /// # Errors
    /// Returns an error if the embedded font cannot be read: a defect of the build.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            face: FACE.clone().map_err(io::Error::other)?,
            used: GlyphRemapper::new(),
            source_chars: BTreeMap::new(),
        })
    }

    /// Returns the glyphs of `text` in NFC on one line, without default-ignorable characters.
    fn glyphs(&self, text: &str) -> Vec<Glyph> {
        // File names from macOS have Hangul and kana in NFD.
        ComposingNormalizerBorrowed::new_nfc()
            .normalize_iter(text.chars().take(CHARS_MAX))
            .filter(|&c| !is_default_ignorable(c))
            .map(|c| self.glyph(c))
            .collect()
    }

    fn glyph(&self, c: char) -> Glyph {
        let c = if c.is_whitespace() && c != '\u{3000}' {
            ' '
        } else {
            c
        };
        let charmap = self.face.charmap();
        let found = |c| Some((c, charmap.map(c)?));
        let (source_char, id) = found(c)
            .or_else(|| found(MISSING))
            .unwrap_or((MISSING, GlyphId::NOTDEF));
        Glyph {
            source_char,
            id,
            width: self
                .face
                .hmtx()
                .ok()
                .and_then(|it| it.advance(id))
                .unwrap_or_default(),
        }
    }

    /// Breaks `text` into at most `lines_max` lines (at least one) of at most `width_pt`. The last
    /// line ends in an ellipsis if some of the text is left out.
    #[must_use]
    pub fn lines(
        &self,
        text: &str,
        size_pt: f32,
        width_pt: f32,
        lines_max: usize,
    ) -> Vec<Vec<Glyph>> {
        let width = width_pt * UNITS / size_pt;
        let glyphs = self.glyphs(text);
        let mut rest = glyphs.as_slice();
        let mut lines = Vec::new();
        while let fitting @ 1.. = count_fitting(rest, width) {
            if fitting < rest.len() && lines.len() + 1 == lines_max {
                lines.push(self.ellipsize(rest, width));
                break;
            }
            let (line, after) = rest.split_at(break_before(rest, fitting));
            lines.push(trimmed_end(line).to_vec());
            rest = trimmed_start(after);
        }
        lines
    }

    /// Returns the first of `glyphs`, as many as leave room for an ellipsis, and the ellipsis.
    fn ellipsize(&self, glyphs: &[Glyph], width: f32) -> Vec<Glyph> {
        let ellipsis = self.glyph(ELLIPSIS);
        let fitting = count_fitting(glyphs, width - f32::from(ellipsis.width));
        let mut line = trimmed_end(&glyphs[..fitting]).to_vec();
        line.push(ellipsis);
        line
    }

    /// Draws the outline of `glyph` with its origin at the pen's origin, in [`UNITS`].
    ///
    /// # Errors
    /// Returns an error if the font has no readable outline of `glyph`.
    pub fn outline(&self, glyph: Glyph, pen: &mut impl OutlinePen) -> io::Result<()> {
        let outline = self
            .face
            .outline_glyphs()
            .get(glyph.id)
            .ok_or_else(|| io::Error::other("the font has no outline of the glyph"))?;
        let unscaled = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        outline.draw(unscaled, pen).map_err(io::Error::other)?;
        Ok(())
    }

    /// Returns the string operand that shows `line` in the document, and records its glyphs as
    /// used.
    pub fn encode(&mut self, line: &[Glyph]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(line.len() * 2);
        for glyph in line {
            // An OpenType font has at most 65,535 glyphs.
            let id = u16::try_from(glyph.id.to_u32()).unwrap_or_default();
            let cid = self.used.remap(id);
            let char_and_width = (glyph.source_char, glyph.width);
            self.source_chars.entry(cid).or_insert(char_and_width);
            bytes.extend(cid.to_be_bytes());
        }
        bytes
    }

    /// Returns the subset of the font that was used.
    ///
    /// # Errors
    /// Returns an error if the embedded font cannot be subset: a defect of the build.
    pub fn into_embedded(self) -> io::Result<EmbeddedFont> {
        let font = subsetter::subset(&FONT, 0, &self.used).map_err(io::Error::other)?;
        let subset = FontRef::new(&font).map_err(io::Error::other)?;
        let cff = subset
            .data_for_tag(Tag::new(b"CFF "))
            .ok_or_else(|| io::Error::other("the font has no CFF outlines"))?;
        let head = self.face.head().map_err(io::Error::other)?;
        let hhea = self.face.hhea().map_err(io::Error::other)?;
        let os2 = self.face.os2().ok();
        Ok(EmbeddedFont {
            cff: cff.as_bytes().to_vec(),
            glyphs: self.source_chars,
            metrics: FontMetrics {
                bounds: [head.x_min(), head.y_min(), head.x_max(), head.y_max()],
                ascent: hhea.ascender().to_i16(),
                descent: hhea.descender().to_i16(),
                cap_height: os2.and_then(|it| it.s_cap_height()).unwrap_or_default(),
            },
        })
    }
}

/// Returns the width of a line in points.
#[must_use]
pub fn width_pt(line: &[Glyph], size_pt: f32) -> f32 {
    line.iter().map(|glyph| f32::from(glyph.width)).sum::<f32>() * size_pt / UNITS
}

/// Returns the characters of a line.
#[cfg(test)]
pub fn text_of(line: &[Glyph]) -> String {
    line.iter().map(|glyph| glyph.source_char).collect()
}

fn inflate(compressed: &[u8]) -> io::Result<Vec<u8>> {
    let mut font = Vec::new();
    ZlibDecoder::new(compressed).read_to_end(&mut font)?;
    font.shrink_to_fit();
    Ok(font)
}

/// Returns how many of `glyphs` fit in `width`, at least one unless there are none. Spaces at the
/// end of a line take no room.
fn count_fitting(glyphs: &[Glyph], width: f32) -> usize {
    let mut sum = 0.0;
    let fitting = glyphs.iter().take_while(|glyph| {
        sum += f32::from(glyph.width);
        sum <= width || glyph.source_char == ' '
    });
    fitting.count().max(1).min(glyphs.len())
}

/// Returns the length of the first line of `glyphs` if `fitting` of them fit: up to the last break
/// opportunity, or all that fit if there is none.
fn break_before(glyphs: &[Glyph], fitting: usize) -> usize {
    if fitting == glyphs.len() {
        return fitting;
    }
    (1..=fitting)
        .rev()
        .find(|&at| may_break(glyphs[at - 1].source_char, glyphs[at].source_char))
        .unwrap_or(fitting)
}

fn may_break(before: char, after: char) -> bool {
    const OPENING: &str = "([{<「『【〈《〔（［｛";
    const CLOSING: &str = ")]}>、。，．・：；？！ー」』】〉》〕）］｝,.:;?!…";
    const AFTER: &str = " -_/";
    // Lines break anywhere between kana and kanji. Hangul has spaces between words.
    let is_wide = |c: char| c >= '\u{2e80}' && !('\u{ac00}'..='\u{d7a3}').contains(&c);
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    AFTER.contains(before) || is_wide(before) || is_wide(after)
}

fn trimmed_end(mut line: &[Glyph]) -> &[Glyph] {
    while let [
        before @ ..,
        Glyph {
            source_char: ' ', ..
        },
    ] = line
    {
        line = before;
    }
    line
}

fn trimmed_start(mut line: &[Glyph]) -> &[Glyph] {
    while let [
        Glyph {
            source_char: ' ', ..
        },
        after @ ..,
    ] = line
    {
        line = after;
    }
    line
}

/// Returns `true` if Unicode's `Default_Ignorable_Code_Point` holds for `c`: joiners, directional
/// marks, variation selectors, tags.
fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
