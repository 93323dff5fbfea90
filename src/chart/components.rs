//! Draws what a history is made of: the values with their band on top, and below them trend, seasons
//! and remainder, each on a scale of its own, all above one time axis.

use anyhow::{Context, Result};

use super::canvas;
use super::panel::Panel;
use super::pictures::titled;
use super::points::{column_length, evaluated_points, thinned};
use super::scale::Scale;
use super::style::{HEADING, MARGIN, PLOT_TOP, TICK};
use super::ticks::Tick;
use super::{Point, axis, callout, layers, legend};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::Components;

const METHOD: &str = "by MSTL, for the eye";
const VALUE_PANEL_HEIGHT: f64 = 320.0;
const COMPONENT_PANEL_HEIGHT: f64 = 170.0;
/// Between two panels, for the name of the lower one ...
const HEADING_ROOM: f64 = 96.0;
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
    let title = match components {
        Some(_) => titled(metric, "trend, seasons and the rest"),
        None => titled(metric, "not decided"),
    };
    let mut values = evaluated_points(evaluation, workings);
    // A month has too many of them to be marked one by one.
    for point in &mut values {
        point.breach = None;
    }
    let newest = values.last().map(|point| point.time);
    let column = column_length(&values);
    let step = workings.window.step().mean_length().max(column);
    let scale = newest.map_or(Scale::Whole, |since| Scale::Body { since });
    let panel = |points: &[Point]| Panel::new(&thinned(points, column), step, scale);
    let mut first = panel(&values).context("there is no bucket to draw")?;
    let mut parts: Vec<(String, Panel)> = Vec::new();
    if let (Some(components), Some(cleaned)) = (components, &workings.cleaned) {
        // After the history comes the evaluated bucket.
        let times = (0..cleaned.history.len()).map(|index| cleaned.history.time(index));
        let times: Vec<_> = times.chain(newest).collect();
        for (name, values) in named(components) {
            let points = times.iter().zip(values);
            let points = points.map(|(time, value)| Point::new(*time, *value));
            let points: Vec<Point> = points.collect();
            parts.extend(panel(&points).map(|panel| (name, panel)));
        }
    }
    arrange(&mut first, &mut parts);
    let lowest = parts.last().map_or(&first, |(_, panel)| panel);
    canvas::picture(lowest.area.bottom + FOOT, |canvas| {
        axis::draw_title(canvas, &title)?;
        axis::draw_period(&first, canvas, metric.unit.as_deref())?;
        axis::draw_values(&first, canvas)?;
        layers::draw(&first, canvas)?;
        legend::draw(&first, canvas, evaluation.level, Vec::new())?;
        callout::draw_dot(&first, canvas, &evaluation.verdict)?;
        for (index, (name, panel)) in parts.iter().enumerate() {
            let baseline = panel.area.top - HEADING_BASELINE;
            canvas.text(name, (MARGIN, baseline), HEADING)?;
            if index == 0 {
                canvas.text_right(METHOD, (panel.area.right, baseline), TICK)?;
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
    for season in &components.seasons {
        let name = format!("Season of {}", season.length);
        named.push((name, &season.values));
    }
    if let Some(added) = &components.month_days {
        named.push(("Days of the month".to_string(), added));
    }
    named.push(("Remainder".to_string(), &components.remainder));
    named
}

/// Puts the panels one below the other, over the times of the first.
fn arrange(first: &mut Panel, parts: &mut [(String, Panel)]) {
    let (begin, end) = (first.first, first.last);
    let lefts = parts.iter().map(|(_, panel)| panel.area.left);
    let left = lefts.fold(first.area.left, f64::max);
    let mut top = PLOT_TOP;
    let mut height = VALUE_PANEL_HEIGHT;
    for panel in std::iter::once(first).chain(parts.iter_mut().map(|(_, panel)| panel)) {
        (panel.first, panel.last) = (begin, end);
        panel.area.left = left;
        panel.area.top = top;
        panel.area.bottom = top + height;
        panel.value_ticks = thin_out(std::mem::take(&mut panel.value_ticks));
        top += height + HEADING_ROOM;
        height = COMPONENT_PANEL_HEIGHT;
    }
}

/// Keeps every second tick or third and so on, so that they stand apart; zero stays if it was one.
fn thin_out(ticks: Vec<Tick<f64>>) -> Vec<Tick<f64>> {
    let stride = ticks.len().div_ceil(MOST_TICKS).max(1);
    let zero = ticks.iter().position(|tick| tick.at == 0.0).unwrap_or(0);
    let ticks = ticks.into_iter().skip(zero % stride);
    ticks.step_by(stride).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::decoded;
    use crate::detect::tests::{judged, rows};
    use crate::forecast::decompose;

    fn height(evaluation: &Evaluation, components: Option<&Components>) -> u32 {
        let metric = Metric::of_file("sales");
        let workings = evaluation.workings.as_deref().expect("workings");
        let picture = draw_components(&metric, evaluation, workings, components);
        decoded(&picture.expect("a picture")).height
    }

    #[test]
    fn each_component_makes_the_picture_higher_by_a_panel() {
        let evaluation = judged(&rows("2026-11-22 14:00", 20));
        let window = evaluation.window().expect("a window");
        let history = window.series.split_latest().expect("a value").history;
        let cleaned = evaluation.cleaned().expect("a history");
        let all = decompose(&history, cleaned, &Metric::of_file("sales").method);
        let all = all.expect("a decomposition").expect("components");
        for (seasons, panels) in [(1, 3), (2, 4)] {
            let components = Components {
                seasons: all.seasons[..seasons].to_vec(),
                ..all.clone()
            };
            assert_eq!(height(&evaluation, Some(&components)), 622 + panels * 266);
        }
        let history = history.with(evaluation.value.expect("a value"));
        let with_month_days = all.with_month_days(history.values(), history.values());
        assert_eq!(height(&evaluation, Some(&with_month_days)), 622 + 5 * 266);
    }

    #[test]
    fn a_history_without_a_verdict_draws_as_values() {
        let evaluation = judged(&rows("2026-11-22 14:00", 1));
        assert!(evaluation.forecast().is_none());
        assert_eq!(height(&evaluation, None), 622);
    }

    #[test]
    fn fewer_ticks_keep_zero() {
        let ticks = |from: i32, to: i32| {
            let ticks = (from..=to).map(|tick| Tick {
                at: f64::from(tick),
                label: String::new(),
            });
            let kept = thin_out(ticks.collect()).into_iter();
            kept.map(|tick| tick.at).collect::<Vec<_>>()
        };
        assert_eq!(ticks(-3, 3), [-2.0, 0.0, 2.0]);
        assert_eq!(ticks(1, 3), [1.0, 2.0, 3.0]);
        assert_eq!(ticks(5, 13), [5.0, 8.0, 11.0]);
    }
}
