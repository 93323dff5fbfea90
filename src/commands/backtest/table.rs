//! The judged points as CSV, one a row. Numbers are the shortest that read back as the same number;
//! no field needs quotes.

use super::replay::Replay;
use crate::commands::report::stamp;

const HEADER: &str = "time,value,expected,lower,upper,score,verdict\n";

/// The whole table; limits and score are empty where nothing was decided.
pub fn write(replay: &Replay) -> String {
    let rows = replay.points.iter().map(|point| {
        let band = point.band;
        let figures = [
            point.value,
            band.map(|band| band.expected),
            band.map(|band| band.lower),
            band.map(|band| band.upper),
            point.score.filter(|_| band.is_some()),
        ];
        let figures = figures.map(|figure| figure.map_or(String::new(), |it| format!("{it:?}")));
        let (time, verdict) = (stamp(replay.time(point)), point.verdict.word());
        format!("{time},{},{verdict}\n", figures.join(","))
    });
    std::iter::once(HEADER.to_string()).chain(rows).collect()
}
