//! The letters of reports and cards: which glyph shows a character, and where lines break.
//!
//! The font lies in the program as it is read, so that none of it is in memory until a
//! report is made, and nothing has to be dropped afterwards.

use std::collections::BTreeMap;
use std::io;
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::{ReadError, TableProvider as _};
use skrifa::{FontRef, GlyphId, MetadataProvider as _, Tag};
use subsetter::GlyphRemapper;

/// Noto Sans CJK JP, cut down; `font/make.py` says how, `font/OFL.txt` on what terms.
static FONT: &[u8] = include_bytes!("font/noto-sans-cjk-jp.otf");
/// Its tables, found once.
static FACE: LazyLock<Result<FontRef, ReadError>> = LazyLock::new(|| FontRef::new(FONT));
/// The font's units on a side of its square; those a PDF counts in.
pub const UNITS: f32 = 1000.0;
/// Shown for what the font has no glyph for.
const MISSING: char = '□';
const ELLIPSIS: char = '…';
/// No more of a text is looked at; far more than any lines show.
const CHARS_MAX: usize = 4000;

/// A character as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph {
    shown: char,
    id: GlyphId,
    /// In [`UNITS`].
    width: u16,
}

/// A font of which note is taken what a document uses.
pub struct Typeface {
    face: FontRef<'static>,
    used: GlyphRemapper,
    /// What each used glyph stands for, by its number in the document.
    shown: BTreeMap<u16, (char, u16)>,
}

/// What of a font a document embeds.
pub struct Embedded {
    /// A bare CFF table, its CIDs those that [`Typeface::encode`] gave.
    pub cff: Vec<u8>,
    /// The character and width of each CID.
    pub glyphs: BTreeMap<u16, (char, u16)>,
    pub metrics: Metrics,
}

/// What a PDF wants to know of a font, in [`UNITS`].
#[derive(Debug, Clone, Copy)]
pub struct Metrics {
    /// Left, bottom, right, top.
    pub bounds: [i16; 4],
    pub ascent: i16,
    pub descent: i16,
    pub cap_height: i16,
}

impl Typeface {
    /// The font, of which nothing is used yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            face: FACE.clone().map_err(io::Error::other)?,
            used: GlyphRemapper::new(),
            shown: BTreeMap::new(),
        })
    }

    /// `text` as glyphs: composed, on one line, without what is never seen.
    fn glyphs(&self, text: &str) -> Vec<Glyph> {
        // names that come from macOS have their Hangul and kana in pieces
        ComposingNormalizerBorrowed::new_nfc()
            .normalize_iter(text.chars().take(CHARS_MAX))
            .filter(|&c| !is_invisible(c))
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
        let (shown, id) = found(c)
            .or_else(|| found(MISSING))
            .unwrap_or((MISSING, GlyphId::NOTDEF));
        Glyph {
            shown,
            id,
            width: self
                .face
                .hmtx()
                .ok()
                .and_then(|it| it.advance(id))
                .unwrap_or_default(),
        }
    }

    /// `text` in lines no wider than `width_pt`, at most `lines_max` (one at least) of them; the
    /// last ends in an ellipsis if there is more.
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
        while let fitting @ 1.. = fitting(rest, width) {
            if fitting < rest.len() && lines.len() + 1 == lines_max {
                lines.push(self.shortened(rest, width));
                break;
            }
            let (line, after) = rest.split_at(break_before(rest, fitting));
            lines.push(trimmed_end(line).to_vec());
            rest = trimmed_start(after);
        }
        lines
    }

    /// As much of `glyphs` as leaves room for an ellipsis.
    fn shortened(&self, glyphs: &[Glyph], width: f32) -> Vec<Glyph> {
        let ellipsis = self.glyph(ELLIPSIS);
        let fitting = fitting(glyphs, width - f32::from(ellipsis.width));
        let mut line = trimmed_end(&glyphs[..fitting]).to_vec();
        line.push(ellipsis);
        line
    }

    /// Draws a glyph from the origin of its baseline on, in [`UNITS`].
    ///
    /// # Errors
    /// When the font has no readable outline of it.
    pub fn outline(&self, glyph: Glyph, pen: &mut impl OutlinePen) -> io::Result<()> {
        let outline = self.face.outline_glyphs().get(glyph.id);
        let outline = outline.ok_or_else(|| io::Error::other("the font has no such outline"))?;
        let unscaled = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        outline.draw(unscaled, pen).map_err(io::Error::other)?;
        Ok(())
    }

    /// The bytes that show `line` in the document.
    pub fn encode(&mut self, line: &[Glyph]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(line.len() * 2);
        for glyph in line {
            // OpenType has at most 65,535 glyphs.
            let id = u16::try_from(glyph.id.to_u32()).unwrap_or_default();
            let cid = self.used.remap(id);
            self.shown.entry(cid).or_insert((glyph.shown, glyph.width));
            bytes.extend(cid.to_be_bytes());
        }
        bytes
    }

    /// What of the font was used.
    ///
    /// # Errors
    /// When it cannot be cut.
    pub fn embedded(self) -> io::Result<Embedded> {
        let font = subsetter::subset(FONT, 0, &self.used).map_err(io::Error::other)?;
        let cut = FontRef::new(&font).map_err(io::Error::other)?;
        let cff = cut.data_for_tag(Tag::new(b"CFF "));
        let cff = cff.ok_or_else(|| io::Error::other("the font has no CFF outlines"))?;
        let (head, hhea) = (self.face.head(), self.face.hhea());
        let (head, hhea) = (
            head.map_err(io::Error::other)?,
            hhea.map_err(io::Error::other)?,
        );
        let os2 = self.face.os2().ok();
        Ok(Embedded {
            cff: cff.as_bytes().to_vec(),
            glyphs: self.shown,
            metrics: Metrics {
                bounds: [head.x_min(), head.y_min(), head.x_max(), head.y_max()],
                ascent: hhea.ascender().to_i16(),
                descent: hhea.descender().to_i16(),
                cap_height: os2.and_then(|it| it.s_cap_height()).unwrap_or_default(),
            },
        })
    }
}

/// The width of a line in points.
#[must_use]
pub fn width_pt(line: &[Glyph], size_pt: f32) -> f32 {
    line.iter().map(|glyph| f32::from(glyph.width)).sum::<f32>() * size_pt / UNITS
}

/// What a line reads.
#[cfg(test)]
pub fn shown(line: &[Glyph]) -> String {
    line.iter().map(|glyph| glyph.shown).collect()
}

/// How many of `glyphs` fit in `width`, spaces at their end not counted; one at least of any.
fn fitting(glyphs: &[Glyph], width: f32) -> usize {
    let mut sum = 0.0;
    let fitting = glyphs.iter().take_while(|glyph| {
        sum += f32::from(glyph.width);
        sum <= width || glyph.shown == ' '
    });
    fitting.count().max(1).min(glyphs.len())
}

/// Where the first line of `glyphs` ends if `fitting` fit in it: at the last place where a
/// line may break, or else amid a word.
fn break_before(glyphs: &[Glyph], fitting: usize) -> usize {
    if fitting == glyphs.len() {
        return fitting;
    }
    (1..=fitting)
        .rev()
        .find(|&at| may_break(glyphs[at - 1].shown, glyphs[at].shown))
        .unwrap_or(fitting)
}

fn may_break(before: char, after: char) -> bool {
    const OPENING: &str = "([{<「『【〈《〔（［｛";
    const CLOSING: &str = ")]}>、。，．・：；？！ー」』】〉》〕）］｝,.:;?!…";
    const AFTER: &str = " -_/";
    // kana and kanji, whose words are not told apart; Hangul has its spaces
    let is_wide = |c: char| c >= '\u{2e80}' && !('\u{ac00}'..='\u{d7a3}').contains(&c);
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    AFTER.contains(before) || is_wide(before) || is_wide(after)
}

fn trimmed_end(mut line: &[Glyph]) -> &[Glyph] {
    while let [before @ .., Glyph { shown: ' ', .. }] = line {
        line = before;
    }
    line
}

fn trimmed_start(mut line: &[Glyph]) -> &[Glyph] {
    while let [Glyph { shown: ' ', .. }, after @ ..] = line {
        line = after;
    }
    line
}

/// What Unicode calls `Default_Ignorable_Code_Point`: joiners, directions, variations, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
