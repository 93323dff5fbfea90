//! Marks the time of an alert: a shade behind the data, under a bar of the alert's colour.

use anyhow::Result;
use chrono::{DateTime, Utc};
use plotters::style::RGBColor;

use super::canvas::{Area, Canvas};
use super::panel::Panel;
use super::style::{HIGH_SHADE, LOW_SHADE, UNDECIDED, UNDECIDED_SHADE, side_color};
use crate::forecast::Side;
use crate::incident::{Alert, Condition, End};

const BAR_HEIGHT: f64 = 6.0;
/// A bucket that just began it is seen, too.
const LEAST_WIDTH: f64 = 8.0;

/// The time of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertTime {
    pub condition: Condition,
    pub since: DateTime<Utc>,
    /// None: it lasts.
    pub until: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shade(Condition);

impl AlertTime {
    pub fn new(alert: &Alert) -> Self {
        let until = match alert.end {
            Some(End::Over { until, .. } | End::Accepted { until, .. }) => Some(until),
            Some(End::Turned) | None => None,
        };
        Self {
            condition: alert.condition,
            since: alert.since,
            until,
        }
    }

    /// Of an incident.
    pub fn side(self) -> Option<Side> {
        match self.condition {
            Condition::Breach(side) => Some(side),
            _ => None,
        }
    }

    /// What the legend calls it.
    pub fn name(self) -> &'static str {
        match self.condition {
            Condition::NoData => "No data",
            Condition::Frozen => "Frozen",
            _ => "Incident",
        }
    }

    pub fn shade(self) -> Shade {
        Shade(self.condition)
    }

    /// Its part of the plot, if there is one.
    fn area(self, panel: &Panel) -> Option<Area> {
        let Area { left, right, .. } = panel.area;
        let x = |time: DateTime<Utc>| panel.x(time.with_timezone(&panel.first.timezone()));
        let begin = x(self.since).max(left);
        let end = self.until.map_or(right, x).min(right);
        let begin = begin.min(end - LEAST_WIDTH);
        (end > left && x(self.since) < right).then_some(Area {
            left: begin.max(left),
            right: end,
            ..panel.area
        })
    }

    /// Whether the picture shows some of it.
    pub fn is_seen(self, panel: &Panel) -> bool {
        self.area(panel).is_some()
    }

    pub fn draw(self, panel: &Panel, canvas: &Canvas) -> Result<()> {
        let area = self.area(panel);
        area.map_or(Ok(()), |area| self.shade().draw(canvas, area))
    }
}

impl Shade {
    pub fn draw(self, canvas: &Canvas, area: Area) -> Result<()> {
        let (color, shade): (RGBColor, RGBColor) = match self.0 {
            Condition::Breach(side @ Side::High) => (side_color(side), HIGH_SHADE),
            Condition::Breach(side @ Side::Low) => (side_color(side), LOW_SHADE),
            _ => (UNDECIDED, UNDECIDED_SHADE),
        };
        canvas.rect(area, shade)?;
        let bar = Area {
            bottom: area.top + BAR_HEIGHT,
            ..area
        };
        canvas.rect(bar, color)
    }
}
