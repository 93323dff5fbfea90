//! Colours, letters and sizes of the charts, in picture pixels, all in one place.
//! Only the judged point is coloured (blue for high, orange for low, as in the mails people know),
//! and no letter is smaller than 26 of the 1200 pixels: phones show the picture at half size or less.

use plotters::style::RGBColor;

use super::canvas::{Pen, Type};

pub const WHITE: RGBColor = RGBColor(255, 255, 255);
pub const INK: RGBColor = RGBColor(17, 24, 39);
pub const MUTED: RGBColor = RGBColor(91, 101, 117);
pub const GRID: RGBColor = RGBColor(232, 235, 240);
pub const MIDNIGHT: RGBColor = RGBColor(176, 184, 197);
pub const AXIS: RGBColor = RGBColor(150, 159, 174);
pub const BAND_FILL: RGBColor = RGBColor(226, 232, 241);
pub const BAND_EDGE: RGBColor = RGBColor(190, 201, 217);
pub const EXPECTED: RGBColor = RGBColor(118, 132, 155);
pub const VALUE: RGBColor = RGBColor(38, 52, 77);
pub const HIGH: RGBColor = RGBColor(20, 99, 220);
pub const LOW: RGBColor = RGBColor(226, 98, 5);
pub const NORMAL: RGBColor = RGBColor(34, 139, 84);
pub const UNDECIDED: RGBColor = RGBColor(107, 114, 128);

pub const TITLE: Type = Type {
    size: 38.0,
    bold: true,
    color: INK,
};
pub const SUBTITLE: Type = Type {
    size: 26.0,
    bold: false,
    color: MUTED,
};
pub const LEGEND: Type = Type {
    size: 26.0,
    bold: false,
    color: INK,
};
pub const TICK: Type = Type {
    size: 26.0,
    bold: false,
    color: MUTED,
};
pub const DAY: Type = Type {
    size: 26.0,
    bold: true,
    color: INK,
};
pub const CALLOUT: Type = Type {
    size: 31.0,
    bold: true,
    color: INK,
};
pub const NO_VALUES: Type = Type {
    size: 32.0,
    bold: false,
    color: MUTED,
};

pub const MARGIN: f64 = 32.0;
pub const TITLE_BASELINE: f64 = 62.0;
pub const SUBTITLE_BASELINE: f64 = 106.0;
pub const LEGEND_BASELINE: f64 = UNIT_BASELINE;
pub const UNIT_BASELINE: f64 = 152.0;
pub const PLOT_TOP: f64 = 186.0;
pub const PLOT_BOTTOM: f64 = 640.0;
/// From the bottom of the plot down to these baselines ...
pub const TICK_DROP: f64 = 40.0;
pub const DAY_DROP: f64 = 78.0;
/// ... and to the end of the picture.
pub const FOOT: f64 = 110.0;
pub const GRID_WIDTH: f64 = 2.0;
pub const TICK_LEN: f64 = 8.0;
pub const LABEL_SPACE: f64 = 14.0;
/// The legend is beside it.
pub const MAX_UNIT: f64 = 340.0;
pub const MAX_VALUE_LABEL: f64 = 320.0;
/// Kept free to the right of the judged point.
pub const RIGHT_ROOM: f64 = 26.0;

pub const VALUE_PEN: Pen = Pen {
    color: VALUE,
    width: 3.0,
};
/// Dense values get a thinner line, down to this width ...
pub const MIN_VALUE_WIDTH: f64 = 1.5;
/// ... and at most so wide for each pixel between two of them.
pub const MAX_WIDTH_PER_SPACE: f64 = 1.05;
pub const EXPECTED_PEN: Pen = Pen {
    color: EXPECTED,
    width: 2.0,
};
pub const BAND_PEN: Pen = Pen {
    color: BAND_EDGE,
    width: 1.0,
};
pub const CLIPPED_PEN: Pen = Pen {
    color: VALUE,
    width: 2.6,
};
pub const DASH: (f64, f64) = (9.0, 6.0);
pub const LONE_DOT: f64 = 4.5;
pub const LONE_WIDTH: f64 = 8.0;
/// With this much space between points each value gets a dot.
pub const SPARSE: f64 = 26.0;
pub const CLIPPED_RADIUS: f64 = 8.0;
/// A breach among many points ...
pub const BREACH_RADIUS: f64 = 6.5;
/// ... and among many breaches, of more than this number.
pub const SMALL_BREACH_RADIUS: f64 = 4.5;
pub const MANY_BREACHES: usize = 150;
pub const BREACH_RIM: f64 = 1.5;
pub const DOT_RADIUS: f64 = 12.0;
pub const DOT_RIM: f64 = 3.5;

pub const CALLOUT_HEIGHT: f64 = 56.0;
pub const CALLOUT_PAD: f64 = 18.0;
pub const CALLOUT_RADIUS: f64 = 9.0;
pub const CALLOUT_RIM: f64 = 2.5;
pub const LEADER: f64 = 2.5;
pub const CALLOUT_HALO: f64 = 5.0;
pub const MAX_CALLOUT_TEXT: f64 = 800.0;

/// Of the panels of components, the first with the values.
pub const VALUE_PANEL_HEIGHT: f64 = 320.0;
pub const PANEL_HEIGHT: f64 = 170.0;
/// Between two panels, for the name of the lower one ...
pub const HEADING_ROOM: f64 = 84.0;
/// ... whose baseline stands so far above it.
pub const HEADING_BASELINE: f64 = 24.0;
pub const MOST_PANEL_TICKS: usize = 4;

pub const SAMPLE_WIDTH: f64 = 38.0;
pub const SAMPLE_HEIGHT: f64 = 20.0;
pub const SAMPLE_SPACE: f64 = 10.0;
pub const ENTRY_SPACE: f64 = 28.0;
pub const MAX_ENTRY_TEXT: f64 = 260.0;
