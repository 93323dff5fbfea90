//! The judged points as CSV, one a row. Numbers are the shortest that read back as the same number;
//! no field needs quotes.

use super::replay::Replay;
use crate::commands::report::stamp;

const HEADER: &str = "time,value,expected,lower,upper,score,verdict\n";

/// The whole table; limits and score are empty where nothing was decided.
pub fn write(replay: &Replay) -> String {
    let rows = replay.points.iter().map(|point| {
        let figures = match (point.band, point.score) {
            (Some(band), Some(score)) => format!(
                "{:?},{:?},{:?},{score:?}",
                band.expected, band.lower, band.upper
            ),
            _ => ",,,".to_string(),
        };
        let time = stamp(replay.time(point));
        let value = point
            .value
            .map_or(String::new(), |value| format!("{value:?}"));
        format!("{time},{value},{figures},{}\n", point.verdict.word())
    });
    std::iter::once(HEADER.to_string()).chain(rows).collect()
}
