//! Colours, and the letters and sizes that parts of a chart share, in picture pixels.
//! Only what was evaluated, and what lies outside the band, is coloured (blue for high, orange for low, as in
//! the mails people know). Phones show the picture at three tenths of its size: no letter is smaller than 34
//! pixels, which are ten there, and what carries a meaning has a contrast of 3:1 or more to what it is on
//! (WCAG 2.2, 1.4.11).

use plotters::style::RGBColor;

use super::canvas::{Pen, Type};
use crate::forecast::Side;

pub const WHITE: RGBColor = RGBColor(255, 255, 255);
pub const INK: RGBColor = RGBColor(17, 24, 39);
pub const MUTED: RGBColor = RGBColor(91, 101, 117);
pub const GRID: RGBColor = RGBColor(232, 235, 240);
pub const MIDNIGHT: RGBColor = RGBColor(150, 160, 176);
pub const AXIS: RGBColor = RGBColor(130, 140, 156);
pub const BAND_FILL: RGBColor = RGBColor(226, 232, 241);
pub const BAND_EDGE: RGBColor = RGBColor(112, 128, 154);
pub const VALUE: RGBColor = RGBColor(38, 52, 77);
pub const HIGH: RGBColor = RGBColor(20, 99, 220);
pub const LOW: RGBColor = RGBColor(204, 84, 0);
pub const NORMAL: RGBColor = RGBColor(34, 139, 84);
pub const UNDECIDED: RGBColor = RGBColor(107, 114, 128);

/// Behind the time of an alert.
pub const HIGH_SHADE: RGBColor = RGBColor(224, 236, 252);
pub const LOW_SHADE: RGBColor = RGBColor(253, 234, 220);
pub const UNDECIDED_SHADE: RGBColor = RGBColor(236, 237, 240);

pub fn side_color(side: Side) -> RGBColor {
    match side {
        Side::High => HIGH,
        Side::Low => LOW,
    }
}

pub const TICK: Type = Type::regular(34.0, MUTED);
pub const HEADING: Type = Type::bold(34.0, INK);
/// From a line's middle to the baseline of digits or capitals centred on it, in letter sizes.
pub const HALF_CAPITAL: f64 = 0.36;

pub const MARGIN: f64 = 32.0;
pub const LEGEND_BASELINE: f64 = 160.0;
pub const PLOT_TOP: f64 = 192.0;
pub const PLOT_BOTTOM: f64 = 690.0;
pub const LABEL_SPACE: f64 = 14.0;
pub const MAX_VALUE_LABEL: f64 = 320.0;

pub const VALUE_PEN: Pen = Pen::new(VALUE, 3.0);
pub const EXPECTED_PEN: Pen = Pen::new(RGBColor(84, 98, 122), 2.4);
pub const BAND_PEN: Pen = Pen::new(BAND_EDGE, 1.6);
pub const DASH: (f64, f64) = (11.0, 7.0);
pub const BREACH_RADIUS: f64 = 7.0;
