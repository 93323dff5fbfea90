//! Draws what a history is made of: the values with their band on top, and below them trend, seasons
//! and remainder, each on a scale of its own, all above one time axis.

use anyhow::Result;
use chrono::TimeDelta;

use super::canvas::{self, Area, Canvas};
use super::frame::{self, Frame, Slot};
use super::period::{column_length, thinned};
use super::pictures::{mark, points};
use super::style::{
    DAY, DOT_RADIUS, DOT_RIM, FOOT, HEADING_BASELINE, HEADING_ROOM, MARGIN, MOST_PANEL_TICKS,
    PANEL_HEIGHT, PLOT_TOP, TICK, VALUE_PANEL_HEIGHT, WHITE,
};
use super::ticks::{self, ValueTick};
use super::{Chart, Figure, Marked, Point, axis, callout, legend, series};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::Components;
use crate::output::write_length;
use crate::series::TimeSeries;

const SCALES: &str = "Each on a scale of its own";

/// One scale with its points; the first has no name, the title is it.
struct Panel {
    name: String,
    slots: Vec<Slot>,
    frame: Frame,
}

/// The picture as PNG. Without components it is that of the values alone.
///
/// # Errors
///
/// Where the picture cannot be drawn or encoded, which no input is known to cause.
pub fn draw_components(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    components: Option<&Components>,
) -> Result<Vec<u8>> {
    let name = match &metric.unit {
        Some(unit) => format!("{} ({unit})", metric.title),
        None => metric.title.clone(),
    };
    let title = match components {
        Some(_) => format!("{name} and what it is made of"),
        None => format!("{name}: not decided"),
    };
    let mut values = points(evaluation, workings);
    // A month has too many of them to be ringed one by one.
    for point in &mut values {
        point.clipped = false;
    }
    let column = column_length(&marked(&values));
    let step = workings.window.step().delta().max(column);
    let figure = Figure {
        title: &title,
        unit: None,
        points: &values,
        mark: mark(&evaluation.verdict),
        label: "",
        band_label: &format!("{} band", evaluation.level),
        step,
    };
    let history = workings.cleaned.as_ref().map(|cleaned| &cleaned.history);
    let mut panels = vec![Panel::of(String::new(), &values, column, step)];
    if let (Some(components), Some(history)) = (components, history) {
        panels.extend(named(components).into_iter().map(|named| {
            let points = named.points(history);
            Panel::of(named.name, &points, column, step)
        }));
    }
    let panels = arranged(panels.into_iter().flatten().collect());
    let bottom = panels
        .last()
        .map_or(PLOT_TOP + VALUE_PANEL_HEIGHT, |panel| {
            panel.frame.area.bottom
        });
    canvas::picture_of_height(bottom + FOOT, |canvas| {
        axis::draw_title(canvas, figure.title)?;
        if panels.is_empty() {
            return axis::draw_no_values(canvas);
        }
        draw_panels(&figure, panels, canvas)
    })
}

/// A component and its name.
struct Named<'a> {
    name: String,
    values: &'a [Option<f64>],
}

impl Named<'_> {
    fn points(&self, history: &TimeSeries) -> Vec<Point> {
        let values = self.values.iter().enumerate();
        values
            .map(|(index, value)| Point {
                time: history.time(index),
                value: *value,
                clipped: false,
                band: None,
            })
            .collect()
    }
}

fn named(components: &Components) -> Vec<Named<'_>> {
    let plain = |name: &str, values| Named {
        name: name.to_string(),
        values,
    };
    let seasons = components.seasons.iter().map(|season| Named {
        name: format!("Season of {}", write_length(season.length)),
        values: &season.values,
    });
    std::iter::once(plain("Trend", &components.trend))
        .chain(seasons)
        .chain([plain("Remainder", &components.remainder)])
        .collect()
}

fn marked(points: &[Point]) -> Vec<Marked> {
    points
        .iter()
        .map(|point| Marked {
            point: *point,
            mark: None,
        })
        .collect()
}

impl Panel {
    /// None where there is no point.
    fn of(name: String, points: &[Point], column: TimeDelta, step: TimeDelta) -> Option<Self> {
        let shown = thinned(&marked(points), column);
        let shown: Vec<Point> = shown.iter().map(|marked| marked.point).collect();
        let slots = frame::slots(&shown);
        let frame = Frame::new(&slots, step)?;
        Some(Self { name, slots, frame })
    }
}

/// The panels one below the other, over the times of the first.
fn arranged(mut panels: Vec<Panel>) -> Vec<Panel> {
    let left = panels.iter().map(|panel| panel.frame.area.left);
    let left = left.fold(0.0, f64::max);
    let Some(frame) = panels.first().map(|panel| &panel.frame) else {
        return panels;
    };
    let (first, last) = (frame.first, frame.last);
    let mut top = PLOT_TOP;
    let mut height = VALUE_PANEL_HEIGHT;
    for panel in &mut panels {
        let frame = &mut panel.frame;
        (frame.first, frame.last) = (first, last);
        frame.area = Area {
            left,
            top,
            bottom: top + height,
            ..frame.area
        };
        frame.value_ticks = fewer(std::mem::take(&mut frame.value_ticks));
        top += height + HEADING_ROOM;
        height = PANEL_HEIGHT;
    }
    panels
}

/// Every second tick or third and so on, so that they stand apart; zero stays if it was one.
fn fewer(ticks: Vec<ValueTick>) -> Vec<ValueTick> {
    let stride = ticks.len().div_ceil(MOST_PANEL_TICKS).max(1);
    let zero = ticks.iter().position(|tick| tick.value == 0.0).unwrap_or(0);
    ticks
        .into_iter()
        .enumerate()
        .filter(|(index, _)| index % stride == zero % stride)
        .map(|(_, tick)| tick)
        .collect()
}

fn draw_panels(figure: &Figure, panels: Vec<Panel>, canvas: &Canvas) -> Result<()> {
    let count = panels.len();
    for (index, Panel { name, slots, frame }) in panels.into_iter().enumerate() {
        let chart = Chart {
            figure,
            slots: &slots,
            frame,
        };
        let time_ticks = ticks::time_ticks(chart.frame.first, chart.frame.last, figure.step);
        axis::draw_grid(&chart, canvas, &time_ticks)?;
        axis::draw_value_labels(&chart, canvas)?;
        let baseline = chart.frame.area.top - HEADING_BASELINE;
        canvas.text(&name, (MARGIN, baseline), DAY)?;
        if index == 1 {
            canvas.text_right(SCALES, (chart.frame.area.right, baseline), TICK)?;
        }
        series::draw_band(&chart, canvas)?;
        series::draw_lines(&chart, canvas)?;
        if index == 0 {
            axis::draw_period(&chart, canvas)?;
            legend::draw(&chart, canvas, &[])?;
            draw_judged(&chart, canvas)?;
        }
        if index + 1 == count {
            axis::draw_hours(&chart, canvas, &time_ticks)?;
            axis::draw_days(&chart, canvas, &time_ticks)?;
        }
    }
    Ok(())
}

fn draw_judged(chart: &Chart, canvas: &Canvas) -> Result<()> {
    let judged = chart.slots.last();
    let Some(spot) = judged.and_then(|slot| series::value_spot(chart, slot)) else {
        return Ok(());
    };
    canvas.disc(spot, DOT_RADIUS + DOT_RIM, WHITE)?;
    canvas.disc(spot, DOT_RADIUS, callout::color(chart.figure.mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::evaluate;
    use crate::forecast::decompose;
    use crate::series::Window;
    use crate::series::{Buckets, Grid, Missing, parse_time};

    /// So many hours that swing by the day, closed from 0 to 6 h, with a spike among them.
    fn evaluation(hours: i64) -> Evaluation {
        let end = parse_time("2026-11-22 14:00", chrono_tz::Europe::Paris).expect("a time");
        let grid = Grid::new("1h".parse().expect("a step"), end);
        let mut buckets = Buckets::new(grid.clone(), None);
        let last_slot = grid.slot(end);
        for slot in last_slot - hours..=last_slot {
            let hour = u32::try_from(slot.rem_euclid(24)).expect("an hour");
            let noise = u32::try_from(slot.rem_euclid(7919) * 31 % 101).expect("a number");
            let spike = f64::from(u8::from(slot == last_slot - 50)) * 900.0;
            let value = 1000.0 + 20.0 * f64::from(hour) + f64::from(noise) + spike;
            buckets.add(grid.instant(slot), (hour >= 6).then_some(value));
        }
        let reading = Window {
            series: buckets.series(last_slot - hours, last_slot, Missing::Gap),
            row_counts: buckets.row_counts,
            as_of: grid.instant(last_slot + 1),
            newest: Some(end),
            stale_after: TimeDelta::hours(3),
        };
        evaluate(reading, &Metric::of_file("sales").method).expect("an evaluation")
    }

    fn components(evaluation: &Evaluation) -> Components {
        let workings = evaluation.workings.as_deref().expect("workings");
        let split = workings.window.series.split_latest().expect("a value");
        let cleaned = workings.cleaned.as_ref().expect("a history");
        let method = &Metric::of_file("sales").method;
        decompose(&split.history, cleaned, method)
            .expect("a decomposition")
            .expect("components")
    }

    fn size(picture: &[u8]) -> (u32, u32) {
        let info = png::Decoder::new(std::io::Cursor::new(picture))
            .read_info()
            .expect("a PNG");
        info.info().size()
    }

    #[test]
    fn each_component_makes_the_picture_higher_by_a_panel() {
        let evaluation = evaluation(20 * 24);
        let draw = |components: Option<&Components>| {
            let metric = Metric::of_file("sales");
            let workings = evaluation.workings.as_deref().expect("workings");
            size(&draw_components(&metric, &evaluation, workings, components).expect("a picture"))
        };
        let all = components(&evaluation);
        assert_eq!(all.seasons.len(), 2);
        let one = Components {
            seasons: all.seasons[..1].to_vec(),
            ..all.clone()
        };
        assert_eq!(draw(None), (1200, 616));
        assert_eq!(draw(Some(&one)), (1200, 616 + 3 * 254));
        assert_eq!(draw(Some(&all)), (1200, 616 + 4 * 254));
    }

    #[test]
    fn a_history_without_a_verdict_draws_as_values() {
        let evaluation = evaluation(20);
        assert!(evaluation.forecast().is_none());
        let workings = evaluation.workings.as_deref().expect("workings");
        let picture = draw_components(&Metric::of_file("sales"), &evaluation, workings, None);
        assert_eq!(size(&picture.expect("a picture")), (1200, 616));
    }

    #[test]
    fn fewer_ticks_keep_zero() {
        let ticks = |from: i32, to: i32| {
            let ticks = (from..=to).map(|tick| ValueTick {
                value: f64::from(tick),
                label: tick.to_string(),
            });
            let kept = fewer(ticks.collect());
            kept.into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(ticks(-3, 3), ["-2", "0", "2"]);
        assert_eq!(ticks(1, 3), ["1", "2", "3"]);
        assert_eq!(ticks(5, 13), ["5", "8", "11"]);
    }
}
