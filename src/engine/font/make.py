#!/usr/bin/env python3
"""Makes noto-sans-cjk-jp.otf.zlib, the font of reports and cards, from Debian's fonts-noto-cjk.

    apt-get install fonts-noto-cjk      # 1:20220127: Noto Sans CJK 2.004
    pip install fonttools==4.68.0 cffsubr==0.4.0 uharfbuzz==0.57.0 zopfli==0.4.3
    python3 make.py

The font has Latin, Greek and Cyrillic as far as the standards below go, kana, the kanji of JIS
level 1 with all symbols of JIS X 0208, the Hangul letters and symbols of KS X 1001, and all 11,172
modern Hangul syllables. The 2,350 syllables of KS X 1001 keep their own outlines. The 8,822 others
are composed of the jamo outlines that the same font has for old Hangul, so that each takes a few
bytes of references to shared subroutines. Kerning, alternative forms, vertical writing and hinting
are left out. The licence is the SIL Open Font License 1.1, in OFL.txt.
"""

import unicodedata
from io import BytesIO
from pathlib import Path

import cffsubr
import uharfbuzz
import zopfli.zlib
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SOURCE = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
# Faces of the collection. All faces share the same glyphs under the same names.
JAPANESE = 0
KOREAN = 1
TARGET = Path(__file__).parent / "noto-sans-cjk-jp.otf.zlib"
SYLLABLES = set(range(0xAC00, 0xD7A4))
JAMO = {*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}


def rows(codec: str, first: int, last: int) -> set[int]:
    """Returns the characters of rows first to last of a 94x94 character set in its EUC coding."""
    found = set()
    for row in range(first, last + 1):
        for cell in range(0xA1, 0xFF):
            try:
                found.update(map(ord, bytes([row, cell]).decode(codec)))
            except UnicodeDecodeError:
                continue
    return found


def drawn() -> set[int]:
    """Returns the characters that keep their own outlines."""
    latin = {*range(0x20, 0x7F), *range(0xA0, 0x180)}
    punctuation = {*range(0x2010, 0x2028), *range(0x2030, 0x2040), 0x20AC, 0x2116, 0x2122}
    kana = {*range(0x3000, 0x3100), *range(0xFF01, 0xFFEF)}
    japanese = rows("euc_jp", 0xA1, 0xA8) | rows("euc_jp", 0xB0, 0xCF)
    korean = rows("euc_kr", 0xA1, 0xA9) | rows("euc_kr", 0xB0, 0xC8)
    return latin | punctuation | kana | japanese | korean


def subset(face: int, characters: set[int], features: list[str]) -> TTFont:
    """Returns a face of the source cut down to the characters, without subroutines."""
    options = Options()
    options.hinting = False
    options.desubroutinize = True
    options.glyph_names = False
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.layout_features = features
    options.drop_tables += ["BASE", "DSIG", "GDEF", "GPOS", "VORG", "vhea", "vmtx"]
    if not features:
        options.drop_tables.append("GSUB")
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    font = TTFont(SOURCE, fontNumber=face, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    return font


class Composer:
    """Draws a syllable as the jamo outlines that the font's layout rules choose for it."""

    def __init__(self) -> None:
        # Without glyphs for whole syllables, HarfBuzz takes syllables apart.
        font = subset(KOREAN, JAMO, ["ljmo", "vjmo", "tjmo"])
        data = BytesIO()
        font.save(data)
        self.glyphs = TTFont(BytesIO(data.getvalue())).getGlyphSet()
        self.names = list(self.glyphs.keys())
        self.shaper = uharfbuzz.Font(uharfbuzz.Face(data.getvalue()))

    def draw(self, syllable: int, pen: T2CharStringPen) -> None:
        buffer = uharfbuzz.Buffer()
        buffer.add_str(unicodedata.normalize("NFD", chr(syllable)))
        buffer.guess_segment_properties()
        uharfbuzz.shape(self.shaper, buffer, {})
        pen_x = 0
        for glyph, position in zip(buffer.glyph_infos, buffer.glyph_positions):
            assert glyph.codepoint != 0, f"no jamo outline for U+{syllable:04X}"
            outline = RecordingPen()
            self.glyphs[self.names[glyph.codepoint]].draw(outline)
            for operator, points in outline.value:
                moved = [(x + pen_x + position.x_offset, y) for x, y in points]
                getattr(pen, operator)(*moved)
            pen_x += position.x_advance


def compose(font: TTFont, syllables: set[int]) -> None:
    """Replaces the outlines of the syllables by composed ones."""
    composer = Composer()
    names = font.getBestCmap()
    outlines = font["CFF "].cff.topDictIndex[0].CharStrings
    for syllable in sorted(syllables):
        glyph = outlines[names[syllable]]
        pen = T2CharStringPen(None, None)
        composer.draw(syllable, pen)
        program = pen.getCharString(glyph.private, glyph.globalSubrs).program
        width = font["hmtx"][names[syllable]][0]
        if width != glyph.private.defaultWidthX:
            program.insert(0, width - glyph.private.nominalWidthX)
        glyph.program = program


def main() -> None:
    characters = drawn()
    font = subset(JAPANESE, characters | SYLLABLES, [])
    compose(font, SYLLABLES - characters)
    data = BytesIO()
    font.save(data)
    font = TTFont(BytesIO(data.getvalue()), recalcTimestamp=False)
    cffsubr.subroutinize(font, keep_glyph_names=False)
    data = BytesIO()
    font.save(data)
    compressed = zopfli.zlib.compress(data.getvalue())
    TARGET.write_bytes(compressed)
    glyphs = len(font.getGlyphOrder())
    print(f"{TARGET.name}: {glyphs} glyphs, {len(data.getvalue())} bytes, {len(compressed)} compressed")


if __name__ == "__main__":
    main()
