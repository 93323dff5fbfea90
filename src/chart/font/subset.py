"""Makes the two fonts beside it from Noto Sans (Debian's fonts-noto-core); needs fonttools.

Each outline gets a contour without area at the glyph's origin: plotters places a glyph by the
left end of its box, and would else lose the side bearing and set the letters unevenly.
Noto Sans has no minus, arrows or comparison signs: they come from Noto Sans Math, in one weight.
"""
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.ttProgram import Program

SOURCE = "/usr/share/fonts/truetype/noto/NotoSans-{}.ttf"
RANGES = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x2DD), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F),
    (0x1E00, 0x1EFF), (0x2010, 0x205F), (0x2070, 0x209C), (0x20A0, 0x20BF), (0x2100, 0x214F),
    (0xFFFD, 0xFFFD),
]
BORROWED = "←↑→↓↔∂∆∏∑−√∞∫≈≠≤≥"


def borrow(font, math):
    names = math.getBestCmap()
    for char in BORROWED:
        name = names[ord(char)]
        font["glyf"][name] = math["glyf"][name]
        font["hmtx"][name] = math["hmtx"][name]
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[ord(char)] = name


def anchor(glyph):
    coordinates, ends = glyph.coordinates, glyph.endPtsOfContours
    first = len(coordinates)
    coordinates.extend([(0, 0), (0, 0)])
    glyph.flags.extend([1, 1])
    ends.append(first + 1)
    glyph.numberOfContours += 1


for weight in ("Regular", "Bold"):
    options = subset.Options(layout_features=[], drop_tables=["DSIG", "GDEF", "GPOS", "GSUB"],
                             hinting=False, notdef_outline=True, glyph_names=False,
                             name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
    font = TTFont(SOURCE.format(weight))
    math = TTFont(SOURCE.replace("Sans-", "SansMath-").format("Regular"))
    borrow(font, math)
    worker = subset.Subsetter(options)
    worker.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)],
                    text=BORROWED)
    worker.subset(font)
    glyphs = font["glyf"]
    for name in glyphs.keys():
        glyph = glyphs[name]
        glyph.expand(glyphs)
        if glyph.numberOfContours > 0:
            glyph.program = getattr(glyph, "program", Program())
            anchor(glyph)
    font.save(f"NotoSans-{weight}.ttf")
