#!/usr/bin/env python3
"""Makes noto-sans-cjk-jp.otf, the font of the reports, out of Debian's fonts-noto-cjk.

    apt-get install fonts-noto-cjk      # 1:20220127: Noto Sans CJK 2.004
    pip install fonttools               # 4.68.0
    python3 make.py

It keeps the outlines and widths of what reports are written in: Latin, Greek and Cyrillic
as far as the standards below go, kana, the kanji of JIS level 1 with all symbols of JIS X
0208, the Hangul syllables, letters and symbols of KS X 1001. Kerning, alternative forms,
vertical writing and hinting go. The licence is the SIL Open Font License 1.1, in OFL.txt.
"""

from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SOURCE = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
JAPANESE = 0  # the first face of the collection
TARGET = Path(__file__).parent / "noto-sans-cjk-jp.otf"


def rows(codec: str, first: int, last: int) -> set[int]:
    """What a 94x94 character set has in its rows first to last, as EUC numbers them."""
    found = set()
    for row in range(first, last + 1):
        for cell in range(0xA1, 0xFF):
            try:
                found.update(map(ord, bytes([row, cell]).decode(codec)))
            except UnicodeDecodeError:
                continue
    return found


def characters() -> set[int]:
    latin = {*range(0x20, 0x7F), *range(0xA0, 0x180)}
    punctuation = {*range(0x2010, 0x2028), *range(0x2030, 0x2040), 0x20AC, 0x2116, 0x2122}
    kana = {*range(0x3000, 0x3100), *range(0xFF01, 0xFFEF)}
    japanese = rows("euc_jp", 0xA1, 0xA8) | rows("euc_jp", 0xB0, 0xCF)
    korean = rows("euc_kr", 0xA1, 0xA9) | rows("euc_kr", 0xB0, 0xC8)
    return latin | punctuation | kana | japanese | korean


def main() -> None:
    options = Options()
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.layout_features = []
    options.drop_tables += ["BASE", "DSIG", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    font = TTFont(SOURCE, fontNumber=JAPANESE, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    font.save(TARGET)
    print(f"{TARGET.name}: {len(font.getGlyphOrder())} glyphs, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
