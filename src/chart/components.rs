//! Draws what a history is made of: the values with their band on top, and below them trend, seasons
//! and remainder, each on a scale of its own, all above one time axis.

use anyhow::{Context, Result};

use super::canvas::{self, Area};
use super::panel::Panel;
use super::points::{column_length, evaluated_points, thinned};
use super::style::{HEADING, MARGIN, PLOT_TOP, TICK};
use super::ticks::ValueTick;
use super::{Point, axis, callout, layers, legend};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::Components;
use crate::output::write_length;

const SCALES: &str = "Each on a scale of its own";
const VALUE_PANEL_HEIGHT: f64 = 320.0;
const COMPONENT_PANEL_HEIGHT: f64 = 170.0;
/// Between two panels, for the name of the lower one ...
const HEADING_ROOM: f64 = 84.0;
/// ... whose baseline stands so far above it.
const HEADING_BASELINE: f64 = 24.0;
/// From the bottom of the last panel to the end of the picture.
const FOOT: f64 = 110.0;
const MOST_TICKS: usize = 4;

/// The picture as PNG. Without components it is that of the values alone.
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
    let mut values = evaluated_points(evaluation, workings);
    // A month has too many of them to be marked one by one.
    for point in &mut values {
        point.clipped = false;
    }
    let column = column_length(&values);
    let step = workings.window.step().delta().max(column);
    let panel = |points: &[Point]| Panel::new(&thinned(points, column), step);
    let mut first = panel(&values).context("there is no bucket to draw")?;
    let history = workings.cleaned.as_ref().map(|cleaned| &cleaned.history);
    let mut parts: Vec<(String, Panel)> = Vec::new();
    if let (Some(components), Some(history)) = (components, history) {
        for (name, values) in named(components) {
            let values = values.iter().enumerate();
            let points: Vec<Point> = values
                .map(|(index, value)| Point::new(history.time(index), *value))
                .collect();
            parts.extend(panel(&points).map(|panel| (name, panel)));
        }
    }
    arrange(&mut first, &mut parts);
    let lowest = parts.last().map_or(&first, |(_, panel)| panel);
    canvas::picture(lowest.area.bottom + FOOT, |canvas| {
        axis::draw_title(canvas, &title)?;
        axis::draw_period(&first, canvas)?;
        axis::draw_values(&first, canvas)?;
        layers::draw(&first, canvas)?;
        legend::draw(&first, canvas, evaluation.level, Vec::new())?;
        if let Some(last) = first.points.last() {
            callout::draw_dot(&first, canvas, last, &evaluation.verdict)?;
        }
        for (index, (name, panel)) in parts.iter().enumerate() {
            let baseline = panel.area.top - HEADING_BASELINE;
            canvas.text(name, (MARGIN, baseline), HEADING)?;
            if index == 0 {
                canvas.text_right(SCALES, (panel.area.right, baseline), TICK)?;
            }
            axis::draw_values(panel, canvas)?;
            layers::draw(panel, canvas)?;
        }
        axis::draw_times(lowest, canvas)
    })
}

/// Each component with its name.
fn named(components: &Components) -> Vec<(String, &[Option<f64>])> {
    let mut named = vec![("Trend".to_string(), components.trend.as_slice())];
    named.extend(components.seasons.iter().map(|season| {
        let name = format!("Season of {}", write_length(season.length));
        (name, season.values.as_slice())
    }));
    named.push(("Remainder".to_string(), &components.remainder));
    named
}

/// Puts the panels one below the other, over the times of the first.
fn arrange(first: &mut Panel, parts: &mut [(String, Panel)]) {
    let (begin, end) = (first.first, first.last);
    let left = parts
        .iter()
        .map(|(_, panel)| panel.area.left)
        .fold(first.area.left, f64::max);
    let mut top = PLOT_TOP;
    let mut height = VALUE_PANEL_HEIGHT;
    for panel in std::iter::once(first).chain(parts.iter_mut().map(|(_, panel)| panel)) {
        (panel.first, panel.last) = (begin, end);
        panel.area = Area {
            left,
            top,
            bottom: top + height,
            ..panel.area
        };
        thin_out(&mut panel.value_ticks);
        top += height + HEADING_ROOM;
        height = COMPONENT_PANEL_HEIGHT;
    }
}

/// Keeps every second tick or third and so on, so that they stand apart; zero stays if it was one.
fn thin_out(ticks: &mut Vec<ValueTick>) {
    let stride = ticks.len().div_ceil(MOST_TICKS).max(1);
    let zero = ticks.iter().position(|tick| tick.value == 0.0).unwrap_or(0);
    let mut indices = 0..;
    ticks.retain(|_| {
        indices
            .next()
            .is_some_and(|index: usize| index % stride == zero % stride)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    use crate::detect::evaluate;
    use crate::forecast::decompose;
    use crate::series::sample::series_with_gaps;
    use crate::series::{RowCounts, Window};

    /// So many hours that swing by the day, closed from 0 to 6 h, with a spike among them.
    fn evaluation(hours: u32) -> Evaluation {
        let value = |hour: u32| {
            let (swing, noise) = (hour % 24 * 20, hour * 31 % 101);
            let spike = if hour + 50 == hours { 900 } else { 0 };
            (hour % 24 >= 6).then_some(f64::from(1000 + swing + noise + spike))
        };
        let values: Vec<_> = (0..hours).map(value).collect();
        let series = series_with_gaps("1h", &values);
        let newest = series.time(values.len() - 1);
        let window = Window {
            series,
            row_counts: RowCounts::default(),
            as_of: newest + TimeDelta::hours(1),
            newest: Some(newest),
            stale_after: TimeDelta::hours(3),
        };
        evaluate(window, &Metric::of_file("sales").method).expect("an evaluation")
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
        let evaluation = evaluation(20 * 24 + 15);
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
            let mut ticks: Vec<ValueTick> = ticks.collect();
            thin_out(&mut ticks);
            ticks.into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(ticks(-3, 3), ["-2", "0", "2"]);
        assert_eq!(ticks(1, 3), ["1", "2", "3"]);
        assert_eq!(ticks(5, 13), ["5", "8", "11"]);
    }
}
