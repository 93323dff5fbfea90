//! Colours, and the letters and sizes that parts of a chart share, in picture pixels.
//! Only what was evaluated is coloured (blue for high, orange for low, as in the mails people know),
//! and no letter is smaller than 26 of the 1200 pixels: phones show the picture at half size or less.

use plotters::style::RGBColor;

use super::canvas::{Pen, Type};
use crate::forecast::Side;

pub const WHITE: RGBColor = RGBColor(255, 255, 255);
pub const INK: RGBColor = RGBColor(17, 24, 39);
pub const MUTED: RGBColor = RGBColor(91, 101, 117);
pub const GRID: RGBColor = RGBColor(232, 235, 240);
pub const MIDNIGHT: RGBColor = RGBColor(176, 184, 197);
pub const AXIS: RGBColor = RGBColor(150, 159, 174);
pub const BAND_FILL: RGBColor = RGBColor(226, 232, 241);
pub const BAND_EDGE: RGBColor = RGBColor(190, 201, 217);
pub const VALUE: RGBColor = RGBColor(38, 52, 77);
pub const HIGH: RGBColor = RGBColor(20, 99, 220);
pub const LOW: RGBColor = RGBColor(226, 98, 5);
pub const NORMAL: RGBColor = RGBColor(34, 139, 84);
pub const UNDECIDED: RGBColor = RGBColor(107, 114, 128);

pub fn side_color(side: Side) -> RGBColor {
    match side {
        Side::High => HIGH,
        Side::Low => LOW,
    }
}

pub const TICK: Type = Type::regular(26.0, MUTED);
pub const HEADING: Type = Type::bold(26.0, INK);
/// From a line's middle to the baseline of digits or capitals centred on it, in letter sizes.
pub const HALF_CAPITAL: f64 = 0.36;

pub const MARGIN: f64 = 32.0;
pub const LEGEND_BASELINE: f64 = 152.0;
pub const PLOT_TOP: f64 = 186.0;
pub const PLOT_BOTTOM: f64 = 640.0;
pub const LABEL_SPACE: f64 = 14.0;
pub const MAX_VALUE_LABEL: f64 = 320.0;

pub const VALUE_PEN: Pen = Pen::new(VALUE, 3.0);
pub const EXPECTED_PEN: Pen = Pen::new(RGBColor(118, 132, 155), 2.0);
pub const BAND_PEN: Pen = Pen::new(BAND_EDGE, 1.0);
pub const CLIPPED_PEN: Pen = Pen::new(VALUE, 2.6);
pub const DASH: (f64, f64) = (9.0, 6.0);
pub const CLIPPED_RADIUS: f64 = 8.0;
pub const BREACH_RADIUS: f64 = 6.5;
