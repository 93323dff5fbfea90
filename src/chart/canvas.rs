//! The surface a chart is drawn on: shapes and texts in picture pixels in, PNG bytes out.
//! plotters snaps to whole pixels and leaves thick lines jagged, so everything is drawn `SCALE`
//! times too large and averaged down. It also places a glyph by its box instead of its origin: the
//! fonts carry an arealess contour at each origin for that. `font/subset.py` made them from Noto
//! Sans (Debian's fonts-noto-core), `font/OFL.txt` is their licence.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef};
use anyhow::{Result, ensure};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use super::encode::{self, SCALE};

pub const WIDTH: u32 = 1200;
pub const HEIGHT: f64 = 800.0;
const CHANNELS: usize = 3;

const FAMILY: &str = "bandwatch";
const REGULAR: &[u8] = include_bytes!("font/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("font/NotoSans-Bold.ttf");
/// plotters takes a font's size as ascent plus descent; Noto Sans has these per em.
const HEIGHT_PER_EM: f64 = 1.362;
const LONGEST_TEXT: usize = 400;

const ARC_STEPS: u32 = 8;
const MAX_DASHES: u32 = 4000;

/// A place in the picture, in pixels from its upper left corner.
pub type Spot = (f64, f64);

#[derive(Clone, Copy)]
pub struct Pen {
    pub color: RGBColor,
    pub width: f64,
}

impl Pen {
    pub const fn new(color: RGBColor, width: f64) -> Self {
        Self { color, width }
    }
}

#[derive(Clone, Copy)]
pub struct Type {
    pub size: f64,
    weight: FontStyle,
    color: RGBColor,
}

impl Type {
    pub const fn regular(size: f64, color: RGBColor) -> Self {
        Self {
            size,
            weight: FontStyle::Normal,
            color,
        }
    }

    pub const fn bold(size: f64, color: RGBColor) -> Self {
        Self {
            weight: FontStyle::Bold,
            ..Self::regular(size, color)
        }
    }
}

#[derive(Clone, Copy)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub fn new((left, top): Spot, (width, height): (f64, f64)) -> Self {
        Self {
            left,
            top,
            right: left + width,
            bottom: top + height,
        }
    }

    #[must_use]
    pub fn grown(self, by: f64) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    pub fn contains(self, (x, y): Spot) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// The place in the area that is nearest to one anywhere.
    pub fn nearest(self, (x, y): Spot) -> Spot {
        (
            x.clamp(self.left, self.right),
            y.clamp(self.top, self.bottom),
        )
    }
}

pub fn distance(one: Spot, other: Spot) -> f64 {
    (one.0 - other.0).hypot(one.1 - other.1)
}

/// The spot at this part of the way.
pub fn between(from: Spot, to: Spot, part: f64) -> Spot {
    (
        from.0 + (to.0 - from.0) * part,
        from.1 + (to.1 - from.1) * part,
    )
}

pub struct Canvas<'a> {
    area: DrawingArea<BitMapBackend<'a>, Shift>,
}

/// Gives `paint` a white canvas so high, in pixels, and returns what it drew as a PNG.
pub fn picture(height: f64, paint: impl FnOnce(&Canvas) -> Result<()>) -> Result<Vec<u8>> {
    ensure!(fonts_are_ready(), "the embedded font cannot be read");
    let height = whole(height).unsigned_abs();
    let size = (WIDTH * SCALE, height * SCALE);
    let mut drawing = vec![255; size.0 as usize * size.1 as usize * CHANNELS];
    let area = BitMapBackend::with_buffer(&mut drawing, size).into_drawing_area();
    paint(&Canvas { area })?;
    encode::png(&drawing, WIDTH, height)
}

fn fonts_are_ready() -> bool {
    static READY: OnceLock<bool> = OnceLock::new();
    *READY.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FAMILY, FontStyle::Bold, BOLD).is_ok()
    })
}

impl Canvas<'_> {
    pub fn rect(&self, area: Area, color: RGBColor) -> Result<()> {
        let corners = [(area.left, area.top), (area.right, area.bottom)].map(large);
        Ok(self.area.draw(&Rectangle::new(corners, color.filled()))?)
    }

    pub fn polygon(&self, spots: &[Spot], color: RGBColor) -> Result<()> {
        let vertices: Vec<_> = spots.iter().copied().map(large).collect();
        Ok(self.area.draw(&Polygon::new(vertices, color.filled()))?)
    }

    pub fn disc(&self, center: Spot, radius: f64, color: RGBColor) -> Result<()> {
        let radius = enlarged(radius).unsigned_abs();
        let disc = Circle::new(large(center), radius, color.filled());
        Ok(self.area.draw(&disc)?)
    }

    /// A disc of `fill` inside a rim.
    pub fn ring(&self, center: Spot, radius: f64, rim: Pen, fill: RGBColor) -> Result<()> {
        self.disc(center, radius, rim.color)?;
        self.disc(center, radius - rim.width, fill)
    }

    /// A line through all spots. Each piece is drawn for itself, with a disc at each joint: the
    /// outline that plotters makes of a whole thick path crosses itself where the path is steep.
    pub fn line(&self, spots: &[Spot], pen: Pen) -> Result<()> {
        let width = enlarged(pen.width).unsigned_abs().max(1);
        // A disc is one pixel wider than twice its radius.
        let joint = (f64::from(width) - 1.0) / 2.0 / f64::from(SCALE);
        for [from, to] in spots.array_windows() {
            let ends = vec![large(*from), large(*to)];
            let piece = PathElement::new(ends, pen.color.stroke_width(width));
            self.area.draw(&piece)?;
            self.disc(*to, joint, pen.color)?;
        }
        match spots.first() {
            Some(first) => self.disc(*first, joint, pen.color),
            None => Ok(()),
        }
    }

    /// A dashed line through all spots, which keeps its rhythm across them.
    pub fn dashes(&self, spots: &[Spot], pen: Pen, (dash, space): (f64, f64)) -> Result<()> {
        let mut piece: Vec<Spot> = spots.first().copied().into_iter().collect();
        let (mut inked, mut left) = (true, dash);
        let mut turns = 0;
        for [from, to] in spots.array_windows() {
            let length = distance(*from, *to);
            let mut walked = 0.0;
            while length - walked > left && turns < MAX_DASHES {
                walked += left;
                turns += 1;
                let spot = between(*from, *to, walked / length);
                piece.push(spot);
                if inked {
                    self.line(&piece, pen)?;
                }
                piece = vec![spot];
                inked = !inked;
                left = if inked { dash } else { space };
            }
            left -= length - walked;
            piece.push(*to);
        }
        if inked {
            self.line(&piece, pen)?;
        }
        Ok(())
    }

    pub fn rounded(&self, area: Area, radius: f64, color: RGBColor) -> Result<()> {
        let inner = area.grown(-radius);
        let corners = [
            (inner.right, inner.top, -90.0),
            (inner.right, inner.bottom, 0.0),
            (inner.left, inner.bottom, 90.0),
            (inner.left, inner.top, 180.0),
        ];
        let arc = |(x, y, start): (f64, f64, f64)| {
            (0..=ARC_STEPS).map(move |step| {
                let turn = 90.0 * f64::from(step) / f64::from(ARC_STEPS);
                let (sin, cos) = (start + turn).to_radians().sin_cos();
                (x + radius * cos, y + radius * sin)
            })
        };
        let outline: Vec<Spot> = corners.into_iter().flat_map(arc).collect();
        self.polygon(&outline, color)
    }

    /// The text with its baseline starting at `at`.
    pub fn text(&self, text: &str, at: Spot, kind: Type) -> Result<()> {
        let style = font(kind).color(&kind.color);
        // plotters puts the baseline half a font size below the place it is given.
        let (x, baseline) = large(at);
        let spot = (x, baseline - whole(font(kind).get_size() / 2.0));
        Ok(self.area.draw_text(text, &style, spot)?)
    }

    pub fn text_right(&self, text: &str, at: Spot, kind: Type) -> Result<()> {
        self.text(text, (at.0 - text_width(text, kind), at.1), kind)
    }
}

pub fn text_width(text: &str, kind: Type) -> f64 {
    let size = font(kind).box_size(text);
    f64::from(size.map_or(0, |size| size.0)) / f64::from(SCALE)
}

/// Whether the font has every letter of a text: of Arabic, Japanese and emoji it has none.
pub fn is_drawable(text: &str) -> bool {
    let Ok(font) = FontRef::try_from_slice(BOLD) else {
        return false;
    };
    let mut letters = text.chars().filter(|letter| !letter.is_control());
    letters.all(|letter| font.glyph_id(letter).0 != 0)
}

/// A text from outside as it can be drawn, cut with an ellipsis where it would pass `width`.
pub fn fitted(text: &str, width: f64, kind: Type) -> String {
    let mut text: String = text.chars().take(LONGEST_TEXT).collect();
    text = text.replace(char::is_control, " ");
    if text_width(&text, kind) <= width {
        return text;
    }
    while text.pop().is_some() {
        let cut = format!("{}…", text.trim_end());
        if text_width(&cut, kind) <= width {
            return cut;
        }
    }
    text
}

fn font(kind: Type) -> FontDesc<'static> {
    // Texts are measured before the first picture is begun.
    fonts_are_ready();
    let size = kind.size * HEIGHT_PER_EM * f64::from(SCALE);
    FontDesc::new(FontFamily::Name(FAMILY), size, kind.weight)
}

fn large(spot: Spot) -> (i32, i32) {
    (enlarged(spot.0), enlarged(spot.1))
}

fn enlarged(length: f64) -> i32 {
    whole(length * f64::from(SCALE))
}

/// Clamped well outside the canvas, since plotters multiplies coordinates as `i32`.
#[expect(clippy::cast_possible_truncation, reason = "clamped to a few thousand")]
fn whole(length: f64) -> i32 {
    length.round().clamp(-20_000.0, 20_000.0) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_width_before_anything_is_drawn() {
        let width = text_width("2,000", super::super::style::TICK);
        assert!((40.0..120.0).contains(&width), "{width}");
    }

    #[test]
    fn letters_that_the_font_lacks_are_known() {
        for text in ["Größe der Körbe, 1 200 €", "Продажи", "Πωλήσεις − ≥", ""]
        {
            assert!(is_drawable(text), "{text}");
        }
        for text in ["籠", "مبيعات", "Sales 🛒", "दाम", "\u{2068}"] {
            assert!(!is_drawable(text), "{text}");
        }
    }
}
